//! Inbound admission, decided before any handshake.

use core::net::SocketAddr;
use core::time::Duration;

use crate::config::{InboundConfig, Listener, Rate};
use crate::conn::{Conn, End, Notes};
use crate::mechanisms::groups::Neighbourhood;
use crate::types::{Action, ConnId, Event, Host, Kind, ListenerId, PeerAddress, Refusal, Time};

use super::ending::Ending;
use super::slots::AUTOMATIC;
use super::{ConnManager, Phase};

/// How many origins' rates are remembered. Beyond that, the least recently used is forgotten.
pub(super) const MAX_RATES: u32 = 4096;

/// A group in which no handshake is finished gets the token of a dropped one back once in so many intervals of its rate.
/// So its rate is a twelfth higher at most, and nodes that try another transport first get in even if all their tokens
/// went to first tries.
const INTERVALS_PER_RETURN: u32 = 12;

impl ConnManager {
    /// A peer connects to one of our listeners. Call it before any byte is exchanged.
    ///
    /// # Errors
    /// [`Refusal`] is the reason; close the socket then.
    pub fn accept(&mut self, remote: SocketAddr, listener: ListenerId, now: Time) -> Result<ConnId, Refusal> {
        self.begin(now);
        let admitted = self.admit(remote, listener);
        match admitted {
            Ok(_) => self.stats.accepted += 1,
            Err(refusal) => self.count_refusal(refusal),
        }
        self.plan();
        admitted
    }

    fn admit(&mut self, remote: SocketAddr, id: ListenerId) -> Result<ConnId, Refusal> {
        if self.phase != Phase::Active {
            return Err(Refusal::Inactive);
        }
        let known = self.config.listeners.iter().find(|listener| listener.id == id);
        let listener = *known.ok_or(Refusal::UnknownListener)?;
        if !self.pauses.is_empty() {
            self.pauses.remove(&id);
        }
        let neighbourhood = Neighbourhood::of(remote.ip());
        let remote = self.settled(PeerAddress::from(remote));
        let end = inbound_end(remote, neighbourhood, &listener);
        self.check_admission(&end)?;
        Ok(self.insert_inbound(end))
    }

    /// Checks every admission rule, cheapest first. The rate comes last, because asking uses it up.
    fn check_admission(&mut self, end: &End) -> Result<(), Refusal> {
        let (permissions, host) = (end.permissions(), end.visible_host());
        if !permissions.no_ban && host.is_some_and(|host| self.rules().is_banned(host)) {
            return Err(Refusal::Banned);
        }
        if !self.has_room_for_newcomer() {
            return Err(Refusal::Full);
        }
        if permissions.no_limit {
            return Ok(());
        }
        let limits = &self.config.inbound;
        if host.is_some_and(|host| self.table.inbound_of(host) >= limits.per_host) {
            return Err(Refusal::HostLimit);
        }
        let Some(origin) = end.origin() else { return Ok(()) };
        if self.table.half_open(origin) >= limits.half_open {
            return Err(Refusal::HalfOpenLimit);
        }
        let now = self.clocks.now();
        if self.inbound_rates.take(&origin, &limits.rate, now) { Ok(()) } else { Err(Refusal::RateLimit) }
    }

    /// Whether a newcomer fits. While we dial, newcomers leave room for hedged dials; otherwise inbound connections
    /// could keep a pool with few good addresses from finding them. Connections that are in already stay.
    fn has_room_for_newcomer(&self) -> bool {
        let split = self.split();
        let is_dialing = AUTOMATIC.into_iter().any(|kind| self.table.is_dialing(kind));
        let kept = if is_dialing { split.hedged } else { 0 };
        self.has_slot(Kind::Inbound, &split) && self.table.slots_held(Kind::Inbound) < split.inbound - kept
    }

    fn insert_inbound(&mut self, end: End) -> ConnId {
        let (id, now) = (self.next_conn.take(), self.now());
        let tells_of = match &end {
            End::Visible { remote, .. } | End::Outbound { address: remote, .. } => {
                self.rules().health_network(remote.host())
            }
            End::Hidden { network, .. } => Some(*network),
        };
        if let Some(network) = tells_of {
            self.health[network.index()].record_visit(now);
        }
        let deadline = self.handshake_deadline();
        let timer = Some(self.new_conn_timer(id, deadline));
        let notes = Notes { tells_of, timer, ..Notes::new(self.rng.next_u64(), deadline) };
        let connected = self.table.insert(Conn::inbound(id, end, notes, now)).connected(None);
        self.tell(Event::Connected(connected));
        id
    }

    /// Gives the admission token of an inbound connection back if the application dropped it during its handshake: a peer
    /// that speaks another transport first (Bitcoin's v2) is dropped so, and dials again at once. How often this is done
    /// for a group is limited, or senders of junk would escape the rate.
    pub(super) fn give_admission_back(&mut self, conn: &Conn, ending: Ending) {
        if !conn.is_handshaking() || ending != Ending::Dropped || conn.permissions().no_limit {
            return;
        }
        let (returns, now) = (self.rate_of_returns(), self.now());
        let Some(origin) = conn.origin() else { return };
        if self.inbound_returns.take(&origin, &returns, now) {
            self.inbound_rates.give_back(&origin, &self.config.inbound.rate, 1);
        }
    }

    /// A finished handshake shows that its group is not all junk: as many dropped ones as a burst get their tokens back.
    pub(super) fn earn_returns(&mut self, conn: ConnId) {
        let returns = self.rate_of_returns();
        let conn = self.table.get(conn).filter(|conn| !conn.permissions().no_limit);
        if let Some(origin) = conn.and_then(Conn::origin) {
            self.inbound_returns.give_back(&origin, &returns, self.config.inbound.rate.burst);
        }
    }

    /// At most as many tokens are given back at once as handshakes may be unfinished.
    fn rate_of_returns(&self) -> Rate {
        let InboundConfig { half_open, rate, .. } = &self.config.inbound;
        Rate { burst: *half_open, interval: rate.interval.saturating_mul(INTERVALS_PER_RETURN) }
    }

    /// The deadline of a handshake that begins now.
    pub(super) fn handshake_deadline(&self) -> Time {
        self.at_least_a_tick(self.now().after(self.config.handshake_timeout))
    }

    pub(super) fn pause_accepting(&mut self, listener: ListenerId) {
        let pauses = self.pauses.entry(listener).or_insert(0);
        let factor = 1u32.checked_shl(*pauses).unwrap_or(u32::MAX);
        *pauses = pauses.saturating_add(1);
        let config = &self.config.inbound;
        let wait: Duration = config.first_pause.saturating_mul(factor).min(config.max_pause);
        let until = self.at_least_a_tick(self.now().after(wait));
        self.act(Action::PauseAccept { listener, until });
    }
}

fn inbound_end(remote: PeerAddress, neighbourhood: Neighbourhood, listener: &Listener) -> End {
    let Listener { id: listener, network, permissions, .. } = *listener;
    match network.filter(|network| network.is_overlay()) {
        Some(network) => End::Hidden { listener, network, permissions },
        None => End::Visible { remote, neighbourhood, listener, permissions },
    }
}

impl End {
    /// The host of an inbound connection, if its address is the peer's own.
    const fn visible_host(&self) -> Option<&Host> {
        match self {
            Self::Visible { remote, .. } => Some(remote.host()),
            Self::Outbound { .. } | Self::Hidden { .. } => None,
        }
    }
}
