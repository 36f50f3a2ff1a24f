//! Scores add up and decay as documented. A score has a persistent part, and a transient part that halves every 60 s and
//! is dropped 1800 s after it was last raised, in whole seconds. A score above half the threshold causes a warning, one
//! above the threshold a ban; where the host can't be banned or is spared, the connection is closed.
//!
//! The checker computes in floating point, the manager in integers with 32 fractional bits. So a score is compared as a
//! range: the checker's value, with the manager's rounding error either way, rounded down.

use std::collections::VecDeque;

use connmgr_core::{Action, BanTarget, CloseReason, ConnId, ConnManager, Event, Host, Input, Penalty, Reply, Time};
use rustc_hash::FxHashMap;

use super::{Concern, Ledger, Property, Rule, RuleContext, RuleResult, hold};
use crate::ledger::RunPhase;
use crate::ledger::bans::BanKey;
use crate::recent::Recent;
use crate::step::{StepCause, ended};

/// Misbehavior may still be reported of this many ended connections.
const REMEMBERED: usize = 1024;
const HALF_LIFE_SECS: f64 = 60.0;
const LIFETIME_SECS: u64 = 1800;
/// The most a transient part can be.
const MOST: f64 = 4_294_967_296.0;

/// The smallest step of the manager's score: each decay may lose one to rounding.
const UNIT: f64 = 1.0 / 4_294_967_296.0;

/// A score in floating point.
#[derive(Clone, Copy, Debug, Default)]
struct Score {
    persistent: u32,
    transient: f64,
    /// By how much the manager's score may differ. 0 while every value is a whole number of units.
    error: f64,
    /// The whole second at which the transient part was last raised.
    last: u64,
}

impl Score {
    fn raise(&mut self, penalty: Penalty, now: Time) {
        self.persistent = self.persistent.saturating_add(penalty.persistent);
        if penalty.transient > 0 {
            let (transient, error) = self.faded(now);
            (self.transient, self.error) = ((transient + f64::from(penalty.transient)).min(MOST), error);
            self.last = self.last.max(now.as_nanos() / 1_000_000_000);
        }
    }

    /// The transient part now, and by how much the manager's may differ.
    fn faded(&self, now: Time) -> (f64, f64) {
        let elapsed = (now.as_nanos() / 1_000_000_000).saturating_sub(self.last);
        if self.transient == 0.0 {
            return (0.0, 0.0);
        }
        let Some(secs) = u32::try_from(elapsed).ok().filter(|_| elapsed <= LIFETIME_SECS) else { return (0.0, 0.0) };
        let faded = self.transient * (-f64::from(secs) / HALF_LIFE_SECS).exp2();
        let is_exact = secs == 0 || (secs % 60 == 0 && (faded / UNIT).fract() == 0.0);
        let lost = if is_exact { 0.0 } else { UNIT + faded * 1e-12 };
        (faded, self.error + lost)
    }

    /// The least and the greatest score that the manager may report.
    fn range(&self, now: Time) -> (u64, u64) {
        let ((faded, error), persistent) = (self.faded(now), u64::from(self.persistent));
        let whole = |score: f64| {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 2^32")]
            let whole = score.clamp(0.0, MOST - 1.0) as u64;
            (whole + persistent).min(u32::MAX.into())
        };
        (whole(faded - error), whole(faded + error))
    }
}

/// Whose score the misbehavior on a connection raises.
#[derive(Clone, Debug)]
struct Culprit {
    host: Option<Host>,
    no_ban: bool,
}

/// What the misbehavior of this step must lead to.
#[derive(Clone, Debug, Default)]
enum Expected {
    #[default]
    Nothing,
    /// A score in this range, of the host, or of the connection where the host can't be banned.
    Judgement { conn: ConnId, host: Option<Host>, range: (u64, u64), spared: bool, live: bool },
}

#[derive(Clone, Debug)]
pub(crate) struct ScoreArithmeticRule {
    hosts: Recent<Host, Score>,
    /// Scores of connections whose host is unknown or can't be banned.
    conns: FxHashMap<ConnId, Score>,
    /// Connections with a host that ended lately.
    ended: VecDeque<(ConnId, Culprit)>,
    expected: Expected,
}

impl Default for ScoreArithmeticRule {
    fn default() -> Self {
        Self { hosts: Recent::new(1), conns: FxHashMap::default(), ended: VecDeque::new(), expected: Expected::Nothing }
    }
}

impl ScoreArithmeticRule {
    fn culprit(&self, seen: RuleContext<'_>, id: ConnId) -> Option<(Culprit, bool)> {
        if let Some(conn) = seen.ledger.conn(id) {
            return Some((Culprit { host: conn.host().cloned(), no_ban: conn.is_spared() }, true));
        }
        let ended = self.ended.iter().find(|(ended, _)| *ended == id);
        ended.map(|(_, culprit)| (culprit.clone(), false))
    }

