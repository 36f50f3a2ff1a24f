//! A seed is asked by its name, with one lookup at a time, and not before its rest is over. No seed is asked while
//! enough peers are ready and an address is left to dial. No more than `seeds.keep` addresses of an answer are kept. Once a
//! proxy has refused a lookup as unsupported it is asked for none, until a network is up again or changes.

use core::time::Duration;

use connmgr_core::{
    Action, ConnId, ConnManager, Event, HostName, Input, Kind, LookupError, LookupId, NetworkKind, PeerAddress, Reply,
    Seed, Services, Time,
};

use super::{Ledger, Property, Rule, RuleContext, RuleResult, hold};
use crate::ledger::RunPhase;
use crate::step::TICK;
use crate::wait::shortest_wait;

/// What is known of one seed.
#[derive(Clone, Copy, Debug, Default)]
struct SeedRecord {
    asked: Option<(LookupId, Time)>,
    /// When that lookup began.
    since: Time,
    /// Not asked before this, unless the machine's network changes.
    rests_until: Time,
    failures: u32,
    /// It was asked by services.
    by_services: bool,
    /// The manager was inactive since the seed was asked: then no event reports the end of the lookup.
    was_inactive: bool,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct SeedsRule {
    seeds: Vec<SeedRecord>,
    /// The lookup that ended in this step.
    ended: Option<LookupId>,
    /// Visits to seeds that can't be looked up, with the index of the seed.
    visits: Vec<(ConnId, usize)>,
    /// When each kind last had a dial that shows that addresses are left. Probes, v1 repetitions and dials that may go to
    /// a resting address show nothing.
    dialed_at: [Time; Kind::ALL.len()],
    /// The proxy has refused a lookup.
    refused: bool,
    /// When each network was last dialed automatically.
    last: [Option<Time>; NetworkKind::ALL.len()],
}

/// After so long without an address to dial, seeds are asked however many peers are ready.
const FAMISHED_AFTER: Duration = Duration::from_secs(10);

/// A resting address is dialed, when no other is left, no sooner than this after the last dial into its network.
const SCARCE_PACE: Duration = Duration::from_secs(10);

/// The shortest rest of a seed that is probed.
const LEAST_REST: Duration = Duration::from_secs(1);

impl SeedsRule {
    fn named(ledger: &Ledger, name: &HostName) -> Option<usize> {
        ledger.config.seeds.names.iter().position(|seed| seed.name == *name)
    }

    /// The seed that is asked by this absolute name, and whether by services: with the required ones as a prefix.
    fn asked_as(ledger: &Ledger, name: &HostName) -> Option<(usize, bool)> {
        let seeds = &ledger.config.seeds.names;
        let prefix = format!("x{:x}.", ledger.config.required.full.bits());
        let asked = name.as_str().strip_suffix('.')?;
        let bare = asked.strip_prefix(&prefix);
        let by_services = |seed: &Seed| Self::filters(ledger, seed) && bare == Some(seed.name.as_relative());
        let filtered = seeds.iter().position(by_services).map(|index| (index, true));
        filtered.or_else(|| Some((seeds.iter().position(|seed| seed.name.as_relative() == asked)?, false)))
    }

    fn filters(ledger: &Ledger, seed: &Seed) -> bool {
        let wanted = ledger.config.required.full;
        seed.filters_services && wanted != Services::NONE && wanted != Services::NETWORK
    }

