//! What happens on an open connection: handshake, pings, gossip, misbehavior, and its end.

use std::sync::Arc;
use std::time::Duration;

use connmgr_core::{Activity, CloseCause, Connected, Identity, Input, Kind, PeerInfo, Penalty, Services};

use super::World;
use super::happening::{Happening, SOON};
use super::identity::{identity, identity_of_peer};
use crate::scenario::map::USUAL_SERVICES;
use crate::scenario::{Gossip, HostBehavior};
use crate::types::{Dice, DrawPurpose};
use crate::world::links::{LinkEnd, LinkId, LinkStage, WorldLink};
use crate::world::subject::Subject;

/// A peer that does not understand the first bytes closes after this time at the latest, whatever `closes-in` says.
const AT_GIBBERISH: Duration = Duration::from_secs(1);

impl<S: Subject> World<S> {
    /// The manager hands a connection to its application, which begins the handshake.
    pub(super) fn open(&mut self, node: u32, info: &Connected, id: LinkId) {
        let Some(link) = self.links.get_mut(id) else { return };
        link.stage = LinkStage::Open;
        link.kind = info.kind;
        link.nonce = info.nonce;
        let (end, inbound) = (link.end, info.kind.is_inbound());
        let tally = &mut self.nodes[node as usize].tally;
        if !inbound {
            tally.connected += 1;
        }
        match end {
            LinkEnd::Host(host) => self.open_to_host(id, host),
            // Each end's handshake is done a round trip after the dialer's connection is open.
            LinkEnd::Node { link: Some(other), .. } if !inbound => self.open_to_node(id, other),
            LinkEnd::Node { .. } | LinkEnd::Nobody => {}
            LinkEnd::Stranger { sort } => self.open_to_stranger(id, sort),
        }
        self.later(self.plan.scenario.node.ping_every.0, Happening::Ping { link: id });
    }

    fn open_to_host(&mut self, id: LinkId, host: u32) {
        let Some(link) = self.links.get(id) else { return };
        let plan = Arc::clone(&self.plan);
        let (dice, is_v2) = (link.dice, link.is_v2);
        let (spec, resident, times) = (plan.spec(host), plan.resident(host), plan.times(host));
        let closes = |cause| Happening::Closes { link: id, cause };
        let goodbye = times.close.draw(&mut dice.part(14));
        if spec.v1_only && is_v2 {
            return self.later(goodbye.min(AT_GIBBERISH), closes(CloseCause::Unheard));
        }
        if resident.is_full {
            return self.later(goodbye, closes(CloseCause::Eof));
        }
        let ours = plan.scenario.node.handshake.draw(&mut dice.part(10));
        let theirs = times.handshake.draw(&mut dice.part(15));
        let shakes = |extra: Duration| (theirs + ours + extra, Happening::Handshake { link: id });
        let (wait, next) = match plan.behavior(host, self.now) {
            HostBehavior::AcceptThenClose(after) => (after.draw(&mut dice.part(11)), closes(CloseCause::Eof)),
            HostBehavior::Mute | HostBehavior::BlackHole | HostBehavior::Unreachable => return,
            HostBehavior::SlowHandshake(extra) => shakes(extra.draw(&mut dice.part(12))),
            HostBehavior::Refuse => (goodbye, closes(CloseCause::Reset)),
            HostBehavior::Windows { period, open } => {
                self.later(rest_of_window(self.now, period.0, open.0), closes(CloseCause::Reset));
                shakes(Duration::ZERO)
            }
            HostBehavior::Accept
            | HostBehavior::Slow(_)
            | HostBehavior::ReadyThenClose(_)
            | HostBehavior::Flaky(_)
            | HostBehavior::Misbehave { .. }
            | HostBehavior::Useless
            | HostBehavior::Mirror => shakes(Duration::ZERO),
        };
        self.later(wait, next);
        if let Some(until) = self.up_until(host) {
            self.queue.push(until.max(self.now), closes(CloseCause::Reset));
        }
        if let Some(session) = &spec.session {
            self.later(session.draw(&mut dice.part(13)), closes(CloseCause::Eof));
        }
    }

    fn open_to_node(&mut self, id: LinkId, other: LinkId) {
        let Some(link) = self.links.get(id) else { return };
        let ours = self.plan.scenario.node.handshake.draw(&mut link.dice.part(10));
        let round_trip = link.round_trip;
        self.later(round_trip + ours, Happening::Handshake { link: id });
        self.later(round_trip / 2 + ours, Happening::Handshake { link: other });
    }

