//! Proxies that are given by name: the name is resolved when it is first needed, and again after failures.
//!
//! A dial or lookup through such a proxy is an errand. It goes to the address that was of use last; where that can't be
//! reached, to the others; and where none can, the name is resolved once more for it. Only then has it failed. This file
//! knows no sockets: it says where an errand goes, and is told how it went.
//!
//! ```text
//! begun ─┬─ an address is known ─► under way ─┬─► ended (answered, or failed for another reason)
//!        │                            ▲ │     └─► the next address, while there is one
//!        └─ none is ─► waits ─────────┘ └─ none is left, and the name was resolved before it began ─► waits
//!                        └─► failed: the name can't be resolved, or has no address left
//! ```

use std::net::SocketAddr;
use std::time::Duration;

use connmgr_core::{ConnId, HostName, Isolation, LookupId, PeerAddress, ResolvedIp, Time};
use rustc_hash::FxHashMap;

use super::Lookup;

/// How long errands wait for the name of their proxy. Shorter than the time a dial may take, for a name that hangs is no
/// fault of the peer's.
const RESOLVE_WITHIN: Duration = Duration::from_secs(10);

/// How many addresses of a name are used.
const MAX_ADDRESSES: usize = 16;

/// After so many errands in a row that were given up without any answer, the name is resolved again: its address may have
/// moved, and the former one be silent. One is enough while nothing was ever heard from the address.
const MAX_SILENT: u32 = 3;

/// Who goes through a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum ProxyUser {
    Dial(ConnId),
    Lookup(LookupId),
}

/// What is to be done at a proxy.
#[derive(Clone, Debug)]
pub(super) enum ProxyErrand {
    /// Connect to an address.
    Dial { isolation: Isolation, address: PeerAddress },
    /// Look up a name.
    Lookup { name: HostName, isolation: Isolation, deadline: Time },
}

/// What to do next for an errand.
#[derive(Debug)]
pub(super) enum ProxyStep {
    /// Go to this proxy.
    Go(SocketAddr, ProxyErrand),
    /// Nothing: it waits for the name.
    Wait,
    /// It has failed.
    Fail(ProxyFailure),
}

/// Why an errand failed before its proxy was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ProxyFailure {
    /// The name could not be resolved.
    NotFound,
    /// No address of the name could be reached.
    Unreachable,
}

/// A name to be resolved.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NameWanted {
    pub(super) lookup: LookupId,
    pub(super) name: HostName,
    pub(super) deadline: Time,
}

/// The proxies with a name, and who goes through them.
#[derive(Debug, Default)]
pub(super) struct NamedProxies {
    /// As many as the configuration has.
    names: Vec<NamedProxy>,
    users: FxHashMap<ProxyUser, Trip>,
    asked: u64,
    wanted: Vec<NameWanted>,
}

/// A name, and what is known of it.
#[derive(Debug)]
struct NamedProxy {
    name: HostName,
    /// The lookup under way, and when it is given up.
    asking: Option<(LookupId, Time)>,
    /// Its addresses, the one to try first in front. Empty: to be resolved.
    ips: Vec<ResolvedIp>,
    /// The address in front has answered.
    is_proven: bool,
    /// Errands given up in a row without an answer.
    silent: u32,
}

/// An errand under way.
#[derive(Debug)]
struct Trip {
    /// The index of its proxy's name.
    proxy: usize,
    port: u16,
    errand: ProxyErrand,
    /// Where it is or has been.
    tried: Vec<ResolvedIp>,
    /// It waits for the name.
    waits: bool,
    /// The name was resolved since it began.
    is_fresh: bool,
}

impl NamedProxies {
    /// Begins an errand at a proxy of this name.
    pub(super) fn begin(
        &mut self,
        user: ProxyUser,
        (name, port): (&HostName, u16),
        errand: ProxyErrand,
        now: Time,
    ) -> ProxyStep {
        let proxy = self.place(name);
        let trip = Trip { proxy, port, errand, tried: Vec::new(), waits: false, is_fresh: false };
        self.users.insert(user, trip);
        self.go_on(user, now)
    }

    /// The errand's proxy could not be reached. `None` if it goes through no proxy of a name.
    pub(super) fn unreached(&mut self, user: ProxyUser, now: Time) -> Option<ProxyStep> {
        self.users.contains_key(&user).then(|| self.go_on(user, now))
    }

    /// The errand has ended otherwise: its proxy was reached.
    pub(super) fn ended(&mut self, user: ProxyUser) {
        let Some(Trip { proxy, tried, .. }) = self.users.remove(&user) else { return };
        let proxy = &mut self.names[proxy];
        if let Some(place) = tried.last().and_then(|ip| proxy.ips.iter().position(|other| other == ip)) {
            proxy.ips[..=place].rotate_right(1);
            (proxy.is_proven, proxy.silent) = (true, 0);
        }
    }