    fn asks(&mut self, seen: RuleContext<'_>, lookup: LookupId, name: &HostName, deadline: Time) -> RuleResult {
        let (ledger, now) = (seen.ledger, seen.now());
        let expected = now.after(ledger.config.dial.lookup_timeout);
        hold(deadline == expected, || format!("{lookup} has a deadline of {deadline} instead of {expected}"))?;
        let Some((index, by_services)) = Self::asked_as(ledger, name) else {
            return Err(format!("{name} is asked, but is no seed by its absolute name"));
        };
        self.may_ask(seen, index)?;
        let may_be_refused = self.refused && !ledger.changes.may_have_effect();
        hold(!may_be_refused, || format!("{name} is looked up, though the proxy has refused lookups"))?;
        let seed = &mut self.seeds[index];
        let may_be_bare = seed.by_services || !Self::filters(ledger, &ledger.config.seeds.names[index]);
        hold(by_services || may_be_bare, || format!("{name} is asked by its bare name before that with the services"))?;
        seed.by_services |= by_services;
        seed.was_inactive = false;
        let asked = seed.asked.replace((lookup, deadline));
        seed.since = now;
        let over = asked.is_none_or(|(other, deadline)| deadline <= now || self.ended == Some(other));
        hold(over, || format!("{name} is asked as {lookup}, and still as {asked:?}"))
    }

