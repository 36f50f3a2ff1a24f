//! The book by itself, for the benchmarks of this crate. Not part of its interface.

use core::net::Ipv4Addr;
use core::time::Duration;

use super::{Book, Choice};
use crate::config::BookConfig;
use crate::mechanisms::groups::Groups;
use crate::mechanisms::rng::Rng;
use crate::types::{AddressInfo, Host, NetworkKind, NetworkSet, PeerAddress, Services, SourceGroup, Time, UnixTime};

const UNIX: UnixTime = UnixTime::from_secs(1_700_000_000);
/// The groups of the addresses.
const GROUPS: u32 = 20_000;

/// A book, and what its work needs.
#[derive(Clone, Debug)]
pub struct BookBench {
    book: Book,
    groups: Groups,
    rng: Rng,
    now: Time,
    /// The number of the next address that is not known.
    next: u32,
}

impl BookBench {
    /// About `count` addresses in up to 20 000 groups, told by peers of 64 groups, a fifth of them tried. One is of an
    /// onion service.
    #[must_use]
    pub fn new(count: u32) -> Self {
        let book = Book::new(&BookConfig::default(), [Services::WITNESS; 2], (1, 2));
        let (groups, rng) = (Groups::default(), Rng::new([7; 32], 0));
        let mut bench = Self { book, groups, rng, now: Time::from_secs(1_000_000), next: 0 };
        // As many as have room: of a full table, some more are refused.
        while bench.book.len() < count as usize && bench.next < 2 * count.max(64) {
            let number = bench.next;
            bench.add();
            if number % 5 == 0 {
                bench.good(number);
            }
        }
        let onion = PeerAddress::new(Host::Onion([7; 32]), 8333);
        bench.hear(&onion, SourceGroup::APPLICATION);
        bench.now = bench.now.after(Duration::from_secs(3600));
        bench
    }

    /// The known addresses.
    #[must_use]
    pub fn len(&self) -> usize {
        self.book.len()
    }

    /// Whether none is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.book.is_empty()
    }

    /// Adds an address that is not known, if there is room. Returns whether there was.
    pub fn add(&mut self) -> bool {
        let (number, source) = (self.next, SourceGroup::imported(u64::from(self.next % 64)));
        self.next += 1;
        self.hear(&address(number), source)
    }

    /// A connection to address `number` was ready.
    pub fn good(&mut self, number: u32) {
        let address = address(number);
        self.book.record_success(&address, Services::WITNESS, self.now);
        self.book.record_end(&address);
    }

    /// Chooses an IPv4 address.
    pub fn choose(&mut self) -> Option<PeerAddress> {
        self.choose_in(NetworkKind::Ipv4)
    }

    /// Chooses an address in a network of which one is known.
    pub fn choose_rare(&mut self) -> Option<PeerAddress> {
        self.choose_in(NetworkKind::Onion)
    }

    fn choose_in(&mut self, network: NetworkKind) -> Option<PeerAddress> {
        let choice = Choice {
            networks: NetworkSet::EMPTY.with(network),
            services: Services::WITNESS,
            default_port: 8333,
            spacing: Duration::from_secs(600),
            min_spacing: Duration::from_secs(30),
            longest_rest: Duration::from_secs(600),
            only_ready_before: false,
        };
        self.book.pick(&mut self.rng, &choice, self.now, |_| true).map(|picked| picked.address)
    }

    fn hear(&mut self, address: &PeerAddress, source: SourceGroup) -> bool {
        let info = AddressInfo::new(address.clone()).services(Services::WITNESS).last_seen(UNIX);
        self.book.add(&info, source, &self.groups, UNIX, self.now, &mut self.rng)
    }
}

fn address(number: u32) -> PeerAddress {
    PeerAddress::new(Host::from(Ipv4Addr::from(((0x2000 + number % GROUPS) << 16) | (number / GROUPS))), 8333)
}
