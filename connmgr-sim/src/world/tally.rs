//! The counters of one manager, from which figures are made.

use std::time::Duration;

use connmgr_core::{Kind, NetworkKind};

use crate::types::Instant;

/// The counters of one manager for one network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Dials begun.
    pub dials: u64,
    /// Handshakes done on connections that we dialed.
    pub ready: u64,
    /// Of these, those that lasted for `stable_after`, counted when they end.
    pub stable: u64,
}

/// The counters of one manager.
#[derive(Clone, Debug, Default)]
pub struct NodeTally {
    /// Dials begun.
    pub dials: u64,
    /// Dials that became a connection.
    pub connected: u64,
    /// Handshakes done.
    pub ready: u64,
    /// Connections lost or closed.
    pub disconnected: u64,
    /// Inbound connections offered.
    pub arrivals: u64,
    /// Inbound connections admitted.
    pub accepted: u64,
    /// Lookups begun.
    pub lookups: u64,
    /// Bans imposed.
    pub bans: u64,
    /// Times a network was found down.
    pub outages: u64,
    /// Starts of the process, the first among them.
    pub starts: u64,
    /// The most dials in any one second.
    pub most_dials_in_a_second: u32,
    /// Dials begun while the interface or a network was cut off by a fault.
    pub dials_in_faults: u64,
    /// When the pool was first full.
    pub first_full: Option<Instant>,
    /// When the pool was first full after the world was healed.
    pub full_after_healing: Option<Instant>,
    /// How long the pool was not full, since it was first full.
    pub short_for: Duration,
    /// Open and ready connections now, by kind.
    pub now_ready: [u32; Kind::ALL.len()],
    /// The same by network.
    pub traffic: [Traffic; NetworkKind::ALL.len()],
    short_since: Option<Instant>,
    second: u64,
    dials_in_second: u32,
}

impl NodeTally {
    /// A dial is begun.
    pub fn dial(&mut self, network: NetworkKind, now: Instant) {
        self.dials += 1;
        self.traffic[network.index()].dials += 1;
        if now.as_secs() != self.second {
            (self.second, self.dials_in_second) = (now.as_secs(), 0);
        }
        self.dials_in_second += 1;
        self.most_dials_in_a_second = self.most_dials_in_a_second.max(self.dials_in_second);
    }

    /// The pool is full now, or it isn't.
    pub fn note_full(&mut self, is_full: bool, now: Instant) {
        match (is_full, self.short_since) {
            (true, Some(since)) => {
                self.short_for += now.since(since);
                self.short_since = None;
            }
            (true, None) => self.first_full = self.first_full.or(Some(now)),
            (false, None) if self.first_full.is_some() => self.short_since = Some(now),
            (false, Some(since)) => {
                self.short_for += now.since(since);
                self.short_since = Some(now);
            }
            (false, None) => {}
        }
    }

    /// Ready automatic connections that stay.
    pub fn automatic(&self) -> u32 {
        self.now_ready[Kind::Full.index()] + self.now_ready[Kind::BlockRelay.index()]
    }

    /// Ready connections to added peers.
    pub fn added(&self) -> u32 {
        self.now_ready[Kind::Added.index()]
    }
}
