//! A manager whose checkers may be told something else than it is.

use std::time::Duration;

use connmgr_check::{Property, Suite, Violation};
use connmgr_core::driver::Observer;
use connmgr_core::*;

pub(crate) const UNIX: UnixTime = UnixTime::from_secs(1_767_225_600);

pub(crate) type Checked = Result<(), Violation>;

/// A manager and its checkers.
pub(crate) struct Bench {
    pub(crate) manager: ConnManager,
    pub(crate) suite: Suite,
    pub(crate) now: Time,
    /// Actions that are hidden from the checkers.
    pub(crate) hidden: fn(&Action) -> bool,
}

pub(crate) const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// Eight full connections, with a listener.
pub(crate) fn pool() -> Config {
    let listener = Listener::new(ListenerId(0));
    Config { listeners: vec![listener], default_port: 8333, ..Config::default() }
}

pub(crate) fn addr(text: &str) -> PeerAddress {
    text.parse().expect(text)
}

/// Public addresses, each in a group of its own.
pub(crate) fn addresses(count: u32) -> Vec<PeerAddress> {
    (0..count).map(|n| addr(&format!("{}.{}.7.9:8333", 11 + n / 200, n % 200))).collect()
}

impl Bench {
    /// Manager and checkers have the same configuration.
    pub(crate) fn new(config: &Config) -> Self {
        Self::mismatched(config, config)
    }

    /// The manager has one configuration, the checkers another.
    pub(crate) fn mismatched(real: &Config, believed: &Config) -> Self {
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
    pub(crate) fn tell(&mut self, input: Input) -> Checked {
        let reply = self.manager.apply(&input, self.now);
        self.suite.input(self.now, &input, &reply);
        self.drain();
        self.suite.after(self.now, &self.manager)
    }

    pub(crate) fn drain(&mut self) {
        while let Some(action) = self.manager.poll_action() {
            if !(self.hidden)(&action) {
                self.suite.action(self.now, &action);
            }
        }
    }

    /// Only the checkers get this input, its reply and its actions.
    pub(crate) fn forge(&mut self, input: Input, reply: Reply, actions: &[Action]) -> Checked {
        self.suite.input(self.now, &input, &reply);
        for action in actions {
            self.suite.action(self.now, action);
        }
        self.suite.after(self.now, &self.manager)
    }

    /// Only the checkers see a step with these actions.
    pub(crate) fn forge_actions(&mut self, actions: &[Action]) -> Checked {
        self.forge(Input::Clock { unix: UNIX }, Reply::Noted, actions)
    }

    /// Time passes, each deadline met exactly.
    pub(crate) fn pass(&mut self, time: Duration) -> Checked {
        let end = self.now.after(time);
        while let Some(due) = self.manager.poll_timeout().filter(|due| *due <= end) {
            self.now = due.max(self.now);
            self.tell(Input::Timeout)?;
        }
        self.now = end;
        Ok(())
    }

    pub(crate) fn learn(&mut self, addresses: &[PeerAddress]) -> Checked {
        let info = |address: &PeerAddress| {
            AddressInfo::new(address.clone())
                .services(Services::NETWORK | Services::WITNESS | Services::P2P_V2)
                .last_seen(UNIX)
        };
        self.tell(Input::Addresses { source: Source::Application, addresses: addresses.iter().map(info).collect() })
    }

    pub(crate) fn in_state(&self, state: ConnState) -> Vec<ConnId> {
        self.manager.connections().iter().filter(|view| view.state == state).map(|view| view.conn).collect()
    }

    /// Every dial succeeds.
    pub(crate) fn connect(&mut self) -> Checked {
        let dials = self.in_state(ConnState::Dialing);
        dials.into_iter().try_for_each(|conn| self.tell(Input::DialResult { conn, result: Ok(()) }))
    }

    /// Every dial fails.
    pub(crate) fn fail(&mut self, error: DialError) -> Checked {
        let dials = self.in_state(ConnState::Dialing);
        dials.into_iter().try_for_each(|conn| self.tell(Input::DialResult { conn, result: Err(error) }))
    }

    pub(crate) fn ready(&mut self, conn: ConnId, info: PeerInfo) -> Checked {
        self.tell(Input::Ready { conn, info })
    }

    /// Every connection becomes ready.
    pub(crate) fn ready_all(&mut self) -> Checked {
        let useful =
            PeerInfo { services: Services::NETWORK | Services::WITNESS | Services::P2P_V2, ..PeerInfo::default() };
        let open = self.in_state(ConnState::Handshaking);
        open.into_iter().try_for_each(|conn| self.ready(conn, useful))
    }

    pub(crate) fn add_peer(&mut self, address: &str, keep: Keep) -> Checked {
        self.tell(Input::AddPeer { peer: AddedPeer::new(addr(address)).keep(keep) })
    }

    pub(crate) fn accept(&mut self, remote: &str) -> Checked {
        self.tell(Input::Accept { remote: remote.parse().expect(remote), listener: ListenerId(0) })
    }

    pub(crate) fn has_work_left(&self) -> bool {
        self.manager.poll_timeout().is_some_and(|due| due <= self.now.after(Duration::from_millis(1)))
    }

    pub(crate) fn audit(&mut self) -> Checked {
        self.suite.audit(self.now, &self.manager)
    }
}

/// A good start: eight connections are dialed.
pub(crate) fn dialing(real: &Config, believed: &Config) -> Bench {
    let mut bench = Bench::mismatched(real, believed);
    bench.pass(secs(1)).expect("nothing is broken yet");
    bench.learn(&addresses(100)).expect("nothing is broken yet");
    bench
}

/// A good start: eight connections are ready.
pub(crate) fn full(config: &Config) -> Bench {
    let mut bench = dialing(config, config);
    bench.connect().and_then(|()| bench.ready_all()).expect("nothing is broken yet");
    bench
}

#[track_caller]
pub(crate) fn breaks(property: Property, judged: Checked) {
    match judged {
        Err(violation) => assert_eq!(violation.property, property, "{violation}"),
        Ok(()) => panic!("{property} was not found broken"),
    }
}

pub(crate) fn conn(number: u64) -> ConnId {
    ConnId::from_u64(number)
}

pub(crate) fn disconnected(id: ConnId, cause: CloseCause) -> Action {
    Action::Emit(Event::Disconnected { conn: id, peer: None, reason: EndReason::Theirs(cause), tag: None })
}

pub(crate) fn dial(number: u64, address: &str, at: Time) -> Action {
    let target = Target::Direct(address.parse().expect(address));
    Action::Dial { conn: conn(number), target, transport: Transport::V1, deadline: at.after(secs(5)) }
}
