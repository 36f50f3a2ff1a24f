//! Attacks on the address book of the real manager, each with its figure and its bound. Sampled figures may be four
//! standard errors above the bound.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use connmgr_core::*;
use connmgr_sim::attack::{AttackPlan, HonestNode, HonestNodes, is_attackers};
use connmgr_sim::run::eclipse::OurBook;
use connmgr_sim::scenario::{Acquaintance, FaultKind, FaultSpec, HostSpec, Span};
use connmgr_sim::types::Share;
use connmgr_sim::{Instant, Real, Scenario, Scrutiny, World};

const UNIX: UnixTime = UnixTime::from_secs(1_767_225_600);
const SEEDS: std::ops::Range<u64> = 1..6;
const CHOICES: u32 = 100_000;

fn honest(seed: u64, count: u32) -> Vec<HonestNode> {
    HonestNodes::new(seed).first(count, count / 2, UNIX).collect()
}

/// A book of so many honest nodes, half of them tried.
fn book(seed: u64, count: u32) -> OurBook {
    OurBook::new(&honest(seed, count), None, seed)
}

fn attacked(seed: u64, count: u32, plan: AttackPlan) -> OurBook {
    let mut book = book(seed, count);
    book.hear(plan.announcements(seed, UNIX));
    book
}

/// The figure of each seed, and a bound of what may be chance.
#[track_caller]
fn check(what: &str, bound: f64, slack: f64, figure: impl Fn(u64) -> f64) {
    let figures: Vec<f64> = SEEDS.map(figure).collect();
    println!("{what}: {figures:.4?}; at most {bound}");
    assert!(figures.iter().all(|figure| *figure <= bound + slack), "{what}: {figures:?}, more than {bound}");
}

/// The same for a share of choices.
#[track_caller]
fn check_choices(what: &str, bound: f64, plan: AttackPlan) {
    let slack = 4.0 * (bound * (1.0 - bound) / f64::from(CHOICES)).sqrt();
    check(what, bound, slack, |seed| {
        f64::from(attacked(seed, 2000, plan).attackers_choices(CHOICES)) / f64::from(CHOICES)
    });
}

#[track_caller]
fn check_kept(what: &str, bound: u32, plan: AttackPlan) {
    check(what, bound.into(), 0.0, |seed| attacked(seed, 0, plan).manager.book().len() as f64);
}

#[test]
fn one_source_group_keeps_four_thousand_addresses() {
    check_kept("kept of 200 000 from one source group", 4096, AttackPlan::new(200_000));
}

#[test]
fn one_group_from_one_source_keeps_64() {
    check_kept("kept of 65 000 of one group from one source group", 64, AttackPlan::new(65_000).groups(1));
}

#[test]
fn one_source_group_has_a_twentieth_of_the_choices() {
    check_choices("choices after 100 000 from one source group", 0.05, AttackPlan::new(100_000));
}

#[test]
fn many_source_groups_have_a_third_of_the_choices() {
    check_choices("choices after 100 000 from 256 source groups", 0.35, AttackPlan::new(100_000).sources(256));
}

#[test]
fn one_group_from_very_many_sources_has_an_eighth_of_the_choices() {
    let plan = AttackPlan::new(65_000).groups(1).sources(65_000);
    check_choices("choices after 65 000 of one group from 65 000 source groups", 0.125, plan);
}

/// Those to which a connection was ready: address, services and time.
fn tried(book: &OurBook) -> BTreeMap<PeerAddress, (u64, UnixTime)> {
    let tried = book.manager.book().iter().filter(|known| known.last_success.is_some());
    tried.map(|known| (known.address, (known.services.bits(), known.last_seen))).collect()
}

#[test]
fn no_announcement_changes_who_was_tried() {
    for seed in SEEDS {
        let mut book = book(seed, 2000);
        let before = tried(&book);
        book.hear(AttackPlan::new(100_000).sources(256).announcements(seed, UNIX));
        assert_eq!(tried(&book), before);
    }
}

/// Everyone answers at once; every ten seconds the oldest connection ends.
#[test]
fn a_group_with_nine_tenths_of_all_addresses_never_has_two_connections() {
    for seed in SEEDS {
        let mut book = attacked(seed, 1000, AttackPlan::new(9000).groups(1).sources(9000));
        let (manager, mut now) = (&mut book.manager, Time::ZERO);
        manager.set_active(true, now).expect("it is not shut down");
        let (mut conns, mut dials, mut his) = (Vec::new(), 0, 0);
        for _ in 0..2000 {
            while let Some(action) = manager.poll_action() {
                if let Action::Dial { conn, target: Target::Direct(address), .. } = action {
                    dials += 1;
                    his += u32::from(is_attackers(&address.into()));
                    manager.handle_dial_result(conn, Ok(()), now);
                    manager.handle_ready(conn, PeerInfo::new(Services::NETWORK | Services::WITNESS), now);
                    conns.push(conn);
                }
            }
            let open = manager.connections();
            let open = open.iter().filter(|conn| conn.address.as_ref().is_some_and(is_attackers)).count();
            assert!(open <= 1, "{open} at {now:?}");
            now = now.after(Duration::from_secs(10));
            if conns.len() >= 10 {
                manager.handle_closed(conns.remove(0), CloseCause::Eof, now);
            }
            manager.handle_timeout(now);
        }
        println!("seed {seed}: {dials} dials, {his} into the group");
        assert!(dials > 1000 && his > 0, "{dials} dials, {his} into the group");
    }
}

