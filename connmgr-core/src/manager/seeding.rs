//! DNS seeds and fixed seeds: when they are asked, and how their answers are used.

use alloc::collections::BTreeSet;
use core::time::Duration;

use crate::config::{Mode, Seed};
use crate::types::{
    Action, Event, Host, HostName, Kind, LookupError, LookupId, NetworkKind, NetworkSet, PeerAddress, ResolvedIp,
    Route, Services, SourceGroup,
};

use super::slots::AUTOMATIC;
use super::{ConnManager, Phase, Timer};

/// A seed's addresses count as seen this long ago, plus up to [`SEEN_AGO_SPREAD`]: fresh gossip ranks above them.
const SEEN_AGO: Duration = Duration::from_secs(3 * 24 * 3600);
const SEEN_AGO_SPREAD: Duration = Duration::from_secs(4 * 24 * 3600);

/// A kind that has found no address for this long asks the seeds however many peers are ready: those peers have no more
/// to tell.
pub(super) const LONG_STARVED_AFTER: Duration = Duration::from_secs(10);

/// The shortest rest of a seed that is probed.
const LEAST_REST: Duration = Duration::from_secs(1);

impl ConnManager {
    /// At birth. The fewer addresses are known, the sooner seeds are asked.
    pub(super) fn begin_seeding(&mut self) {
        self.arm_seeds();
        self.arm_fixed_seeds();
    }

    /// A kind starves: seeds may be asked again.
    pub(super) fn seed_again(&mut self) {
        self.arm_seeds();
        self.arm_fixed_seeds();
    }

    /// A full connection is lost. A large book may take hours to run out of addresses, so seeds are asked again as soon
    /// as too few peers are ready.
    pub(super) fn full_lost(&mut self) {
        if self.phase == Phase::Active && self.wants_seeds() {
            self.seed_again();
        }
    }

    fn arm_seeds(&mut self) {
        let again_after = self.config.seeds.again_after;
        let Some(askable) = self.seeds.next_askable(again_after) else { return };
        if self.config.mode == Mode::ConnectOnly || self.single.seeds.is_some() || !self.rules().may_resolve() {
            return;
        }
        // At birth the first deadline may be now.
        let at = self.now().after(self.seed_delay()).max(askable).max(self.earliest);
        self.arm_at(Timer::Seeds, at);
    }

    /// The network has changed: failures of seeds in the old one no longer count.
    pub(super) fn forgive_seeds(&mut self) {
        self.seeds.forgive();
        self.seeds.allow_lookups();
        if self.single.seeds.is_none() {
            return self.arm_seeds();
        }
        // Only earlier: repeated changes must not postpone it again and again.
        self.arm_earlier(Timer::Seeds, self.now().after(self.seed_delay()));
    }

    /// The wait before the next batch. None while every seed has failed: each then rests for as long as it must, and the
    /// known addresses have had their time.
    fn seed_delay(&self) -> Duration {
        let config = &self.config.seeds;
        if self.seeds.have_all_failed() {
            return Duration::ZERO;
        }
        match self.book.len() {
            0 => Duration::ZERO,
            known if known < config.many as usize => config.delay,
            _ => config.delay_when_known,
        }
    }

    fn arm_fixed_seeds(&mut self) {
        let wanted = self.config.mode == Mode::Automatic && !self.config.seeds.fixed.is_empty();
        if wanted && self.single.fixed_seeds.is_none() && self.lacking_networks().next().is_some() {
            let since = self.seeds.want_fixed(self.clocks.now());
            self.arm(Timer::FixedSeeds, since.after(self.fixed_delay()));
        }
    }

    /// The wait before fixed seeds are used. None where nobody else can tell addresses: no seed can be asked, no address
    /// is known, and no peer is added.
    fn fixed_delay(&self) -> Duration {
        let may_ask = !self.config.seeds.names.is_empty() && self.rules().may_resolve();
        let has_source = may_ask || !self.book.is_empty() || self.peers.len() > 0;
        if has_source { self.config.seeds.fixed_after } else { Duration::ZERO }
    }

    pub(super) fn seeds_timer_fired(&mut self) {
        if self.phase != Phase::Active || !self.wants_seeds() {
            return;
        }
        let config = &self.config.seeds;
        let batch = if self.book.is_empty() { usize::MAX } else { config.batch as usize };
        let (again_after, now) = (config.again_after, self.now());
        let seeds: alloc::vec::Vec<usize> = self.seeds.askable(again_after, now).take(batch).collect();
        for seed in seeds {
            if !self.has_room() {
                break;
            }
            self.ask(seed);
        }
        self.arm_seeds_later();
    }

