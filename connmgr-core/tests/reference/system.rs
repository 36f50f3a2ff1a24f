//! Both managers side by side: each move becomes an input for the real one, which the naive one checks.

use std::time::Duration;

use connmgr_core::{
    Action, Activity, AddedPeer, AddressInfo, BanTarget, Birth, CloseCause, ConnId, ConnManager, ConnState, ConnView,
    DialError, Input, Keep, ListenerId, PeerId, PeerInfo, Penalty, Permissions, Services, Source, Time, UnixTime,
};
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};

use crate::model::{Model, Step};
use crate::script::{Move, SUBNETS, Script, Setup, Storm, address};

/// The wall clock at birth: 2026-01-01.
pub(crate) const UNIX: UnixTime = UnixTime::from_secs(1_767_225_600);

const USEFUL: Services = Services::from_bits(Services::NETWORK.bits() | Services::WITNESS.bits());

/// More deadlines than any wait of a script meets unless there is a busy loop.
const MAX_DEADLINES: u32 = 10_000;

/// How often the world is looked at in a storm, if no deadline comes earlier.
const LOOK_AROUND: Duration = Duration::from_secs(1);

/// The manager, and the naive one that checks it.
pub(crate) struct Both {
    manager: ConnManager,
    model: Model,
    now: Time,
    /// Dials that have ended, for late results.
    ended: Vec<ConnId>,
}

impl StateMachineTest for Both {
    type SystemUnderTest = Self;
    type Reference = Script;

    fn init_test(setup: &Setup) -> Self {
        let rng_seed = [setup.rng_seed; 32];
        let mut config = setup.config();
        // A manager is not born with limits that contradict each other, but may be squeezed later.
        let limits = std::mem::take(&mut config.limits);
        let model = Model::new(&config);
        let manager = ConnManager::new(Birth { config, snapshot: None, rng_seed, unix: UNIX, now: Time::ZERO })
            .expect("in range");
        let mut both = Self { manager, model, now: Time::ZERO, ended: Vec::new() };
        both.tell(Input::SetLimits { limits });
        both.tell(Input::Timeout);
        both
    }

    fn apply(mut both: Self, _: &<Script as ReferenceStateMachine>::State, step: Move) -> Self {
        both.play(step);
        both
    }

    fn check_invariants(both: &Self, _: &<Script as ReferenceStateMachine>::State) {
        assert_eq!(both.manager.check(), Ok(()));
    }
}

impl Both {
    /// Applies an input to both.
    fn tell(&mut self, input: Input) {
        let due_before = self.manager.poll_timeout();
        let reply = self.manager.apply(&input, self.now);
        let actions: Vec<Action> = std::iter::from_fn(|| self.manager.poll_action()).collect();
        let step = Step {
            now: self.now,
            input: &input,
            reply: &reply,
            actions: &actions,
            is_due: due_before.is_some_and(|due| due <= self.now),
            due: self.manager.poll_timeout(),
            conns: self.manager.connections(),
            peers: self.manager.added_peers(),
            bans: self.manager.bans(),
            book: self.manager.book().iter().collect(),
        };
        self.model.judge(&step);
        let plans = step.plans();
        if plans {
            self.nothing_more_is_to_be_done();
        }
        for action in &actions {
            if let Action::Close { conn, .. } = action {
                self.ended.push(*conn);
            }
        }
    }

    /// An input that only runs the planner again at the same time does nothing. It may only set an earlier deadline.
    fn nothing_more_is_to_be_done(&mut self) {
        let (news, due) = (Activity::default(), self.manager.poll_timeout());
        self.manager.apply(&Input::Activity { conn: ConnId::from_u64(0), activity: news }, self.now);
        let more: Vec<Action> = std::iter::from_fn(|| self.manager.poll_action()).collect();
        assert_eq!(more, [], "the second plan of a time does something");
        let later = due.is_some_and(|due| self.manager.poll_timeout().is_none_or(|after| after > due));
        assert!(!later, "the second plan of a time forgets a deadline");
    }

