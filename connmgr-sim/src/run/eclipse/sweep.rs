//! Many trials: every defence against attackers of every size.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::trial::{self, Defence, EclipseFigures};
use crate::attack::AttackPlan;
use crate::types::Share;

/// What grows along a curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Axis {
    /// The groups of nodes that announce his addresses, which are anywhere.
    Sources,
    /// The groups that his addresses are in, announced by very many.
    Groups,
}

impl Axis {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Sources, Self::Groups];

    /// In a word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sources => "sources",
            Self::Groups => "groups",
        }
    }

    /// The values along it.
    pub const fn values(self) -> [u32; 7] {
        [1, 4, 16, 64, 256, 1024, 4096]
    }

    /// The attack at a value.
    const fn plan(self, value: u32) -> AttackPlan {
        match self {
            Self::Sources => AttackPlan::new(ADDRESSES).sources(value),
            Self::Groups => AttackPlan::new(ADDRESSES).sources(MANY_SOURCES).groups(value),
        }
    }
}

/// The attacker's addresses, as far as his groups have so many.
const ADDRESSES: u32 = 100_000;
/// Source groups of an attacker of few groups: enough to fill the table.
const MANY_SOURCES: u32 = 65_000;

/// Every defence against attackers of every size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EclipseSweep {
    /// Attacks of each size.
    pub seeds: u64,
    /// The first seed.
    pub first_seed: u64,
    /// Lives of a day after each attack.
    pub lives: u32,
    /// Whose books are attacked.
    pub defences: Vec<Defence>,
}

/// What an attacker of one size has of one book, on average over seeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EclipsePoint {
    /// What grows along the curve.
    pub axis: Axis,
    /// How much of it he has.
    pub value: u32,
    /// Whose book.
    pub defence: Defence,
    /// The means.
    pub mean: EclipseFigures,
    /// The same of each seed.
    pub seeds: Vec<EclipseFigures>,
}

impl EclipseSweep {
    /// Every defence.
    pub fn new(seeds: u64, first_seed: u64) -> Self {
        Self { seeds, first_seed, lives: 20, defences: Defence::all() }
    }

    /// How many trials it takes.
    pub fn len(&self) -> usize {
        self.work().len()
    }

    /// Whether there is nothing to try.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn curve(&self) -> impl Iterator<Item = (Defence, Axis, u32)> {
        let sizes = || Axis::ALL.into_iter().flat_map(|axis| axis.values().map(|value| (axis, value)));
        self.defences.iter().flat_map(move |defence| sizes().map(|(axis, value)| (*defence, axis, value)))
    }

    fn work(&self) -> Vec<((Defence, Axis, u32), u64)> {
        let seeds = self.first_seed..self.first_seed.saturating_add(self.seeds);
        self.curve().flat_map(|point| seeds.clone().map(move |seed| (point, seed))).collect()
    }

    /// Makes every trial on `jobs` threads, and calls `done` after each. The result does not depend on their number.
    pub fn run(&self, jobs: usize, done: &(dyn Fn() + Sync)) -> Vec<EclipsePoint> {
        let work = self.work();
        let figures = Mutex::new(vec![EclipseFigures::default(); work.len()]);
        let next = AtomicUsize::new(0);
        let labour = || {
            while let Some((place, ((defence, axis, value), seed))) = take(&next, &work) {
                let one = trial::run(*defence, axis.plan(*value), *seed, self.lives);
                figures.lock().expect("nobody panics while holding it")[place] = one;
                done();
            }
        };
        std::thread::scope(|scope| (0..jobs.max(1)).for_each(|_| drop(scope.spawn(labour))));
        let figures = figures.into_inner().expect("nobody panics while holding it");
        let of_seeds = figures.chunks(usize::try_from(self.seeds.max(1)).unwrap_or(usize::MAX));
        let point = |((defence, axis, value), seeds): ((Defence, Axis, u32), &[EclipseFigures])| EclipsePoint {
            axis,
            value,
            defence,
            mean: EclipseFigures::mean(seeds),
            seeds: seeds.to_vec(),
        };
        self.curve().zip(of_seeds).map(point).collect()
    }

    /// The points as comma-separated values, shares in percent: the means, and the least and the most of the choices.
    pub fn csv(points: &[EclipsePoint]) -> String {
        let mut text = format!("axis,value,book,{},choices-least,choices-most\n", EclipseFigures::NAMES.join(","));
        for point in points {
            let figures = point.mean.all().map(percent).join(",");
            let choices = || point.seeds.iter().map(|figures| figures.choices);
            let (least, most) = (choices().min().unwrap_or_default(), choices().max().unwrap_or_default());
            let EclipsePoint { axis, value, defence, .. } = point;
            let (axis, book) = (axis.name(), defence.name());
            text += &format!("{axis},{value},{book},{figures},{},{}\n", percent(least), percent(most));
        }
        text
    }
}

fn take<'a, T>(next: &AtomicUsize, work: &'a [T]) -> Option<(usize, &'a T)> {
    let place = next.fetch_add(1, Ordering::Relaxed);
    Some((place, work.get(place)?))
}

fn percent(share: Share) -> String {
    format!("{}.{:02}", share.0 / 10_000, share.0 % 10_000 / 100)
}
