//! The list of known addresses, and when each may be dialed again.

use std::net::IpAddr;
use std::time::Duration;

use connmgr_core::{
    AddressInfo, AddressView, CloseReason, DialError, Kind, Mode, NetworkKind, PeerAddress, Services, Time,
};

use super::see::Cause;
use super::{Model, RConn, Stage};

/// For so long, services a peer reported itself win over gossip.
const OWN_WORD: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The result of the latest dial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// There was none.
    Untried,
    Pending,
    Answered,
    Failed,
    /// It told nothing about the address.
    Forgiven,
}

#[derive(Debug)]
pub(super) struct RAddress {
    pub(super) address: PeerAddress,
    services: Services,
    tried: Option<Time>,
    ready: Option<Time>,
    fate: Fate,
    pub(super) failures: u32,
}

impl RAddress {
    fn tries(&mut self, now: Time) {
        (self.tried, self.fate) = (Some(now), Fate::Pending);
    }

    fn answers(&mut self, now: Time) {
        self.was_tried(now);
        self.fate = Fate::Answered;
    }

    fn fails(&mut self, now: Time) {
        self.was_tried(now);
        self.fate = Fate::Failed;
        self.failures = (self.failures + 1).min(255);
    }

    /// The dial may have begun before the address was known.
    fn was_tried(&mut self, now: Time) {
        self.tried = self.tried.or(Some(now));
    }

    fn forgive(&mut self) {
        if self.fate == Fate::Pending {
            self.fate = Fate::Forgiven;
        }
    }
}

impl Model {
    pub(super) fn entry(&mut self, address: &PeerAddress) -> Option<&mut RAddress> {
        self.book.iter_mut().find(|entry| entry.address == *address)
    }

    pub(super) fn learns(&mut self, infos: &[AddressInfo]) {
        if self.config.mode == Mode::ConnectOnly {
            return;
        }
        let now = self.now;
        for info in infos {
            if self.config.own_addresses.contains(&info.address) {
                continue;
            }
            if let Some(entry) = self.entry(&info.address) {
                if entry.ready.is_none_or(|ready| now.since(ready) > OWN_WORD) {
                    entry.services = entry.services | info.services;
                }
                continue;
            }
            let (address, services) = (info.address.clone(), info.services);
            self.book.push(RAddress { address, services, tried: None, ready: None, fate: Fate::Untried, failures: 0 });
            self.feed();
        }
    }

    pub(super) fn tries(&mut self, address: &PeerAddress) {
        let now = self.now;
        if let Some(entry) = self.entry(address) {
            entry.tries(now);
        }
    }

    pub(super) fn answers(&mut self, address: &PeerAddress) {
        let now = self.now;
        if let Some(entry) = self.entry(address) {
            entry.answers(now);
        }
    }

    /// The peer at an address is ready, and reported its services. Its failures are cleared if it need only be ready;
    /// an automatic one must be stable first.
    pub(super) fn proves(&mut self, address: &PeerAddress, services: Services, is_enough: bool) {
        let now = self.now;
        let Some(entry) = self.entry(address) else { return };
        (entry.tried, entry.ready, entry.services, entry.fate) = (Some(now), Some(now), services, Fate::Answered);
        if is_enough {
            entry.failures = 0;
        }
    }

    /// What the end of a dial or connection tells about its address.
    pub(super) fn end_is_noted(&mut self, conn: &RConn, cause: Cause) {
        let Some(address) = conn.dialed().cloned() else { return };
        let (stable_after, now) = (self.config.stable_after, self.now);
        let was_good = match conn.stage {
            Stage::Ready => {
                !conn.is_automatic() || cause == Cause::Dropped || self.is_long_ago(conn.since, stable_after)
            }
            Stage::Dialing | Stage::Silent | Stage::Handshaking | Stage::Stalled => false,
        };
        let Some(entry) = self.entry(&address) else { return };
        match cause {
            Cause::Failed(DialError::Cancelled | DialError::NetworkUnreachable | DialError::OutOfResources) => {
                entry.forgive();
            }
            Cause::Failed(_) | Cause::Ours(CloseReason::DialTimeout) => entry.fails(now),
            Cause::Closed | Cause::Dropped | Cause::Ours(_)
                if conn.is_open() && cause.blames_the_other_end() && !was_good =>
            {
                entry.fails(now);
            }
            Cause::Closed | Cause::Dropped | Cause::Ours(_) => {}
        }
    }

    /// Known addresses of a network that may be dialed for a kind, if none rests for longer than this.
    pub(super) fn ripe(&self, kind: Kind, network_of: NetworkKind, longest: Duration) -> Vec<PeerAddress> {
        let ripe = self.book.iter().filter(|entry| network(&entry.address) == network_of);
        let ripe = ripe.filter(|entry| self.offers(kind, entry) && self.has_rested(entry, longest));
        let may = |address: &&PeerAddress| {
            !self.is_in_use(address) && !self.is_banned(address.host()) && self.group_has_room(address)
        };
        ripe.map(|entry| &entry.address).filter(may).cloned().collect()
    }

    fn offers(&self, kind: Kind, entry: &RAddress) -> bool {
        let wanted = if kind == Kind::Full { self.config.required.full } else { Services::NONE };
        let nobody_knows = entry.ready.is_none() && entry.services == Services::NONE;
        nobody_knows || entry.services.has(wanted)
    }

    /// The rest of an address doubles after each failure, unless the failures are forgiven.
    fn has_rested(&self, entry: &RAddress, longest: Duration) -> bool {
        let Some(tried) = entry.tried else { return true };
        let restored = self.pace(network(&entry.address)).forgiven_until;
        let is_forgiven = match entry.fate {
            Fate::Forgiven => true,
            Fate::Failed => restored.is_some_and(|restored| tried <= restored),
            Fate::Untried | Fate::Pending | Fate::Answered => false,
        };
        let least = self.config.dial.min_spacing;
        let mut rest = least;
        for _ in 0..if is_forgiven { 0 } else { entry.failures } {
            rest = (rest * 2).min(longest.max(least));
        }
        self.is_long_ago(tried, rest.min(longest.max(least)))
    }

    pub(super) fn book_is_shown(&self, shown: &[AddressView]) {
        self.hold(shown.len() == self.book.len(), "more or fewer addresses are known");
        for view in shown {
            let same = self.book.iter().any(|entry| {
                entry.address == view.address
                    && entry.services == view.services
                    && entry.failures == view.failures
                    && entry.tried == view.last_try
            });
            self.hold(same, &format!("another address is shown: {view:?}"));
        }
    }
}

/// The network of an address of the pool.
pub(super) fn network(address: &PeerAddress) -> NetworkKind {
    match address.host().ip().expect("the pool has IP addresses") {
        IpAddr::V4(_) => NetworkKind::Ipv4,
        IpAddr::V6(_) => NetworkKind::Ipv6,
    }
}
