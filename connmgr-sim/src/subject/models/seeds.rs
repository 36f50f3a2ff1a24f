//! When models ask DNS seeds, by the options of ours: all at once when nothing is known, else in batches after a wait,
//! until two full connections are there. Each seed is asked once.

use std::time::Duration;

use connmgr_core::{HostName, Kind, Mode, Time};

use super::desk::ModelDesk;

/// Which seeds a model has asked.
#[derive(Clone, Debug)]
pub(super) struct Seeding {
    next_at: Option<Time>,
    asked: usize,
}

impl Seeding {
    pub(super) fn born(desk: &ModelDesk) -> Self {
        let asks = desk.config.mode == Mode::Automatic && may_ask(desk);
        let wait = if desk.known.is_empty() { Duration::ZERO } else { delay(desk) };
        Self { next_at: asks.then(|| Time::ZERO.after(wait)), asked: 0 }
    }

    /// Asks the seeds that are due.
    pub(super) fn ask(&mut self, desk: &mut ModelDesk, now: Time) {
        if self.next_at.is_none_or(|at| at > now) {
            return;
        }
        let seeds = &desk.config.seeds;
        let names: Vec<HostName> = seeds.names.iter().map(|seed| seed.name.clone()).collect();
        if desk.open(Kind::Full) >= seeds.enough || self.asked >= names.len() {
            self.next_at = None;
            return;
        }
        let count = if desk.known.is_empty() { names.len() } else { seeds.batch as usize };
        names.iter().skip(self.asked).take(count).for_each(|name| desk.resolve(name, None, now));
        self.asked += count;
        self.next_at = Some(now.after(delay(desk)));
    }

    /// When the next are asked.
    pub(super) const fn next_at(&self) -> Option<Time> {
        self.next_at
    }
}

/// Whether there are seeds to ask, and a resolver that may be asked: not where everything goes through a proxy that
/// resolves nothing.
pub(super) fn may_ask(desk: &ModelDesk) -> bool {
    let proxy = desk.config.proxies.all.as_ref();
    !desk.config.seeds.names.is_empty() && proxy.is_none_or(|proxy| proxy.resolves)
}

fn delay(desk: &ModelDesk) -> Duration {
    let seeds = &desk.config.seeds;
    if desk.known.len() < seeds.many as usize { seeds.delay } else { seeds.delay_when_known }
}
