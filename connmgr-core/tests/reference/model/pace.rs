//! The pace of automatic dials into one network: all dials since full speed are in a list.

use std::time::Duration;

use connmgr_core::{CloseReason, ConnId, NetworkKind, PeerAddress, Time};

use super::book::network;
use super::see::Cause;
use super::{Model, RConn, Stage};

/// Dials at full speed.
const FULL_SPEED: u64 = 640;
/// So many seconds since the first of them count as a dial.
const SECONDS_AS_ONE: u64 = 4;
/// After so many further dials the interval doubles.
const FOR_EACH: u64 = 64;
/// The first interval.
const FIRST: Duration = Duration::from_millis(200);
/// The longest interval.
pub(super) const SLOWEST: Duration = Duration::from_secs(10);
/// The dials at full speed that a recovery lends.
const LOAN: u32 = 39;
/// The first wait between trials of a network without connections.
const TRIALS: Duration = Duration::from_secs(600);
/// The longest wait between its trials.
const RARE_TRIALS: Duration = Duration::from_secs(9600);
/// After so many failures in a row the next success is a recovery.
const DRY: u32 = 4;

#[derive(Debug)]
pub(super) struct RPace {
    pub(super) network: NetworkKind,
    /// Every dial since full speed was restored.
    made: Vec<RDial>,
    /// The number of them before the last recovery; they slow no dial down.
    forgotten: usize,
    /// Lent dials that are left.
    loan: u32,
    /// The time of the last dial, and the number of all dials.
    last: Option<(Time, u64)>,
    failed_in_a_row: u32,
    /// Since full speed was restored there were [`DRY`] failures in a row, or a ready connection ended before it was
    /// stable.
    was_bad: bool,
    /// There was no recovery since a connection was stable.
    may_recover: bool,
    /// The longest life of a connection that was ready and did not become stable.
    longest_life: Duration,
    /// A dial into the network was answered.
    pub(super) has_answered: bool,
    /// Dials whose outcome is known, and how many of them led to a ready connection.
    tried: u64,
    led_to: u64,
    /// When the next trial may be, and the wait after it.
    trial_at: Time,
    trial_wait: Duration,
    /// Failures of dials made before this are forgiven.
    pub(super) forgiven_until: Option<Time>,
}

#[derive(Debug)]
struct RDial {
    at: Time,
    is_lent: bool,
}

impl RPace {
    pub(super) const fn new(network: NetworkKind) -> Self {
        Self {
            network,
            made: Vec::new(),
            forgotten: 0,
            loan: 0,
            last: None,
            failed_in_a_row: 0,
            was_bad: false,
            may_recover: true,
            longest_life: Duration::ZERO,
            has_answered: false,
            tried: 0,
            led_to: 0,
            trial_at: Time::ZERO,
            trial_wait: TRIALS,
            forgiven_until: None,
        }
    }

    pub(super) fn dials(&mut self, id: ConnId, now: Time) {
        self.made.push(RDial { at: now, is_lent: self.loan > 0 });
        self.loan = self.loan.saturating_sub(1);
        self.last = Some((now, id.as_u64()));
    }

    /// When the next dial may be made.
    pub(super) fn next_at(&self) -> Time {
        let mut at = Time::ZERO;
        for (number, dial) in (0..).zip(&self.made).skip(self.forgotten).filter(|(_, dial)| !dial.is_lent) {
            let waited = dial.at.since(self.made[0].at).as_secs() / SECONDS_AS_ONE;
            let mut wait = if number + waited < FULL_SPEED { Duration::ZERO } else { FIRST };
            for _ in 0..(number + waited).saturating_sub(FULL_SPEED) / FOR_EACH {
                wait = (wait * 2).min(SLOWEST);
            }
            at = at.max(dial.at).after(wait);
        }
        at
    }

    /// When a resting address may be dialed.
    pub(super) fn next_scarce_at(&self) -> Time {
        self.last.map_or(Time::ZERO, |(at, _)| at.after(SLOWEST)).max(self.next_at())
    }

    pub(super) fn is_slow(&self) -> bool {
        self.made.len() as u64 > FULL_SPEED && self.loan == 0
    }

    pub(super) fn last_number(&self) -> u64 {
        self.last.map_or(0, |(_, number)| number)
    }

    pub(super) fn is_trial_due(&self, now: Time) -> bool {
        self.trial_at <= now && self.next_at() <= now
    }

    pub(super) fn trial_begins(&mut self, now: Time) {
        self.trial_at = now.after(self.trial_wait);
        self.trial_wait = (self.trial_wait * 2).min(RARE_TRIALS);
    }

    pub(super) const fn is_proven(&self) -> bool {
        self.led_to > 0
    }

    /// How many of 64 dials lead to a ready connection, squared; half of them where nothing is known.
    pub(super) fn yields(&self) -> u64 {
        ((self.led_to + 1) * 64 / (self.tried + 2)).pow(2).max(1)
    }

    fn outcome(&mut self, led: bool) {
        if self.tried == 64 {
            (self.tried, self.led_to) = (32, self.led_to / 2);
        }
        self.tried += 1;
        self.led_to += u64::from(led);
    }

    fn fails(&mut self) {
        self.failed_in_a_row += 1;
        self.was_bad |= self.failed_in_a_row == DRY;
        self.outcome(false);
    }

    /// Whether a ready connection is a recovery.
    fn ready(&mut self) -> bool {
        let was_dry = std::mem::take(&mut self.failed_in_a_row) >= DRY;
        self.outcome(true);
        was_dry && self.recovers()
    }

