//! The watcher: sees what goes into a manager and what comes out, and panics when the contract is broken.
//!
//! It knows inputs, actions and the public view, never the inside. What it believes of connections it derives from
//! the actions alone, and compares with the view after every step.

#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part of the watcher")]

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use connmgr_core::*;

/// The most that one cause can add once the planner is near its bound; a step that came so far may have left work.
const NEAR_THE_BOUND: usize = 8;
const TICK: Duration = Duration::from_millis(1);
/// How many own addresses are remembered at least.
const OWN_REMEMBERED: usize = 1024;

/// How far a connection has come, by what the actions said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Dialed,
    Open,
    Ended,
}

#[derive(Clone, Debug)]
struct Seen {
    life: Life,
    address: Option<PeerAddress>,
    was_dialed: bool,
    closes: u32,
}

/// One step to be judged.
struct Step<'a> {
    input: &'a Input,
    reply: &'a Reply,
    actions: &'a [Action],
    due_before: Option<Time>,
    before: &'a [ConnView],
    after: &'a ConnManager,
}

/// Sees every step.
pub struct Watcher {
    /// Printed with a failure: where it was found, and the seed.
    story: String,
    config: Config,
    now: Time,
    steps: u64,
    conns: BTreeMap<ConnId, Seen>,
    own: BTreeSet<PeerAddress>,
    stopped: bool,
    /// Work was left for the next tick: limits may be exceeded until then.
    busy: bool,
    lately: VecDeque<(Time, Input, Vec<Action>)>,
}

impl Watcher {
    pub fn new(story: String, config: &Config) -> Self {
        let own = config.own_addresses.iter().cloned().collect();
        Self {
            story,
            config: config.clone(),
            now: Time::ZERO,
            steps: 0,
            conns: BTreeMap::new(),
            own,
            stopped: false,
            busy: false,
            lately: VecDeque::new(),
        }
    }

    /// Applies an input, and judges what comes of it. Returns the reply and the actions.
    pub fn step(&mut self, manager: &mut ConnManager, now: Time, input: &Input) -> (Reply, Vec<Action>) {
        let (due_before, before) = (manager.poll_timeout(), manager.connections());
        self.now = self.now.max(now);
        self.steps += 1;
        let reply = manager.apply(input, now);
        let actions: Vec<Action> = std::iter::from_fn(|| manager.poll_action()).collect();
        self.judge(&Step { input, reply: &reply, actions: &actions, due_before, before: &before, after: manager });
        if self.lately.len() == 12 {
            self.lately.pop_front();
        }
        self.lately.push_back((now, input.clone(), actions.clone()));
        (reply, actions)
    }

    fn judge(&mut self, step: &Step<'_>) {
        let was_stopped = self.stopped;
        self.timeouts(step);
        let most = self.config.max_actions_per_input as usize;
        self.hold(step.actions.len() <= most, "9: more actions than max_actions_per_input", step);
        self.hold(!was_stopped || step.actions.is_empty(), "11: an action after Stopped", step);
        self.own_addresses(step.input);
        step.actions.iter().enumerate().for_each(|(place, action)| self.action(place, action, step));
        self.late_success(step);
        self.surplus(step);
        self.view(step);
        self.rules(step);
        self.busy_or_within_limits(step);
        if self.steps % 8 == 0 {
            let checked = step.after.check();
            self.hold(checked.is_ok(), checked.err().unwrap_or_default(), step);
        }
    }

    /// Clauses 3, 4 and 11.
    fn timeouts(&self, step: &Step<'_>) {
        let due = step.after.poll_timeout();
        if *step.input == Input::Timeout {
            let early = step.due_before.is_none_or(|due| due > self.now);
            let untouched = step.actions.is_empty() && due == step.due_before;
            self.hold(!early || untouched, "3: an early timeout did something", step);
            // One that was early moved nothing: the deadline before it stands, however near it is.
            let later = due.is_none_or(|due| due >= self.now.after(TICK) && due > self.now);
            self.hold(early || later, "4: the next deadline is less than a tick away", step);
        }
        self.hold(due != Some(Time::MAX), "4: a deadline that never comes", step);
        self.hold(!step.after.is_stopped() || due.is_none(), "11: a deadline after Stopped", step);
    }

