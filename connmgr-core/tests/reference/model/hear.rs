//! What an input makes necessary.

use connmgr_core::{
    AddPeerError, BanTarget, CloseReason, CommandError, ConnId, DialError, Input, Keep, Kind, Limits, PeerAddress,
    Penalty, Refusal, Reply, Services, Source,
};

use super::peers::RPeer;
use super::{Model, Stage, Step};

impl Model {
    pub(super) fn hear(&mut self, step: &Step<'_>) {
        match step.input {
            Input::Timeout if step.is_due => self.time_has_come(),
            Input::Timeout | Input::Activity { .. } | Input::SampleAddresses { .. } => {}
            Input::DialResult { conn, result } => self.hear_dial_result(*conn, *result),
            Input::Ready { conn, info } => self.hear_ready(*conn, info.services, step),
            Input::Closed { conn, .. } => {
                self.owed.ends = self.conn(*conn).filter(|conn| conn.is_open()).map(|conn| conn.id);
            }
            Input::Misbehavior { conn, penalty } => self.hear_misbehavior(*conn, *penalty),
            Input::Addresses { source: Source::Application, addresses } => {
                self.told.extend(addresses.iter().map(|info| info.address.clone()));
            }
            Input::Accept { .. } => self.hear_accept(step),
            Input::AddPeer { address, keep } => self.hear_add(step.reply, address, *keep),
            Input::NetworkChanged => {
                self.peers.iter_mut().filter(|peer| peer.unanswered && !peer.owes_retry).for_each(RPeer::wake);
            }
            command => {
                let expected = self.hear_command(command);
                self.hold(*step.reply == Reply::Done(expected), "another reply");
            }
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

    /// A deadline is met: whatever has run out by now is over.
    fn time_has_come(&mut self) {
        let (dial, handshake) = (self.config.dial.direct.timeout, self.config.handshake_timeout);
        for conn in &self.conns {
            match conn.stage {
                Stage::Dialing | Stage::Silent if self.is_long_ago(conn.since, dial) => {
                    self.owed.closes.push((conn.id, CloseReason::DialTimeout));
                }
                Stage::Open if self.is_long_ago(conn.since, handshake) => {
                    self.owed.closes.push((conn.id, CloseReason::HandshakeTimeout));
                }
                Stage::Dialing | Stage::Silent | Stage::Open | Stage::Ready => {}
            }
        }
        let now = self.now;
        self.drop_ended_bans();
        let free: Vec<bool> = self.peers.iter().map(|peer| !self.is_banned(peer.address.host())).collect();
        for (peer, free) in self.peers.iter_mut().zip(free) {
            if peer.waits.is_some_and(|at| at <= now) {
                peer.waits = None;
            }
            peer.held_by_ban &= !free;
        }
    }

    /// Whether a silent dial of this kind that succeeds finds a slot, or one that is as silent makes way.
    fn gets_slot(&self, kind: Kind) -> bool {
        let (held, share) = (self.held(kind), self.share(kind));
        held < share || held == share && self.has_overdue(kind)
    }

    fn hear_dial_result(&mut self, id: ConnId, result: Result<(), DialError>) {
        match (self.conn(id), result) {
            (Some(conn), Ok(())) if conn.stage == Stage::Silent && !self.gets_slot(conn.kind) => {
                self.owed.closes.push((id, CloseReason::Surplus));
            }
            (Some(conn), Ok(())) if !conn.is_open() => self.owed.opens = Some(id),
            (Some(conn), Err(_)) if !conn.is_open() => self.owed.ends = Some(id),
            (None, Ok(())) => self.owed.late = Some(id),
            (Some(_) | None, _) => {}
        }
    }

    fn hear_ready(&mut self, id: ConnId, services: Services, step: &Step<'_>) {
        let Some(at) = self.conns.iter().position(|conn| conn.id == id && conn.stage == Stage::Open) else { return };
        let conn = self.conns[at].clone();
        if conn.kind != connmgr_core::Kind::Inbound {
            let address = conn.address.clone().expect("we dialed it");
            self.useless.retain(|known| *known != address);
            if services == Services::NONE && step.book.contains(&address) {
                self.useless.push(address);
            }
        }
        if conn.kind == connmgr_core::Kind::Full && !services.has(self.config.required.full) {
            return self.owed.closes.push((id, CloseReason::MissingServices));
        }
        self.touch(&conn);
        self.conns[at].stage = Stage::Ready;
        self.conns[at].since = self.now;
    }

    fn hear_misbehavior(&mut self, id: ConnId, penalty: Penalty) {
        let (now, rules) = (self.now, self.config.score);
        let threshold = f64::from(rules.threshold);
        let live = self.conn(id).map(|conn| (conn.host().cloned(), conn.no_ban));
        let past = || {
            let ended = self.ended.iter().rev().take(1024).find(|(conn, ..)| *conn == id);
            ended.map(|(_, host, no_ban)| (Some(host.clone()), *no_ban))
        };
        let Some((host, no_ban)) = live.or_else(past) else { return };
        let score = match &host {
            Some(host) => self.account(host).raise(penalty, now),
            None => {
                let Some(conn) = self.conns.iter_mut().find(|conn| conn.id == id) else { return };
                conn.account.raise(penalty, now)
            }
        };
        // Sums of whole numbers that have not faded are exact; others are as near as they are.
        let exceeds = score > threshold && (score - threshold >= super::scores::CLOSE || score.fract() == 0.0);
        match (exceeds && !no_ban, host) {
            (false, _) => self.owed.warning = Some(score),
            (true, None) => self.owed.closes.push((id, CloseReason::Misbehaved)),
            (true, Some(host)) => {
                self.accounts.retain(|(known, _)| *known != host);
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

    /// Whoever is banned now is closed.
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
            self.peers.iter_mut().for_each(RPeer::wake);
        } else {
            self.owed.closes.extend(self.conns.iter().map(|conn| (conn.id, CloseReason::Inactive)));
        }
    }

    fn hear_accept(&mut self, step: &Step<'_>) {
        let Input::Accept { remote, listener } = step.input else { return };
        let refusals = self.refusals(*remote, *listener);
        match step.reply {
            Reply::Accepted(Err(refusal)) => self.hold(refusals.contains(refusal), "refused without that reason"),
            Reply::Accepted(Ok(conn)) => {
                // A full pool may make room; nothing else may be in the way.
                self.owed.evicts = refusals == [Refusal::Full];
                self.hold(refusals.is_empty() || self.owed.evicts, "let in against the rules");
                self.owed.opens = Some(*conn);
            }
            _ => self.hold(false, "no answer to accept"),
        }
    }

    fn hear_add(&mut self, reply: &Reply, address: &PeerAddress, keep: Keep) {
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
                self.peers.push(RPeer::new(*id, address.clone(), keep));
            }
            Reply::Added(Err(why)) => self.hold(refusals.contains(why), "not added, without that reason"),
            _ => self.hold(false, "no answer to add_peer"),
        }
    }
}
