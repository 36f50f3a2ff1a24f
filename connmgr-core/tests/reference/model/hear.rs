//! What an input requires.

use std::time::Duration;

use connmgr_core::{
    AddPeerError, AddedPeer, BanTarget, CloseReason, CommandError, ConnId, DialError, Input, Kind, Limits, Penalty,
    Refusal, Reply, Services, Source,
};

use super::peers::RPeer;
use super::see::Cause;
use super::{Model, RConn, Stage, Step};

/// Changes of the machine's network take effect at most once in so long.
const STARTS_OVER_EVERY: Duration = Duration::from_secs(60);

impl Model {
    pub(super) fn hear(&mut self, step: &Step<'_>) {
        match step.input {
            Input::Timeout if step.is_due => self.bans_run_out(),
            Input::Timeout | Input::Activity { .. } | Input::SampleAddresses { .. } | Input::AnswerGetaddr { .. } => {}
            Input::DialResult { conn, result } => self.hear_dial_result(*conn, *result),
            Input::Ready { conn, info } => self.hear_ready(*conn, info.services),
            Input::Closed { conn, .. } => self.owes_end(*conn, Cause::Closed),
            Input::Dropped { conn } => {
                self.give_token_back(*conn);
                self.owes_end(*conn, Cause::Dropped);
            }
            Input::Misbehavior { conn, penalty } => self.hear_misbehavior(*conn, *penalty),
            Input::Addresses { source: Source::Application, addresses } => self.learns(addresses),
            Input::Accept { .. } => self.hear_accept(step),
            Input::AddPeer { peer } => self.hear_add(step.reply, peer),
            Input::NetworkChanged => self.hear_change(),
            command => {
                let expected = self.hear_command(command);
                self.hold(*step.reply == Reply::Done(expected), "another reply");
            }
        }
    }

    fn owes_end(&mut self, conn: ConnId, cause: Cause) {
        self.owed.ends = self.conn(conn).filter(|conn| conn.is_open()).map(|conn| (conn.id, cause));
    }

    /// A change of the machine's network. It takes effect at most once a minute, later if it comes too soon.
    fn hear_change(&mut self) {
        let next = self.started_over.map(|last| last.after(STARTS_OVER_EVERY));
        match next.filter(|next| *next > self.now) {
            None => self.start_over(),
            Some(next) if self.start_over_at.is_none() => self.start_over_at = Some(self.due(next)),
            Some(_) => {}
        }
    }

    fn hear_command(&mut self, command: &Input) -> Result<(), CommandError> {
        match command {
            Input::RemovePeer { peer } => {
                let at = self.peers.iter().position(|known| known.id == *peer).ok_or(CommandError::UnknownPeer)?;
                let removed = self.peers.remove(at);
                self.owed.closes.extend(removed.busy.map(|conn| (conn, CloseReason::PeerRemoved)));
            }
            Input::Disconnect { conn } => {
                self.conn(*conn).ok_or(CommandError::UnknownConnection)?;
                self.owed.closes.push((*conn, CloseReason::Requested));
            }
            Input::Reconnect { conn } => {
                self.conn(*conn).ok_or(CommandError::UnknownConnection)?;
                let id = self.peer_of(*conn).ok_or(CommandError::NotAdded)?.id;
                let peer = self.peer_mut(id).expect("found above");
                peer.busy = None;
                peer.wake();
                self.owed.closes.push((*conn, CloseReason::Requested));
            }
            Input::DialNow { peer } => self.peer_mut(*peer).ok_or(CommandError::UnknownPeer)?.wake(),
            Input::SetRetry { peer, retry } => {
                self.peer_mut(*peer).ok_or(CommandError::UnknownPeer)?.retry = *retry;
            }
            Input::Ban { target, duration } => {
                self.impose(target, self.now.after(*duration));
                self.owe_bans();
            }
            Input::Unban { target } => {
                let at = self.bans.iter().position(|ban| ban.target == *target).ok_or(CommandError::NotBanned)?;
                self.bans.remove(at);
                self.peers.iter_mut().for_each(|peer| peer.held_by_ban = false);
            }
            Input::ResetScore { host } => self.accounts.retain(|(known, _)| known != host),
            Input::SetActive { active } => self.hear_active(*active),
            Input::SetLimits { limits } => self.limits = Limits { ..*limits },
            other => panic!("no move of a script: {other:?}"),
        }
        Ok(())
    }

