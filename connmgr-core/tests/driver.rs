//! The driver: actions become calls, and streams get their ids.

mod support;

use std::rc::Rc;

use connmgr_core::driver::{Driver, Net, Observer, PoolEvent};
use connmgr_core::*;
use support::{UNIX, addr, with_listener};

/// Records its calls.
#[derive(Default)]
struct Notebook(Vec<String>);

impl Net for Notebook {
    fn dial(&mut self, conn: ConnId, target: &Target, _: Transport, _: Time) {
        self.0.push(format!("dial {conn} {target}"));
    }
    fn abort(&mut self, conn: ConnId) {
        self.0.push(format!("abort {conn}"));
    }
    fn close(&mut self, conn: ConnId, reason: CloseReason) {
        self.0.push(format!("close {conn}: {reason}"));
    }
    fn resolve(&mut self, lookup: LookupId, name: &HostName, route: Route, _: Time) {
        self.0.push(format!("resolve {lookup} {name} {route}"));
    }
    fn pause_accept(&mut self, listener: ListenerId, until: Time) {
        self.0.push(format!("pause {listener} until {until}"));
    }
    fn save(&mut self, manager: &ConnManager) {
        self.0.push(format!("save {} bans", manager.saved_bans().len()));
    }
}

/// Records what it observes, as text.
#[derive(Clone, Default)]
struct Seen(Vec<String>);

impl Observer for Seen {
    fn input(&mut self, _: Time, input: &Input, _: &Reply) {
        self.0.push(format!("> {input}"));
    }
    fn action(&mut self, _: Time, action: &Action) {
        self.0.push(format!("< {action}"));
    }
}

type Stream = Rc<&'static str>;

const NOW: Time = Time::ZERO;

/// A driver with one added peer that is being dialed as `c1`.
fn dialing() -> (Driver<Stream, Seen>, Notebook) {
    let config = Config { mode: Mode::ConnectOnly, ..Config::default() };
    let manager = ConnManager::new(Birth {
        config: with_listener(config),
        snapshot: None,
        rng_seed: [7; 32],
        unix: UNIX,
        now: NOW,
    })
    .expect("good");
    let (mut driver, mut net) = (Driver::with_observer(manager, Seen::default()), Notebook::default());
    let add = Input::AddPeer { peer: AddedPeer::new(addr("1.2.3.4:8333")) };
    driver.apply(&add, NOW, &mut net);
    (driver, net)
}

const CONN: ConnId = ConnId::from_u64(1);

#[test]
fn a_stream_comes_out_with_the_id_it_was_dialed_under() {
    let (mut driver, mut net) = dialing();
    assert_eq!(net.0, ["dial c1 1.2.3.4:8333"]);
    driver.dialed(CONN, Ok(Rc::new("stream")), NOW, &mut net);
    let Some(PoolEvent::Connected { info, stream }) = driver.poll_event() else { panic!("not connected") };
    assert_eq!((info.conn, *stream), (CONN, "stream"));
}

#[test]
fn a_close_while_dialing_aborts_and_a_late_stream_is_dropped() {
    let (mut driver, mut net) = dialing();
    driver.apply(&Input::Disconnect { conn: CONN }, NOW, &mut net);
    assert_eq!(net.0.last().map(String::as_str), Some("abort c1"));
    let stream: Stream = Rc::new("late");
    driver.dialed(CONN, Ok(Rc::clone(&stream)), NOW, &mut net);
    assert_eq!(Rc::strong_count(&stream), 1);
    assert_eq!(net.0.last().map(String::as_str), Some("close c1: succeeded too late"));
}

/// After the end the manager asks for nothing, not even for a close.
#[test]
fn a_stream_that_comes_after_the_end_is_dropped() {
    let (mut driver, mut net) = dialing();
    driver.apply(&Input::Shutdown, NOW, &mut net);
    assert!(driver.is_stopped());
    let stream: Stream = Rc::new("late");
    driver.dialed(CONN, Ok(Rc::clone(&stream)), NOW, &mut net);
    assert_eq!(Rc::strong_count(&stream), 1);
}

#[test]
fn a_second_stream_of_one_dial_is_dropped() {
    let (mut driver, mut net) = dialing();
    driver.dialed(CONN, Ok(Rc::new("first")), NOW, &mut net);
    let stream: Stream = Rc::new("second");
    driver.dialed(CONN, Ok(Rc::clone(&stream)), NOW, &mut net);
    assert_eq!(Rc::strong_count(&stream), 1);
}

