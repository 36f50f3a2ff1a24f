//! A manager, its clock and its checkers: `connmgr-check` checks every step, and panics on a violation.

use std::time::Duration;

use connmgr_check::{Suite, Watcher};
use connmgr_core::*;

use crate::support::{Bench, UNIX};

pub(crate) struct Watched {
    pub(crate) bench: Bench,
    watcher: Watcher,
}

impl Watched {
    pub(crate) fn new(config: Config) -> Self {
        let suite = Suite::new(&config, None, UNIX, Time::ZERO);
        Self { bench: Bench::new(config), watcher: Watcher::new("a random run", suite, 1) }
    }

    pub(crate) fn tell(&mut self, input: &Input) -> Vec<Action> {
        self.watcher.step(&mut self.bench.manager, self.bench.now, input).1
    }

    /// Adds addresses of peers with these services to the book.
    pub(crate) fn learn(
        &mut self,
        services: Services,
        addresses: impl IntoIterator<Item = PeerAddress>,
    ) -> Vec<Action> {
        let info = |address| AddressInfo::new(address).services(services).last_seen(UNIX);
        let addresses = addresses.into_iter().map(info).collect();
        self.tell(&Input::Addresses { source: Source::Application, addresses })
    }

    /// Lets time pass, meeting each deadline exactly.
    pub(crate) fn pass(&mut self, time: Duration) -> Vec<Action> {
        let (mut actions, end) = (Vec::new(), self.bench.now.after(time));
        while let Some(due) = self.bench.manager.poll_timeout().filter(|due| *due <= end) {
            self.bench.now = due.max(self.bench.now);
            actions.extend(self.tell(&Input::Timeout));
        }
        self.bench.now = end;
        actions
    }
}
