//! A model as a subject of the world: inputs change its state, and its policy plans after each turn.

use std::net::SocketAddr;
use std::time::Duration;

use connmgr_check::Violation;
use connmgr_core::driver::PoolEvent;
use connmgr_core::{
    AddPeerError, BanScore, Birth, CommandError, ConfigError, ConnId, DialError, Input, Kind, Placement, Refusal,
    Reply, SavedAddress, Services, Snapshot, SourceGroup, Time, UnixTime,
};

use super::desk::{ModelConn, ModelDesk, ModelStage};
use crate::world::links::LinkId;
use crate::world::subject::{Outbox, Subject};

/// A model's policy: whom it dials, and when.
pub(super) trait ModelPolicy: Clone {
    /// How long its dials may take.
    const PATIENCE: Duration;

    /// Creates it.
    fn born(desk: &ModelDesk) -> Self;
    /// Makes the dials and asks the seeds that are due.
    fn plan(&mut self, desk: &mut ModelDesk, now: Time);
    /// When it must plan again, deadlines of dials apart.
    fn next(&self, desk: &ModelDesk, now: Time) -> Option<Time>;
    /// A dial became a connection.
    fn succeeded(&mut self, desk: &mut ModelDesk, conn: &ModelConn, now: Time);
    /// A dial failed.
    fn failed(&mut self, desk: &mut ModelDesk, conn: &ModelConn, now: Time);
    /// A connection that was open has ended.
    fn lost(&mut self, desk: &mut ModelDesk, conn: &ModelConn, now: Time);
}

/// A model of another connection manager. A paced one has the timeouts, the dial rate and the rests of addresses of
/// our configuration; an unpaced one has its own.
#[derive(Clone, Debug)]
#[allow(private_bounds, reason = "only the models of this crate can be subjects")]
pub struct Modelled<P: ModelPolicy, const PACED: bool> {
    desk: ModelDesk,
    policy: P,
    scores: Vec<(ConnId, BanScore)>,
    now: Time,
    /// Models have no onlooker.
    nobody: (),
}

#[allow(private_bounds, reason = "only the models of this crate can be subjects")]
impl<P: ModelPolicy, const PACED: bool> Modelled<P, PACED> {
    fn take_deadlines(&mut self, now: Time) {
        let late = |conn: &ModelConn| conn.stage != ModelStage::Ready && conn.deadline <= now;
        let ended: Vec<ConnId> = self.desk.conns.iter().filter(|(_, conn)| late(conn)).map(|(id, _)| *id).collect();
        for id in ended {
            self.close(id, now);
        }
    }

    fn over(&mut self, conn: &ModelConn, now: Time) {
        self.desk.ended(conn);
        match conn.stage {
            ModelStage::Dialing => self.policy.failed(&mut self.desk, conn, now),
            ModelStage::Open | ModelStage::Ready => self.policy.lost(&mut self.desk, conn, now),
        }
    }

    fn close_all(&mut self, now: Time) {
        let conns: Vec<ConnId> = self.desk.conns.keys().copied().collect();
        for conn in conns {
            self.close(conn, now);
        }
    }

    fn close(&mut self, conn: ConnId, now: Time) {
        if let Some(conn) = self.desk.end(conn) {
            self.over(&conn, now);
        }
    }

    fn shed(&mut self, now: Time) {
        for conn in self.desk.shed() {
            self.over(&conn, now);
        }
    }

    fn misbehaved(&mut self, id: ConnId, penalty: connmgr_core::Penalty, now: Time) {
        let place = self.scores.iter().position(|(conn, _)| *conn == id).unwrap_or_else(|| {
            self.scores.push((id, BanScore::default()));
            self.scores.len() - 1
        });
        let score = self.scores[place].1.increase(penalty, now);
        if score <= self.desk.config.score.threshold {
            return;
        }
        self.scores.swap_remove(place);
        if let Some(conn) = self.desk.end(id) {
            if let Some(address) = &conn.address {
                self.desk.ban(address.host(), now);
            }
            self.over(&conn, now);
        }
    }

    fn remove_peer(&mut self, peer: connmgr_core::PeerId) -> Result<(), CommandError> {
        let place = self.desk.added.iter().position(|added| added.id == peer).ok_or(CommandError::UnknownPeer)?;
        if let Some(conn) = self.desk.added.remove(place).conn {
            self.desk.end(conn);
        }
        Ok(())
    }