    /// A deadline is met: bans that have ended by now block no one.
    fn bans_run_out(&mut self) {
        let free: Vec<bool> = self.peers.iter().map(|peer| !self.is_banned(peer.address.host())).collect();
        for (peer, free) in self.peers.iter_mut().zip(free) {
            peer.held_by_ban &= !free;
        }
    }

    fn hear_dial_result(&mut self, id: ConnId, result: Result<(), DialError>) {
        match (self.conn(id).cloned(), result) {
            (Some(conn), Ok(())) if !conn.is_open() => self.hear_success(&conn),
            (Some(conn), Err(error)) if !conn.is_open() => self.owed.ends = Some((id, Cause::Failed(error))),
            (None, Ok(())) => self.owed.late = Some(id),
            (Some(_) | None, _) => {}
        }
    }

    /// A dial succeeded. Without a free slot it goes on without one, unless all slots are held by ready connections.
    fn hear_success(&mut self, conn: &RConn) {
        let address = conn.dialed().expect("we dialed it");
        self.answers(address);
        self.pace_of(address).has_answered = true;
        self.is_not_short(conn.id);
        let has_slot = conn.stage != Stage::Silent || self.takes_slot(conn.kind, false);
        let ready = self.count(|other| other.kind == conn.kind && other.stage == Stage::Ready);
        if !has_slot && ready >= self.share(conn.kind) {
            self.owed.closes.push((conn.id, CloseReason::Surplus));
        } else {
            (self.owed.opens, self.owed.opens_without_slot) = (Some(conn.id), !has_slot);
        }
    }

    fn hear_ready(&mut self, id: ConnId, services: Services) {
        let is_handshaking = |conn: &&RConn| matches!(conn.stage, Stage::Handshaking | Stage::Stalled);
        let Some(conn) = self.conn(id).filter(is_handshaking).cloned() else { return };
        if let Some(address) = conn.dialed() {
            self.proves(address, services, !conn.is_automatic());
        }
        if conn.kind == Kind::Full && !services.has(self.config.required.full) {
            return self.owed.closes.push((id, CloseReason::MissingServices));
        }
        if conn.stage == Stage::Stalled && !self.takes_slot(conn.kind, true) {
            return self.owed.closes.push((id, CloseReason::Surplus));
        }
        let stable_at = self.now.after(self.config.stable_after);
        let stable = conn.is_automatic().then(|| self.due(stable_at));
        let now = self.now;
        let ready = self.conn_mut(id);
        (ready.stage, ready.since, ready.look, ready.is_overdue) = (Stage::Ready, now, stable, false);
        self.earn_returns(id);
        if self.peer_of(id).is_some() {
            self.added_is_ready();
        }
        if conn.is_automatic() {
            self.automatic_is_ready(&conn);
        }
    }

