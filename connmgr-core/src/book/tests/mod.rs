//! Tests of the book; this file holds what they share.

mod choosing;
mod colliding;
mod doubt;
mod keeping;
mod limits;
mod lives;
mod numbers;
mod recounted;
mod shares;
mod size;
mod telling;

extern crate std;

use std::println;

use core::net::{Ipv4Addr, Ipv6Addr};
use core::time::Duration;

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::*;
use crate::types::{BookCursor, Host, NetworkSet, Placement, SavedAddress};

const UNIX: UnixTime = UnixTime::from_secs(1_700_000_000);
const NOW: Time = Time::from_secs(1_000_000);
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// A source that is limited.
const SEED: SourceGroup = SourceGroup::seed(7);
/// A peer, whose word is hearsay.
const PEER: SourceGroup = SourceGroup::peer(1 << 64 | 7);

const ANY: Choice = Choice {
    networks: NetworkSet::ALL,
    services: Services::NONE,
    default_port: 0,
    spacing: Duration::from_secs(600),
    min_spacing: Duration::from_secs(30),
    longest_rest: Duration::from_secs(600),
    only_ready_before: false,
};

/// A book, its clocks and its generator.
struct Desk {
    book: Book,
    groups: Groups,
    rng: Rng,
    unix: UnixTime,
    now: Time,
}

impl Desk {
    fn new(max_addresses: u32) -> Self {
        Self::configured(&BookConfig { max_addresses, ..BookConfig::default() }, 3)
    }

    /// A book with this configuration, secret and randomness of this number.
    fn configured(config: &BookConfig, number: u8) -> Self {
        let book = Book::new(config, [Services::WITNESS, Services::NETWORK], (1, number.into()));
        let (groups, rng) = (Groups::default(), Rng::new([number; 32], 0));
        Self { book, groups, rng, unix: UNIX, now: NOW }
    }

    /// A book of the first `count` IPv4 addresses, seen an hour ago.
    fn with(count: u32) -> Self {
        let mut desk = Self::new(100_000);
        for n in 0..count {
            assert!(desk.hear(&ipv4(n), UNIX.before(HOUR)), "address {n} is new");
        }
        desk
    }

    /// A book of the first `count` addresses of one public group, told by the application.
    fn with_public(count: u32) -> Self {
        let mut desk = Self::new(81_920);
        (0..count).for_each(|n| assert!(desk.hear(&public(n), UNIX.before(HOUR)), "address {n} is new"));
        desk
    }

    /// All tried addresses.
    fn tried(&self) -> Vec<AddressView> {
        let view = BookView::new(&self.book, self.unix, self.now);
        view.iter().filter(|known| known.table == BookTable::Tried).collect()
    }

    fn hear(&mut self, address: &PeerAddress, last_seen: UnixTime) -> bool {
        self.hear_of(address, Services::NONE, last_seen)
    }

    fn hear_of(&mut self, address: &PeerAddress, services: Services, last_seen: UnixTime) -> bool {
        let info = AddressInfo::new(address.clone()).services(services).last_seen(last_seen);
        self.hear_from(SourceGroup::APPLICATION, &info)
    }

    fn hear_from(&mut self, source: SourceGroup, info: &AddressInfo) -> bool {
        self.book.add(info, source, &self.groups, self.unix, self.now, &mut self.rng)
    }

    fn wait(&mut self, wait: Duration) {
        self.unix = self.unix.after(wait);
        self.now = self.now.after(wait);
    }

    fn fail(&mut self, address: &PeerAddress) {
        self.book.record_try(address, self.now);
        self.book.doubt_tried(address);
        self.book.record_failure(address, self.now);
    }

    fn succeed(&mut self, address: &PeerAddress, services: Services) {
        self.book.record_try(address, self.now);
        self.book.trust_tried(address);
        self.book.record_success(address, services, self.now);
    }

    fn pick(&mut self, choice: &Choice) -> Option<PeerAddress> {
        self.book.pick(&mut self.rng, choice, self.now, |_| true).map(|picked| picked.address)
    }

    /// The results of this many choices.
    fn picks(&mut self, choice: &Choice, count: u32) -> BTreeSet<PeerAddress> {
        (0..count).filter_map(|_| self.pick(choice)).collect()
    }

    fn view(&self, address: &PeerAddress) -> AddressView {
        self.book.get(address, self.unix, self.now).expect("the address is known")
    }

    fn sample(&mut self, network: Option<NetworkKind>, count: u32) -> Vec<PeerAddress> {
        let infos = self.book.sample(&mut self.rng, network, count, self.unix, self.now, |_| true);
        infos.into_iter().map(|info| info.address).collect()
    }

    fn restore(&mut self, saved: &[SavedAddress]) {
        self.book.restore(saved, None, &self.groups, self.unix, self.now);
    }

    /// The same address, restored from a saved book that holds nothing else.
    fn restored(saved: SavedAddress) -> Self {
        let mut desk = Self::new(10);
        desk.restore(&[saved]);
        desk
    }
}

fn ipv4(n: u32) -> PeerAddress {
    PeerAddress::new(Host::from(Ipv4Addr::from(0x0a00_0000 + n)), 8333)
}

/// Addresses of one public group.
fn public(n: u32) -> PeerAddress {
    PeerAddress::new(Host::from(Ipv4Addr::from(0x0808_0000 + n)), 8333)
}

fn ipv4_on_port(n: u32, port: u16) -> PeerAddress {
    PeerAddress::new(ipv4(n).host().clone(), port)
}

fn onion(n: u8) -> PeerAddress {
    PeerAddress::new(Host::Onion([n; 32]), 8333)
}

fn one_of_each_network() -> [PeerAddress; 5] {
    let ipv6 = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
    [
        ipv4(1),
        PeerAddress::new(Host::Ip(ipv6.into()), 1),
        onion(1),
        PeerAddress::new(Host::I2p([1; 32]), 0),
        PeerAddress::new(Host::Cjdns(Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 1)), 8333),
    ]
}

/// Everything worth saving.
fn all_of(book: &Book, unix: UnixTime, now: Time) -> Vec<SavedAddress> {
    book.save(BookCursor::START, usize::MAX, false, unix, now).0
}

fn saved(address: PeerAddress) -> SavedAddress {
    SavedAddress {
        address,
        services: Services::NETWORK,
        last_seen: UNIX.before(HOUR),
        last_try: UnixTime::default(),
        last_success: UnixTime::default(),
        failures: 0,
        v1_only: false,
        source: SourceGroup::UNKNOWN,
        placement: Placement::Anew,
    }
}