    fn tell(&mut self, input: &Input, now: Time) -> Reply {
        match input {
            Input::Ready { conn, info } => {
                let is_useful = self.desk.made_ready(*conn, info);
                if !is_useful {
                    self.close(*conn, now);
                }
            }
            Input::Closed { conn, .. } | Input::Dropped { conn } => {
                if let Some(conn) = self.desk.conns.remove(conn) {
                    self.over(&conn, now);
                }
            }
            Input::Addresses { addresses, .. } => {
                addresses.iter().for_each(|info| self.desk.learn(&info.address));
            }
            Input::LookupResult { lookup, result } => {
                let ips = result.as_deref().unwrap_or_default();
                if let Some(failed) = self.desk.looked_up(*lookup, ips, now) {
                    self.close(failed, now);
                }
            }
            Input::Misbehavior { conn, penalty } => self.misbehaved(*conn, *penalty, now),
            Input::AddPeer { peer } => {
                // The relatives know one address for a peer.
                let Some(address) = peer.addresses.first() else { return Reply::Added(Err(AddPeerError::NoAddress)) };
                let added = self.desk.add(address, now);
                self.shed(now);
                return Reply::Added(added);
            }
            Input::RemovePeer { peer } => return Reply::Done(self.remove_peer(*peer)),
            Input::SetActive { active } => {
                self.desk.is_active = *active;
                if !active {
                    self.close_all(now);
                }
            }
            Input::SetLimits { limits } => {
                self.desk.config.limits = *limits;
                self.shed(now);
            }
            Input::Shutdown => {
                self.desk.is_active = false;
                self.close_all(now);
            }
            // Of no consequence for whom these models dial.
            _ => {}
        }
        Reply::Noted
    }

    fn settle(&mut self, now: Time, outbox: &mut Outbox) {
        self.now = now;
        self.take_deadlines(now);
        if self.desk.is_active {
            self.policy.plan(&mut self.desk, now);
        }
        outbox.append(&mut self.desk.started);
    }
}

#[allow(private_bounds, reason = "only the models of this crate can be subjects")]
impl<P: ModelPolicy, const PACED: bool> Subject for Modelled<P, PACED> {
    type Watch = ();

    fn born(birth: &Birth, (): ()) -> Result<Self, ConfigError> {
        birth.config.check()?;
        let desk = ModelDesk::new(birth, P::PATIENCE, PACED);
        let policy = P::born(&desk);
        Ok(Self { desk, policy, scores: Vec::new(), now: birth.now, nobody: () })
    }

    fn apply(&mut self, input: &Input, now: Time, outbox: &mut Outbox) -> Reply {
        let reply = self.tell(input, now);
        self.settle(now, outbox);
        reply
    }

    fn dialed(&mut self, conn: ConnId, result: Result<LinkId, DialError>, now: Time, outbox: &mut Outbox) {
        match (result, self.desk.conns.get(&conn).map(|conn| conn.stage)) {
            (Ok(stream), Some(ModelStage::Dialing)) => {
                self.desk.opened(conn, stream, now);
                if let Some(open) = self.desk.conns.get(&conn).cloned() {
                    self.policy.succeeded(&mut self.desk, &open, now);
                }
            }
            (Err(_), Some(ModelStage::Dialing)) => {
                if let Some(failed) = self.desk.conns.remove(&conn) {
                    self.over(&failed, now);
                }
            }
            (_, Some(ModelStage::Open | ModelStage::Ready) | None) => {}
        }
        self.settle(now, outbox);
    }

    fn accept(&mut self, _: SocketAddr, link: LinkId, now: Time, outbox: &mut Outbox) -> Result<ConnId, Refusal> {
        if self.desk.count(Kind::Inbound) >= self.desk.split().inbound {
            return Err(Refusal::Full);
        }
        let conn = self.desk.came_in(link, now);
        self.settle(now, outbox);
        Ok(conn)
    }

    fn poll_event(&mut self) -> Option<PoolEvent<LinkId>> {
        self.desk.events.pop_front()
    }

    fn poll_timeout(&self) -> Option<Time> {
        let planned = if self.desk.is_active { self.policy.next(&self.desk, self.now) } else { None };
        planned.into_iter().chain(self.desk.next_deadline()).min()
    }

    fn judge(&mut self, _: Time, _: bool) -> Result<(), Violation> {
        Ok(())
    }

    fn watch(&self) -> &() {
        &self.nobody
    }

    fn watch_mut(&mut self) -> &mut () {
        &mut self.nobody
    }

    fn snapshot(&self) -> Snapshot {
        let never = UnixTime::from_secs(0);
        let saved = |known: &super::desk::Known| SavedAddress {
            address: known.address.clone(),
            services: Services::NETWORK,
            last_seen: crate::scenario::map::BEGINNING,
            last_try: never,
            last_success: never,
            failures: 0,
            v1_only: false,
            source: SourceGroup::UNKNOWN,
            placement: Placement::Anew,
        };
        Snapshot { addresses: self.desk.known.iter().map(saved).collect(), ..Snapshot::default() }
    }

    fn fingerprint(&self, now: Time) -> u128 {
        u128::from(now.as_nanos()) << 64 | self.desk.conns.len() as u128
    }
}
