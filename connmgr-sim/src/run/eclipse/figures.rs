//! What an attacker has of a book: shares of addresses, choices and connections.

use connmgr_core::UnixTime;

use super::fate::SLOTS;
use crate::types::Share;

/// When a trial begins.
pub(super) const UNIX: UnixTime = UnixTime::from_secs(1_767_225_600);

/// What the attacker has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EclipseFigures {
    /// Of the addresses that were never connected to, or of their places in the table.
    pub new: Share,
    /// Of the choices whom to dial.
    pub choices: Share,
    /// Of the outbound connections, five minutes after a restart.
    pub slots_at_start: Share,
    /// Of lives: how many have all outbound connections with him five minutes after a restart.
    pub all_at_start: Share,
    /// Of the outbound connections, a day later.
    pub slots_in_a_day: Share,
    /// Of lives: how many have all outbound connections with him a day later.
    pub all_in_a_day: Share,
}

impl EclipseFigures {
    /// The names of the figures, in the order of [`all`](Self::all).
    pub const NAMES: [&str; 6] = ["new", "choices", "slots-at-start", "all-at-start", "slots-in-a-day", "all-in-a-day"];

    /// Every figure.
    pub const fn all(&self) -> [Share; 6] {
        [self.new, self.choices, self.slots_at_start, self.all_at_start, self.slots_in_a_day, self.all_in_a_day]
    }

    /// The mean of several.
    pub fn mean(of: &[Self]) -> Self {
        let mean = |figure: fn(&Self) -> Share| {
            let sum: u64 = of.iter().map(|figures| u64::from(figure(figures).0)).sum();
            Share(u32::try_from(sum / (of.len() as u64).max(1)).unwrap_or(u32::MAX))
        };
        Self {
            new: mean(|it| it.new),
            choices: mean(|it| it.choices),
            slots_at_start: mean(|it| it.slots_at_start),
            all_at_start: mean(|it| it.all_at_start),
            slots_in_a_day: mean(|it| it.slots_in_a_day),
            all_in_a_day: mean(|it| it.all_in_a_day),
        }
    }
}

/// The attacker's connections and all, five minutes after a restart and a day later.
#[derive(Clone, Copy, Debug)]
pub(super) struct Life {
    pub(super) at_start: Held,
    pub(super) in_a_day: Held,
}

/// Outbound connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) attackers: u32,
    pub(super) all: u32,
}

/// Puts the figures of a trial together.
pub(super) fn figures(new: Share, choices: Share, lives: &[Life]) -> EclipseFigures {
    let slots = |of: fn(&Life) -> Held| {
        share(lives.iter().map(|life| of(life).attackers).sum(), SLOTS * u32::try_from(lives.len()).unwrap_or(u32::MAX))
    };
    let all = |of: fn(&Life) -> Held| {
        let is_eclipsed = |held: Held| held.all > 0 && held.attackers == held.all;
        let eclipsed = lives.iter().filter(|life| is_eclipsed(of(life))).count();
        share(u32::try_from(eclipsed).unwrap_or(u32::MAX), u32::try_from(lives.len()).unwrap_or(u32::MAX))
    };
    EclipseFigures {
        new,
        choices,
        slots_at_start: slots(|life| life.at_start),
        all_at_start: all(|life| life.at_start),
        slots_in_a_day: slots(|life| life.in_a_day),
        all_in_a_day: all(|life| life.in_a_day),
    }
}

/// This part of all, as a share; none of nothing.
pub(super) fn share(part: u32, all: u32) -> Share {
    Share(u32::try_from(u64::from(part) * 1_000_000 / u64::from(all.max(1))).unwrap_or(u32::MAX))
}