    /// Arms the next batch, in case this one is not enough.
    fn arm_seeds_later(&mut self) {
        let config = &self.config.seeds;
        let Some(askable) = self.seeds.next_askable(config.again_after) else { return };
        let delay = self.seed_delay().max(config.delay);
        self.arm(Timer::Seeds, self.now().after(delay).max(askable));
    }

    /// Whether seeds are needed. Not while a few full connections are ready, because those peers tell us addresses;
    /// unless a kind has starved for long: otherwise an attacker with few groups could keep us from asking anyone else.
    /// Block-relay connections don't count, because we learn no addresses from them.
    fn wants_seeds(&self) -> bool {
        let split = self.split();
        let is_long_starved = |kind: Kind| {
            let starved = self.starved[kind.index()];
            let is_short = self.table.ready(kind) < split.of(kind);
            is_short && starved.is_some_and(|starved| self.now().since(starved.since) >= LONG_STARVED_AFTER)
        };
        let enough = self.config.seeds.enough.min(split.full);
        self.table.ready(Kind::Full) < enough || AUTOMATIC.into_iter().any(is_long_starved)
    }

    fn ask(&mut self, index: usize) {
        let Some(seed) = self.config.seeds.names.get(index) else { return };
        let name = self.name_to_ask(index, seed);
        let route = match &self.config.proxies.all {
            None => Route::Direct,
            Some(proxy) if proxy.resolves && !self.seeds.are_refused() => {
                let (proxy, mode) = (proxy.address.clone(), proxy.isolation);
                Route::Proxy { proxy, isolation: self.isolation(mode) }
            }
            Some(_) => return self.seeds.begin_fetch(index),
        };
        let (lookup, deadline) = self.begin_lookup();
        self.seeds.begin(index, lookup, self.clocks.now());
        self.act(Action::ResolveSeed { lookup, seed: name, route, deadline });
    }

    /// A seed that filters by services is asked for those we require, as `x49.name.`. The bare name gives nodes that
    /// serve blocks. Both are absolute: a seed is not in any search domain.
    fn name_to_ask(&self, index: usize, seed: &Seed) -> HostName {
        let bare = seed.name.to_absolute();
        if !self.asks_by_services(index, seed) {
            return bare;
        }
        let name = alloc::format!("x{:x}.{bare}", self.config.required.full.bits());
        HostName::new(&name).unwrap_or(bare)
    }

    fn asks_by_services(&self, index: usize, seed: &Seed) -> bool {
        self.may_ask_by_services(seed) && !self.seeds.is_bare(index)
    }

    fn may_ask_by_services(&self, seed: &Seed) -> bool {
        let wanted = self.config.required.full;
        seed.filters_services && wanted != Services::NONE && wanted != Services::NETWORK
    }

    /// A seed that may not know our filter has failed by one of its names. Asks it by its bare name, if that has not
    /// been tried yet and makes sense now. Returns whether it did.
    fn ask_by_bare_name(&mut self, index: usize, seed: &Seed, error: LookupError) -> bool {
        let at_once = self.may_ask_by_services(seed) && self.seeds.turn_name(index);
        // What hangs would hang twice; and where peers are ready by now, no seed is needed.
        let asks = at_once && error != LookupError::TimedOut && self.wants_seeds() && self.has_room();
        if asks {
            self.ask(index);
        }
        asks
    }

    pub(super) fn use_seed_lookup(&mut self, lookup: LookupId, result: Result<&[ResolvedIp], LookupError>) {
        let Some(index) = self.seeds.asked_by(lookup) else { return };
        let Some(seed) = self.config.seeds.names.get(index).cloned() else { return };
        let may_visit = self.config.proxies.all.is_some() && self.limits.addr_fetch > 0;
        if result == Err(LookupError::ProxyUnsupported) && may_visit {
            // The seed has not failed: it was not asked.
            self.seeds.refuse_lookups();
            return self.seeds.begin_fetch(index);
        }
        // An answer without a usable address must not keep the other seeds from being asked.
        let learn = |ips: &[ResolvedIp]| {
            let unusable = if ips.is_empty() { LookupError::NotFound } else { LookupError::NoneInRange };
            self.learn_from_seed(index, &seed, ips).ok_or(unusable)
        };
        match result.and_then(learn) {
            Ok(added) => {
                let are_back = self.seeds.have_all_failed();
                self.seeds.record_answer(index, self.clocks.now());
                self.tell(Event::SeedAnswered { seed: seed.name, added });
                if are_back {
                    // Addresses of before may have failed for the same cause, and say nothing about the new ones.
                    self.start_over_soon();
                }
                self.wake_starved();
                self.save_book_later();
            }
            Err(error) if self.ask_by_bare_name(index, &seed, error) => {}
            Err(error) => {
                self.seed_failed(index, !matches!(error, LookupError::NotFound | LookupError::NoneInRange));
                self.tell(Event::SeedFailed { seed: seed.name, error });
            }
        }
        self.arm_seeds();
    }