    fn play(&mut self, step: Move) {
        match step {
            Move::Wait(time) => self.wait(self.now.after(time)),
            Move::Sleep(time) => {
                self.now = self.now.after(time);
                self.tell(Input::Timeout);
            }
            Move::Late(time) => self.now = self.now.after(time),
            Move::Due => {
                self.now = self.manager.poll_timeout().map_or(self.now, |due| due.max(self.now));
                self.tell(Input::Timeout);
            }
            Move::Storm(storm, time) => self.weather(storm, self.now.after(time)),
            Move::DialOk(nth) => self.tell_of(self.dial(nth), |conn| Input::DialResult { conn, result: Ok(()) }),
            Move::DialFails(nth, error) => {
                self.tell_of(self.dial(nth), |conn| Input::DialResult { conn, result: Err(error) });
            }
            Move::Ready(nth, useful) => {
                let handshaking = self.conn(nth, &[ConnState::Handshaking, ConnState::Stalled]);
                self.tell_of(handshaking, |conn| Input::Ready { conn, info: info(useful) });
            }
            Move::Closed(nth) => {
                self.tell_of(self.open(nth), |conn| Input::Closed { conn, cause: CloseCause::Eof });
            }
            Move::Dropped(nth) => self.tell_of(self.open(nth), |conn| Input::Dropped { conn }),
            Move::Misbehaves(nth, persistent, transient) => {
                let conn = self.any(nth).or_else(|| self.ended.last().copied());
                self.tell_of(conn, |conn| Input::Misbehavior { conn, penalty: Penalty { persistent, transient } });
            }
            Move::Disconnect(nth) => self.tell_of(self.any(nth), |conn| Input::Disconnect { conn }),
            Move::Reconnect(nth) => self.tell_of(self.any(nth), |conn| Input::Reconnect { conn }),
            Move::Learn(which) => self.learn(&which),
            Move::Accept(who, same_port, listener) => {
                let mut remote = address(who).socket_addr().expect("the pool has IP addresses");
                remote.set_port(if same_port { remote.port() } else { 50_000 });
                self.tell(Input::Accept { remote, listener: ListenerId(listener) });
            }
            Move::Crowd(count) => {
                for number in 0..count {
                    let mut remote = address(number.into()).socket_addr().expect("the pool has IP addresses");
                    remote.set_port(60_000 + number);
                    self.tell(Input::Accept { remote, listener: ListenerId(2) });
                }
            }
            Move::Add(who, always) => {
                let keep = if always { Keep::Always } else { Keep::Once };
                // Some are banned for what they do.
                let permissions = Permissions { no_ban: who % 3 != 0, no_limit: false, ..Permissions::default() };
                self.tell(Input::AddPeer { peer: AddedPeer::new(address(who)).keep(keep).permissions(permissions) });
            }
            Move::Remove(nth) => self.tell(Input::RemovePeer { peer: self.peer(nth) }),
            Move::DialNow(nth) => self.tell(Input::DialNow { peer: self.peer(nth) }),
            Move::SetRetry(nth, retry) => self.tell(Input::SetRetry { peer: self.peer(nth), retry }),
            Move::BanHost(who, duration) => {
                self.tell(Input::Ban { target: BanTarget::Host(address(who).host().clone()), duration });
            }
            Move::BanSubnet(which, duration) => {
                let subnet = SUBNETS[which].parse().expect("well spelled");
                self.tell(Input::Ban { target: BanTarget::Subnet(subnet), duration });
            }
            Move::Unban(nth) => {
                let bans = self.manager.bans();
                let target = match bans.len() {
                    0 => BanTarget::Host(address(nth).host().clone()),
                    count => bans[nth % count].target.clone(),
                };
                self.tell(Input::Unban { target });
            }
            Move::ResetScore(who) => self.tell(Input::ResetScore { host: address(who).host().clone() }),
            Move::NetworkChanged => self.tell(Input::NetworkChanged),
            Move::SetActive(active) => self.tell(Input::SetActive { active }),
            Move::SetLimits(limits) => self.tell(Input::SetLimits { limits }),
        }
    }