    /// There is at most one recovery between two stable connections.
    fn recovers(&mut self) -> bool {
        let recovers = std::mem::take(&mut self.may_recover);
        if recovers {
            (self.loan, self.forgotten) = (LOAN, self.made.len());
        }
        recovers
    }

    fn lived(&mut self, life: Duration) {
        self.longest_life = self.longest_life.max(life);
        self.was_bad = true;
    }

    /// Whether a connection that is ready for so long, and not stable, has lived so much longer than those before that
    /// it is a recovery.
    fn recovers_by_life(&mut self, life: Duration) -> bool {
        let enough = (self.longest_life * 2).max(Duration::from_secs(5));
        self.was_bad && life >= enough && self.recovers()
    }

    /// Earlier failures tell little now: lends some dials at full speed. Returns whether dials were fruitless before.
    pub(super) fn starts_over(&mut self, now: Time) -> bool {
        let known = self.made.len();
        let was_bad = self.is_restored();
        self.made.extend((0..known).map(|_| RDial { at: now, is_lent: false }));
        (self.forgotten, self.loan) = (known, LOAN);
        (self.tried, self.led_to) = (0, 0);
        was_bad
    }

    /// A connection is stable: full speed. Returns whether dials were fruitless before.
    fn is_restored(&mut self) -> bool {
        (self.may_recover, self.longest_life, self.failed_in_a_row) = (true, Duration::ZERO, 0);
        self.made.clear();
        (self.forgotten, self.loan) = (0, 0);
        std::mem::take(&mut self.was_bad)
    }
}

impl Model {
    pub(super) fn pace(&self, network: NetworkKind) -> &RPace {
        self.paces.iter().find(|pace| pace.network == network).expect("the pool has two networks")
    }

    pub(super) fn pace_of(&mut self, address: &PeerAddress) -> &mut RPace {
        let network = network(address);
        self.paces.iter_mut().find(|pace| pace.network == network).expect("the pool has two networks")
    }

    /// Earlier failures cause no rest.
    fn rests_are_forgiven(&mut self, of: NetworkKind) {
        let now = self.now;
        self.paces.iter_mut().filter(|pace| pace.network == of).for_each(|pace| pace.forgiven_until = Some(now));
        self.feed();
    }

    /// A connection that lives much longer than those before is a recovery.
    pub(super) fn long_lives_are_noticed(&mut self) {
        for network in [NetworkKind::Ipv4, NetworkKind::Ipv6] {
            let life = self.longest_unstable_life(network);
            let pace = self.paces.iter_mut().find(|pace| pace.network == network).expect("the pool has two networks");
            if pace.recovers_by_life(life) {
                self.rests_are_forgiven(network);
            }
        }
    }

    fn longest_unstable_life(&self, of: NetworkKind) -> Duration {
        let is_in = |conn: &&RConn| conn.is_automatic() && conn.dialed().is_some_and(|address| network(address) == of);
        let ready = self.conns.iter().filter(|conn| is_in(conn) && conn.stage == Stage::Ready);
        let lives = ready.map(|conn| self.now.since(conn.since)).filter(|life| *life < self.config.stable_after);
        lives.max().unwrap_or_default()
    }

    /// An automatic connection is ready.
    pub(super) fn automatic_is_ready(&mut self, conn: &RConn) {
        let address = conn.dialed().expect("automatic").clone();
        if self.pace_of(&address).ready() {
            self.rests_are_forgiven(network(&address));
        }
    }

    /// An automatic connection is stable.
    pub(super) fn is_stable(&mut self, id: ConnId) {
        let address = self.conn(id).and_then(RConn::dialed).expect("automatic").clone();
        self.stable_at(&address);
    }

    fn stable_at(&mut self, address: &PeerAddress) {
        if let Some(entry) = self.entry(address) {
            entry.failures = 0;
        }
        self.pace_of(address).trial_wait = TRIALS;
        if self.pace_of(address).is_restored() {
            self.rests_are_forgiven(network(address));
        }
    }

    /// The effect on the pace of the end of an automatic dial or connection.
    pub(super) fn end_counts(&mut self, conn: &RConn, cause: Cause) {
        if !conn.is_automatic() {
            return;
        }
        let address = conn.dialed().expect("automatic").clone();
        let life = self.now.since(conn.since);
        match conn.stage {
            // There may have been no input since that time.
            Stage::Ready if life >= self.config.stable_after && conn.look.is_some() => self.stable_at(&address),
            Stage::Ready if life >= self.config.stable_after => {}
            Stage::Ready => self.pace_of(&address).lived(life),
            Stage::Dialing | Stage::Silent | Stage::Handshaking | Stage::Stalled => {
                if cause.blames_the_other_end() {
                    self.pace_of(&address).fails();
                }
            }
        }
    }

    /// A change of the machine's network takes effect.
    pub(super) fn start_over(&mut self) {
        (self.started_over, self.start_over_at) = (Some(self.now), None);
        for at in 0..self.paces.len() {
            (self.paces[at].trial_at, self.paces[at].trial_wait) = (Time::ZERO, TRIALS);
            if self.paces[at].starts_over(self.now) {
                self.paces[at].forgiven_until = Some(self.now);
            }
        }
        self.release(|peer| peer.unanswered);
        self.feed();
    }
}

impl Cause {
    /// Whether an end tells something about the other end or the route.
    pub(super) const fn blames_the_other_end(self) -> bool {
        match self {
            Self::Failed(_) | Self::Closed | Self::Dropped => true,
            Self::Ours(reason) => matches!(
                reason,
                CloseReason::DialTimeout
                    | CloseReason::HandshakeTimeout
                    | CloseReason::MissingServices
                    | CloseReason::Misbehaved
            ),
        }
    }
}
