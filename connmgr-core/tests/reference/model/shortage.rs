//! The machine lacks resources for a dial: all dials wait, and one at a time tries.

use connmgr_core::{ConnId, Time};

use super::Model;

#[derive(Debug)]
pub(super) struct RShortage {
    /// The newest dial when the shortage began.
    newest: ConnId,
    until: Time,
    tried: u32,
}

impl Model {
    /// No dial before this.
    pub(super) fn short_until(&self) -> Option<Time> {
        self.shortage.as_ref().map(|short| short.until).filter(|until| *until > self.now)
    }

    pub(super) fn is_short(&mut self) {
        let (newest, until) = (self.newest, self.now.after(self.config.health.first_probe));
        self.shortage.get_or_insert(RShortage { newest, until, tried: 0 });
    }

    /// A dial is made.
    pub(super) fn shortage_is_tried(&mut self) {
        let (now, health) = (self.now, self.config.health);
        if let Some(short) = &mut self.shortage {
            short.tried += 1;
            let wait = (0..short.tried.min(20)).fold(health.first_probe, |wait, _| wait * 2);
            short.until = now.after(wait.min(health.max_probe));
        }
    }

    /// A dial ended otherwise: if it was made since, the shortage is over.
    pub(super) fn is_not_short(&mut self, conn: ConnId) {
        if self.shortage.as_ref().is_some_and(|short| conn > short.newest) {
            self.shortage = None;
            self.release(|peer| peer.unanswered);
            self.feed();
        }
    }
}