    fn own_addresses(&mut self, input: &Input) {
        if let (Input::OwnAddress { address }, true) = (input, self.own.len() < OWN_REMEMBERED) {
            self.own.insert(address.clone());
        }
    }

    fn action(&mut self, place: usize, action: &Action, step: &Step<'_>) {
        match action {
            Action::Dial { conn, target, deadline, .. } => {
                let address = match target {
                    Target::Direct(addr) => PeerAddress::from(*addr),
                    Target::Proxied { address, .. } => address.clone(),
                };
                self.hold(*deadline > self.now || self.now == Time::MAX, "4: a dial without time", step);
                self.dialed(*conn, &self.as_viewed(*conn, address, step), step);
            }
            Action::Close { conn, reason } => self.closed(place, *conn, *reason, step),
            Action::Emit(event) => self.event(event, step),
            Action::ScheduleRetry { at, .. } => {
                self.hold(*at >= self.now.after(TICK), "4: a retry less than a tick away", step);
            }
            Action::PauseAccept { until, .. } => {
                self.hold(*until >= self.now.after(TICK), "4: a pause of less than a tick", step);
            }
            Action::ResolveSeed { .. } => {
                let automatic = self.config.mode == Mode::Automatic;
                self.hold(automatic, "8: a seed asked though connect-only", step);
            }
            Action::ResolveHost { route, .. } => {
                self.hold(self.config.proxies.all.is_none() || *route != Route::Direct, "8: a name leaks", step);
            }
            Action::Save => {}
        }
    }

    /// A CJDNS address is dialed as IPv6; the view knows what is meant.
    fn as_viewed(&self, conn: ConnId, address: PeerAddress, step: &Step<'_>) -> PeerAddress {
        let views = step.after.connections();
        let view = views.iter().find(|view| view.conn == conn).and_then(|view| view.address.clone());
        view.unwrap_or(address)
    }

    fn dialed(&mut self, conn: ConnId, address: &PeerAddress, step: &Step<'_>) {
        let live = self.conns.values().any(|seen| seen.life != Life::Ended && seen.address.as_ref() == Some(address));
        self.hold(!live, "8: a dial to an address in use", step);
        self.hold(!self.own.contains(address), "8: a dial to ourselves", step);
        self.hold(!self.is_banned(address.host(), step.after), "8: a dial to the banned", step);
        self.hold(self.is_reachable(address), "8: a dial to a disabled network", step);
        let seen = Seen { life: Life::Dialed, address: Some(address.clone()), was_dialed: true, closes: 0 };
        let fresh = self.conns.insert(conn, seen).is_none();
        self.hold(fresh, "6: a dial under a used id", step);
        let newest = self.conns.last_key_value().map(|(id, _)| *id);
        self.hold(newest == Some(conn), "6: ids do not count up", step);
    }

    fn is_reachable(&self, address: &PeerAddress) -> bool {
        let routed = |network| match network {
            NetworkKind::Onion | NetworkKind::I2p => self.config.proxies.for_network(network).is_some(),
            NetworkKind::Ipv4 | NetworkKind::Ipv6 | NetworkKind::Cjdns => address.port() != 0,
        };
        address.network().is_none_or(|network| self.config.networks.contains(network) && routed(network))
    }

    fn is_banned(&self, host: &Host, manager: &ConnManager) -> bool {
        let is_proxy = |proxy: std::net::SocketAddr| host.ip() == Some(proxy.ip());
        let spared = host.is_loopback() && !self.config.loopback_is_public;
        let covers = |target: &BanTarget| match (target, host) {
            (BanTarget::Host(banned), host) => banned == host,
            (BanTarget::Subnet(net), Host::Ip(ip)) => net.contains(ip),
            (BanTarget::Subnet(_), _) => false,
        };
        let spared = spared || self.config.proxies.addresses().any(is_proxy);
        !spared && manager.bans().iter().any(|ban| covers(&ban.target))
    }

