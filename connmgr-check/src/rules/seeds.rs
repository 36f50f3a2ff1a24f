//! Seeds are asked when and how they may be: by their name, one question at a time, not again before their rest is
//! over, not while enough peers are ready and somebody is left to dial; and they give no more than may be kept.

use core::time::Duration;

use connmgr_core::{
    Action, ConnId, ConnManager, Event, HostName, Input, Kind, LookupId, NetworkKind, PeerAddress, Reply, Services,
    Time,
};

use super::{Ledger, Property, Rule, Seen, Verdict, hold};
use crate::ledger::Phase;
use crate::step::{Cause, TICK};
use crate::wait::shortest_wait;

/// Where the asking of one seed stands.
#[derive(Clone, Copy, Debug, Default)]
struct Seed {
    asked: Option<(LookupId, Time)>,
    /// Not asked again before this, unless the network changes.
    rests_until: Time,
    failures: u32,
    /// There was rest since it was asked, in which a lookup ends in silence.
    was_rest: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Seeds {
    seeds: Vec<Seed>,
    /// Visits to seeds that can't be looked up.
    visits: Vec<(ConnId, usize)>,
    /// When an address was last chosen and dialed for each kind. Neither probes of a network that is down count, nor a
    /// dial repeated with the old transport, nor one that may be to an address that rests: nobody else may be left.
    dialed_at: [Time; Kind::ALL.len()],
    /// When each network was last dialed automatically.
    last: [Option<Time>; NetworkKind::ALL.len()],
}

/// With nobody to dial for so long, seeds are asked however many peers are ready.
const FAMISHED_AFTER: Duration = Duration::from_secs(10);

/// An address that rests, for want of others, is dialed no sooner after the last dial into its network.
const SCARCE_PACE: Duration = Duration::from_secs(10);

impl Seeds {
    pub(crate) fn new(ledger: &Ledger) -> Self {
        Self {
            seeds: vec![Seed::default(); ledger.config.seeds.names.len()],
            visits: Vec::new(),
            dialed_at: [Time::ZERO; Kind::ALL.len()],
            last: Default::default(),
        }
    }

    fn named(ledger: &Ledger, name: &HostName) -> Option<usize> {
        ledger.config.seeds.names.iter().position(|seed| seed.name == *name)
    }

    /// Which seed is asked by this name: its own, or with the services wanted in front.
    fn asked_as(ledger: &Ledger, name: &HostName) -> Option<usize> {
        let wanted = ledger.config.required.full;
        let by_services = wanted != Services::NONE && wanted != Services::NETWORK;
        let prefix = format!("x{:x}.", wanted.bits());
        let is_asked = |seed: &connmgr_core::Seed| {
            let bare = name.as_str().strip_prefix(&prefix).filter(|_| seed.filters_services && by_services);
            bare.map_or(name == &seed.name && !(seed.filters_services && by_services), |bare| {
                bare == seed.name.as_str()
            })
        };
        ledger.config.seeds.names.iter().position(is_asked)
    }

    fn asks(&mut self, seen: Seen<'_>, lookup: LookupId, name: &HostName, deadline: Time) -> Verdict {
        let (ledger, now) = (seen.ledger, seen.now());
        let expected = now.after(ledger.config.dial.lookup_timeout);
        hold(deadline == expected, || format!("{lookup} has a deadline of {deadline} instead of {expected}"))?;
        let Some(index) = Self::asked_as(ledger, name) else { return Err(format!("{name} is asked, but is no seed")) };
        self.may_ask(seen, index)?;
        self.seeds[index].was_rest = false;
        let asked = self.seeds[index].asked.replace((lookup, deadline));
        let over = asked.is_none_or(|(_, deadline)| deadline <= now);
        hold(over, || format!("{name} is asked as {lookup}, and still as {asked:?}"))
    }

    fn may_ask(&self, seen: Seen<'_>, index: usize) -> Verdict {
        let (ledger, now, seed) = (seen.ledger, seen.now(), &self.seeds[index]);
        let name = &ledger.config.seeds.names[index].name;
        let is_forgiven = ledger.changes.may_have_effect() && seed.failures > 0;
        hold(now >= seed.rests_until || is_forgiven, || {
            format!("{name} is asked at {now}, and rests until {}", seed.rests_until)
        })?;
        let (ready, enough) = (ledger.count(Kind::Full).ready, ledger.config.seeds.enough.min(ledger.split.full));
        let is_famished = |kind: Kind| {
            let is_short = ledger.count(kind).ready < ledger.split.of(kind);
            is_short && now.since(self.dialed_at[kind.index()]) >= FAMISHED_AFTER
        };
        let is_any_famished = || [Kind::Full, Kind::BlockRelay].into_iter().any(is_famished);
        hold(ready < enough || is_any_famished(), || {
            format!("{name} is asked while {ready} full connections are ready, of {enough}")
        })
    }

    fn take_note_of_dials(&mut self, seen: Seen<'_>) {
        for conn in seen.step.dials.iter().filter_map(|id| seen.ledger.conn(*id)) {
            let Some(network) = conn.address.as_ref().and_then(PeerAddress::network) else { continue };
            let (Some(kind), false) = (conn.kind.filter(|kind| kind.takes_group()), conn.is_probe) else { continue };
            let last = self.last[network.index()].replace(seen.now());
            let is_quick = last.is_some_and(|last| seen.now() < last.after(SCARCE_PACE));
            let repeats = conn.address == seen.ledger.unheard_address;
            if is_quick && !repeats {
                self.dialed_at[kind.index()] = seen.now();
            }
        }
    }

