//! The judge: sees what goes into a manager and what comes out, and panics when a clause of the contract is broken.
//!
//! It knows inputs, actions and the public view, never the inside. The clauses are those of the crate's page of
//! `connmgr-core`; what each means is told there.

use std::collections::BTreeMap;
use std::time::Duration;

use connmgr_core::{
    Action, BanTarget, CloseReason, Config, ConnId, ConnManager, ConnView, Connected, Event, Host, Input, Kind,
    PeerAddress, Reply, Split, Time,
};

const TICK: Duration = Duration::from_millis(1);

/// Every so many steps the manager recounts itself.
const CHECK_EVERY: u32 = 8;

/// What the actions told of a connection that has not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Life {
    open: bool,
    address: Option<PeerAddress>,
}

/// One step to be judged.
struct Step<'a> {
    now: Time,
    input: &'a Input,
    reply: &'a Reply,
    actions: &'a [Action],
    due_before: Option<Time>,
    after: &'a ConnManager,
    view: Vec<ConnView>,
}

/// Sees every step.
#[derive(Debug)]
pub(crate) struct Judge {
    config: Config,
    now: Time,
    steps: u32,
    newest: ConnId,
    lives: BTreeMap<ConnId, Life>,
    stopped: bool,
}

impl Judge {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            config: config.clone(),
            now: Time::ZERO,
            steps: 0,
            newest: ConnId::from_u64(0),
            lives: BTreeMap::new(),
            stopped: false,
        }
    }

    /// Applies an input, drains, and judges what came of it. Returns what was answered and asked for.
    pub(crate) fn step(&mut self, manager: &mut ConnManager, now: Time, input: &Input) -> (Reply, Vec<Action>) {
        let due_before = manager.poll_timeout();
        self.now = self.now.max(now);
        let reply = manager.apply(input, now);
        let actions: Vec<Action> = std::iter::from_fn(|| manager.poll_action()).collect();
        let view = manager.connections();
        self.judge(&Step { now: self.now, input, reply: &reply, actions: &actions, due_before, after: manager, view });
        (reply, actions)
    }

    fn judge(&mut self, step: &Step<'_>) {
        let was_stopped = self.stopped;
        step.deadlines();
        if let Some(conn) = self.late_success(step.input) {
            let close = Action::Close { conn, reason: CloseReason::Late };
            step.hold(step.actions.first() == Some(&close), "6: a late success is not closed");
        }
        let most = self.config.max_actions_per_input as usize;
        step.hold(step.actions.len() <= most, "9: more actions than max_actions_per_input");
        step.actions.iter().enumerate().for_each(|(place, action)| self.action(place, action, step));
        step.hold(!was_stopped || step.actions.is_empty(), "11: an action after Stopped");
        step.hold(step.after.is_stopped() == self.stopped, "11: stopped without saying so");
        self.view(step);
        self.slots(step);
        self.steps += 1;
        if self.steps % CHECK_EVERY == 0 {
            check(step.after);
        }
    }

    fn action(&mut self, place: usize, action: &Action, step: &Step<'_>) {
        match action {
            Action::Dial { conn, deadline, .. } => {
                step.hold(*deadline > step.now || step.now == Time::MAX, "4: a dial without time");
                self.dialed(*conn, step);
            }
            Action::Close { conn, reason: CloseReason::Late } => {
                let told = *step.input == Input::DialResult { conn: *conn, result: Ok(()) };
                step.hold(told && !self.lives.contains_key(conn), "6: a late success that nobody told");
            }
            Action::Close { conn, .. } => {
                step.hold(self.lives.contains_key(conn), "7: a close of what has ended");
                step.hold(step.tells_end(place + 1, *conn), "7: a close whose end is not told next");
            }
            Action::ScheduleRetry { at, .. } => step.hold(*at >= step.now.after(TICK), "4: a retry at once"),
            Action::PauseAccept { until, .. } => step.hold(*until >= step.now.after(TICK), "4: a pause of nothing"),
            Action::Emit(event) => self.event(event, step),
            Action::ResolveSeed { .. } | Action::ResolveHost { .. } | Action::Save => {}
        }
    }

    /// Whose success is told though it has ended, if anybody's.
    fn late_success(&self, input: &Input) -> Option<ConnId> {
        let Input::DialResult { conn, result: Ok(()) } = *input else { return None };
        let was_given = conn > ConnId::from_u64(0) && conn <= self.newest;
        (was_given && !self.lives.contains_key(&conn) && !self.stopped).then_some(conn)
    }

    fn dialed(&mut self, conn: ConnId, step: &Step<'_>) {
        step.hold(conn > self.newest, "6: ids do not count up");
        self.newest = conn;
        // A dial that failed in the same step is seen no more: its address is in the event that says so.
        let address = step.address_of(conn);
        let Some(address) = address else { return step.hold(false, "6: a dial of nobody") };
        let in_use = self.lives.values().any(|life| life.address.as_ref() == Some(&address));
        step.hold(!in_use, "8: a dial to an address in use");
        step.hold(!is_banned(&self.config, address.host(), step.after), "8: a dial to the banned");
        let enabled = address.network().is_none_or(|network| self.config.networks.contains(network));
        step.hold(enabled, "8: a dial to a disabled network");
        self.lives.insert(conn, Life { open: false, address: Some(address) });
    }

    fn event(&mut self, event: &Event, step: &Step<'_>) {
        match event {
            Event::Connected(connected) => self.connected(connected, step),
            Event::Disconnected { conn, .. } => self.ended(*conn, true, step),
            Event::DialFailed { conn, .. } => self.ended(*conn, false, step),
            Event::Adopted { conn, .. } => {
                step.hold(self.lives.get(conn).is_some_and(|life| life.open), "7: what is not open was adopted");
            }
            Event::Stopped => {
                step.hold(self.lives.is_empty() && !self.stopped, "11: Stopped before the end, or twice");
                self.stopped = true;
            }
            // What tells of no connection; the enum grows.
            _ => {}
        }
    }

    fn connected(&mut self, connected: &Connected, step: &Step<'_>) {
        let conn = connected.conn;
        if !connected.kind.is_inbound() {
            let Some(life) = self.lives.get_mut(&conn).filter(|life| !life.open) else {
                return step.hold(false, "7: connected without a dial, or twice");
            };
            life.open = true;
            return;
        }
        step.hold(*step.reply == Reply::Accepted(Ok(conn)), "7: connected from nowhere");
        step.hold(conn > self.newest, "7: ids do not count up");
        self.newest = conn;
        self.lives.insert(conn, Life { open: true, address: connected.address.clone() });
    }

    fn ended(&mut self, conn: ConnId, open: bool, step: &Step<'_>) {
        let was = self.lives.remove(&conn).map(|life| life.open);
        step.hold(was == Some(open), "6, 7: an end of what was not, or a second one");
    }

    /// What the actions told is what the view shows.
    fn view(&self, step: &Step<'_>) {
        let shown = step.view.iter().map(|conn| (conn.conn, conn.state.is_open()));
        let told = self.lives.iter().map(|(id, life)| (*id, life.open));
        step.hold(shown.eq(told), "6, 7: the view differs from what the actions told");
    }

    /// Whoever was dialed had room. An added peer may adopt a connection beyond its share.
    fn slots(&self, step: &Step<'_>) {
        let added = u32::try_from(step.after.added_peers().len()).expect("few");
        let split = Split::new(step.after.limits(), self.config.mode, self.config.dial.max_hedged, added);
        for conn in step.view.iter().filter(|conn| step.has_dialed(conn.conn)) {
            step.hold(step.view.len() <= step.after.limits().total as usize, "8: a dial beyond the total");
            let held = |other: &&ConnView| other.kind == conn.kind && other.state.holds_slot();
            let held = step.view.iter().filter(held).count();
            step.hold(held <= split.of(conn.kind) as usize || conn.kind == Kind::Added, "8: a dial beyond its share");
            let silent = |other: &&ConnView| other.kind == conn.kind && !other.state.holds_slot();
            let most = self.config.dial.max_hedged.unwrap_or(2 * split.of(conn.kind));
            step.hold(
                step.view.iter().filter(silent).count() <= most as usize,
                "9: more dials and handshakes without a slot than max_hedged",
            );
        }
    }
}