    /// The errand was given up, or timed out.
    pub(super) fn given_up(&mut self, user: ProxyUser) {
        let Some(Trip { proxy, tried, waits, .. }) = self.users.remove(&user) else { return };
        let proxy = &mut self.names[proxy];
        if waits || tried.last() != proxy.ips.first() {
            return;
        }
        proxy.silent += 1;
        if !proxy.is_proven && proxy.ips.len() > 1 {
            proxy.ips.rotate_left(1);
        } else if !proxy.is_proven || proxy.silent >= MAX_SILENT {
            proxy.forget();
        }
    }

    /// The machine's network has changed: names may have other addresses.
    pub(super) fn forget(&mut self) {
        self.names.iter_mut().for_each(NamedProxy::forget);
    }

    /// The next name to be resolved.
    pub(super) fn next_wanted(&mut self) -> Option<NameWanted> {
        self.wanted.pop()
    }

    /// A name was resolved, or not. Returns what its errands do next.
    pub(super) fn resolved(&mut self, lookup: LookupId, found: Lookup, now: Time) -> Vec<(ProxyUser, ProxyStep)> {
        let is_it = |proxy: &NamedProxy| proxy.asking.is_some_and(|(asking, _)| asking == lookup);
        // Too late, otherwise.
        let Some(place) = self.names.iter().position(is_it) else { return Vec::new() };
        self.settle(place, found.unwrap_or_default(), now)
    }

    /// Gives up the lookups that are past their deadline. Returns what their errands do next.
    pub(super) fn expire(&mut self, now: Time) -> Vec<(ProxyUser, ProxyStep)> {
        let is_late = |proxy: &NamedProxy| proxy.asking.is_some_and(|(_, deadline)| deadline <= now);
        match self.names.iter().position(is_late) {
            Some(place) => self.settle(place, Vec::new(), now),
            None => Vec::new(),
        }
    }

    /// When [`NamedProxies::expire`] is next to be called.
    pub(super) fn deadline(&self) -> Option<Time> {
        self.names.iter().filter_map(|proxy| proxy.asking).map(|(_, deadline)| deadline).min()
    }

    fn settle(&mut self, place: usize, found: Vec<ResolvedIp>, now: Time) -> Vec<(ProxyUser, ProxyStep)> {
        let proxy = &mut self.names[place];
        (proxy.asking, proxy.is_proven, proxy.silent) = (None, false, 0);
        proxy.ips = found;
        proxy.ips.truncate(MAX_ADDRESSES);
        let waiting = self.users.iter_mut().filter(|(_, trip)| trip.waits && trip.proxy == place);
        let mut waiting: Vec<_> = waiting
            .map(|(user, trip)| {
                (trip.waits, trip.is_fresh) = (false, true);
                *user
            })
            .collect();
        waiting.sort_unstable();
        waiting.into_iter().map(|user| (user, self.go_on(user, now))).collect()
    }

    /// To the next address that was not tried; where there is none, the name is resolved, but once for an errand.
    fn go_on(&mut self, user: ProxyUser, now: Time) -> ProxyStep {
        let Some(trip) = self.users.get_mut(&user) else { return ProxyStep::Wait };
        let proxy = &mut self.names[trip.proxy];
        if let Some(ip) = proxy.ips.iter().find(|ip| !trip.tried.contains(ip)) {
            trip.tried.push(*ip);
            return ProxyStep::Go(ip.socket_addr(trip.port), trip.errand.clone());
        }
        if trip.is_fresh {
            let failure = if trip.tried.is_empty() { ProxyFailure::NotFound } else { ProxyFailure::Unreachable };
            self.users.remove(&user);
            return ProxyStep::Fail(failure);
        }
        trip.waits = true;
        if proxy.asking.is_none() {
            self.asked += 1;
            let (lookup, deadline) = (LookupId::from_u64(self.asked), now.after(RESOLVE_WITHIN));
            proxy.asking = Some((lookup, deadline));
            self.wanted.push(NameWanted { lookup, name: proxy.name.clone(), deadline });
        }
        ProxyStep::Wait
    }

    fn place(&mut self, name: &HostName) -> usize {
        self.names.iter().position(|proxy| proxy.name == *name).unwrap_or_else(|| {
            self.names.push(NamedProxy::new(name.clone()));
            self.names.len() - 1
        })
    }
}

impl NamedProxy {
    const fn new(name: HostName) -> Self {
        Self { name, asking: None, ips: Vec::new(), is_proven: false, silent: 0 }
    }

    /// The name is resolved when it is needed next.
    fn forget(&mut self) {
        self.ips.clear();
        (self.is_proven, self.silent) = (false, 0);
    }
}

#[cfg(test)]
mod tests {
    use connmgr_core::LookupError;

    use super::*;

    const A: &str = "10.0.0.1";
    const B: &str = "10.0.0.2";

    /// Dials through the proxy `tor:9050`, and what became of them.
    #[derive(Default)]
    struct Errands {
        proxies: NamedProxies,
        begun: u64,
        now: Time,
    }