    fn answered(&mut self, seen: Seen<'_>, index: usize) {
        self.seeds[index] =
            Seed { rests_until: seen.now().after(seen.ledger.config.seeds.again_after), ..Seed::default() };
    }

    fn failed(&mut self, seen: Seen<'_>, index: usize) {
        let seed = &mut self.seeds[index];
        let failures = seed.failures.saturating_add(1);
        let retry = seen.ledger.config.seeds.retry;
        // While the way to all seeds may be closed they are probed.
        let least = shortest_wait(&retry, failures).min(seen.ledger.config.health.max_probe);
        *seed = Seed { asked: None, rests_until: seen.now().after(least), failures, was_rest: false };
    }

    fn told(&mut self, seen: Seen<'_>, name: &HostName, added: Option<u32>) -> Verdict {
        let Some(index) = Self::named(seen.ledger, name) else { return Err(format!("{name} answers, but is no seed")) };
        hold(self.seeds[index].asked.is_some(), || format!("{name} answers, but was not asked"))?;
        match added {
            Some(added) => {
                self.answered(seen, index);
                let keep = seen.ledger.config.seeds.keep;
                hold(added <= keep, || format!("{added} addresses of {name} are kept, of at most {keep}"))
            }
            None => {
                self.failed(seen, index);
                Ok(())
            }
        }
    }

    /// The machine's network has changed: seeds that failed may be asked again.
    fn forgive(&mut self) {
        for seed in self.seeds.iter_mut().filter(|seed| seed.failures > 0) {
            (seed.rests_until, seed.failures) = (Time::ZERO, 0);
        }
    }

    /// A visit to a seed is over.
    fn visited(&mut self, seen: Seen<'_>, id: ConnId, connected: bool) {
        let Some(at) = self.visits.iter().position(|(visit, _)| *visit == id) else { return };
        let (_, index) = self.visits.swap_remove(at);
        if connected { self.answered(seen, index) } else { self.failed(seen, index) }
    }
}

impl Rule for Seeds {
    const PROPERTY: Property = Property::Seeds;

    fn input(&mut self, seen: Seen<'_>, input: &Input, _: &Reply) -> Verdict {
        match input {
            Input::SetActive { active: false } => self.seeds.iter_mut().for_each(|seed| seed.was_rest = true),
            // At rest an answer is not listened to: the seed may be asked again.
            Input::LookupResult { lookup, .. } if seen.ledger.phase != Phase::Active => {
                let whose = |seed: &&mut Seed| seed.asked.is_some_and(|(asked, _)| asked == *lookup);
                self.seeds.iter_mut().filter(whose).for_each(|seed| seed.asked = None);
            }
            _ => {}
        }
        Ok(())
    }

    fn action(&mut self, seen: Seen<'_>, action: &Action) -> Verdict {
        match action {
            Action::ResolveSeed { lookup, seed, deadline, .. } => self.asks(seen, *lookup, seed, *deadline),
            Action::ResolveHost { lookup, deadline, .. } => {
                let expected = seen.now().after(seen.ledger.config.dial.lookup_timeout);
                hold(*deadline == expected, || format!("{lookup} has a deadline of {deadline} instead of {expected}"))
            }
            Action::Emit(Event::SeedAnswered { seed, added }) => self.told(seen, seed, Some(*added)),
            Action::Emit(Event::SeedFailed { seed, .. }) => self.told(seen, seed, None),
            Action::Emit(Event::Disconnected { conn, .. }) => {
                self.visited(seen, *conn, true);
                Ok(())
            }
            Action::Emit(Event::DialFailed { conn, .. }) => {
                self.visited(seen, *conn, false);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn after(&mut self, seen: Seen<'_>, _: &ConnManager) -> Verdict {
        self.take_note_of_dials(seen);
        if seen.ledger.changes.may_have_effect() {
            self.forgive();
        }
        for id in &seen.step.dials {
            let Some(conn) = seen.ledger.conn(*id).filter(|conn| conn.kind == Some(Kind::AddrFetch)) else { continue };
            let name = conn.address.as_ref().and_then(|address| address.name());
            let Some(index) = name.and_then(|name| Self::named(seen.ledger, name)) else {
                return Err(format!("{id} fetches addresses from {:?}, which is no seed", conn.address));
            };
            let again = seen.ledger.unheard.and_then(|id| self.visits.iter().find(|(visit, _)| *visit == id)).is_some();
            let rests = self.seeds[index].rests_until;
            let early = seen.now() < rests && seen.ledger.unheard.is_none() && !again;
            hold(!early, || format!("{id} visits {name:?}, which rests until {rests}"))?;
            self.visits.push((*id, index));
        }
        let late = |seed: &Seed| {
            seed.asked.is_some_and(|(_, deadline)| deadline.after(TICK) <= seen.now() && seen.now() < Time::MAX)
        };
        if seen.step.cause == Cause::Timeout && seen.step.is_due_timeout() && seen.step.is_settled() {
            let active = seen.ledger.phase == Phase::Active;
            for (index, seed) in self.seeds.iter_mut().enumerate().filter(|(_, seed)| late(seed)) {
                hold(!active || seed.was_rest, || {
                    let name = &seen.ledger.config.seeds.names[index].name;
                    format!("{name} was asked as {:?}, and neither answered nor failed by {}", seed.asked, seen.now())
                })?;
                seed.asked = None;
            }
        }
        Ok(())
    }
}