    /// Whether the other end of a link answers.
    pub(super) fn is_alive(&self, id: LinkId) -> bool {
        let Some(link) = self.links.get(id) else { return false };
        if link.is_hung || self.nodes[link.node as usize].ails.is_cut_off(link.network) {
            return false;
        }
        match link.end {
            LinkEnd::Host(host) => !self.is_parted(link.node, host),
            LinkEnd::Node { node, .. } => !self.nodes[node as usize].ails.is_cut_off(link.network),
            LinkEnd::Stranger { .. } => true,
            LinkEnd::Nobody => false,
        }
    }

    /// How many ready outbound connections a manager has with adversaries.
    pub fn adversaries_of(&self, node: usize) -> u64 {
        let is_adversary = |id: &&LinkId| {
            let Some(link) = self.links.get(**id) else { return false };
            let end = match link.end {
                LinkEnd::Host(host) => self.plan.spec(host).adversary,
                LinkEnd::Node { .. } | LinkEnd::Stranger { .. } | LinkEnd::Nobody => false,
            };
            end && link.stage == LinkStage::Ready && !link.kind.is_inbound()
        };
        self.nodes[node].links.values().filter(is_adversary).count() as u64
    }

    pub(super) fn handshake(&mut self, id: LinkId) {
        let Some(link) = self.links.get(id).filter(|link| link.stage == LinkStage::Open) else { return };
        let (node, conn, end, nonce) = (link.node, link.conn, link.end, link.nonce);
        if self.is_postponed(node, Happening::Handshake { link: id }) || !self.is_alive(id) {
            return;
        }
        let info = self.peer_info(end, nonce);
        self.tell(node, &Input::Ready { conn, info });
        // The manager may have closed it at that.
        let Some(link) = self.links.get_mut(id) else { return };
        (link.stage, link.ready_at) = (LinkStage::Ready, Some(self.now));
        let (kind, network) = (link.kind, link.network);
        let tally = &mut self.nodes[node as usize].tally;
        tally.traffic[network.index()].ready += u64::from(!kind.is_inbound());
        tally.now_ready[kind.index()] += 1;
        tally.ready += 1;
        self.note_full(node);
        self.begin_talk(id, end, kind);
    }

    fn peer_info(&self, end: LinkEnd, ours: u64) -> PeerInfo {
        let identity = |node: u32| self.plan.scenario.node.has_identity.then(|| Identity(identity(node)));
        match end {
            LinkEnd::Host(host) => {
                let behavior = self.plan.behavior(host, self.now);
                let is_useless = *behavior == HostBehavior::Useless;
                let services = if is_useless { Services::NONE } else { self.plan.spec(host).offered() };
                let nonce = (*behavior == HostBehavior::Mirror).then_some(ours);
                let peer = self.plan.peer_of(host).map(|peer| (&*self.plan.spec(host).name, peer));
                let identity = peer.map(|(of, peer)| Identity(identity_of_peer(of, peer)));
                PeerInfo { services, nonce, identity, ..PeerInfo::default() }
            }
            LinkEnd::Node { node, link } => {
                let nonce = link.and_then(|link| self.links.get(link)).map(|link| link.nonce);
                PeerInfo { services: USUAL_SERVICES, nonce, identity: identity(node), ..PeerInfo::default() }
            }
            LinkEnd::Stranger { .. } | LinkEnd::Nobody => PeerInfo::default(),
        }
    }

    fn begin_talk(&mut self, id: LinkId, end: LinkEnd, kind: Kind) {
        match end {
            LinkEnd::Host(host) => {
                let plan = Arc::clone(&self.plan);
                self.begin_gossip(id, kind, &plan.spec(host).gossip);
                let dice = Dice::new(plan.seed, DrawPurpose::Session, host.into()).part(self.steps);
                match plan.behavior(host, self.now) {
                    HostBehavior::Misbehave { after, .. } => {
                        self.later(after.draw(&mut dice.part(0)), Happening::Misbehaves { link: id });
                    }
                    HostBehavior::ReadyThenClose(after) => {
                        let cause = CloseCause::Eof;
                        self.later(after.draw(&mut dice.part(1)), Happening::Closes { link: id, cause });
                    }
                    _ => {}
                }
            }
            // What managers know of each other they learn when they ask for it.
            LinkEnd::Node { .. } if !kind.is_inbound() => self.begin_gossip(id, kind, &Gossip::default()),
            LinkEnd::Stranger { sort } => self.stranger_is_ready(id, sort),
            LinkEnd::Node { .. } | LinkEnd::Nobody => {}
        }
    }

