//! Every checker can fail by itself: each test breaks one property and no other.
//!
//! Most tests check a manager of one configuration with the checkers of another, to which it is a manager with a defect.
//! Others give the checkers an input that the manager did not get, or hide or forge an action.

use std::time::Duration;

use connmgr_check::{Nature, Probe, Property, Suite, Violation};
use connmgr_core::driver::Observer;
use connmgr_core::*;

const UNIX: UnixTime = UnixTime::from_secs(1_767_225_600);

type Checked = Result<(), Violation>;

/// A manager and its checkers.
struct Bench {
    manager: ConnManager,
    suite: Suite,
    now: Time,
    /// Actions that are hidden from the checkers.
    hidden: fn(&Action) -> bool,
}

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// Eight full connections, with a listener.
fn pool() -> Config {
    let listener = Listener { id: ListenerId(0), network: None, permissions: Permissions::default() };
    Config { listeners: vec![listener], default_port: 8333, ..Config::default() }
}

fn addr(text: &str) -> PeerAddress {
    text.parse().expect(text)
}

/// Public addresses, each in a group of its own.
fn addresses(count: u32) -> Vec<PeerAddress> {
    (0..count).map(|n| addr(&format!("{}.{}.7.9:8333", 11 + n / 200, n % 200))).collect()
}

impl Bench {
    /// Manager and checkers have the same configuration.
    fn new(config: &Config) -> Self {
        Self::mismatched(config, config)
    }

    /// The manager has one configuration, the checkers another.
    fn mismatched(real: &Config, believed: &Config) -> Self {
        let manager = ConnManager::new(Birth {
            config: real.clone(),
            snapshot: None,
            rng_seed: [7; 32],
            unix: UNIX,
            now: Time::ZERO,
        })
        .expect("a good configuration");
        Self { manager, suite: Suite::new(believed, None, UNIX, Time::ZERO), now: Time::ZERO, hidden: |_| false }
    }

    /// Both get the input.
    fn tell(&mut self, input: Input) -> Checked {
        let reply = self.manager.apply(&input, self.now);
        self.suite.input(self.now, &input, &reply);
        self.drain();
        self.suite.after(self.now, &self.manager)
    }

    fn drain(&mut self) {
        while let Some(action) = self.manager.poll_action() {
            if !(self.hidden)(&action) {
                self.suite.action(self.now, &action);
            }
        }
    }

    /// Only the checkers get this input, its reply and its actions.
    fn forge(&mut self, input: Input, reply: Reply, actions: &[Action]) -> Checked {
        self.suite.input(self.now, &input, &reply);
        for action in actions {
            self.suite.action(self.now, action);
        }
        self.suite.after(self.now, &self.manager)
    }

    /// Only the checkers see a step with these actions.
    fn forge_actions(&mut self, actions: &[Action]) -> Checked {
        self.forge(Input::Clock { unix: UNIX }, Reply::Noted, actions)
    }

    /// Time passes, each deadline met exactly.
    fn pass(&mut self, time: Duration) -> Checked {
        let end = self.now.after(time);
        while let Some(due) = self.manager.poll_timeout().filter(|due| *due <= end) {
            self.now = due.max(self.now);
            self.tell(Input::Timeout)?;
        }
        self.now = end;
        Ok(())
    }

    fn learn(&mut self, addresses: &[PeerAddress]) -> Checked {
        let info = |address: &PeerAddress| AddressInfo {
            address: address.clone(),
            services: Services::NETWORK | Services::WITNESS,
            last_seen: UNIX,
        };
        self.tell(Input::Addresses { source: Source::Application, addresses: addresses.iter().map(info).collect() })
    }

    fn in_state(&self, state: ConnState) -> Vec<ConnId> {
        self.manager.connections().iter().filter(|view| view.state == state).map(|view| view.conn).collect()
    }

    /// Every dial succeeds.
    fn connect(&mut self) -> Checked {
        let dials = self.in_state(ConnState::Dialing);
        dials.into_iter().try_for_each(|conn| self.tell(Input::DialResult { conn, result: Ok(()) }))
    }

    /// Every dial fails.
    fn fail(&mut self, error: DialError) -> Checked {
        let dials = self.in_state(ConnState::Dialing);
        dials.into_iter().try_for_each(|conn| self.tell(Input::DialResult { conn, result: Err(error) }))
    }