    /// Clauses 6 and 7: a live one is closed once, and its end is told next.
    fn closed(&mut self, place: usize, conn: ConnId, reason: CloseReason, step: &Step<'_>) {
        if reason == CloseReason::Late {
            let asked = *step.input == Input::DialResult { conn, result: Ok(()) };
            return self.hold(asked && place == 0, "6: a late success that nobody reported", step);
        }
        let Some(seen) = self.conns.get_mut(&conn) else {
            return self.hold(false, "7: a close of what never was", step);
        };
        seen.closes += 1;
        let (live, closes) = (seen.life != Life::Ended, seen.closes);
        if let (CloseReason::OwnAddress, true, Some(address)) = (reason, seen.was_dialed, &seen.address) {
            if self.own.len() < OWN_REMEMBERED {
                self.own.insert(address.clone());
            }
        }
        self.hold(live && closes == 1, "7: a close of what has ended", step);
        let told = match step.actions.get(place + 1) {
            Some(Action::Emit(Event::Disconnected { conn: ended, .. } | Event::DialFailed { conn: ended, .. })) => {
                *ended == conn
            }
            _ => false,
        };
        self.hold(told, "7: a close whose end is not told", step);
    }

    fn event(&mut self, event: &Event, step: &Step<'_>) {
        match event {
            Event::Connected(connected) => self.connected(connected, step),
            Event::Disconnected { conn, .. } => self.ended(*conn, Life::Open, step),
            Event::DialFailed { conn, .. } => self.ended(*conn, Life::Dialed, step),
            Event::Adopted { conn, .. } => {
                let open = self.conns.get(conn).is_some_and(|seen| seen.life == Life::Open);
                self.hold(open, "7: what is not open was adopted", step);
            }
            Event::Stopped => {
                let none = self.conns.values().all(|seen| seen.life == Life::Ended);
                self.hold(none && !self.stopped, "11: Stopped before the end, or twice", step);
                self.stopped = true;
            }
            _ => {}
        }
    }

    fn connected(&mut self, connected: &Connected, step: &Step<'_>) {
        let conn = connected.conn;
        if connected.kind.is_inbound() {
            let accepted = *step.reply == Reply::Accepted(Ok(conn));
            self.hold(accepted && !self.conns.contains_key(&conn), "7: connected from nowhere", step);
            let address = connected.address.clone();
            self.conns.insert(conn, Seen { life: Life::Open, address, was_dialed: false, closes: 0 });
            return;
        }
        let was_dialed = self.conns.get(&conn).is_some_and(|seen| seen.life == Life::Dialed);
        self.hold(was_dialed, "7: connected without a dial, or twice", step);
        if let Some(seen) = self.conns.get_mut(&conn) {
            seen.life = Life::Open;
        }
    }

    fn ended(&mut self, conn: ConnId, from: Life, step: &Step<'_>) {
        let was = self.conns.get(&conn).map(|seen| seen.life);
        self.hold(was == Some(from), "6, 7: an end of what was not, or a second one", step);
        if let Some(seen) = self.conns.get_mut(&conn) {
            seen.life = Life::Ended;
        }
    }

    /// Clause 6: whoever has no place in the pool is closed next, never leaked.
    fn late_success(&self, step: &Step<'_>) {
        let Input::DialResult { conn, result: Ok(()) } = step.input else { return };
        let known = self.conns.get(conn).filter(|seen| seen.was_dialed && !self.stopped);
        let closed = step.actions.iter().any(|action| matches!(action, Action::Close { conn: id, .. } if id == conn));
        let leaked = known.is_some_and(|seen| seen.life == Life::Ended && !closed);
        self.hold(!leaked, "6: a late success was leaked", step);
    }

    /// A success is thrown away only where the slots of its kind are held by others that have come at least as far.
    fn surplus(&self, step: &Step<'_>) {
        for action in step.actions {
            let Action::Close { conn, reason: CloseReason::Surplus } = action else { continue };
            let Some(thrown) = step.before.iter().find(|view| view.conn == *conn) else {
                return self.hold(false, "8: surplus, and was not there", step);
            };
            let is_rival = |view: &&ConnView| view.kind == thrown.kind && view.state.holds_slot();
            let rivals: Vec<&ConnView> = step.before.iter().filter(is_rival).collect();
            let as_far = |view: &&ConnView| match thrown.state {
                ConnState::Silent => view.state.is_open(),
                ConnState::Stalled => view.state == ConnState::Ready,
                ConnState::Dialing | ConnState::Handshaking | ConnState::Ready => false,
            };
            let slots = self.split(step).of(thrown.kind) as usize;
            // Work that was left for the next tick may have left more of them than slots.
            let fits = rivals.len() > slots || (rivals.len() == slots && rivals.iter().all(as_far));
            self.hold(fits, "8: a success is thrown away, and others have come less far", step);
        }
    }

