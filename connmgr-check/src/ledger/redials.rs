//! Repetitions of v2 connections as v1: one may wait for the dial rate, for resources, or behind others.

use connmgr_core::{PeerAddress, Time, Transport};

use super::{Ledger, RunPhase};
use crate::step::StepRecord;

/// The addresses of repetitions that may come.
#[derive(Clone, Debug, Default)]
pub(crate) struct Redials {
    waiting: Vec<PeerAddress>,
    /// Those that were made in this step, or dropped: they are forgotten when the next begins.
    over: Vec<PeerAddress>,
}

impl Redials {
    pub(super) fn begin_step(&mut self) {
        self.over.clear();
    }

    pub(super) fn queue(&mut self, address: PeerAddress) {
        self.waiting.push(address);
    }

    pub(super) fn contains(&self, address: &PeerAddress) -> bool {
        self.waiting.contains(address) || self.over.contains(address)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    fn end(&mut self, address: &PeerAddress) {
        if let Some(place) = self.waiting.iter().position(|other| other == address) {
            self.over.push(self.waiting.remove(place));
        }
    }

    fn end_all(&mut self) {
        self.over.append(&mut self.waiting);
    }
}

impl Ledger {
    /// The step is over: which repetitions were made, and which others may still come.
    pub(super) fn settle_redials(&mut self, step: &StepRecord) {
        if self.redials.is_empty() {
            return;
        }
        for conn in step.dials.iter().filter_map(|id| self.conns.get(id)) {
            if let (Some(address), Transport::V1) = (&conn.address, conn.transport) {
                self.redials.end(address);
            }
        }
        // Nothing holds them up, or the manager is inactive: those that were not made were dropped.
        if self.phase != RunPhase::Active || (step.is_settled() && !self.holds_dials_up(step.now)) {
            self.redials.end_all();
        }
    }

    fn holds_dials_up(&self, now: Time) -> bool {
        self.short_from.is_some() || self.dial_credit.ready_at(&self.config.dial.rate, now) > now
    }
}
