//! A small world: a manager, its clock, and what can happen next.

use connmgr_check::Suite;
use connmgr_core::*;

use crate::past::Past;
use crate::support::{UNIX, addr};

/// What a world has, and what may happen in it.
pub(crate) struct Setup {
    pub(crate) name: &'static str,
    pub(crate) config: Config,
    /// Addresses in the book.
    pub(crate) known: &'static [&'static str],
    /// How dials fail.
    pub(crate) errors: &'static [DialError],
    /// How open connections end.
    pub(crate) causes: &'static [CloseCause],
    /// What peers report in their handshake.
    pub(crate) infos: &'static [PeerInfo],
    /// What a name resolves to.
    pub(crate) ips: &'static [&'static str],
    /// What may happen at any time: commands, arrivals.
    pub(crate) anytime: Vec<Input>,
    /// Whether peers misbehave.
    pub(crate) misbehavior: bool,
    /// The states that some connection must reach; else the search does not go deep enough.
    pub(crate) stages: &'static [ConnState],
}

/// A handshake with a useful peer.
pub(crate) const USEFUL: PeerInfo = PeerInfo::new(Services::NETWORK);

/// A manager, its clock, its checkers, and its past.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) manager: ConnManager,
    pub(crate) now: Time,
    suite: Suite,
    pub(crate) past: Past,
    /// Lookups under way.
    pub(crate) lookups: Vec<LookupId>,
}

impl World {
    /// The start of a world: a new manager that knows its addresses.
    pub(crate) fn new(setup: &Setup) -> Self {
        let manager = ConnManager::new(Birth {
            config: setup.config.clone(),
            snapshot: None,
            rng_seed: [7; 32],
            unix: UNIX,
            now: Time::ZERO,
        })
        .expect("a good one");
        let suite = Suite::new(&setup.config, None, UNIX, Time::ZERO);
        let mut world = Self { manager, now: Time::ZERO, suite, past: Past::default(), lookups: Vec::new() };
        let info = |text: &&str| AddressInfo::new(addr(text)).services(Services::NETWORK).last_seen(UNIX);
        let addresses = setup.known.iter().map(info).collect();
        world.step(&Input::Timeout).expect("an empty world is in order");
        world.step(&Input::Addresses { source: Source::Application, addresses }).expect("so is a new one");
        world
    }

    /// Everything that can happen next.
    pub(crate) fn inputs(&self, setup: &Setup) -> Vec<Input> {
        let mut inputs = vec![Input::Timeout];
        for ConnView { conn, state, .. } in self.manager.connections() {
            match state {
                ConnState::Dialing | ConnState::Silent => {
                    inputs.push(Input::DialResult { conn, result: Ok(()) });
                    inputs.extend(setup.errors.iter().map(|error| Input::DialResult { conn, result: Err(*error) }));
                }
                ConnState::Handshaking | ConnState::Stalled => {
                    inputs.extend(setup.infos.iter().map(|info| Input::Ready { conn, info: *info }));
                    inputs.extend(setup.causes.iter().map(|cause| Input::Closed { conn, cause: *cause }));
                }
                _ => {
                    inputs.push(Input::Closed { conn, cause: CloseCause::Eof });
                    let penalty = Penalty { persistent: 101, transient: 0 };
                    inputs.extend(setup.misbehavior.then_some(Input::Misbehavior { conn, penalty }));
                }
            }
        }
        for PeerView { peer, .. } in self.manager.added_peers() {
            inputs.push(Input::RemovePeer { peer });
        }
        for lookup in &self.lookups {
            inputs.push(Input::LookupResult { lookup: *lookup, result: Ok(ips(setup)) });
            inputs.push(Input::LookupResult { lookup: *lookup, result: Err(LookupError::NotFound) });
        }
        inputs.extend(setup.anytime.iter().cloned());
        inputs
    }

    /// Takes one step, and returns the actions.
    ///
    /// # Errors
    /// The first violation.
    pub(crate) fn step(&mut self, input: &Input) -> Result<Vec<Action>, String> {
        if let Input::Timeout = input {
            self.now = self.manager.poll_timeout().unwrap_or(self.now).max(self.now);
        }
        if let Input::LookupResult { lookup, .. } = input {
            self.lookups.retain(|other| other != lookup);
        }
        let before = self.manager.connections();
        let (_, actions, judged) = self.suite.step(&mut self.manager, self.now, input);
        judged.and_then(|()| self.suite.audit(self.now, &self.manager)).map_err(|broken| broken.to_string())?;
        self.note_lookups(&actions);
        self.past.note(input, &before, &actions, &self.manager.connections());
        Ok(actions)
    }

    fn note_lookups(&mut self, actions: &[Action]) {
        for action in actions {
            if let Action::ResolveHost { lookup, .. } | Action::ResolveSeed { lookup, .. } = action {
                self.lookups.push(*lookup);
            }
        }
    }

    /// Checks facts that must change nothing: late, doubled, unknown, early.
    pub(crate) fn check_echoes(&self) -> Result<(), String> {
        let before = self.manager.fingerprint(self.now);
        let unknown = ConnId::from_u64(1 << 40);
        let is_open = |conn: &ConnView| conn.state.is_open();
        let open = self.manager.connections().into_iter().filter(is_open).map(|conn| conn.conn);
        let mut world = self.clone();
        for conn in self.past.ended.iter().copied().chain([unknown]) {
            world.echo(&Input::Closed { conn, cause: CloseCause::Eof }, before)?;
            world.echo(&Input::Ready { conn, info: USEFUL }, before)?;
            world.echo(&Input::DialResult { conn, result: Err(DialError::Refused) }, before)?;
            world.echo(&Input::DialResult { conn, result: Ok(()) }, before)?;
        }
        for conn in open {
            world.echo(&Input::DialResult { conn, result: Ok(()) }, before)?;
            world.echo(&Input::DialResult { conn, result: Err(DialError::Refused) }, before)?;
        }
        world.check_early_timeout()
    }

    fn echo(&mut self, input: &Input, before: u128) -> Result<(), String> {
        let actions = self.step(input).map_err(|broken| format!("{broken}, after the echo {input}"))?;
        let is_late_close = |action: &Action| matches!(action, Action::Close { reason: CloseReason::Late, .. });
        if !actions.iter().all(is_late_close) {
            return Err(format!("the echo {input} caused {actions:?}"));
        }
        if self.manager.fingerprint(self.now) != before {
            return Err(format!("the echo {input} changed the state"));
        }
        Ok(())
    }

    /// Checks that a timeout before the deadline does nothing and moves no deadline.
    fn check_early_timeout(&mut self) -> Result<(), String> {
        let Some(due) = self.manager.poll_timeout() else { return Ok(()) };
        let early = Time::from_nanos(due.as_nanos().saturating_sub(1)).max(self.now);
        if early >= due {
            return Ok(());
        }
        let (_, _, checked) = self.suite.step(&mut self.manager, early, &Input::Timeout);
        checked.map_err(|broken| broken.to_string())
    }
}

/// What every name resolves to in this world.
pub(crate) fn ips(setup: &Setup) -> Vec<ResolvedIp> {
    setup.ips.iter().map(|text| text.parse().expect("an IP address")).collect()
}

/// How the slots are split now.
pub(crate) fn split(manager: &ConnManager) -> Split {
    let added = u32::try_from(manager.added_peers().len()).expect("few");
    Split::new(manager.limits(), manager.config().mode, manager.config().dial.max_hedged, added)
}
