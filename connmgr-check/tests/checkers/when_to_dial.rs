//! Dials, retries and lookups at the wrong time.

use std::time::Duration;

use connmgr_check::{Probe, Property};
use connmgr_core::driver::Observer;
use connmgr_core::*;

use crate::bench::*;

#[test]
fn a_dial_that_is_not_given_up_in_time() {
    let mut patient = pool();
    patient.dial.direct.timeout = secs(50);
    let mut bench = Bench::mismatched(&patient, &pool());
    breaks(Property::Deadlines, bench.learn(&addresses(100)));
}

/// Work that one step leaves is not done later either.
#[test]
fn at_the_end_of_time_no_deadline_follows_and_none_is_missed() {
    let few_actions = Config { max_actions_per_input: 16, limits: Limits { full: 40, ..Limits::default() }, ..pool() };
    let mut bench = Bench::new(&few_actions);
    bench.add_peer("99.1.1.1:8333", Keep::Always).expect("nothing is broken yet");
    bench.fail(DialError::Refused).and_then(|()| bench.learn(&addresses(100))).expect("nothing is broken yet");
    bench.pass(Duration::from_millis(10)).expect("nothing is broken yet");
    bench.now = Time::MAX;
    bench.tell(Input::Timeout).expect("the last deadlines are met as far as one step can");
    assert_eq!(bench.manager.poll_timeout(), None);
    assert!(!bench.in_state(ConnState::Dialing).is_empty());
    bench.audit().expect("a retry can't come any more");
}

#[test]
fn a_handshake_that_never_ends() {
    let patient = Config { handshake_timeout: secs(600), ..pool() };
    let mut bench = dialing(&patient, &pool());
    breaks(Property::Deadlines, bench.connect().and_then(|()| bench.pass(secs(90))));
}

#[test]
fn a_retry_sooner_than_the_back_off_allows() {
    let slow = Config { retry: Backoff { base: secs(50), ..Backoff::default() }, ..pool() };
    let mut bench = Bench::mismatched(&pool(), &slow);
    bench.add_peer("99.1.1.1:8333", Keep::Always).expect("nothing is broken yet");
    breaks(Property::RetryBounds, bench.fail(DialError::Refused));
}

#[test]
fn a_retry_that_is_not_spread() {
    let rigid = Config { retry: Backoff { jitter: false, ..Backoff::default() }, ..pool() };
    let mut bench = Bench::mismatched(&rigid, &pool());
    bench.add_peer("99.1.1.1:8333", Keep::Always).expect("nothing is broken yet");
    breaks(Property::RetryBounds, bench.fail(DialError::Refused));
}

#[test]
fn a_back_off_forgotten_after_a_short_connection() {
    let hasty = Config { stable_after: secs(1), ..pool() };
    let mut bench = Bench::mismatched(&hasty, &pool());
    bench.add_peer("99.1.1.1:8333", Keep::Always).expect("nothing is broken yet");
    for _ in 0..3 {
        bench.fail(DialError::Refused).expect("nothing is broken yet");
        while bench.in_state(ConnState::Dialing).is_empty() {
            bench.pass(secs(1)).expect("nothing is broken yet");
        }
    }
    bench.connect().and_then(|()| bench.ready_all()).and_then(|()| bench.pass(secs(10))).expect("nor now");
    let id = bench.in_state(ConnState::Ready)[0];
    breaks(Property::RetryBounds, bench.tell(Input::Closed { conn: id, cause: CloseCause::Eof }));
}

#[test]
fn a_dial_before_the_retry_is_due() {
    let mut bench = Bench::new(&pool());
    bench.add_peer("99.1.1.1:8333", Keep::Always).expect("nothing is broken yet");
    bench.fail(DialError::Refused).expect("nothing is broken yet");
    let reply = bench.manager.apply(&Input::DialNow { peer: PeerId::from_u64(1) }, bench.now);
    assert_eq!(reply, Reply::Done(Ok(())));
    bench.suite.input(bench.now, &Input::Clock { unix: UNIX }, &Reply::Noted);
    bench.drain();
    breaks(Property::RetryBounds, bench.suite.after(bench.now, &bench.manager));
}

#[test]
fn a_retry_that_does_not_come() {
    let mut bench = Bench::new(&pool());
    bench.add_peer("99.1.1.1:8333", Keep::Always).expect("nothing is broken yet");
    bench.fail(DialError::Refused).expect("nothing is broken yet");
    let mut other = full(&pool());
    other.pass(secs(90)).expect("nothing is broken yet");
    let forgetful = std::mem::replace(&mut bench.manager, other.manager);
    bench.now = Time::from_secs(100);
    bench.forge(Input::Timeout, Reply::Noted, &[]).expect("another manager has nothing due");
    bench.manager = forgetful;
    breaks(Property::RetryComes, bench.audit());
}

