//! The summary of a run, counted from events.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use connmgr_core::{ConnId, Event, Kind};
use serde_json::{Value, json};

use crate::text::millis;
use crate::world::row::BehaviorRow;

/// The summary of a run.
///
/// [`Summary::note`] counts events. Dials and retries are not events: the caller sets them from the manager's counters.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// The length of the run.
    pub lasted: Duration,
    /// Dials.
    pub dials: u64,
    /// Connections that were opened, in either direction.
    pub established: u64,
    /// Connections that finished their handshake.
    pub ready: u64,
    /// Dials that failed.
    pub failed: u64,
    /// Connections that ended.
    pub ended: u64,
    /// Retries of added peers.
    pub retries: u64,
    /// Bans.
    pub bans: u64,
    /// The connections wanted.
    pub target: ConnectionTarget,
    /// When the target was first reached.
    pub time_to_target: Option<Duration>,
    /// The highest tip among the headers followed.
    pub height: u32,
    /// The counts of the loopback world, if there was one.
    pub world: Vec<BehaviorRow>,
    live: BTreeMap<ConnId, Kind>,
    handshaken: BTreeSet<ConnId>,
}

/// How many outbound connections are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConnectionTarget {
    /// Full and block-relay connections.
    pub automatic: u32,
    /// Connections to peers that the operator asked for.
    pub added: u32,
}

impl ConnectionTarget {
    /// The sum.
    pub const fn total(self) -> u32 {
        self.automatic.saturating_add(self.added)
    }
}

impl Summary {
    /// A summary with this target.
    pub fn new(target: ConnectionTarget) -> Self {
        let time_to_target = (target.total() == 0).then_some(Duration::ZERO);
        Self { target, time_to_target, ..Self::default() }
    }

    /// Counts an event.
    pub fn note(&mut self, event: &Event) {
        match event {
            Event::Connected(connected) => {
                self.established += 1;
                self.live.insert(connected.conn, connected.kind);
            }
            Event::Disconnected { conn, .. } => {
                self.ended += 1;
                self.live.remove(conn);
                self.handshaken.remove(conn);
            }
            Event::Adopted { conn, .. } => self.adopt(*conn),
            Event::DialFailed { .. } => self.failed += 1,
            Event::Banned { .. } => self.bans += 1,
            _ => {}
        }
    }

    /// An automatic connection counts as added from now on; an inbound one stays inbound.
    fn adopt(&mut self, conn: ConnId) {
        if let Some(kind) = self.live.get_mut(&conn).filter(|kind| !kind.is_inbound()) {
            *kind = Kind::Added;
        }
    }

    /// Counts a finished handshake. Returns whether the target is reached for the first time.
    pub fn note_ready(&mut self, conn: ConnId, since_start: Duration) -> bool {
        self.ready += 1;
        if self.live.contains_key(&conn) {
            self.handshaken.insert(conn);
        }
        let is_news = self.time_to_target.is_none() && self.on_target() >= self.target.total();
        if is_news {
            self.time_to_target = Some(since_start);
        }
        is_news
    }

    /// The number of open connections.
    pub fn live(&self) -> usize {
        self.live.len()
    }

    /// How many of the wanted connections are ready. More than wanted of one sort do not count for another.
    pub fn on_target(&self) -> u32 {
        self.automatic() + self.count(|kind| kind == Kind::Added).min(self.target.added)
    }

    /// How many of the automatic connections wanted are ready.
    pub fn automatic(&self) -> u32 {
        self.count(|kind| matches!(kind, Kind::Full | Kind::BlockRelay)).min(self.target.automatic)
    }

    fn count(&self, wanted: fn(Kind) -> bool) -> u32 {
        let is_counted = |conn: &&ConnId| self.live.get(conn).is_some_and(|kind| wanted(*kind));
        u32::try_from(self.handshaken.iter().filter(is_counted).count()).unwrap_or(u32::MAX)
    }