    /// Stores the usable addresses of a seed's answer, at most `seeds.keep`, duplicates once. Looks at the first
    /// `book.max_per_call`. Returns how many were new; `None` if none was usable.
    fn learn_from_seed(&mut self, index: usize, seed: &Seed, ips: &[ResolvedIp]) -> Option<u32> {
        let services = if self.asks_by_services(index, seed) { self.config.required.full } else { Services::NONE };
        let (mut used, mut added) = (BTreeSet::new(), 0);
        let most = usize::try_from(self.config.book.max_per_call).unwrap_or(usize::MAX);
        for ip in ips.iter().take(most) {
            let address = self.resolved(*ip, self.config.default_port);
            if used.len() == self.config.seeds.keep as usize {
                break;
            }
            if self.is_worth_knowing(&address) && used.insert(ip.ip()) {
                added += u32::from(self.learn_seed(address, services, SourceGroup::seed(index)));
            }
        }
        (!used.is_empty()).then_some(added)
    }

    fn learn_seed(&mut self, address: PeerAddress, services: Services, source: SourceGroup) -> bool {
        let now = self.now();
        let spread = Duration::from_secs(self.rng.below(SEEN_AGO_SPREAD.as_secs()));
        self.book.add_seen_ago((&address, services, SEEN_AGO + spread), source, &self.groups, now, &mut self.rng)
    }

    /// A seed failed; `is_away` if the same cause may cut off all seeds. While no seed has answered, such a failure
    /// does not back off further than the probes of a network: the pool must not stay empty long after the way is open
    /// again. Neither does any other failure if there are several seeds: a router that has lost its uplink may say of
    /// every name that it does not exist.
    fn seed_failed(&mut self, index: usize, is_away: bool) {
        let now = self.clocks.now();
        let is_probed = (is_away || self.seeds.len() > 1) && !self.seeds.has_answered();
        // From one probe to the next; a lookup may take most of that time.
        let rest = self.config.health.max_probe.saturating_sub(self.seeds.asked_for(index, now)).max(LEAST_REST);
        let longest = if is_probed { rest } else { Duration::MAX };
        let (retry, rng) = (&self.config.seeds.retry, &mut self.rng);
        self.seeds.record_failure(index, |times| now.after(retry.next(times, rng).min(longest)));
    }

    /// The address to dial for a seed that can't be looked up.
    pub(super) fn fetch_address(&self, index: usize) -> PeerAddress {
        let seed = &self.config.seeds.names[index];
        PeerAddress::new(Host::Name(seed.name.to_absolute()), self.config.default_port)
    }

    /// A visit to a seed is over; `is_away` if it failed for a reason that may hold for all seeds.
    pub(super) fn end_fetch(&mut self, address: &PeerAddress, connected: bool, is_away: bool) {
        let is_it = |seed: &Seed| address.name() == Some(&seed.name.to_absolute());
        let Some(index) = self.config.seeds.names.iter().position(is_it) else { return };
        debug_assert!(self.seeds.is_fetching(index), "a visit ends once");
        if connected {
            self.seeds.record_answer(index, self.clocks.now());
        } else {
            self.seed_failed(index, is_away);
        }
        self.arm_seeds();
    }

    /// Enabled networks of which no address is known. While no full connection is ready, also those where no dial was
    /// ever answered: otherwise one address in a poisoned answer would keep the fixed seeds away.
    fn lacking_networks(&self) -> impl Iterator<Item = NetworkKind> {
        let nobody_is_ready = self.table.ready(Kind::Full) == 0;
        let lacks = move |network: &NetworkKind| {
            self.book.len_of(*network) == 0 || (nobody_is_ready && !self.health[network.index()].ever_answered())
        };
        self.config.networks.iter().filter(lacks)
    }

    pub(super) fn fixed_seeds_timer_fired(&mut self) {
        // Another source may have come since the timer was set.
        let due = self.seeds.want_fixed(self.clocks.now()).after(self.fixed_delay());
        if due > self.now() {
            return self.arm(Timer::FixedSeeds, due);
        }
        self.seeds.use_fixed();
        if self.phase != Phase::Active || !self.wants_seeds() {
            return;
        }
        let lacking: NetworkSet = self.lacking_networks().collect();
        let config = self.config.clone();
        for address in &config.seeds.fixed {
            let address = self.settled(address.clone());
            let is_lacking = address.network().is_some_and(|network| lacking.contains(network));
            if is_lacking && self.is_worth_knowing(&address) {
                self.learn_seed(address, Services::NONE, SourceGroup::FIXED);
            }
        }
        self.wake_starved();
    }
}