    pub(super) fn misbehaves(&mut self, id: LinkId) {
        let Some(link) = self.links.get(id).filter(|link| link.stage == LinkStage::Ready) else { return };
        let (node, conn, end, dice) = (link.node, link.conn, link.end, link.dice);
        if self.is_postponed(node, Happening::Misbehaves { link: id }) {
            return;
        }
        let plan = Arc::clone(&self.plan);
        let (penalty, again) = match end {
            LinkEnd::Host(host) => match plan.behavior(host, self.now) {
                HostBehavior::Misbehave { after, penalty } => {
                    (*penalty, after.draw(&mut dice.part(self.now.as_nanos())))
                }
                _ => return,
            },
            LinkEnd::Stranger { .. } => (Penalty { persistent: 101, transient: 0 }, Duration::from_secs(1)),
            LinkEnd::Node { .. } | LinkEnd::Nobody => return,
        };
        self.tell(node, &Input::Misbehavior { conn, penalty });
        self.later(again.max(SOON), Happening::Misbehaves { link: id });
    }

    /// After a second ping without an answer the application drops the connection.
    pub(super) fn ping(&mut self, id: LinkId) {
        let Some(link) = self.links.get(id) else { return };
        let (node, conn, missed, round_trip, is_ready) =
            (link.node, link.conn, link.missed_ping, link.round_trip, link.stage == LinkStage::Ready);
        if self.is_postponed(node, Happening::Ping { link: id }) {
            return;
        }
        let is_alive = self.is_alive(id);
        if !is_alive && missed {
            return self.drops(id);
        }
        if let Some(link) = self.links.get_mut(id) {
            link.missed_ping = !is_alive;
        }
        self.later(self.plan.scenario.node.ping_every.0, Happening::Ping { link: id });
        if is_alive && is_ready {
            let activity = Activity { ping: Some(round_trip), block: false, transaction: false, ..Activity::default() };
            self.tell(node, &Input::Activity { conn, activity });
        }
    }

    /// The other end closes a link, or the network breaks it.
    pub(super) fn closes(&mut self, id: LinkId, cause: CloseCause) {
        let Some(link) = self.links.get(id) else { return };
        let (node, conn, stage) = (link.node, link.conn, link.stage);
        if self.is_postponed(node, Happening::Closes { link: id, cause }) {
            return;
        }
        // What the other end says does not get through.
        if !self.is_alive(id) {
            if let Some(link) = self.links.get_mut(id) {
                link.is_hung = true;
            }
            return;
        }
        if self.remove(id).is_none() {
            return;
        }
        match stage {
            LinkStage::Open | LinkStage::Ready => self.tell(node, &Input::Closed { conn, cause }),
            LinkStage::Dialing | LinkStage::GivenUp => {}
        }
    }

    /// The application drops a connection.
    fn drops(&mut self, id: LinkId) {
        let Some(link) = self.remove(id) else { return };
        self.tell_other_end(&link, CloseCause::Eof);
        match link.stage {
            LinkStage::Open | LinkStage::Ready => self.tell(link.node, &Input::Dropped { conn: link.conn }),
            LinkStage::Dialing | LinkStage::GivenUp => {}
        }
    }

    /// The manager at the other end, if one is there, hears that we closed.
    pub(super) fn tell_other_end(&mut self, link: &WorldLink, cause: CloseCause) {
        if let LinkEnd::Node { link: Some(other), .. } = link.end {
            // Not before the handshake that was sent ahead of it: a half that is rounded down could overtake that.
            self.later(link.round_trip - link.round_trip / 2, Happening::Closes { link: other, cause });
        }
    }
}

fn rest_of_window(now: crate::types::Instant, period: Duration, open: Duration) -> Duration {
    let period = u64::try_from(period.as_nanos()).unwrap_or(u64::MAX).max(1);
    open.saturating_sub(Duration::from_nanos(now.as_nanos() % period))
}