    /// The summary as JSON.
    pub(crate) fn to_json(&self) -> Value {
        let row = |row: &BehaviorRow| {
            json!({
                "behavior": row.behavior.name(), "peers": row.peers,
                "accepted": row.accepted, "ready": row.ready, "live": row.live,
            })
        };
        json!({
            "lasted_ms": millis(self.lasted), "dials": self.dials, "established": self.established,
            "ready": self.ready, "failed": self.failed, "ended": self.ended, "retries": self.retries,
            "bans": self.bans, "target": self.target.total(), "on_target": self.on_target(), "live": self.live(),
            "time_to_target_ms": self.time_to_target.map(millis), "height": self.height,
            "world": self.world.iter().map(row).collect::<Vec<_>>(),
        })
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "after {}.{:03} s:", self.lasted.as_secs(), self.lasted.subsec_millis())?;
        let rows = [
            ("dials", self.dials),
            ("established", self.established),
            ("ready", self.ready),
            ("failed", self.failed),
            ("ended", self.ended),
            ("retries", self.retries),
            ("bans", self.bans),
            ("live at the end", self.live.len() as u64),
            ("headers", self.height.into()),
        ];
        rows.iter().try_for_each(|(name, number)| writeln!(f, "  {name:<18}{number:>8}"))?;
        write!(f, "  {:<18}{:>8} of {}", "outbound", self.on_target(), self.target.total())?;
        match self.time_to_target {
            _ if self.target.total() == 0 => writeln!(f, " wanted")?,
            Some(time) => writeln!(f, " wanted, reached after {}.{:03} s", time.as_secs(), time.subsec_millis())?,
            None => writeln!(f, " wanted, never reached")?,
        }
        if !self.world.is_empty() {
            writeln!(f, "\n  {:<18}{:>8}{:>10}{:>8}{:>8}", "the world", "peers", "accepted", "ready", "live")?;
        }
        self.world.iter().try_for_each(|row| {
            let BehaviorRow { behavior, peers, accepted, ready, live } = row;
            writeln!(f, "    {behavior:<16}{peers:>8}{accepted:>10}{ready:>8}{live:>8}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use connmgr_core::{CloseCause, Connected, EndReason};

    fn connected(number: u64, kind: Kind) -> Event {
        let address = Some("127.1.0.1:8333".parse().expect("an address"));
        let conn = ConnId::from_u64(number);
        let mut connected = Connected::new(conn, kind);
        connected.address = address;
        Event::Connected(connected)
    }

    fn ended(number: u64) -> Event {
        let reason = EndReason::Theirs(CloseCause::Eof);
        Event::Disconnected { conn: ConnId::from_u64(number), peer: None, reason, tag: None }
    }

    fn ready(summary: &mut Summary, number: u64, seconds: u64) -> bool {
        summary.note_ready(ConnId::from_u64(number), Duration::from_secs(seconds))
    }

    #[test]
    fn the_target_is_reached_when_enough_are_ready_at_once() {
        let mut summary = Summary::new(ConnectionTarget { automatic: 2, added: 0 });
        for (number, kind) in [(1, Kind::Full), (2, Kind::Inbound), (3, Kind::BlockRelay), (4, Kind::Full)] {
            summary.note(&connected(number, kind));
        }
        ready(&mut summary, 1, 1);
        ready(&mut summary, 2, 2);
        summary.note(&ended(1));
        ready(&mut summary, 3, 3);
        assert_eq!(summary.time_to_target, None);
        assert!(ready(&mut summary, 4, 4));
        assert_eq!(summary.time_to_target, Some(Duration::from_secs(4)));
        assert_eq!((summary.live(), summary.on_target(), summary.ready, summary.ended), (3, 2, 4, 1));
    }

    #[test]
    fn an_added_peer_does_not_stand_in_for_an_automatic_one() {
        let mut summary = Summary::new(ConnectionTarget { automatic: 1, added: 1 });
        for number in [1, 2] {
            summary.note(&connected(number, Kind::Added));
            assert!(!ready(&mut summary, number, number));
        }
        assert_eq!(summary.on_target(), 1);
        summary.note(&connected(3, Kind::Full));
        assert!(ready(&mut summary, 3, 3));
    }

    #[test]
    fn an_empty_target_is_reached_at_once() {
        assert_eq!(Summary::new(ConnectionTarget::default()).time_to_target, Some(Duration::ZERO));
    }
}
