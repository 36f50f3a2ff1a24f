//! The metrics as a recorder sees them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ::metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use connmgr_core::driver::{Driver, Net, Observer};
use connmgr_core::{
    Action, AddedPeer, AddressInfo, BanTarget, Birth, CloseCause, CloseReason, Config, ConnId, ConnManager, DialError,
    Event, HostName, Input, Listener, ListenerId, LookupError, LookupId, NetworkKind, PeerInfo, Route, Source, Target,
    Time, Transport, UnixTime,
};

use super::METRICS;
use crate::observe::PoolObserver;

/// Keeps every value by name and labels.
#[derive(Clone, Default)]
struct Book {
    values: Arc<Mutex<BTreeMap<String, Arc<AtomicU64>>>>,
    described: Arc<Mutex<Vec<String>>>,
}

impl Book {
    fn entry(&self, key: &Key) -> Arc<AtomicU64> {
        let labels: Vec<_> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        let name = format!("{}{{{}}}", key.name(), labels.join(","));
        Arc::clone(self.values.lock().unwrap().entry(name).or_default())
    }

    fn describe(&self, name: &KeyName) {
        self.described.lock().unwrap().push(name.as_str().to_owned());
    }

    fn counter(&self, name: &str) -> u64 {
        self.values.lock().unwrap().get(name).map_or(0, |value| value.load(Ordering::SeqCst))
    }

    fn gauge(&self, name: &str) -> f64 {
        f64::from_bits(self.counter(name))
    }
}

impl Recorder for Book {
    fn describe_counter(&self, name: KeyName, _: Option<Unit>, _: SharedString) {
        self.describe(&name);
    }

    fn describe_gauge(&self, name: KeyName, _: Option<Unit>, _: SharedString) {
        self.describe(&name);
    }

