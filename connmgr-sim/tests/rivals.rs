//! What is worse than the naive is found: models stand in the place of ours, each in a world that shows its weakness.

use std::net::SocketAddr;

use connmgr_check::{Property, Violation};
use connmgr_core::driver::PoolEvent;
use connmgr_core::{
    Birth, ConfigError, ConnId, DialError, Input, NetworkKind, Refusal, Reply, Snapshot, Target, Time, Transport,
};
use connmgr_sim::run::rivals::{judge_as, table};
use connmgr_sim::scenario::{Acquaintance, FaultKind, FaultSpec, HostBehavior, HostSpec, ProxySpec, Span};
use connmgr_sim::subject::models::{OneAtATime, ParallelPlain};
use connmgr_sim::types::Share;
use connmgr_sim::world::links::LinkId;
use connmgr_sim::world::subject::{NetCall, Outbox};
use connmgr_sim::{RunVerdict, Scenario, Subject};

/// A world of these hosts, all of them known.
fn world(hosts: Vec<HostSpec>, duration: Span) -> Scenario {
    let mut scenario = Scenario::new("small", duration);
    let known = |spec: &HostSpec| {
        let (of, seen_within) = (spec.name.clone(), Span::days(3));
        Acquaintance { of, count: None, seen_within, tried: false }
    };
    scenario.book.knows = hosts.iter().map(known).collect();
    scenario.hosts = hosts;
    scenario
}

/// The properties that a subject breaks.
fn broken<S: Subject>(scenario: &Scenario) -> Vec<Property> {
    let outcome = judge_as::<S>(scenario, 1);
    assert!(outcome.failures.iter().all(|failure| failure.verdict == RunVerdict::Threshold), "{:?}", outcome.failures);
    outcome.failures.iter().filter_map(|failure| failure.property()).collect()
}

#[test]
fn who_is_as_good_as_the_best_breaks_nothing() {
    let scenario = world(vec![HostSpec::new("good", 200)], Span::hours(2));
    assert_eq!(broken::<ParallelPlain>(&scenario), []);
}

#[test]
fn one_at_a_time_is_late_where_answers_are_slow() {
    let behavior = HostBehavior::Slow(Span::secs(3).into());
    let scenario = world(vec![HostSpec { behavior, ..HostSpec::new("slow", 60) }], Span::minutes(10));
    assert_eq!(broken::<OneAtATime>(&scenario), [Property::FillTime]);
    assert_eq!(broken::<ParallelPlain>(&scenario), []);
}

#[test]
fn a_dead_network_may_not_delay_a_living_one() {
    let live = HostSpec::new("live", 40);
    let dead =
        HostSpec { behavior: HostBehavior::BlackHole, network: NetworkKind::Ipv6, ..HostSpec::new("dead", 2000) };
    let scenario = world(vec![live, dead], Span::minutes(20));
    assert_eq!(broken::<ParallelPlain>(&scenario), [Property::FillTime]);
}

/// As good as the best, but that it dials a hundred addresses where nobody lives when it first hears of anything.
#[derive(Clone)]
struct Wasteful(ParallelPlain, bool);

impl Subject for Wasteful {
    type Watch = ();

    fn born(birth: &Birth, (): ()) -> Result<Self, ConfigError> {
        Ok(Self(ParallelPlain::born(birth, ())?, false))
    }

    fn apply(&mut self, input: &Input, now: Time, outbox: &mut Outbox) -> Reply {
        if !std::mem::replace(&mut self.1, true) {
            outbox.extend((0..100).map(|number| NetCall::Dial {
                conn: ConnId::from_u64(1_000_000 + u64::from(number)),
                target: Target::Direct(([198, 51, 100, number], 8333).into()),
                transport: Transport::V1,
            }));
        }
        self.0.apply(input, now, outbox)
    }

    fn dialed(&mut self, conn: ConnId, result: Result<LinkId, DialError>, now: Time, outbox: &mut Outbox) {
        self.0.dialed(conn, result, now, outbox);
    }

    fn accept(&mut self, remote: SocketAddr, link: LinkId, now: Time, outbox: &mut Outbox) -> Result<ConnId, Refusal> {
        self.0.accept(remote, link, now, outbox)
    }