#[test]
fn an_address_dialed_again_too_soon() {
    let mut rested = pool();
    rested.dial.min_spacing = secs(300);
    let mut bench = Bench::mismatched(&pool(), &rested);
    bench.learn(&addresses(2)).expect("nothing is broken yet");
    let mut judged = Ok(());
    for _ in 0..20 {
        judged = judged.and_then(|()| bench.fail(DialError::Refused)).and_then(|()| bench.pass(secs(10)));
    }
    breaks(Property::DialSpacing, judged);
}

#[test]
fn automatic_dials_faster_than_their_rate() {
    let mut slow = pool();
    slow.dial.rate = Rate { burst: 4, interval: secs(1) };
    let mut bench = Bench::mismatched(&pool(), &slow);
    breaks(Property::DialRate, bench.learn(&addresses(100)));
}

/// Only the manager is told that the machine's network has changed.
#[test]
fn dials_that_lead_nowhere_and_do_not_slow_down() {
    let mut bench = Bench::new(&pool());
    bench.learn(&addresses(1000)).expect("nothing is broken yet");
    for _ in 0..300 {
        bench.fail(DialError::Refused).and_then(|()| bench.pass(secs(1))).expect("nothing is broken yet");
    }
    assert_eq!(bench.suite.probes().count(Probe::PaceSlowed), 1);
    bench.manager.apply(&Input::NetworkChanged, bench.now);
    bench.suite.input(bench.now, &Input::Clock { unix: UNIX }, &Reply::Noted);
    bench.drain();
    breaks(Property::Pace, bench.suite.after(bench.now, &bench.manager));
}

#[test]
fn a_machine_without_room_for_another_dial_that_dials_too_soon() {
    let slow = Config { health: HealthConfig { first_probe: secs(4), ..HealthConfig::default() }, ..pool() };
    let mut bench = dialing(&pool(), &slow);
    bench.fail(DialError::OutOfResources).expect("nothing is broken yet");
    breaks(Property::Shortage, bench.pass(secs(2)));
}

/// The pauses grow, and so too many dials come in the end.
#[test]
fn a_shortage_in_which_pauses_do_not_grow() {
    let eager = Config { health: HealthConfig { max_probe: secs(2), ..HealthConfig::default() }, ..pool() };
    let mut bench = dialing(&eager, &pool());
    let short = |bench: &mut Bench| bench.fail(DialError::OutOfResources).and_then(|()| bench.pass(secs(2)));
    short(&mut bench).and_then(|()| short(&mut bench)).expect("a second, and two more");
    breaks(Property::Shortage, short(&mut bench));
}

/// To the manager it is a connection that ended normally, so it may dial the address again.
#[test]
fn an_address_dialed_again_whose_peer_is_connected_by_another() {
    let mut bench = Bench::new(&pool());
    bench.learn(&addresses(2)).and_then(|()| bench.connect()).expect("nothing is broken yet");
    let ids = bench.in_state(ConnState::Handshaking);
    let services = Services::NETWORK | Services::WITNESS;
    let info = PeerInfo { identity: Some(Identity([9; 32])), services, ..PeerInfo::default() };
    bench.ready(ids[0], info).expect("nothing is broken yet");
    let close = Action::Close { conn: ids[1], reason: CloseReason::Duplicate };
    let ended = Action::Emit(Event::Disconnected {
        conn: ids[1],
        peer: None,
        reason: EndReason::Ours(CloseReason::Duplicate),
        tag: None,
    });
    bench.manager.apply(&Input::Closed { conn: ids[1], cause: CloseCause::Eof }, bench.now);
    while bench.manager.poll_action().is_some() {}
    let ready = Input::Ready { conn: ids[1], info };
    bench.forge(ready, Reply::Noted, &[close, ended]).expect("nothing is broken yet");
    breaks(Property::AliasRests, bench.pass(secs(200)));
}

#[test]
fn a_storm_of_dials() {
    let mut bench = Bench::new(&Config { limits: Limits { full: 0, ..Limits::default() }, ..pool() });
    // Visits without a reason: they are dialed and fail, again and again.
    let mut judged = Ok(());
    for number in 1..1000 {
        let address = addr("99.1.1.1:8333");
        let failed = Action::Emit(Event::DialFailed {
            conn: conn(number),
            peer: None,
            address,
            error: DialFailure::GivenUp(CloseReason::Requested),
            tag: None,
        });
        let step = [dial(number, "99.1.1.1:8333", Time::ZERO), failed];
        judged = judged.and_then(|()| bench.forge_actions(&step));
    }
    breaks(Property::DialStorm, judged);
}