impl Step<'_> {
    /// Clauses 3, 4 and 11.
    fn deadlines(&self) {
        let due = self.after.poll_timeout();
        if *self.input == Input::Timeout {
            let early = self.due_before.is_none_or(|due| due > self.now);
            let untouched = self.actions.is_empty() && due == self.due_before;
            self.hold(!early || untouched, "3: an early timeout did something");
            let later = due.is_none_or(|due| due >= self.now.after(TICK) && due > self.now);
            self.hold(early || later, "4: the next deadline is less than a tick away");
        }
        self.hold(due != Some(Time::MAX), "4: a deadline that never comes");
        self.hold(!self.after.is_stopped() || due.is_none(), "11: a deadline after Stopped");
    }

    fn tells_end(&self, place: usize, of: ConnId) -> bool {
        match self.actions.get(place) {
            Some(Action::Emit(Event::Disconnected { conn, .. } | Event::DialFailed { conn, .. })) => *conn == of,
            _ => false,
        }
    }

    fn has_dialed(&self, id: ConnId) -> bool {
        self.actions.iter().any(|action| matches!(action, Action::Dial { conn, .. } if *conn == id))
    }

    /// The address of a dial, as it is meant: a CJDNS address is dialed as IPv6.
    fn address_of(&self, id: ConnId) -> Option<PeerAddress> {
        let failed = self.actions.iter().find_map(|action| match action {
            Action::Emit(Event::DialFailed { conn, address, .. }) if *conn == id => Some(address.clone()),
            _ => None,
        });
        let shown = || self.view.iter().find(|conn| conn.conn == id)?.address.clone();
        failed.or_else(shown)
    }

    #[track_caller]
    fn hold(&self, holds: bool, clause: &str) {
        if !holds {
            let actions: Vec<String> = self.actions.iter().map(|action| format!("    {action}\n")).collect();
            panic!(
                "clause {clause}\n{} {:?}\n{}reply {:?}, due {:?}\n{:#?}",
                self.now,
                self.input,
                actions.concat(),
                self.reply,
                self.after.poll_timeout(),
                self.view
            );
        }
    }
}

/// The manager recounts itself.
pub(crate) fn check(manager: &ConnManager) {
    if let Err(broken) = manager.check() {
        panic!("check: {broken}\n{manager:#?}");
    }
}

/// Whether a ban that stands covers the host. Loopback, unless it counts as public, and proxies are spared.
fn is_banned(config: &Config, host: &Host, manager: &ConnManager) -> bool {
    let is_proxy = config.proxies.addresses().any(|proxy| host.ip() == Some(proxy.ip()));
    let covers = |target: &BanTarget| match (target, host) {
        (BanTarget::Host(banned), host) => banned == host,
        // CJDNS looks like IPv6 and is a network of its own.
        (BanTarget::Subnet(net), Host::Ip(ip)) => net.contains(ip),
        (BanTarget::Subnet(_), _) => false,
    };
    let spared = is_proxy || (host.is_loopback() && !config.loopback_is_public);
    !spared && manager.bans().iter().any(|ban| covers(&ban.target))
}