    fn misbehave(&mut self, seen: RuleContext<'_>, conn: ConnId, penalty: Penalty) -> Expected {
        let Some((Culprit { host, no_ban }, live)) = self.culprit(seen, conn) else { return Expected::Nothing };
        if seen.ledger.phase == RunPhase::Stopped {
            return Expected::Nothing;
        }
        let (host, score) = match host.filter(|host| seen.ledger.is_bannable(host)) {
            Some(host) => {
                let score = self.hosts.touch(&host);
                (Some(host), score)
            }
            None if live => (None, self.conns.entry(conn).or_default()),
            None => return Expected::Nothing,
        };
        score.raise(penalty, seen.now());
        Expected::Judgement { conn, host, range: score.range(seen.now()), spared: no_ban, live }
    }

    /// Compares the first action after a misbehavior, if there was one, with what was expected.
    fn check(&mut self, seen: RuleContext<'_>, first: Option<&Action>) -> RuleResult {
        if matches!(self.expected, Expected::Nothing) {
            return Ok(());
        }
        let Expected::Judgement { conn, host, range, spared, live } = core::mem::take(&mut self.expected) else {
            return Ok(());
        };
        let threshold = u64::from(seen.ledger.config.score.threshold);
        let may_be = |least: u64, most: u64| range.0 <= most && range.1 >= least;
        let fits = match first {
            Some(Action::Emit(Event::ScoreWarning { conn: at, host: whose, score })) => {
                let score = u64::from(*score);
                *at == conn && *whose == host && may_be(score, score) && threshold / 2 < score && score <= threshold
            }
            Some(Action::Emit(Event::Banned { target, .. })) => {
                self.forget(&host);
                !spared && may_be(threshold + 1, u64::MAX) && bans(target, &host)
            }
            Some(Action::Emit(Event::Unbanned { .. })) => {
                // The list is full: another ban ends first, to make room for the one that follows.
                self.forget(&host);
                !spared && host.is_some() && may_be(threshold + 1, u64::MAX)
            }
            Some(Action::Close { conn: id, reason: CloseReason::Misbehaved }) => {
                self.forget(&host);
                (spared || host.is_none()) && *id == conn && may_be(threshold + 1, u64::MAX)
            }
            // There is nothing left to close.
            Some(_) | None if spared && !live && may_be(threshold + 1, u64::MAX) => {
                self.forget(&host);
                true
            }
            Some(_) | None => may_be(0, threshold / 2),
        };
        hold(fits, || {
            let followed = first.map_or("nothing".into(), ToString::to_string);
            let spared = if spared { ", spared bans" } else { "" };
            format!("the score of {host:?} ({conn}{spared}) is {range:?}, of {threshold}, and next came {followed}")
        })
    }

    fn forget(&mut self, host: &Option<Host>) {
        if let Some(host) = host {
            self.hosts.remove(host);
        }
    }

    fn remember(&mut self, seen: RuleContext<'_>, id: ConnId) {
        self.conns.remove(&id);
        let Some(conn) = seen.ledger.conn(id) else { return };
        let Some(host) = conn.host().cloned() else { return };
        if self.ended.len() == REMEMBERED {
            self.ended.pop_front();
        }
        self.ended.push_back((id, Culprit { host: Some(host), no_ban: conn.is_spared() }));
    }
}

fn bans(target: &BanTarget, host: &Option<Host>) -> bool {
    host.as_ref().is_some_and(|host| BanKey::of(target) == BanKey::of(&BanTarget::Host(host.clone())))
}

impl Rule for ScoreArithmeticRule {
    const PROPERTY: Property = Property::ScoreArithmetic;
    const INPUT: Concern = Concern::News;
    const AFTER: Concern = Concern::News;

    fn begin(&mut self, ledger: &Ledger) {
        self.hosts = Recent::new(ledger.config.score.max_hosts);
    }

    fn input(&mut self, seen: RuleContext<'_>, input: &Input, reply: &Reply) -> RuleResult {
        self.expected = match (seen.step.cause, input) {
            (StepCause::Misbehavior(conn, penalty), _) => self.misbehave(seen, conn, penalty),
            (StepCause::Other, Input::ResetScore { host }) if *reply == Reply::Done(Ok(())) => {
                self.hosts.remove(&host.clone().settled(seen.ledger.config.networks));
                Expected::Nothing
            }
            _ => Expected::Nothing,
        };
        Ok(())
    }

    fn action(&mut self, seen: RuleContext<'_>, action: &Action) -> RuleResult {
        if seen.step.actions == 1 {
            self.check(seen, Some(action))?;
        }
        if let Some(conn) = ended(action) {
            self.remember(seen, conn);
        }
        Ok(())
    }

    fn after(&mut self, seen: RuleContext<'_>, _: &ConnManager) -> RuleResult {
        self.check(seen, None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn penalty(persistent: u32, transient: u32) -> Penalty {
        Penalty { persistent, transient }
    }

    #[test]
    fn the_published_examples_come_out() {
        let (mut score, secs) = (Score::default(), Time::from_secs);
        score.raise(penalty(100, 50), secs(10));
        assert_eq!([10, 70, 10 + 7 * 60].map(|at| score.range(secs(at)).1), [150, 125, 100]);
        let mut score = Score::default();
        score.raise(penalty(0, u32::MAX), secs(0));
        assert_eq!([1800, 1801].map(|at| score.range(secs(at))), [(3, 3), (0, 0)]);
    }
}