    fn ready(&mut self, conn: ConnId, info: PeerInfo) -> Checked {
        self.tell(Input::Ready { conn, info })
    }

    /// Every connection becomes ready.
    fn ready_all(&mut self) -> Checked {
        let useful = PeerInfo { services: Services::NETWORK | Services::WITNESS, ..PeerInfo::default() };
        let open = self.in_state(ConnState::Handshaking);
        open.into_iter().try_for_each(|conn| self.ready(conn, useful))
    }

    fn add_peer(&mut self, address: &str, keep: Keep) -> Checked {
        self.tell(Input::AddPeer { address: addr(address), keep })
    }

    fn accept(&mut self, remote: &str) -> Checked {
        self.tell(Input::Accept { remote: remote.parse().expect(remote), listener: ListenerId(0) })
    }

    fn has_work_left(&self) -> bool {
        self.manager.poll_timeout().is_some_and(|due| due <= self.now.after(Duration::from_millis(1)))
    }

    fn audit(&mut self) -> Checked {
        self.suite.audit(self.now, &self.manager)
    }
}

/// A good start: eight connections are dialed.
fn dialing(real: &Config, believed: &Config) -> Bench {
    let mut bench = Bench::mismatched(real, believed);
    bench.pass(secs(1)).expect("nothing is broken yet");
    bench.learn(&addresses(100)).expect("nothing is broken yet");
    bench
}

/// A good start: eight connections are ready.
fn full(config: &Config) -> Bench {
    let mut bench = dialing(config, config);
    bench.connect().and_then(|()| bench.ready_all()).expect("nothing is broken yet");
    bench
}

#[track_caller]
fn breaks(property: Property, judged: Checked) {
    match judged {
        Err(violation) => assert_eq!(violation.property, property, "{violation}"),
        Ok(()) => panic!("{property} was not found broken"),
    }
}

fn conn(number: u64) -> ConnId {
    ConnId::from_u64(number)
}

fn disconnected(id: ConnId) -> Action {
    Action::Emit(Event::Disconnected { conn: id, peer: None, reason: EndReason::Theirs(CloseCause::Eof) })
}

fn dial(number: u64, address: &str, at: Time) -> Action {
    let target = Target::Direct(address.parse().expect(address));
    Action::Dial { conn: conn(number), target, transport: Transport::V1, deadline: at.after(secs(5)) }
}

// ── the contract

#[test]
fn a_connection_that_ends_twice() {
    let mut bench = full(&pool());
    let id = bench.in_state(ConnState::Ready)[0];
    bench.tell(Input::Closed { conn: id, cause: CloseCause::Eof }).expect("once is right");
    breaks(Property::ConnectionEndsOnce, bench.forge_actions(&[disconnected(id)]));
}

#[test]
fn a_connection_that_was_closed_and_is_not_said_to_have_ended() {
    let mut bench = full(&pool());
    bench.hidden = |action| matches!(action, Action::Emit(Event::Disconnected { .. }) | Action::Dial { .. });
    let id = bench.in_state(ConnState::Ready)[0];
    breaks(Property::ConnectionEndsOnce, bench.tell(Input::Closed { conn: id, cause: CloseCause::Eof }));
}

#[test]
fn a_success_that_leads_to_nothing() {
    let mut bench = dialing(&pool(), &pool());
    let id = bench.in_state(ConnState::Dialing)[0];
    let input = Input::DialResult { conn: id, result: Ok(()) };
    breaks(Property::DialEndsOnce, bench.forge(input, Reply::Noted, &[]));
}

#[test]
fn a_late_success_that_is_leaked() {
    let mut bench = dialing(&pool(), &pool());
    let id = bench.in_state(ConnState::Dialing)[0];
    bench.tell(Input::Disconnect { conn: id }).expect("nothing is broken yet");
    bench.hidden = |action| matches!(action, Action::Close { .. });
    breaks(Property::DialEndsOnce, bench.tell(Input::DialResult { conn: id, result: Ok(()) }));
}

#[test]
fn an_id_used_again() {
    let mut bench = dialing(&pool(), &pool());
    let now = bench.now;
    breaks(Property::IdsCountUp, bench.forge_actions(&[dial(3, "99.1.1.1:8333", now)]));
}