    impl Errands {
        fn dial(&mut self) -> (ProxyUser, String) {
            self.begun += 1;
            let user = ProxyUser::Dial(ConnId::from_u64(self.begun));
            let address = "1.2.3.4:8333".parse().unwrap();
            let errand = ProxyErrand::Dial { isolation: Isolation::Shared, address };
            let name = HostName::new("tor").unwrap();
            let step = self.proxies.begin(user, (&name, 9050), errand, self.now);
            (user, told(&step))
        }

        /// The name that is to be resolved has these addresses.
        fn resolve(&mut self, ips: &[&str]) -> Vec<String> {
            let wanted = self.proxies.next_wanted().expect("a name is wanted");
            assert_eq!(self.proxies.next_wanted(), None, "no two lookups at a time");
            let found = ips.iter().map(|ip| ip.parse().unwrap()).collect();
            self.proxies.resolved(wanted.lookup, Ok(found), self.now).iter().map(|(_, step)| told(step)).collect()
        }

        fn unreached(&mut self, user: ProxyUser) -> String {
            told(&self.proxies.unreached(user, self.now).expect("it is known"))
        }

        /// A proxy that has served once.
        fn proven(ips: &[&str]) -> Self {
            let mut world = Self::default();
            let (user, _) = world.dial();
            world.resolve(ips);
            world.proxies.ended(user);
            world
        }
    }

    fn told(step: &ProxyStep) -> String {
        match step {
            ProxyStep::Go(to, _) => to.ip().to_string(),
            ProxyStep::Wait => "waits".into(),
            ProxyStep::Fail(failure) => format!("{failure:?}"),
        }
    }

    #[test]
    fn dials_wait_for_one_lookup_and_later_ones_for_none() {
        let mut world = Errands::default();
        assert_eq!([world.dial().1, world.dial().1], ["waits", "waits"]);
        assert_eq!(world.resolve(&[A]), [A, A]);
        assert_eq!(world.dial().1, A);
    }

    #[test]
    fn an_address_that_cannot_be_reached_is_followed_by_the_next_and_the_good_one_comes_first_then() {
        let mut world = Errands::default();
        let (user, _) = world.dial();
        world.resolve(&[A, B]);
        assert_eq!(world.unreached(user), B);
        world.proxies.ended(user);
        assert_eq!(world.dial().1, B);
    }

    #[test]
    fn a_proxy_that_has_moved_is_found_within_the_same_dial() {
        let mut world = Errands::proven(&[A]);
        let (user, at) = world.dial();
        assert_eq!([at, world.unreached(user)], [A, "waits"]);
        assert_eq!(world.resolve(&[B]), [B]);
        world.proxies.ended(user);
        assert_eq!(world.dial().1, B);
    }

    #[test]
    fn a_dial_fails_when_no_address_can_be_reached_also_after_another_lookup() {
        let mut world = Errands::proven(&[A, B]);
        let (user, at) = world.dial();
        assert_eq!([at, world.unreached(user), world.unreached(user)], [A, B, "waits"]);
        assert_eq!(world.resolve(&[A, B]), ["Unreachable"]);
        assert!(world.proxies.unreached(user, world.now).is_none(), "it has ended");
    }

    #[test]
    fn a_name_that_cannot_be_resolved_fails_its_dials_and_is_asked_for_again_by_the_next() {
        let mut world = Errands::default();
        world.dial();
        let wanted = world.proxies.next_wanted().expect("a name");
        let steps = world.proxies.resolved(wanted.lookup, Err(LookupError::Failed), world.now);
        assert_eq!(steps.iter().map(|(_, step)| told(step)).collect::<Vec<_>>(), ["NotFound"]);
        world.dial();
        assert_eq!(world.resolve(&[A]), [A]);
    }

    #[test]
    fn a_resolver_that_hangs_fails_the_dials_before_their_own_time_is_up() {
        let mut world = Errands::default();
        world.dial();
        let deadline = world.proxies.deadline().expect("there is one");
        assert!(world.proxies.expire(Time::ZERO).is_empty());
        assert!(deadline < Time::from_secs(30));
        assert_eq!(told(&world.proxies.expire(deadline)[0].1), "NotFound");
        assert_eq!(world.proxies.deadline(), None);
    }

    #[test]
    fn a_silent_address_gives_way_to_the_next() {
        let mut world = Errands::default();
        let (user, _) = world.dial();
        world.resolve(&[A, B]);
        world.proxies.given_up(user);
        assert_eq!(world.dial().1, B);
    }

    #[test]
    fn a_proxy_that_falls_silent_is_resolved_again_and_one_silent_peer_is_no_reason() {
        let mut world = Errands::proven(&[A]);
        for _ in 0..MAX_SILENT {
            let (user, at) = world.dial();
            assert_eq!(at, A);
            world.proxies.given_up(user);
        }
        assert_eq!(world.dial().1, "waits");
        assert_eq!(world.resolve(&[B]), [B]);
    }

    #[test]
    fn in_another_network_the_name_is_resolved_again() {
        let mut world = Errands::proven(&[A]);
        world.proxies.forget();
        assert_eq!(world.dial().1, "waits");
    }
}