    fn poll_event(&mut self) -> Option<PoolEvent<LinkId>> {
        self.0.poll_event()
    }

    fn poll_timeout(&self) -> Option<Time> {
        self.0.poll_timeout().or_else(|| (!self.1).then_some(Time::ZERO))
    }

    fn judge(&mut self, now: Time, thoroughly: bool) -> Result<(), Violation> {
        self.0.judge(now, thoroughly)
    }

    fn watch(&self) -> &() {
        self.0.watch()
    }

    fn watch_mut(&mut self) -> &mut () {
        self.0.watch_mut()
    }

    fn snapshot(&self) -> Snapshot {
        self.0.snapshot()
    }

    fn fingerprint(&self, now: Time) -> u128 {
        self.0.fingerprint(now)
    }
}

#[test]
fn who_dials_a_hundred_for_nothing_dials_too_many() {
    let scenario = world(vec![HostSpec::new("good", 200)], Span::minutes(10));
    assert_eq!(broken::<Wasteful>(&scenario), [Property::FillDials]);
}

#[test]
fn one_at_a_time_is_late_again_after_a_fault() {
    let slow = HostBehavior::Slow(Span::secs(12).into());
    let hosts = HostSpec { behavior: slow, network: NetworkKind::Onion, ..HostSpec::new("onions", 100) };
    let mut scenario = world(vec![hosts], Span::minutes(30));
    scenario.proxy = Some(ProxySpec { for_all: false, resolves: true, adds: Span::default() });
    let (at, share) = (Span::minutes(10), Share::ALL);
    let (fault, lasts) = (FaultKind::Reset(vec![NetworkKind::Onion]), Some(Span::secs(1)));
    scenario.faults.push(FaultSpec { fault, at, lasts, every: None, times: None, share, chance: share });
    assert_eq!(broken::<OneAtATime>(&scenario), [Property::FillTime, Property::RecoveryTime]);
    assert_eq!(broken::<ParallelPlain>(&scenario), []);
}

#[test]
fn a_world_that_refuses_is_not_stormed() {
    let refuses = HostSpec { behavior: HostBehavior::Refuse, ..HostSpec::new("refuse", 15_000) };
    assert_eq!(broken::<ParallelPlain>(&world(vec![refuses], Span::minutes(10))), [Property::DialBudget]);
}

#[test]
fn nor_is_one_in_which_everybody_goes_at_once() {
    let goes = HostSpec { session: Some(Span::secs(1).into()), ..HostSpec::new("go", 15_000) };
    let broken = broken::<ParallelPlain>(&world(vec![goes], Span::minutes(10)));
    assert_eq!(broken, [Property::DialBudget, Property::HandshakeBudget]);
}

#[test]
fn connections_that_were_stable_explain_dials() {
    let stays = HostSpec { session: Some(Span::secs(70).into()), ..HostSpec::new("stay", 2000) };
    let scenario = world(vec![stays], Span::hours(3));
    assert_eq!(broken::<ParallelPlain>(&scenario), []);
}

#[test]
fn a_change_begins_a_new_budget() {
    // 64 dials at once and 10 a second, for two minutes each time.
    let refuses = HostSpec { behavior: HostBehavior::Refuse, ..HostSpec::new("refuse", 15_000) };
    let mut scenario = world(vec![refuses], Span::minutes(10));
    let (at, every, share) = (Span::default(), Some(Span::minutes(2)), Share::ALL);
    let fault = FaultKind::NetworkChanged;
    scenario.faults.push(FaultSpec { fault, at, lasts: None, every, times: None, share, chance: share });
    assert_eq!(broken::<ParallelPlain>(&scenario), []);
}

#[test]
fn the_table_has_ours_and_every_rival() {
    let two = vec![HostSpec::new("v4", 40), HostSpec { network: NetworkKind::Ipv6, ..HostSpec::new("v6", 40) }];
    let columns = table(&world(two, Span::minutes(2)), 1).expect("a good configuration");
    let names: Vec<&str> = columns.iter().map(|column| &*column.name).collect();
    let all = ["ours", "N at a time", "N in ipv4", "N in ipv6", "one at a time", "core-like", "btcd-like"];
    assert_eq!(names, all);
    assert!(columns.iter().all(|column| column.cells.len() == 2));
}