#[test]
fn an_early_timeout_that_acts() {
    let mut bench = full(&pool());
    breaks(Property::EarlyIsFree, bench.forge(Input::Timeout, Reply::Noted, &[Action::Save]));
}

#[test]
fn a_due_timeout_after_which_the_deadline_has_passed_still() {
    let mut bench = dialing(&pool(), &pool());
    bench.now = bench.manager.poll_timeout().expect("dials have deadlines");
    breaks(Property::Progress, bench.forge(Input::Timeout, Reply::Noted, &[]));
}

#[test]
fn a_pause_of_no_time_at_all() {
    let mut bench = full(&pool());
    let pause = Action::PauseAccept { listener: ListenerId(0), until: bench.now };
    breaks(Property::Progress, bench.forge(Input::AcceptError { listener: ListenerId(0) }, Reply::Noted, &[pause]));
}

#[test]
fn more_actions_than_an_input_may_cause() {
    let mut bench = full(&Config { max_actions_per_input: 16, ..pool() });
    bench.suite = Suite::new(&Config { max_actions_per_input: 15, ..pool() }, None, UNIX, Time::ZERO);
    let saves = vec![Action::Save; 16];
    bench.now = Time::from_secs(1);
    let judged = bench.forge(Input::Clock { unix: UNIX }, Reply::Noted, &saves[..1]);
    judged.expect("one is few");
    // One and the same second save would be found first: events of no consequence are shown instead.
    let warning = Action::Emit(Event::AddressesWanted { network: None });
    breaks(Property::ActionsBounded, bench.forge_actions(&vec![warning; 16]));
}

#[test]
fn after_shutdown_a_connection_stays() {
    let mut bench = full(&pool());
    breaks(Property::ShutMeansShut, bench.forge(Input::Shutdown, Reply::Done(Ok(())), &[]));
}

#[test]
fn an_action_after_stopped() {
    let mut bench = full(&pool());
    bench.tell(Input::Shutdown).expect("nothing is broken yet");
    breaks(Property::ShutMeansShut, bench.forge_actions(&[Action::Save]));
}

#[test]
fn at_rest_a_connection_stays() {
    let mut bench = full(&pool());
    breaks(Property::Resting, bench.forge(Input::SetActive { active: false }, Reply::Done(Ok(())), &[]));
}

// ── whom to dial

#[test]
fn a_dial_to_an_address_in_use() {
    let mut bench = dialing(&pool(), &pool());
    let view = bench.manager.connections().remove(0);
    let now = bench.now;
    let again = dial(100, &view.address.expect("we dialed it").to_string(), now);
    breaks(Property::AddressInUse, bench.forge_actions(&[again]));
}

/// Dialed as `[fc00::1]:8333`: only the view tells that it is CJDNS.
fn cjdns() -> PeerAddress {
    PeerAddress::new(Host::Cjdns("fc00::1".parse().expect("an address")), 8333)
}

#[test]
fn a_dial_to_a_cjdns_address_in_use() {
    let mut bench = Bench::new(&pool());
    bench.tell(Input::AddPeer { address: cjdns(), keep: Keep::Always }).expect("nothing is broken yet");
    let again = dial(100, "[fc00::1]:8333", bench.now);
    breaks(Property::AddressInUse, bench.forge_actions(&[again]));
}

#[test]
fn a_dial_to_our_own_cjdns_address() {
    let ours = Config { own_addresses: vec![cjdns()], ..pool() };
    let mut bench = Bench::new(&ours);
    let dial = dial(100, "[fc00::1]:8333", bench.now);
    breaks(Property::OwnAddress, bench.forge_actions(&[dial]));
}

#[test]
fn a_dial_to_ourselves() {
    let ours = Config { own_addresses: addresses(100), ..pool() };
    let mut bench = Bench::mismatched(&pool(), &ours);
    breaks(Property::OwnAddress, bench.learn(&addresses(100)));
}

#[test]
fn a_dial_to_the_banned() {
    let mut bench = Bench::new(&pool());
    let ban = Input::Ban { target: BanTarget::Subnet("11.0.0.0/8".parse().expect("a subnet")), duration: secs(100) };
    let banned = Action::Emit(Event::Banned {
        target: BanTarget::Subnet("11.0.0.0/8".parse().expect("a subnet")),
        until: UNIX.after(secs(100)),
    });
    bench.forge(ban, Reply::Done(Ok(())), &[banned]).expect("nothing is broken yet");
    breaks(Property::BannedDial, bench.learn(&addresses(100)));
}