    fn describe_histogram(&self, name: KeyName, _: Option<Unit>, _: SharedString) {
        self.describe(&name);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.entry(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.entry(key))
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

/// Records what was started.
#[derive(Default)]
struct Started {
    dials: Vec<ConnId>,
    lookups: Vec<(LookupId, Time)>,
}

impl Net for Started {
    fn dial(&mut self, conn: ConnId, _: &Target, _: Transport, _: Time) {
        self.dials.push(conn);
    }
    fn abort(&mut self, _: ConnId) {}
    fn close(&mut self, _: ConnId, _: CloseReason) {}
    fn resolve(&mut self, lookup: LookupId, _: &HostName, _: Route, deadline: Time) {
        self.lookups.push((lookup, deadline));
    }
    fn pause_accept(&mut self, _: ListenerId, _: Time) {}
    fn save(&mut self, _: &ConnManager) {}
}

/// A driver whose metrics go to a recorder of its own.
struct World {
    book: Book,
    driver: Driver<(), PoolObserver>,
    net: Started,
    now: Time,
}

const LISTENER: ListenerId = ListenerId(0);

impl World {
    fn new() -> Self {
        let book = Book::default();
        let mut config = Config::default();
        config.listeners.push(Listener::new(LISTENER));
        let manager = ConnManager::new(Birth {
            config,
            snapshot: None,
            rng_seed: [7; 32],
            unix: UnixTime::from_secs(1_700_000_000),
            now: Time::ZERO,
        })
        .unwrap();
        let watch = metrics::with_local_recorder(&book, || PoolObserver::new(None));
        Self { book, driver: Driver::with_observer(manager, watch), net: Started::default(), now: Time::ZERO }
    }

    fn apply(&mut self, input: &Input) {
        let Self { book, driver, net, now } = self;
        metrics::with_local_recorder(book, || driver.apply(input, *now, net));
    }

    fn add(&mut self, address: &str) {
        self.apply(&Input::AddPeer { peer: AddedPeer::new(address.parse().unwrap()) });
    }

    fn dialed(&mut self, conn: ConnId, result: Result<(), DialError>) {
        let Self { book, driver, net, now } = self;
        metrics::with_local_recorder(book, || driver.dialed(conn, result, *now, net));
    }

    fn accept(&mut self, remote: &str) -> Option<ConnId> {
        let Self { book, driver, net, now } = self;
        let remote = remote.parse().unwrap();
        metrics::with_local_recorder(book, || driver.accept(remote, LISTENER, *now, |_| (), net)).ok()
    }

    fn expect(&self, values: &[(&str, u64)]) {
        for (name, value) in values {
            assert_eq!(self.book.counter(name), *value, "{name} of {:#?}", self.book.values.lock().unwrap());
        }
    }

    fn expect_added(&self, states: [(&str, f64); 3]) {
        for (state, value) in states {
            let name = format!("connmgr_connections{{kind=added,state={state}}}");
            assert!((self.book.gauge(&name) - value).abs() < 0.5, "{name} is not {value}");
        }
    }
}

#[test]
fn a_connection_is_counted_from_its_dial_to_its_end() {
    let mut world = World::new();
    world.add("1.2.3.4:8333");
    let conn = world.net.dials[0];
    world.expect_added([("dialing", 1.0), ("handshaking", 0.0), ("ready", 0.0)]);
    world.dialed(conn, Ok(()));
    world.expect_added([("dialing", 0.0), ("handshaking", 1.0), ("ready", 0.0)]);
    world.apply(&Input::Ready { conn, info: PeerInfo::default() });
    world.expect_added([("dialing", 0.0), ("handshaking", 0.0), ("ready", 1.0)]);
    world.apply(&Input::Closed { conn, cause: CloseCause::Reset });
    world.expect_added([("dialing", 0.0), ("handshaking", 0.0), ("ready", 0.0)]);
    world.expect(&[
        ("connmgr_dials_total{kind=added}", 1),
        ("connmgr_dials_ended_total{kind=added,outcome=connected}", 1),
        ("connmgr_connections_opened_total{kind=added}", 1),
        ("connmgr_connections_ended_total{kind=added,by=them,reason=reset}", 1),
        ("connmgr_retries_total{}", 1),
    ]);
}

#[test]
fn a_dial_is_counted_by_what_it_came_to() {
    let mut world = World::new();
    world.add("1.2.3.4:8333");
    world.dialed(world.net.dials[0], Err(DialError::Refused));
    world.add("5.6.7.8:8333");
    world.apply(&Input::Shutdown);
    world.expect(&[
        ("connmgr_dials_total{kind=added}", 2),
        ("connmgr_dials_ended_total{kind=added,outcome=refused}", 1),
        ("connmgr_dials_ended_total{kind=added,outcome=shutdown}", 1),
    ]);
}

#[test]
fn strangers_are_counted_let_in_refused_and_banned() {
    let mut world = World::new();
    world.accept("1.2.3.4:5000").unwrap();
    let subnet = BanTarget::Subnet("1.2.3.0/24".parse().unwrap());
    world.apply(&Input::Ban { target: subnet.clone(), duration: Duration::from_secs(60) });
    assert_eq!(world.accept("1.2.3.4:5001"), None);
    world.apply(&Input::Unban { target: subnet });
    world.apply(&Input::AcceptError { listener: LISTENER });
    world.expect(&[
        ("connmgr_connections_opened_total{kind=inbound}", 1),
        ("connmgr_connections_ended_total{kind=inbound,by=us,reason=banned}", 1),
        ("connmgr_refusals_total{reason=banned}", 1),
        ("connmgr_bans_total{}", 1),
        ("connmgr_unbans_total{}", 1),
        ("connmgr_accept_errors_total{}", 1),
    ]);
}

#[test]
fn a_lookup_is_counted_once_whether_it_is_answered_in_time_or_not() {
    let mut world = World::new();
    world.add("a.example:8333");
    world.add("b.example:8333");
    let [(first, _), (second, deadline)] = world.net.lookups[..] else { panic!("two lookups") };
    let found = Ok(vec!["9.9.9.9".parse().unwrap()]);
    world.apply(&Input::LookupResult { lookup: first, result: found.clone() });
    world.now = deadline;
    world.apply(&Input::Timeout);
    world.apply(&Input::LookupResult { lookup: second, result: found });
    world.expect(&[
        ("connmgr_lookups_total{of=peer,route=direct}", 2),
        ("connmgr_lookups_ended_total{of=peer,outcome=found}", 1),
        ("connmgr_lookups_ended_total{of=peer,outcome=timed_out}", 1),
    ]);
    world.add("c.example:8333");
    let lookup = world.net.lookups.last().unwrap().0;
    world.apply(&Input::LookupResult { lookup, result: Err(LookupError::NotFound) });
    world.expect(&[("connmgr_lookups_ended_total{of=peer,outcome=not_found}", 1)]);
}

#[test]
fn a_network_is_shown_down_until_it_is_up_again() {
    let (book, down) = (Book::default(), "connmgr_network_down{network=onion}");
    let tell = |watch: &mut PoolObserver, event| {
        metrics::with_local_recorder(&book, || watch.action(Time::ZERO, &Action::Emit(event)));
        book.gauge(down)
    };
    let mut watch = metrics::with_local_recorder(&book, || PoolObserver::new(None));
    let network = NetworkKind::Onion;
    assert!(tell(&mut watch, Event::NetworkDown { network }) > 0.5);
    assert!(tell(&mut watch, Event::NetworkUp { network }) < 0.5);
    assert_eq!(book.counter("connmgr_network_changes_total{network=onion,to=down}"), 1);
    assert_eq!(book.counter("connmgr_network_changes_total{network=onion,to=up}"), 1);
}

#[test]
fn the_guide_lists_what_is_described_and_nothing_else() {
    let world = World::new();
    let listed: Vec<_> = METRICS.iter().map(|metric| metric.name).collect();
    assert_eq!(*world.book.described.lock().unwrap(), listed);
    let page = include_str!("../../../guide/metrics.md");
    let (table, _) = page.split_once("# What to watch").expect("what to watch follows the table");
    let rows: Vec<_> = table.lines().filter_map(|line| line.strip_prefix("| `connmgr_")).collect();
    assert_eq!(rows.len(), METRICS.len());
    for (metric, row) in METRICS.iter().zip(rows) {
        assert!(row.starts_with(&format!("{}`", &metric.name["connmgr_".len()..])), "{row}");
        assert!(row.contains(metric.about) && metric.labels.iter().all(|label| row.contains(label)), "{row}");
    }
}

#[test]
fn what_is_counted_is_listed_with_its_labels() {
    let mut world = World::new();
    world.add("1.2.3.4:8333");
    world.dialed(world.net.dials[0], Err(DialError::Refused));
    world.accept("1.2.3.4:5000");
    for name in world.book.values.lock().unwrap().keys() {
        let (name, labels) = name.trim_end_matches('}').split_once('{').unwrap();
        let labels: Vec<_> = labels.split(',').filter_map(|label| Some(label.split_once('=')?.0)).collect();
        let metric = METRICS.iter().find(|metric| metric.name == name).expect("a metric of the list");
        assert_eq!(metric.labels, labels, "{name}");
    }
}

#[test]
fn the_book_is_counted_by_network_and_table() {
    let known = |world: &World, labels: &str| world.book.gauge(&format!("connmgr_known_addresses{{{labels}}}"));
    let mut world = World::new();
    let addresses = ["11.2.3.4:8333", "[2a01:4f8::1]:8333"].map(|text| AddressInfo::new(text.parse().unwrap()));
    world.apply(&Input::Addresses { source: Source::Application, addresses: addresses.into() });
    assert!((known(&world, "network=ipv4,table=new") - 1.0).abs() < 0.5);
    assert!((known(&world, "network=ipv6,table=new") - 1.0).abs() < 0.5);
    let conn = *world.net.dials.first().unwrap();
    let is_ipv4 =
        world.driver.manager().connection(conn).unwrap().address.unwrap().network() == Some(NetworkKind::Ipv4);
    world.dialed(conn, Ok(()));
    world.apply(&Input::Ready { conn, info: PeerInfo::default() });
    let network = if is_ipv4 { "ipv4" } else { "ipv6" };
    assert!((known(&world, &format!("network={network},table=tried")) - 1.0).abs() < 0.5);
    assert!(known(&world, &format!("network={network},table=new")) < 0.5);
}
