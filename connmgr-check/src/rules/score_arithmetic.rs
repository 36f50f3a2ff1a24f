//! Scores add up and fade as published: a persistent part, and a transient one that halves every 60 s and is forgotten
//! 1800 s after it was last raised, in whole seconds. Above half the threshold a warning says the score, above it
//! follows a ban; where nobody can be banned, the connection goes.
//!
//! Computed naively in floating point; the manager computes in integers of a 2^32nd point, and a score is compared
//! within what may be lost to rounding, before it is rounded down.

use std::collections::VecDeque;

use connmgr_core::{Action, BanTarget, CloseReason, ConnId, ConnManager, Event, Host, Input, Penalty, Reply, Time};
use rustc_hash::FxHashMap;

use super::{Ledger, Property, Rule, Seen, Verdict, hold};
use crate::ledger::Phase;
use crate::ledger::bans::Key;
use crate::recent::Recent;
use crate::step::Cause;

/// How many ended connections still answer for their host.
const REMEMBERED: usize = 1024;
const HALF_LIFE_SECS: f64 = 60.0;
const LIFETIME_SECS: u64 = 1800;
/// The most a transient part can be.
const MOST: f64 = 4_294_967_296.0;

/// The unit in which the manager keeps a score: what it may lose with each fading.
const UNIT: f64 = 1.0 / 4_294_967_296.0;

/// A score, naively.
#[derive(Clone, Copy, Debug, Default)]
struct Score {
    persistent: u32,
    transient: f64,
    /// By how much the manager's may differ; nothing, as long as all can be said in its units.
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

    /// The transient part, and by how much the manager's may differ.
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

    /// The least and the most it may be said to be.
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

/// Who answers for a connection.
#[derive(Clone, Debug)]
struct Culprit {
    host: Option<Host>,
    no_ban: bool,
}

/// What a misbehaviour must lead to.
#[derive(Clone, Debug)]
enum Expected {
    Nothing,
    /// The score is in this range; if it is so much that a ban follows, then of this host, or of this connection.
    Judgement {
        conn: ConnId,
        host: Option<Host>,
        range: (u64, u64),
        spared: bool,
    },
}

#[derive(Clone, Debug)]
pub(crate) struct ScoreArithmetic {
    hosts: Recent<Host, Score>,
    /// Scores of connections where no host can be held to account.
    conns: FxHashMap<ConnId, Score>,
    /// Connections that ended lately and had a host.
    ended: VecDeque<(ConnId, Culprit)>,
    expected: Expected,
}

impl ScoreArithmetic {
    pub(crate) fn new(ledger: &Ledger) -> Self {
        Self {
            hosts: Recent::new(ledger.config.score.max_hosts),
            conns: FxHashMap::default(),
            ended: VecDeque::new(),
            expected: Expected::Nothing,
        }
    }

    fn culprit(&self, seen: Seen<'_>, id: ConnId) -> Option<(Culprit, bool)> {
        if let Some(conn) = seen.ledger.conn(id) {
            return Some((Culprit { host: conn.host().cloned(), no_ban: conn.permissions.no_ban }, true));
        }
        let ended = self.ended.iter().find(|(ended, _)| *ended == id);
        ended.map(|(_, culprit)| (culprit.clone(), false))
    }

    fn misbehave(&mut self, seen: Seen<'_>, conn: ConnId, penalty: Penalty) -> Expected {
        let Some((Culprit { host, no_ban }, live)) = self.culprit(seen, conn) else { return Expected::Nothing };
        if seen.ledger.phase == Phase::Stopped {
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
        Expected::Judgement { conn, host, range: score.range(seen.now()), spared: no_ban }
    }

    /// The first action after a misbehaviour, or none, against what was expected.
    fn judge(&mut self, seen: Seen<'_>, first: Option<&Action>) -> Verdict {
        let Expected::Judgement { conn, host, range, spared } =
            core::mem::replace(&mut self.expected, Expected::Nothing)
        else {
            return Ok(());
        };
        let threshold = u64::from(seen.ledger.config.score.threshold);
        let may_be = |least: u64, most: u64| range.0 <= most && range.1 >= least;
        let top = if spared { u64::MAX } else { threshold };
        let fits = match first {
            Some(Action::Emit(Event::ScoreWarning { conn: at, host: whose, score })) => {
                let score = u64::from(*score);
                *at == conn && *whose == host && may_be(score, score) && threshold / 2 < score && score <= top
            }
            Some(Action::Emit(Event::Banned { target, .. })) => {
                self.forget(&host);
                !spared && may_be(threshold + 1, u64::MAX) && bans(target, &host)
            }
            Some(Action::Emit(Event::Unbanned { .. })) => {
                // The ban that follows makes room by ending another first.
                self.forget(&host);
                !spared && host.is_some() && may_be(threshold + 1, u64::MAX)
            }
            Some(Action::Close { conn: id, reason: CloseReason::Misbehaved }) => {
                !spared && host.is_none() && *id == conn && may_be(threshold + 1, u64::MAX)
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
        host.iter().for_each(|host| self.hosts.remove(host));
    }

    fn remember(&mut self, seen: Seen<'_>, id: ConnId) {
        self.conns.remove(&id);
        let Some(conn) = seen.ledger.conn(id) else { return };
        let Some(host) = conn.host().cloned() else { return };
        if self.ended.len() == REMEMBERED {
            self.ended.pop_front();
        }
        self.ended.push_back((id, Culprit { host: Some(host), no_ban: conn.permissions.no_ban }));
    }
}

fn bans(target: &BanTarget, host: &Option<Host>) -> bool {
    host.as_ref().is_some_and(|host| Key::of(target) == Key::of(&BanTarget::Host(host.clone())))
}

impl Rule for ScoreArithmetic {
    const PROPERTY: Property = Property::ScoreArithmetic;

    fn input(&mut self, seen: Seen<'_>, input: &Input, reply: &Reply) -> Verdict {
        self.expected = match (seen.step.cause, input) {
            (Cause::Misbehavior(conn, penalty), _) => self.misbehave(seen, conn, penalty),
            (Cause::Other, Input::ResetScore { host }) if *reply == Reply::Done(Ok(())) => {
                self.hosts.remove(host);
                Expected::Nothing
            }
            _ => Expected::Nothing,
        };
        Ok(())
    }

    fn action(&mut self, seen: Seen<'_>, action: &Action) -> Verdict {
        if seen.step.actions == 1 {
            self.judge(seen, Some(action))?;
        }
        if let Action::Emit(Event::Disconnected { conn, .. } | Event::DialFailed { conn, .. }) = action {
            self.remember(seen, *conn);
        }
        Ok(())
    }

    fn after(&mut self, seen: Seen<'_>, _: &ConnManager) -> Verdict {
        self.judge(seen, None)
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