#[test]
fn a_group_taken_twice() {
    let crowd: Vec<PeerAddress> = (0..100).map(|n| addr(&format!("11.1.{n}.1:8333"))).collect();
    let lax = Config { groups: GroupRule { max_per_group: Some(2), exempt_overlays: false }, ..pool() };
    let mut bench = Bench::mismatched(&lax, &pool());
    breaks(Property::GroupTaken, bench.learn(&crowd));
}

#[test]
fn more_connections_of_a_kind_than_slots() {
    let mut few = pool();
    few.limits.full = 4;
    let mut bench = Bench::mismatched(&pool(), &few);
    bench.pass(secs(1)).expect("nothing is broken yet");
    breaks(Property::SlotLimits, bench.learn(&addresses(100)));
}

#[test]
fn more_silent_dials_than_may_be() {
    let mut strict = pool();
    strict.dial.max_hedged = Some(0);
    let mut bench = dialing(&pool(), &strict);
    breaks(Property::SlotLimits, bench.pass(secs(2)));
}

#[test]
fn a_success_that_is_thrown_away_for_dials() {
    let mut bench = dialing(&pool(), &pool());
    let conn = bench.in_state(ConnState::Dialing)[0];
    let input = Input::DialResult { conn, result: Ok(()) };
    let close = Action::Close { conn, reason: CloseReason::Surplus };
    breaks(Property::SuccessKept, bench.forge(input, Reply::Noted, &[close]));
}

/// They lost their slots: eight more are dialed, and one of those opens.
#[test]
fn a_success_that_is_thrown_away_for_handshakes_that_have_stalled() {
    let mut bench = dialing(&pool(), &pool());
    bench.connect().and_then(|()| bench.pass(secs(2))).expect("eight more are dialed");
    assert_eq!(bench.in_state(ConnState::Stalled).len(), 8);
    let conn = bench.in_state(ConnState::Dialing)[0];
    let close = Action::Close { conn, reason: CloseReason::Surplus };
    breaks(Property::SuccessKept, bench.forge(Input::DialResult { conn, result: Ok(()) }, Reply::Noted, &[close]));
}

#[test]
fn a_handshake_that_is_done_late_and_thrown_away_for_others_that_are_not() {
    let mut bench = dialing(&pool(), &pool());
    bench.connect().and_then(|()| bench.pass(secs(2))).and_then(|()| bench.connect()).expect("sixteen are open");
    let conn = bench.in_state(ConnState::Stalled)[0];
    let ready = Input::Ready { conn, info: PeerInfo::default() };
    let close = Action::Close { conn, reason: CloseReason::Surplus };
    breaks(Property::SuccessKept, bench.forge(ready, Reply::Noted, &[close]));
}

#[test]
fn a_dial_that_is_surplus_though_nobody_told_of_its_success() {
    let mut bench = dialing(&pool(), &pool());
    let conn = bench.in_state(ConnState::Dialing)[0];
    breaks(Property::SuccessKept, bench.forge_actions(&[Action::Close { conn, reason: CloseReason::Surplus }]));
}

#[test]
fn a_success_is_surplus_once_the_pool_is_full_of_open_connections() {
    let mut bench = dialing(&pool(), &pool());
    let now = bench.now;
    bench.pass(secs(2)).expect("eight more are dialed");
    let dials = bench.in_state(ConnState::Dialing);
    let late = bench.in_state(ConnState::Silent)[0];
    dials.into_iter().try_for_each(|conn| bench.tell(Input::DialResult { conn, result: Ok(()) })).expect("eight open");
    bench.tell(Input::DialResult { conn: late, result: Ok(()) }).expect("one more is surplus");
    assert!(bench.now > now && bench.in_state(ConnState::Handshaking).len() == 8);
}

#[test]
fn more_connections_than_the_total() {
    // Each kind is within its share, but with a silent dial the total is exceeded.
    let (mut real, mut believed) = (pool(), pool());
    (real.limits.total, believed.limits.total) = (9, 8);
    let mut bench = dialing(&real, &believed);
    breaks(Property::TotalLimit, bench.pass(secs(2)));
}