#[test]
fn a_dead_network_that_is_dialed_all_the_time() {
    let eager = Config { health: HealthConfig { max_probe: secs(2), ..HealthConfig::default() }, ..pool() };
    let mut bench = Bench::mismatched(&eager, &pool());
    bench.learn(&addresses(400)).expect("nothing is broken yet");
    let mut judged = Ok(());
    for _ in 0..600 {
        judged = judged.and_then(|()| bench.fail(DialError::NetworkUnreachable)).and_then(|()| bench.pass(secs(2)));
    }
    breaks(Property::OutageBudget, judged);
}

#[test]
fn a_network_that_is_down_and_probed_before_its_time() {
    let eager = HealthConfig { first_probe: secs(1), ..HealthConfig::default() };
    let slow = HealthConfig { first_probe: secs(3), ..HealthConfig::default() };
    let mut bench = dialing(&Config { health: eager, ..pool() }, &Config { health: slow, ..pool() });
    let mut judged = Ok(());
    for _ in 0..100 {
        let soon = Duration::from_millis(500);
        judged = judged.and_then(|()| bench.fail(DialError::NetworkUnreachable)).and_then(|()| bench.pass(soon));
    }
    breaks(Property::OutageBudget, judged);
}

#[test]
fn a_seed_asked_more_often_than_it_may() {
    let seed = Seed::new(HostName::new("seed.example").expect("a name"));
    let slow = Backoff { base: secs(3000), cap: secs(3000), ..Backoff::default() };
    let seeds = SeedConfig { names: vec![seed], ..SeedConfig::default() };
    let real = Config { seeds: seeds.clone(), ..pool() };
    // Seeds that can't be reached are asked at the pace of probes.
    let health = HealthConfig { max_probe: secs(3000), ..HealthConfig::default() };
    let believed = Config { seeds: SeedConfig { retry: slow, ..seeds }, health, ..pool() };
    let mut bench = Bench::mismatched(&real, &believed);
    let mut judged = Ok(());
    for lookup in 1..10 {
        let failed = Input::LookupResult { lookup: LookupId::from_u64(lookup), result: Err(LookupError::NotFound) };
        judged = judged.and_then(|()| bench.pass(secs(100))).and_then(|()| bench.tell(failed));
    }
    breaks(Property::Seeds, judged);
}

#[test]
fn a_lookup_by_a_proxy_that_has_refused_lookups() {
    let seed = Seed::new(HostName::new("seed.example").expect("a name"));
    let address: ProxyAddress = "127.0.0.1:9050".parse().expect("an address");
    let proxy = Proxy::new(address.clone()).isolation(IsolationMode::Off).resolves(true);
    let seeds = SeedConfig { names: vec![seed.clone()], ..SeedConfig::default() };
    let config = Config { seeds, proxies: Proxies { all: Some(proxy), ..Proxies::default() }, ..pool() };
    let mut bench = Bench::new(&config);
    bench.pass(secs(1)).expect("nothing is broken yet");
    let refused = Input::LookupResult { lookup: LookupId::from_u64(1), result: Err(LookupError::ProxyUnsupported) };
    bench.tell(refused).expect("nothing is broken yet");
    let route = Route::Proxy { proxy: address, isolation: Isolation::Shared };
    let deadline = bench.now.after(config.dial.lookup_timeout);
    let again = Action::ResolveSeed { lookup: LookupId::from_u64(2), seed: seed.name, route, deadline };
    breaks(Property::Seeds, bench.forge_actions(&[again]));
}

#[test]
fn more_addresses_of_a_seed_than_may_be_kept() {
    let seed = Seed::new(HostName::new("seed.example").expect("a name"));
    let seeds = |keep| SeedConfig { names: vec![seed.clone()], keep, ..SeedConfig::default() };
    let mut bench = Bench::mismatched(&Config { seeds: seeds(256), ..pool() }, &Config { seeds: seeds(32), ..pool() });
    bench.pass(secs(1)).expect("nothing is broken yet");
    let ips = addresses(100).iter().filter_map(|address| address.host().ip()).map(Into::into).collect();
    breaks(Property::Seeds, bench.tell(Input::LookupResult { lookup: LookupId::from_u64(1), result: Ok(ips) }));
}
