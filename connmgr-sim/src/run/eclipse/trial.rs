//! One trial: whose book is attacked, and how.

use connmgr_core::BookRule;

use super::core_like;
use super::figures::{EclipseFigures, UNIX};
use super::ours::OurBook;
use crate::attack::{AttackPlan, HonestNode, HonestNodes};

/// Honest nodes in the book, and how many of them were connected to before.
const HONEST: u32 = 2000;
const TRIED: u32 = 1000;

/// Whose book is attacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Defence {
    /// This project's, with all of its rules.
    Ours,
    /// The same without one of them.
    Without(BookRule),
    /// The model of Bitcoin Core's.
    CoreLike,
}

impl Defence {
    /// All, ours first.
    pub fn all() -> Vec<Self> {
        let without = BookRule::ALL.map(Self::Without);
        [Self::Ours].into_iter().chain(without).chain([Self::CoreLike]).collect()
    }

    /// In a word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::CoreLike => "core-like",
            Self::Without(rule) => match rule {
                BookRule::SourceLimit => "without-source-limit",
                BookRule::GroupLimit => "without-group-limit",
                BookRule::TestBeforeEvict => "without-test-before-evict",
                BookRule::TriedShare => "without-tried-share",
                BookRule::GroupShare => "without-group-share",
                BookRule::Incumbents => "without-incumbents",
                _ => "without-another-rule",
            },
        }
    }
}

/// Runs a trial: an attack, then so many lives of a day.
pub(super) fn run(defence: Defence, plan: AttackPlan, seed: u64, lives: u32) -> EclipseFigures {
    let honest: Vec<HonestNode> = HonestNodes::new(seed).first(HONEST, TRIED, UNIX).collect();
    let announcements = plan.announcements(seed, UNIX);
    match defence {
        Defence::Ours => OurBook::new(&honest, None, seed).trial(announcements, seed, lives),
        Defence::Without(rule) => OurBook::new(&honest, Some(rule), seed).trial(announcements, seed, lives),
        Defence::CoreLike => core_like::trial(&honest, announcements, seed, lives),
    }
}