/// Twenty dials are silent after a second. Those that take their slots are not all dialed in one step.
#[test]
fn a_dial_beyond_the_total_while_work_is_left() {
    let few_actions = |total| {
        let limits = Limits { full: 20, total, ..Limits::default() };
        Config { limits, max_actions_per_input: 16, ..pool() }
    };
    let mut bench = dialing(&few_actions(125), &few_actions(24));
    bench.pass(Duration::from_millis(10)).expect("nothing is broken yet");
    assert_eq!(bench.in_state(ConnState::Dialing).len(), 20);
    let judged = bench.pass(secs(2));
    assert!(bench.has_work_left());
    breaks(Property::TotalLimit, judged);
}

#[test]
fn a_dial_without_a_slot_while_work_is_left() {
    let few_actions =
        |full| Config { limits: Limits { full, ..Limits::default() }, max_actions_per_input: 16, ..pool() };
    let mut bench = Bench::mismatched(&few_actions(40), &few_actions(4));
    bench.pass(secs(1)).expect("nothing is broken yet");
    let judged = bench.learn(&addresses(100));
    assert!(bench.has_work_left());
    breaks(Property::SlotLimits, judged);
}

#[test]
fn a_direct_dial_where_a_proxy_is_configured() {
    let proxy = Proxy { address: "127.0.0.1:9050".parse().expect("an address"), isolate: true, resolves: true };
    let private = Config { proxies: Proxies { all: Some(proxy), ..Proxies::default() }, ..pool() };
    let mut bench = Bench::mismatched(&pool(), &private);
    breaks(Property::Route, bench.learn(&addresses(100)));
}

#[test]
fn a_dial_into_a_disabled_network() {
    let only_v6 = Config { networks: NetworkSet::EMPTY.with(NetworkKind::Ipv6), ..pool() };
    let mut bench = Bench::mismatched(&pool(), &only_v6);
    breaks(Property::Route, bench.learn(&addresses(100)));
}

#[test]
fn an_automatic_dial_though_connect_only() {
    let connect_only = Config { mode: Mode::ConnectOnly, limits: Limits { full: 8, ..Limits::default() }, ..pool() };
    let mut bench = Bench::mismatched(&pool(), &connect_only);
    let judged = bench.pass(secs(1)).and_then(|()| bench.learn(&addresses(100)));
    let violation = judged.expect_err("it asks for addresses");
    assert_eq!(violation.property, Property::ConnectOnly, "{violation}");
}

// ── when to dial

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
    let ended =
        Action::Emit(Event::Disconnected { conn: ids[1], peer: None, reason: EndReason::Ours(CloseReason::Duplicate) });
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
    let seed = Seed { name: HostName::new("seed.example").expect("a name"), filters_services: false };
    let slow = Backoff { base: secs(3000), cap: secs(3000), ..Backoff::default() };
    let seeds = SeedConfig { names: vec![seed], ..SeedConfig::default() };
    let real = Config { seeds: seeds.clone(), ..pool() };
    let believed = Config { seeds: SeedConfig { retry: slow, ..seeds }, ..pool() };
    let mut bench = Bench::mismatched(&real, &believed);
    let mut judged = Ok(());
    for lookup in 1..10 {
        let failed = Input::LookupResult { lookup: LookupId::from_u64(lookup), result: Err(LookupError::NotFound) };
        judged = judged.and_then(|()| bench.pass(secs(100))).and_then(|()| bench.tell(failed));
    }
    breaks(Property::Seeds, judged);
}

#[test]
fn more_addresses_of_a_seed_than_may_be_kept() {
    let seed = Seed { name: HostName::new("seed.example").expect("a name"), filters_services: false };
    let seeds = |keep| SeedConfig { names: vec![seed.clone()], keep, ..SeedConfig::default() };
    let mut bench = Bench::mismatched(&Config { seeds: seeds(256), ..pool() }, &Config { seeds: seeds(32), ..pool() });
    bench.pass(secs(1)).expect("nothing is broken yet");
    let ips = addresses(100).iter().filter_map(|address| address.host().ip()).collect();
    breaks(Property::Seeds, bench.tell(Input::LookupResult { lookup: LookupId::from_u64(1), result: Ok(ips) }));
}

