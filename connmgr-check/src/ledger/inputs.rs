//! What each input and its reply add to the ledger.

use connmgr_core::{CloseCause, ConnId, Input, Reply, Split, Time};

use super::conn::ConnLife;
use super::{Ledger, RunPhase};
use crate::step::{StepCause, StepRecord};

impl Ledger {
    /// The manager was told an input and gave this reply.
    pub(crate) fn input(&mut self, step: &StepRecord, input: &Input, reply: &Reply) {
        (self.unheard, self.readying) = (None, None);
        self.redials.begin_step();
        match input {
            Input::NetworkChanged if self.phase != RunPhase::Stopped => self.changes.change(step.now),
            _ => self.changes.pass(step),
        }
        if self.changes.may_have_effect() {
            self.own.doubt_met();
        }
        if !input.is_command() {
            self.fact(step.now, input);
        } else if step.cause != StepCause::Refused {
            self.command(step.now, input, reply);
        }
    }

    fn fact(&mut self, now: Time, input: &Input) {
        match input {
            Input::Clock { unix } => {
                self.clock = (now, *unix);
                self.judge_restored();
            }
            Input::OwnAddress { address } => self.own.give(&address.clone().settled(self.config.networks)),
            Input::Ready { conn, info } => {
                if let Some(told) = self.conns.get_mut(conn).filter(|told| told.life == ConnLife::Open) {
                    told.identity = info.identity;
                    self.readying = told.automatic_network().map(|network| (*conn, network, true));
                }
            }
            Input::DialResult { conn, result: Ok(()) } if self.conns.get(conn).is_some_and(|conn| !conn.is_open()) => {
                self.dial_ended_otherwise(*conn);
            }
            Input::Closed { conn, cause: CloseCause::Unheard } => self.note_unheard(*conn),
            // The others change nothing in the ledger.
            _ => {}
        }
    }

    /// A command was carried out.
    fn command(&mut self, now: Time, input: &Input, reply: &Reply) {
        match input {
            Input::AddPeer { peer } => {
                if let Reply::Added(Ok(id)) = reply {
                    self.peers.insert(*id, super::peer::settled(peer, self.config.networks));
                    self.share();
                }
            }
            Input::ForgetOwnAddress { address } => self.own.forget(&address.clone().settled(self.config.networks)),
            Input::RemovePeer { peer } => {
                self.peers.remove(*peer);
                self.share();
            }
            Input::SetRetry { peer, retry } => {
                if let Some(peer) = self.peers.get_mut(*peer) {
                    peer.wanted.retry = *retry;
                }
            }
            Input::DialNow { peer } => {
                if let Some(peer) = self.peers.get_mut(*peer) {
                    peer.not_before = None;
                }
            }
            Input::Reconnect { conn } => {
                let peer = self.conns.get(conn).and_then(|conn| conn.peer);
                if let Some(peer) = peer.and_then(|id| self.peers.get_mut(id)) {
                    peer.not_before = None;
                    peer.conns.clear();
                }
            }
            Input::SetActive { active: false } => self.phase = RunPhase::Inactive,
            Input::SetActive { active: true } => {
                self.phase = RunPhase::Active;
                self.peers.epoch += 1;
                for pace in &mut self.paces {
                    pace.start_over(now);
                }
            }
            Input::SetLimits { limits } => {
                self.limits = *limits;
                self.share();
            }
            Input::Shutdown if self.phase != RunPhase::Stopped => self.phase = RunPhase::Stopping,
            // The others change nothing in the ledger.
            _ => {}
        }
    }

    /// Splits the slots anew.
    pub(super) fn share(&mut self) {
        self.usage.touch();
        self.split = Split::new(&self.limits, self.config.mode, self.config.dial.max_hedged, self.peers.len());
    }

    /// A connection ended before its peer sent anything. If it was v2, its added peer is dialed as v1 from now on.
    fn note_unheard(&mut self, id: ConnId) {
        let Some(conn) = self.conns.get(&id) else { return };
        if !conn.died_unheard() {
            return;
        }
        self.unheard = Some(id);
        if let Some(address) = conn.address.clone() {
            self.redials.queue(address);
        }
        if let Some(peer) = conn.peer.and_then(|id| self.peers.get_mut(id)) {
            peer.v1_only = true;
        }
    }
}