    /// How the total is shared after a step.
    fn split(&self, step: &Step<'_>) -> Split {
        let added = u32::try_from(step.after.added_peers().len()).expect("few");
        Split::new(step.after.limits(), self.config.mode, self.config.dial.max_hedged, added)
    }

    /// What the actions said is what the view shows.
    fn view(&self, step: &Step<'_>) {
        let view = step.after.connections();
        let open = |state| match state {
            ConnState::Dialing | ConnState::Silent => Life::Dialed,
            ConnState::Handshaking | ConnState::Stalled | ConnState::Ready => Life::Open,
        };
        let shown = view.iter().map(|conn| (conn.conn, open(conn.state)));
        let told = self.conns.iter().filter(|(_, seen)| seen.life != Life::Ended).map(|(id, seen)| (*id, seen.life));
        self.hold(shown.eq(told), "6, 7: the view differs from what the actions told", step);
    }

    /// Clause 8, as far as it can be seen from what is there.
    fn rules(&self, step: &Step<'_>) {
        let view = step.after.connections();
        let mut groups = BTreeMap::new();
        for conn in view.iter().filter(|conn| conn.kind.takes_group()) {
            let exempt = self.config.groups.exempt_overlays;
            let address = conn.address.as_ref().expect("we dialed it");
            let exempt = exempt && address.network().is_some_and(NetworkKind::is_overlay);
            if let (false, Some(group)) = (exempt, Group::of(address.host())) {
                *groups.entry(group.as_u64()).or_insert(0) += 1;
            }
        }
        let most = self.config.groups.max_per_group.unwrap_or(u32::MAX);
        self.hold(groups.values().all(|count| *count <= most), "8: a group is taken twice", step);
        let automatic = |conn: &ConnView| !matches!(conn.kind, Kind::Added | Kind::Inbound);
        let quiet = self.config.mode == Mode::Automatic || !view.iter().any(automatic);
        self.hold(quiet, "8: an automatic dial though connect-only", step);
    }

    /// Slots, silent dials and the total. Where work was left for the next tick, only after that.
    fn busy_or_within_limits(&mut self, step: &Step<'_>) {
        let most = self.config.max_actions_per_input as usize;
        let worked = *step.input == Input::Timeout && step.due_before.is_some_and(|due| due <= self.now);
        if step.actions.len() + NEAR_THE_BOUND > most {
            self.busy = true;
        } else if worked {
            self.busy = false;
        }
        if self.busy {
            return;
        }
        let (limits, view) = (*step.after.limits(), step.after.connections());
        let split = self.split(step);
        let count = |kind, silent| {
            let of = |conn: &&ConnView| conn.kind == kind && conn.state.holds_slot() != silent;
            u32::try_from(view.iter().filter(of).count()).expect("few")
        };
        for kind in Kind::ALL {
            let held = count(kind, false);
            self.hold(held <= split.of(kind) || kind == Kind::Added, "8: more slots held than there are", step);
            let silent = self.config.dial.max_hedged.unwrap_or(2 * split.of(kind));
            self.hold(count(kind, true) <= silent, "8: more dials and handshakes without a slot than max_hedged", step);
        }
        let total = limits.total.max(count(Kind::Added, false));
        self.hold(view.len() <= total as usize, "8: more than the total", step);
        let dials = step.actions.iter().any(|action| matches!(action, Action::Dial { .. }));
        self.hold(!dials || view.len() <= limits.total as usize, "8: a dial beyond the total", step);
    }

    #[track_caller]
    fn hold(&self, holds: bool, broken: &str, step: &Step<'_>) {
        if holds {
            return;
        }
        let lately: Vec<String> = self.lately.iter().map(|(now, input, actions)| tale(*now, input, actions)).collect();
        panic!(
            "clause {broken}\nin {}, step {}, at {}, due {:?}\n{}-- now:\n{}reply {:?}\n{:#?}",
            self.story,
            self.steps,
            self.now,
            step.after.poll_timeout(),
            lately.concat(),
            tale(self.now, step.input, step.actions),
            step.reply,
            step.after.connections(),
        );
    }
}

/// A step as text.
fn tale(now: Time, input: &Input, actions: &[Action]) -> String {
    let actions: Vec<String> = actions.iter().map(|action| format!("    {action}\n")).collect();
    format!("{now} {input:?}\n{}", actions.concat())
}