// ── peers

#[test]
fn a_removed_peer_whose_connection_stays() {
    let mut bench = Bench::new(&pool());
    bench.add_peer("99.1.1.1:8333", Keep::Always).and_then(|()| bench.connect()).expect("nothing is broken yet");
    let removed = Input::RemovePeer { peer: PeerId::from_u64(1) };
    breaks(Property::RemovedPeer, bench.forge(removed, Reply::Done(Ok(())), &[]));
}

#[test]
fn a_peer_added_beyond_the_limit() {
    let none = Config { limits: Limits { added: 0, ..Limits::default() }, ..pool() };
    let mut bench = Bench::mismatched(&pool(), &none);
    breaks(Property::AddedPeers, bench.add_peer("99.1.1.1:8333", Keep::Always));
}

// ── handshakes

#[test]
fn a_nonce_used_twice() {
    let mut bench = dialing(&pool(), &pool());
    let ids = bench.in_state(ConnState::Dialing);
    let connected = |conn| Connected {
        conn,
        kind: Kind::Full,
        address: None,
        peer: None,
        listener: None,
        transport: Transport::V1,
        nonce: 7,
    };
    let open = |conn| (Input::DialResult { conn, result: Ok(()) }, Action::Emit(Event::Connected(connected(conn))));
    let (first, second) = (open(ids[0]), open(ids[1]));
    bench.forge(first.0, Reply::Noted, &[first.1]).expect("nothing is broken yet");
    breaks(Property::NonceUnique, bench.forge(second.0, Reply::Noted, &[second.1]));
}

#[test]
fn a_connection_to_ourselves_that_stays() {
    let ours = Identity([1; 32]);
    let mut bench = dialing(&pool(), &Config { identity: Some(ours), ..pool() });
    bench.connect().expect("nothing is broken yet");
    let id = bench.in_state(ConnState::Handshaking)[0];
    let info = PeerInfo { identity: Some(ours), ..PeerInfo::default() };
    breaks(Property::SelfConnection, bench.ready(id, info));
}

#[test]
fn a_second_connection_to_one_identity_that_stays() {
    let mut bench = dialing(&pool(), &pool());
    bench.connect().expect("nothing is broken yet");
    let ids = bench.in_state(ConnState::Handshaking);
    let info = PeerInfo { identity: Some(Identity([9; 32])), ..PeerInfo::default() };
    bench.ready(ids[0], info).expect("nothing is broken yet");
    let ready = Input::Ready { conn: ids[1], info };
    breaks(Property::Duplicates, bench.forge(ready, Reply::Noted, &[]));
}

#[test]
fn a_useless_peer_that_stays() {
    let picky = RequiredServices { full: Services::WITNESS, block_relay: Services::NONE };
    let mut bench = dialing(&pool(), &Config { required: picky, ..pool() });
    bench.connect().expect("nothing is broken yet");
    let id = bench.in_state(ConnState::Handshaking)[0];
    breaks(Property::RequiredServices, bench.ready(id, PeerInfo::default()));
}

#[test]
fn a_v2_dial_that_nobody_asked_for() {
    let mut bench = Bench::mismatched(&Config { transport: Transport::V2, ..pool() }, &pool());
    breaks(Property::Transport, bench.learn(&addresses(100)));
}

#[test]
fn a_v2_dial_that_dies_unheard_and_is_not_repeated() {
    let config = Config { transport: Transport::V2, ..pool() };
    let mut bench = dialing(&config, &config);
    bench.connect().expect("nothing is broken yet");
    let id = bench.in_state(ConnState::Handshaking)[0];
    let unheard = Input::Closed { conn: id, cause: CloseCause::Unheard };
    breaks(Property::Transport, bench.forge(unheard, Reply::Noted, &[disconnected(id)]));
}

// ── scores, bans, strangers

#[test]
fn a_ban_below_the_threshold() {
    let mut strict = pool();
    strict.score.threshold = 50;
    let mut bench = full(&pool());
    bench.manager = dialing(&strict, &strict).manager;
    let id = bench.in_state(ConnState::Dialing)[0];
    let penalty = Penalty { persistent: 60, transient: 0 };
    breaks(Property::ScoreArithmetic, bench.tell(Input::Misbehavior { conn: id, penalty }));
}