fn group(address: &PeerAddress) -> u32 {
    let Some(IpAddr::V4(ip)) = address.host().ip() else { return 0 };
    ip.to_bits() >> 16
}

#[test]
fn inbound_connections_do_not_change_whom_we_choose() {
    for seed in SEEDS {
        let mut book = book(seed, 2000);
        let config = book.manager.config().clone();
        // Nothing is dialed: dials of ours would hold groups, and are not what is asked for.
        let limits = Limits { full: 0, block_relay: 0, ..config.limits };
        let config = Config { limits, listeners: vec![Listener::new(ListenerId(0))], ..config };
        let snapshot = Some(book.manager.snapshot());
        let birth = Birth { config, snapshot, rng_seed: [7; 32], now: Time::ZERO, unix: UNIX };
        book.manager = ConnManager::new(birth).expect("a good configuration");
        let guests: BTreeMap<u32, PeerAddress> =
            honest(seed, 2000).into_iter().map(|node| node.announced.info.address).map(|it| (group(&it), it)).collect();
        let guests: BTreeMap<u32, PeerAddress> = guests.into_iter().step_by(5).take(100).collect();
        let share = |book: &mut OurBook| {
            let hits =
                (0..CHOICES).filter(|_| book.choose().is_some_and(|it| guests.contains_key(&group(&it)))).count();
            hits as f64 / f64::from(CHOICES)
        };
        let before = share(&mut book);
        for (number, guest) in (0..).zip(guests.values()) {
            let now = Time::from_secs(number);
            let host = guest.host().ip().expect("an IP address");
            let conn = book.manager.accept(SocketAddr::new(host, 50_000), ListenerId(0), now).expect("it is let in");
            book.manager.handle_ready(conn, PeerInfo::new(Services::NETWORK | Services::WITNESS), now);
            while book.manager.poll_action().is_some() {}
        }
        let after = share(&mut book);
        println!("seed {seed}: {before:.4} of the choices before, {after:.4} after {} came in", guests.len());
        let slack = 4.0 * (2.0 * before * (1.0 - before) / f64::from(CHOICES)).sqrt();
        assert!((before - after).abs() <= slack, "{before} and {after}");
    }
}

#[test]
fn a_hostile_seed_is_believed_32_addresses_of_one_source() {
    let mut config = Config::bitcoin(Chain::Mainnet);
    config.seeds.names.truncate(1);
    let birth = Birth { config, snapshot: None, rng_seed: [7; 32], now: Time::ZERO, unix: UNIX };
    let mut manager = ConnManager::new(birth).expect("a good configuration");
    manager.handle_timeout(Time::ZERO);
    let mut answered = 0;
    for second in 0..10 {
        let now = Time::from_secs(second);
        while let Some(action) = manager.poll_action() {
            if let Action::ResolveSeed { lookup, .. } = action {
                let answer = AttackPlan::new(1000).announcements(second, UNIX);
                let answer: Vec<ResolvedIp> =
                    answer.filter_map(|one| one.info.address.host().ip()).map(|ip| ResolvedIp::new(ip, 0)).collect();
                manager.handle_lookup_result(lookup, Ok(&answer), now);
                answered += 1;
            }
        }
        manager.handle_timeout(now);
    }
    let sources: BTreeSet<SourceGroup> = manager.snapshot().addresses.iter().map(|saved| saved.source).collect();
    println!("{} kept of {answered} answers with 1000 each, {} source group", manager.book().len(), sources.len());
    assert_eq!((answered, manager.book().len(), sources.len()), (1, 32, 1));
}

#[test]
fn one_living_node_is_found_among_two_thousand_dead_ones_of_another_network() {
    for seed in SEEDS {
        let mut scenario = Scenario::new("one-lives", Span::minutes(5));
        scenario.node.limits = Some(Limits { full: 1, block_relay: 0, ..Limits::default() });
        scenario.hosts.push(HostSpec::new("living", 1));
        scenario.hosts.push(HostSpec { network: NetworkKind::Ipv6, ..HostSpec::new("dead", 2000) });
        let known = |of: &str| Acquaintance { of: of.into(), count: None, seen_within: Span::days(1), tried: false };
        scenario.book.knows = vec![known("living"), known("dead")];
        scenario.faults.push(FaultSpec {
            fault: FaultKind::Silent(vec![NetworkKind::Ipv6]),
            at: Span::default(),
            lasts: None,
            every: None,
            times: None,
            share: Share::ALL,
            chance: Share::ALL,
        });
        let mut world: World<Real> = World::new(scenario, seed, Scrutiny::USUAL).expect("a good configuration");
        world.run().map_err(|broken| broken.violation.what).expect("every promise is kept");
        let full = world.nodes()[0].tally.first_full.expect("it was full").since(Instant::ZERO);
        println!("seed {seed}: full after {full:?}");
        assert!(full <= Duration::from_secs(10), "{full:?}");
    }
}
