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

/// Fifty addresses at which a peer was ready yesterday, and fifty at which none ever was.
fn half_tried() -> Snapshot {
    let saved = |(n, address): (usize, PeerAddress)| {
        let (ready, placement) =
            if n < 50 { (UNIX.before(secs(86_400)), Placement::Tried) } else { Default::default() };
        SavedAddress {
            address,
            services: Services::NONE,
            last_seen: UNIX.before(secs(3600)),
            last_try: ready,
            last_success: ready,
            failures: 0,
            v1_only: false,
            source: SourceGroup::UNKNOWN,
            placement,
        }
    };
    let addresses = addresses(100).into_iter().enumerate().map(saved).collect();
    Snapshot { addresses, ..Snapshot::default() }
}

/// An added peer is dialed however often it fails, so its failures tell nothing of the addresses that are chosen.
#[test]
fn a_dead_added_peer_discredits_no_tried_addresses() {
    let mut tried = 0;
    for rng_seed in 0..60 {
        let birth = Birth {
            config: quiet(),
            snapshot: Some(half_tried()),
            rng_seed: [rng_seed; 32],
            unix: UNIX,
            now: Time::ZERO,
        };
        let mut bench = Bench::born(birth, 256);
        let (_, actions) = bench.add_peer(&addresses(1)[0].to_string(), Keep::Always);
        let mut dialed = dials(&actions);
        for _ in 0..40 {
            dialed.into_iter().for_each(|conn| _ = bench.fail(conn, DialError::Refused));
            dialed = dials(&bench.pass(secs(300)));
        }
        let actions = bench.tell(Input::SetLimits { limits: Limits { full: 1, ..Limits::default() } });
        let chosen = dialed_address(&actions, *dials(&actions).last().expect("one is chosen"));
        tried += u32::from(view(&bench, &chosen).table == BookTable::Tried);
    }
    // Two thirds are 40, and an eighth 8.
    assert!((28..=52).contains(&tried), "{tried} of 60");
}