#[test]
fn a_score_that_does_not_fade() {
    let mut bench = full(&pool());
    let id = bench.in_state(ConnState::Ready)[0];
    let penalty = Penalty { persistent: 0, transient: 80 };
    let misbehavior = Input::Misbehavior { conn: id, penalty };
    bench.tell(misbehavior.clone()).expect("nothing is broken yet");
    bench.pass(secs(120)).expect("nothing is broken yet");
    let host = bench.manager.connections()[0].address.as_ref().map(|address| address.host().clone());
    let warning = Action::Emit(Event::ScoreWarning { conn: id, host, score: 99 });
    breaks(Property::ScoreArithmetic, bench.forge(misbehavior, Reply::Noted, &[warning]));
}

#[test]
fn a_ban_that_leaves_a_connection() {
    let mut bench = full(&pool());
    let host = bench.manager.connections()[0].address.clone().expect("we dialed it").host().clone();
    let target = BanTarget::Host(host);
    let banned = Action::Emit(Event::Banned { target: target.clone(), until: UNIX.after(secs(61)) });
    let ban = Input::Ban { target, duration: secs(60) };
    breaks(Property::BanCloses, bench.forge(ban, Reply::Done(Ok(())), &[banned]));
}

#[test]
fn a_ban_that_ends_too_soon() {
    let mut bench = full(&pool());
    let target = BanTarget::Host("99.1.1.1".parse().expect("a host"));
    let ban = |duration| Input::Ban { target: target.clone(), duration };
    let reply = bench.manager.apply(&ban(secs(60)), bench.now);
    bench.suite.input(bench.now, &ban(secs(600)), &reply);
    bench.drain();
    bench.suite.after(bench.now, &bench.manager).expect("nothing is broken yet");
    breaks(Property::BanEnds, bench.pass(secs(100)));
}

#[test]
fn a_ban_that_does_not_end() {
    let mut bench = full(&pool());
    bench.hidden = |action| matches!(action, Action::Emit(Event::Unbanned { .. }));
    let target = BanTarget::Host("99.1.1.1".parse().expect("a host"));
    bench.tell(Input::Ban { target, duration: secs(60) }).expect("nothing is broken yet");
    bench.add_peer("98.1.1.1:8333", Keep::Always).expect("nothing is broken yet");
    breaks(Property::BanEnds, bench.pass(secs(100)));
}

#[test]
fn a_ban_that_is_over_and_holds_a_peer_up() {
    let mut bench = full(&pool());
    bench.add_peer("99.1.1.1:8333", Keep::Always).expect("nothing is broken yet");
    let target = BanTarget::Host("99.1.1.1".parse().expect("a host"));
    bench.tell(Input::Ban { target: target.clone(), duration: secs(600) }).expect("nothing is broken yet");
    let unbanned = Action::Emit(Event::Unbanned { target: target.clone() });
    bench.forge(Input::Unban { target }, Reply::Done(Ok(())), &[unbanned]).expect("it may go on in a moment");
    bench.add_peer("98.1.1.1:8333", Keep::Always).and_then(|()| bench.pass(secs(10))).expect("nobody looked yet");
    bench.forge_actions(&[]).expect("nobody looked yet");
    breaks(Property::BanEnds, bench.audit());
}

#[test]
fn a_saved_ban_that_is_lost_in_a_crash() {
    let mut bench = full(&pool());
    let target = BanTarget::Host("99.1.1.1".parse().expect("a host"));
    bench.tell(Input::Ban { target, duration: secs(600) }).and_then(|()| bench.pass(secs(10))).expect("not yet");
    let (kept, lost) = (bench.manager.snapshot(), Snapshot::default());
    let mut other = bench.suite.clone();
    let unix = UNIX.after(secs(20));
    other.restarted(&pool(), Some(&kept), unix, Time::ZERO).expect("the ban is in the snapshot");
    assert_eq!(other.probes().count(Probe::Restarted), 1);
    breaks(Property::BansSurvive, bench.suite.restarted(&pool(), Some(&lost), unix, Time::ZERO));
}

#[test]
fn a_stranger_let_in_who_is_one_too_many() {
    let mut strict = pool();
    strict.inbound.per_host = 1;
    let mut bench = Bench::mismatched(&pool(), &strict);
    bench.accept("99.1.1.1:1000").expect("nothing is broken yet");
    breaks(Property::InboundAdmission, bench.accept("99.1.1.1:1001"));
}