    fn wait(&mut self, end: Time) {
        for _ in 0..MAX_DEADLINES {
            let Some(due) = self.manager.poll_timeout().filter(|due| *due <= end) else {
                self.now = end;
                return;
            };
            self.now = due.max(self.now);
            self.tell(Input::Timeout);
        }
        panic!("the manager spins at {}", self.now);
    }

    /// Meets every deadline, and answers all dials in the same way.
    fn weather(&mut self, storm: Storm, end: Time) {
        while self.now < end {
            while let Some(answer) = self.manager.connections().iter().find_map(|conn| self.answer(storm, conn)) {
                self.tell(answer);
            }
            let next = self.manager.poll_timeout().unwrap_or(end).min(self.now.after(LOOK_AROUND));
            self.now = next.max(self.now);
            if self.manager.poll_timeout().is_some_and(|due| due <= self.now) {
                self.tell(Input::Timeout);
            }
        }
    }

    fn answer(&self, storm: Storm, view: &ConnView) -> Option<Input> {
        let conn = view.conn;
        match (storm, view.state) {
            _ if view.kind.is_inbound() => None,
            (Storm::Refuse, ConnState::Dialing | ConnState::Silent) => {
                Some(Input::DialResult { conn, result: Err(DialError::Refused) })
            }
            (Storm::AreReadyAndGo | Storm::NeverSpeak, ConnState::Dialing | ConnState::Silent) => {
                Some(Input::DialResult { conn, result: Ok(()) })
            }
            (Storm::AreReadyAndGo, ConnState::Handshaking | ConnState::Stalled) => {
                Some(Input::Ready { conn, info: info(true) })
            }
            (Storm::AreReadyAndGo, ConnState::Ready) if view.since < self.now => {
                Some(Input::Closed { conn, cause: CloseCause::Eof })
            }
            _ => None,
        }
    }

    fn learn(&mut self, which: &[usize]) {
        let info = |number: &usize| {
            AddressInfo::new(address(*number)).services(Services::NETWORK | Services::WITNESS).last_seen(UNIX)
        };
        let addresses = which.iter().map(info).collect();
        self.tell(Input::Addresses { source: Source::Application, addresses });
    }

    fn tell_of(&mut self, conn: Option<ConnId>, input: impl FnOnce(ConnId) -> Input) {
        // There is none: an id that was never given.
        self.tell(input(conn.unwrap_or(ConnId::from_u64(0))));
    }

    fn open(&self, nth: usize) -> Option<ConnId> {
        self.conn(nth, &[ConnState::Handshaking, ConnState::Stalled, ConnState::Ready])
    }

    fn conn(&self, nth: usize, states: &[ConnState]) -> Option<ConnId> {
        let conns = self.manager.connections();
        let fit: Vec<ConnId> = conns.iter().filter(|conn| states.contains(&conn.state)).map(|conn| conn.conn).collect();
        (!fit.is_empty()).then(|| fit[nth % fit.len()])
    }

    /// A dial under way, or one that has ended.
    fn dial(&self, nth: usize) -> Option<ConnId> {
        self.conn(nth, &[ConnState::Dialing, ConnState::Silent]).or_else(|| self.ended.last().copied())
    }

    fn any(&self, nth: usize) -> Option<ConnId> {
        self.conn(nth, &ConnState::ALL)
    }

    fn peer(&self, nth: usize) -> PeerId {
        let peers = self.manager.added_peers();
        if peers.is_empty() { PeerId::from_u64(0) } else { peers[nth % peers.len()].peer }
    }
}

fn info(useful: bool) -> PeerInfo {
    let services = if useful { USEFUL } else { Services::NONE };
    PeerInfo::new(services)
}
