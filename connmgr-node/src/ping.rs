//! Pings and pongs. Read first: BIP 31.
//!
//! Sans-IO: times go in, nonces come out. There is at most one unanswered ping, so no list of them is kept.

use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

/// How often to ping, and how long to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PingConfig {
    /// The time between an answer, or the handshake, and the next ping. Core: 2 minutes.
    pub every: Duration,
    /// How long to wait for a pong. Core: 20 minutes.
    pub patience: Duration,
}

impl Default for PingConfig {
    fn default() -> Self {
        Self { every: Duration::from_secs(120), patience: Duration::from_secs(20 * 60) }
    }
}

/// What is due now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PingDue {
    /// Nothing yet.
    Nothing,
    /// Send a ping with this nonce.
    Ping(u64),
    /// The peer did not answer a ping in time.
    GiveUp,
}

/// The state of the pings.
///
/// ```text
/// Resting ──due──▶ Waiting ──pong──▶ Resting
///                     └──too long──▶ the peer is given up
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PingState {
    Resting { until: Instant },
    Waiting { nonce: u64, since: Instant },
}

/// One peer's pings.
#[derive(Clone, Copy, Debug)]
pub struct Pinger {
    config: PingConfig,
    state: PingState,
}

impl Pinger {
    /// The first ping is due at once, as in Core: eviction weighs round trips.
    pub const fn new(config: PingConfig, now: Instant) -> Self {
        Self { config, state: PingState::Resting { until: now } }
    }

    /// A pong arrived. Returns the round trip if it answers our ping; other pongs are ignored.
    pub fn handle_pong(&mut self, pong: u64, now: Instant) -> Option<Duration> {
        match self.state {
            PingState::Waiting { nonce, since } if nonce == pong => {
                self.state = PingState::Resting { until: now + self.config.every };
                Some(now.saturating_duration_since(since))
            }
            PingState::Waiting { .. } | PingState::Resting { .. } => None,
        }
    }

    /// What is due now.
    pub fn handle_timeout(&mut self, now: Instant) -> PingDue {
        if now < self.deadline() {
            return PingDue::Nothing;
        }
        match self.state {
            PingState::Resting { .. } => {
                let nonce = unpredictable();
                self.state = PingState::Waiting { nonce, since: now };
                PingDue::Ping(nonce)
            }
            PingState::Waiting { .. } => PingDue::GiveUp,
        }
    }

    /// When something is due next.
    pub fn deadline(&self) -> Instant {
        match self.state {
            PingState::Resting { until } => until,
            PingState::Waiting { since, .. } => since + self.config.patience,
        }
    }
}

/// A number the peer can't predict: otherwise it could answer early and seem near. The standard library keys its hashers
/// from the operating system's randomness.
fn unpredictable() -> u64 {
    RandomState::new().hash_one("ping")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn pinged() -> (Pinger, u64, Instant) {
        let now = Instant::now();
        let mut pinger = Pinger::new(PingConfig::default(), now);
        match pinger.handle_timeout(now) {
            PingDue::Ping(nonce) => (pinger, nonce, now),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_right_pong_gives_the_round_trip_once() {
        let (mut pinger, nonce, now) = pinged();
        assert_eq!(pinger.handle_pong(nonce.wrapping_add(1), now + SECOND), None);
        assert_eq!(pinger.handle_pong(nonce, now + SECOND), Some(SECOND));
        assert_eq!(pinger.handle_pong(nonce, now + SECOND), None);
        assert_eq!(pinger.deadline(), now + 121 * SECOND);
    }

    #[test]
    fn no_second_ping_is_sent_before_the_first_is_answered() {
        let (mut pinger, _, now) = pinged();
        assert_eq!(pinger.handle_timeout(now + 1199 * SECOND), PingDue::Nothing);
        assert_eq!(pinger.handle_timeout(now + 1200 * SECOND), PingDue::GiveUp);
    }

    #[test]
    fn nonces_differ() {
        assert_ne!(unpredictable(), unpredictable());
    }
}