#[test]
fn a_stranger_turned_away_for_no_reason() {
    let mut lax = pool();
    lax.inbound.rate.burst = 10;
    let mut bench = Bench::mismatched(&pool(), &lax);
    let judged = (0..5).try_for_each(|n| bench.accept(&format!("99.1.1.{n}:1000")));
    breaks(Property::InboundAdmission, judged);
}

#[test]
fn a_pause_longer_than_the_longest() {
    let mut hasty = pool();
    hasty.inbound.max_pause = Duration::from_millis(100);
    let mut bench = Bench::mismatched(&pool(), &hasty);
    let judged = (0..5).try_for_each(|_| bench.tell(Input::AcceptError { listener: ListenerId(0) }));
    breaks(Property::AcceptPause, judged);
}

#[test]
fn state_saved_too_often() {
    let mut bench = full(&pool());
    bench.forge_actions(&[Action::Save]).expect("once is right");
    breaks(Property::SaveSpacing, bench.forge_actions(&[Action::Save]));
}

#[test]
fn bans_that_are_not_saved() {
    let mut bench = full(&pool());
    bench.hidden = |action| matches!(action, Action::Save);
    let target = BanTarget::Host("99.1.1.1".parse().expect("a host"));
    bench.tell(Input::Ban { target, duration: secs(600) }).expect("nothing is broken yet");
    breaks(Property::SaveSpacing, bench.pass(secs(10)));
}

// ── the whole

#[test]
fn a_connection_that_the_view_does_not_show() {
    let mut bench = full(&pool());
    bench.manager = Bench::new(&pool()).manager;
    breaks(Property::ViewAgrees, bench.audit());
}

#[test]
fn slots_that_are_given_away_and_taken_back_are_counted() {
    let mut bench = dialing(&pool(), &pool());
    bench.connect().and_then(|()| bench.pass(secs(2))).expect("eight more are dialed");
    let probes = bench.suite.probes();
    assert_eq!([Probe::StalledHandshake, Probe::SlotTakenBack].map(|probe| probes.count(probe)), [1, 0]);
    let late = bench.in_state(ConnState::Stalled)[0];
    let services = Services::NETWORK | Services::WITNESS;
    bench.ready(late, PeerInfo { services, ..PeerInfo::default() }).expect("it is welcome");
    assert_eq!(bench.suite.probes().count(Probe::SlotTakenBack), 1);
}

#[test]
fn a_pace_that_slows_down_and_is_restored_is_counted() {
    let mut bench = Bench::new(&pool());
    bench.learn(&addresses(1000)).expect("nothing is broken");
    for _ in 0..200 {
        bench.fail(DialError::Refused).and_then(|()| bench.pass(secs(1))).expect("nothing is broken");
    }
    while bench.in_state(ConnState::Dialing).is_empty() {
        bench.pass(Duration::from_millis(100)).expect("the next one is dialed soon");
    }
    bench.connect().and_then(|()| bench.ready_all()).expect("nothing is broken");
    let probes = bench.suite.probes();
    assert_eq!([Probe::PaceSlowed, Probe::PaceRestored].map(|probe| probes.count(probe)), [1, 1]);
}

#[test]
fn a_full_pool_reached_its_target() {
    let bench = full(&pool());
    assert_eq!(bench.suite.probes().count(Probe::TargetReached), 1);
    let missed: Vec<Probe> = bench.suite.probes().missed(&[Probe::TargetReached, Probe::Ban]).collect();
    assert_eq!(missed, [Probe::Ban]);
}

/// Not here: what only the simulator can check; [`Property::NoSpin`], which has its test beside its rule; and
/// [`Property::Invariants`], for which the core itself must be broken.
#[test]
fn every_rule_has_its_broken_manager() {
    let elsewhere = [Property::NoSpin, Property::Invariants, Property::Recovery, Property::Canary];
    let is_here = |property: &&Property| !elsewhere.contains(property) && property.nature() != Nature::Measure;
    let here = include_str!("checkers.rs");
    for property in Property::ALL.iter().filter(is_here) {
        assert!(here.contains(&format!("Property::{property:?}")), "{property} is never found broken");
    }
}
