//! The book of known addresses, as it is told.

mod support;

use connmgr_core::*;
use support::*;

/// Nobody is dialed but added peers.
fn quiet() -> Config {
    Config { limits: Limits { full: 0, ..Limits::default() }, ..Config::default() }
}

fn bench() -> Bench {
    Bench::new(quiet())
}

fn view(bench: &Bench, address: &PeerAddress) -> AddressView {
    bench.manager.explain(address, bench.now).known.expect("it is known")
}

/// A peer at this address is added, and gets ready.
fn connect_to(bench: &mut Bench, address: &PeerAddress) {
    let (_, actions) = bench.add_peer(&address.to_string(), Keep::Always);
    let conn = dials(&actions)[0];
    bench.connect(conn);
    bench.ready(conn);
}

#[test]
fn addresses_are_counted_by_table_and_network() {
    let mut bench = bench();
    let v6 = ["[2a00:1::1]:8333", "[2a00:2::1]:8333"].map(addr);
    bench.learn(&[addresses(3), v6.to_vec()].concat());
    connect_to(&mut bench, &v6[0]);
    let counts = bench.manager.book().counts();
    let of =
        |table| [NetworkKind::Ipv4, NetworkKind::Ipv6, NetworkKind::Onion].map(|network| counts.of(table, network));
    assert_eq!((of(BookTable::New), of(BookTable::Tried), counts.total()), ([3, 1, 0], [0, 1, 0], 5));
    assert_eq!(BookTable::ALL.map(|table| table.to_string()), ["new", "tried"]);
    assert_eq!((view(&bench, &v6[0]).table, view(&bench, &v6[1]).table), (BookTable::Tried, BookTable::New));
}

#[test]
fn each_failure_in_a_row_leaves_two_thirds_of_the_chance() {
    let mut bench = bench();
    let address = &addresses(1)[0];
    bench.learn(&addresses(1));
    assert_eq!(view(&bench, address).chance_per_mille, 1000);
    let (_, actions) = bench.add_peer(&address.to_string(), Keep::Once);
    bench.fail(dials(&actions)[0], DialError::Refused);
    assert_eq!(view(&bench, address).chance_per_mille, 6, "it was dialed in the last ten minutes");
    bench.pass(secs(601));
    assert_eq!(view(&bench, address).chance_per_mille, 659);
}

/// A manager that was told of these addresses by twelve sources, again and again.
fn told_by_many(addresses: &[PeerAddress]) -> Bench {
    let mut bench = bench();
    // Each time it was seen later.
    for ago in (0..36).rev() {
        let info = |address: &PeerAddress| AddressInfo::new(address.clone()).last_seen(UNIX.before(secs(ago * 3600)));
        let addresses = addresses.iter().map(info).collect();
        let source = Source::Import(SourceGroup::imported(ago % 12));
        bench.tell(Input::Addresses { source, addresses });
    }
    bench
}

#[test]
fn an_address_of_many_sources_has_a_few_places_and_the_same_ones_in_the_next_life() {
    let addresses = addresses(200);
    let bench = told_by_many(&addresses);
    let places = |bench: &Bench| -> Vec<(u16, u32)> {
        addresses.iter().map(|address| view(bench, address)).map(|known| (known.bucket, known.places)).collect()
    };
    let before = places(&bench);
    let mean = before.iter().map(|(_, places)| places).sum::<u32>() as usize / before.len();
    // Each further place is half as likely as the one before.
    assert!((3..=5).contains(&mean) && before.iter().all(|(_, places)| *places <= 8), "{before:?}");
    let next = Bench::with_snapshot(quiet(), Some(bench.manager.snapshot()));
    assert_eq!(places(&next), before);
}

#[test]
fn an_added_peer_whose_address_is_known_for_nothing_else_is_dialed_by_the_new_transport() {
    let mut bench = Bench::new(Config { transport: Transport::V2, ..quiet() });
    bench.learn(&addresses(1));
    let (_, actions) = bench.add_peer(&addresses(1)[0].to_string(), Keep::Always);
    assert!(matches!(actions[..], [Action::Dial { transport: Transport::V2, .. }]), "{actions:?}");
}