    fn hear_misbehavior(&mut self, id: ConnId, penalty: Penalty) {
        let (now, rules) = (self.now, self.config.score);
        let threshold = f64::from(rules.threshold);
        let live = self.conn(id).map(|conn| (conn.host().cloned(), conn.is_spared));
        let past = || {
            let ended = self.ended.iter().rev().take(1024).find(|(conn, ..)| *conn == id);
            ended.map(|(_, host, no_ban)| (Some(host.clone()), *no_ban))
        };
        let is_live = live.is_some();
        let Some((host, no_ban)) = live.or_else(past) else { return };
        let score = match &host {
            Some(host) => self.account(host).raise(penalty, now),
            None => {
                let Some(conn) = self.conns.iter_mut().find(|conn| conn.id == id) else { return };
                conn.account.raise(penalty, now)
            }
        };
        // A score of whole numbers that has not decayed is exact; others are approximate.
        let exceeds = score > threshold && (score - threshold >= super::scores::CLOSE || score.fract() == 0.0);
        if !exceeds {
            self.owed.warning = Some(score);
            return;
        }
        self.accounts.retain(|(known, _)| Some(known) != host.as_ref());
        match host.filter(|_| !no_ban) {
            None if is_live => self.owed.closes.push((id, CloseReason::Misbehaved)),
            None => {}
            Some(host) => {
                self.impose(&BanTarget::Host(host), now.after(rules.ban_for));
                self.owe_bans();
            }
        }
    }

    fn account(&mut self, host: &connmgr_core::Host) -> &mut super::Account {
        if !self.accounts.iter().any(|(known, _)| known == host) {
            self.accounts.push((host.clone(), super::Account::default()));
        }
        let account = self.accounts.iter_mut().find(|(known, _)| known == host);
        &mut account.expect("pushed if it was not there").1
    }

    /// Connections to hosts that are banned now are closed.
    fn owe_bans(&mut self) {
        let banned: Vec<ConnId> = self
            .conns
            .iter()
            .filter(|conn| !conn.no_ban && conn.host().is_some_and(|host| self.is_banned(host)))
            .map(|conn| conn.id)
            .collect();
        self.owed.closes.extend(banned.into_iter().map(|conn| (conn, CloseReason::Banned)));
    }

    fn hear_active(&mut self, active: bool) {
        self.active = active;
        if active {
            let now = self.now;
            self.paces.iter_mut().for_each(|pace| _ = pace.starts_over(now));
            self.peers.iter_mut().for_each(RPeer::wake);
            self.feed();
        } else {
            self.owed.closes.extend(self.conns.iter().map(|conn| (conn.id, CloseReason::Inactive)));
        }
    }

    fn hear_accept(&mut self, step: &Step<'_>) {
        let Input::Accept { remote, listener } = step.input else { return };
        let refusals = self.refusals(*remote, *listener);
        match step.reply {
            Reply::Accepted(Err(refusal)) => {
                self.hold(refusals.contains(refusal), "refused without that reason");
                self.refused.1.count(*refusal);
                self.refused.0 = self.refused.0.or(Some(self.now));
            }
            Reply::Accepted(Ok(conn)) => {
                // A full pool may make room, if that is the only obstacle.
                self.owed.evicts = refusals == [Refusal::Full];
                self.hold(refusals.is_empty() || self.owed.evicts, "let in against the rules");
                self.owed.opens = Some(*conn);
            }
            _ => self.hold(false, "no answer to accept"),
        }
    }

    fn hear_add(&mut self, reply: &Reply, wanted: &AddedPeer) {
        let [address] = &wanted.addresses[..] else { panic!("no move of a script: {wanted}") };
        let mut refusals = Vec::new();
        let mut refuse = |holds: bool, why| {
            if holds {
                refusals.push(why);
            }
        };
        refuse(self.peers.iter().any(|peer| peer.address == *address), AddPeerError::Duplicate);
        refuse(self.peers.len() >= self.limits.added as usize, AddPeerError::Full);
        refuse(self.config.own_addresses.contains(address), AddPeerError::OwnAddress);
        refuse(self.is_banned(address.host()), AddPeerError::Banned);
        match reply {
            Reply::Added(Ok(id)) => {
                self.hold(refusals.is_empty(), "added against the rules");
                self.peers.push(RPeer::new(*id, wanted));
            }
            Reply::Added(Err(why)) => self.hold(refusals.contains(why), "not added, without that reason"),
            _ => self.hold(false, "no answer to add_peer"),
        }
    }
}