#[test]
fn a_close_that_overtakes_connected_withholds_both_from_the_application_only() {
    let (mut driver, mut net) = dialing();
    driver.dialed(CONN, Ok(Rc::new("stream")), NOW, &mut net);
    driver.apply(&Input::Disconnect { conn: CONN }, NOW, &mut net);
    let told: Vec<_> = std::iter::from_fn(|| driver.poll_event()).collect();
    assert!(told.iter().all(|event| matches!(event, PoolEvent::RetryScheduled { .. })), "{told:?}");
    let seen = driver.observer().0.join("\n");
    assert!(seen.contains("connected c1") && seen.contains("disconnected c1"), "{seen}");
}

#[test]
fn an_accepted_stream_is_made_only_when_it_may_stay() {
    let (mut driver, mut net) = dialing();
    let remote = "9.9.9.9:1".parse().expect("an address");
    let admitted = driver.accept(remote, ListenerId(0), NOW, |_| Rc::new("in"), &mut net);
    assert_eq!(admitted, Ok(ConnId::from_u64(2)));
    let refused = driver.accept(remote, ListenerId(9), NOW, |_| unreachable!("refused"), &mut net);
    assert_eq!(refused, Err(Refusal::UnknownListener));
}

#[test]
fn an_observer_sees_each_input_before_its_actions() {
    let (mut driver, mut net) = dialing();
    driver.dialed(CONN, Err(DialError::Refused), NOW, &mut net);
    let seen = &driver.observer().0;
    assert_eq!(seen[..2], ["> add peer 1.2.3.4:8333", "< dial c1 1.2.3.4:8333"]);
    assert_eq!(seen[2], "> dial result c1: connection refused");
    assert!(seen[3].starts_with("< dial failed c1") && seen[4].starts_with("< retry p1"), "{seen:?}");
}

/// The number of connections of each kind and state, after each input.
#[derive(Clone, Default)]
struct Counted(Vec<u32>);

impl Observer for Counted {
    fn input(&mut self, _: Time, _: &Input, _: &Reply) {}
    fn action(&mut self, _: Time, _: &Action) {}
    fn settled(&mut self, _: Time, manager: &ConnManager) {
        let states = ConnState::ALL;
        let all = manager.connections();
        for (kind, state) in Kind::ALL.into_iter().flat_map(|kind| states.map(|state| (kind, state))) {
            let found = all.iter().filter(|conn| (conn.kind, conn.state) == (kind, state)).count();
            assert_eq!(u32::try_from(found), Ok(manager.count(kind, state)), "{kind} {state:?}");
        }
        assert!(all.iter().all(|conn| manager.connection(conn.conn).as_ref() == Some(conn)));
        self.0.extend(states.map(|state| manager.count(Kind::Added, state)));
    }
}

#[test]
fn an_observer_sees_how_the_manager_stands_after_each_input() {
    let config = Config { mode: Mode::ConnectOnly, ..Config::default() };
    let manager =
        ConnManager::new(Birth { config, snapshot: None, rng_seed: [7; 32], unix: UNIX, now: NOW }).expect("good");
    let mut driver = Driver::with_observer(manager, ((), Some(Counted::default())));
    let (mut net, info) = (Notebook::default(), PeerInfo::default());
    driver.apply(&Input::AddPeer { peer: AddedPeer::new(addr("1.2.3.4:8333")) }, NOW, &mut net);
    driver.dialed(CONN, Ok(()), NOW, &mut net);
    driver.apply(&Input::Ready { conn: CONN, info }, NOW, &mut net);
    let seen = driver.observer().1.as_ref().map(|counted| counted.0.as_slice());
    assert_eq!(seen, Some(&[1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1][..]));
}

#[test]
fn state_is_saved_once_however_much_is_asked_for() {
    let (mut driver, mut net) = dialing();
    let target = BanTarget::Host(addr("5.5.5.5:1").host().clone());
    let day = std::time::Duration::from_secs(86_400);
    driver.apply(&Input::Ban { target, duration: day }, NOW, &mut net);
    driver.apply(&Input::Shutdown, NOW, &mut net);
    assert!(driver.is_stopped());
    assert_eq!(net.0.iter().filter(|call| call.starts_with("save")).count(), 1, "{:?}", net.0);
}

#[test]
fn the_banned_are_shut_even_when_the_application_holds_their_stream() {
    let (mut driver, mut net) = dialing();
    driver.dialed(CONN, Ok(Rc::new("stream")), NOW, &mut net);
    let _held = driver.poll_event();
    let target = BanTarget::Host(addr("1.2.3.4:8333").host().clone());
    driver.apply(&Input::Ban { target, duration: std::time::Duration::from_secs(60) }, NOW, &mut net);
    assert!(net.0.contains(&"close c1: banned".to_string()), "{:?}", net.0);
}