    fn may_ask(&self, seen: RuleContext<'_>, index: usize) -> RuleResult {
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

    fn take_note_of_dials(&mut self, seen: RuleContext<'_>) {
        for conn in seen.step.dials.iter().filter_map(|id| seen.ledger.conn(*id)) {
            let Some(network) = conn.address.as_ref().and_then(PeerAddress::network) else { continue };
            let (Some(kind), false) = (conn.kind.filter(|kind| kind.takes_group()), conn.is_probe) else { continue };
            let last = self.last[network.index()].replace(seen.now());
            let is_quick = last.is_some_and(|last| seen.now() < last.after(SCARCE_PACE));
            if is_quick && !seen.ledger.repeats_unheard(conn) {
                self.dialed_at[kind.index()] = seen.now();
            }
        }
    }

    fn answered(&mut self, seen: RuleContext<'_>, index: usize) {
        let rests_until = seen.now().after(seen.ledger.config.seeds.again_after);
        let by_services = self.seeds[index].by_services;
        self.seeds[index] = SeedRecord { rests_until, by_services, ..SeedRecord::default() };
    }

    fn failed(&mut self, seen: RuleContext<'_>, index: usize) {
        let seed = &mut self.seeds[index];
        let failures = seed.failures.saturating_add(1);
        let retry = seen.ledger.config.seeds.retry;
        // Where no seed can be reached they are probed more often than their back-off says. The time of a lookup is part
        // of the time from one probe to the next.
        let took = seed.asked.map_or(Duration::ZERO, |_| seen.now().since(seed.since));
        let probed = seen.ledger.config.health.max_probe.saturating_sub(took).max(LEAST_REST);
        let least = shortest_wait(&retry, failures).min(probed);
        let rests_until = seen.now().after(least);
        *seed = SeedRecord { rests_until, failures, by_services: seed.by_services, ..SeedRecord::default() };
    }

    fn told(&mut self, seen: RuleContext<'_>, name: &HostName, added: Option<u32>) -> RuleResult {
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

    /// The machine's network has changed: seeds that failed may be asked at once.
    fn forgive(&mut self) {
        for seed in self.seeds.iter_mut().filter(|seed| seed.failures > 0) {
            (seed.rests_until, seed.failures) = (Time::ZERO, 0);
        }
    }

    /// The proxy has refused a lookup: if it was for a seed, the seed has not failed, and may be visited at once.
    fn proxy_refused(&mut self, lookup: LookupId, now: Time) {
        let of = |seed: &&mut SeedRecord| seed.asked.is_some_and(|(asked, _)| asked == lookup);
        let Some(seed) = self.seeds.iter_mut().find(of) else { return };
        // Otherwise the manager may have given the lookup up before.
        let is_heard = !seed.was_inactive && seed.asked.is_some_and(|(_, deadline)| now < deadline);
        seed.asked = None;
        self.refused |= is_heard;
    }

    /// A visit to a seed has ended.
    fn visited(&mut self, seen: RuleContext<'_>, id: ConnId, connected: bool) {
        let Some(at) = self.visits.iter().position(|(visit, _)| *visit == id) else { return };
        let (_, index) = self.visits.swap_remove(at);
        if connected { self.answered(seen, index) } else { self.failed(seen, index) }
    }
}

impl Rule for SeedsRule {
    const PROPERTY: Property = Property::Seeds;

    fn begin(&mut self, ledger: &Ledger) {
        self.seeds = vec![SeedRecord::default(); ledger.config.seeds.names.len()];
    }

    fn input(&mut self, seen: RuleContext<'_>, input: &Input, _: &Reply) -> RuleResult {
        self.ended = match input {
            Input::LookupResult { lookup, .. } => Some(*lookup),
            _ => None,
        };
        match input {
            Input::SetActive { active: false } => self.seeds.iter_mut().for_each(|seed| seed.was_inactive = true),
            // An answer that comes while inactive is ignored; the seed may be asked again.
            Input::LookupResult { lookup, .. } if seen.ledger.phase != RunPhase::Active => {
                let whose = |seed: &&mut SeedRecord| seed.asked.is_some_and(|(asked, _)| asked == *lookup);
                self.seeds.iter_mut().filter(whose).for_each(|seed| seed.asked = None);
            }
            Input::LookupResult { lookup, result: Err(LookupError::ProxyUnsupported) }
                if seen.ledger.config.proxies.all.is_some() && seen.ledger.limits.addr_fetch > 0 =>
            {
                self.proxy_refused(*lookup, seen.now());
            }
            _ => {}
        }
        Ok(())
    }

    fn action(&mut self, seen: RuleContext<'_>, action: &Action) -> RuleResult {
        match action {
            Action::ResolveSeed { lookup, seed, deadline, .. } => self.asks(seen, *lookup, seed, *deadline),
            Action::ResolveHost { lookup, deadline, .. } => {
                let expected = seen.now().after(seen.ledger.config.dial.lookup_timeout);
                hold(*deadline == expected, || format!("{lookup} has a deadline of {deadline} instead of {expected}"))
            }
            Action::Emit(Event::NetworkUp { .. }) => {
                self.refused = false;
                Ok(())
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

    fn after(&mut self, seen: RuleContext<'_>, _: &ConnManager) -> RuleResult {
        self.take_note_of_dials(seen);
        if seen.ledger.changes.may_have_effect() {
            self.refused = false;
            self.forgive();
        }
        for id in &seen.step.dials {
            let Some(conn) = seen.ledger.conn(*id).filter(|conn| conn.kind == Some(Kind::AddrFetch)) else { continue };
            let name = conn.address.as_ref().and_then(|address| address.name());
            let index = name.and_then(|name| Self::asked_as(seen.ledger, name)).filter(|(_, by_services)| !by_services);
            let Some((index, _)) = index else {
                return Err(format!("{id} fetches addresses from {:?}, which is no seed", conn.address));
            };
            let rests = self.seeds[index].rests_until;
            let early = seen.now() < rests && !seen.ledger.repeats_unheard(conn);
            hold(!early, || format!("{id} visits {name:?}, which rests until {rests}"))?;
            self.visits.push((*id, index));
        }
        let late = |seed: &SeedRecord| {
            seed.asked.is_some_and(|(_, deadline)| deadline.after(TICK) <= seen.now() && seen.now() < Time::MAX)
        };
        if seen.step.is_due_timeout() && seen.step.is_settled() {
            let active = seen.ledger.phase == RunPhase::Active;
            for (index, seed) in self.seeds.iter_mut().enumerate().filter(|(_, seed)| late(seed)) {
                hold(!active || seed.was_inactive, || {
                    let name = &seen.ledger.config.seeds.names[index].name;
                    format!("{name} was asked as {:?}, and neither answered nor failed by {}", seed.asked, seen.now())
                })?;
                seed.asked = None;
            }
        }
        Ok(())
    }
}
