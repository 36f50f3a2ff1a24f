//! Many trials: every defence against attackers of every size.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::figures::EclipseFigures;
use super::trial::{self, Defence};
use crate::attack::AttackPlan;
use crate::types::Share;

/// What grows along a curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Axis {
    /// The groups of nodes that announce his addresses, which are anywhere.
    Sources,
    /// The groups that his addresses are in, announced by very many.
    Groups,
    /// The groups that his addresses are in, announced by one source group.
    OneSource,
}

impl Axis {
    /// All.
    pub const ALL: [Self; 3] = [Self::Sources, Self::Groups, Self::OneSource];

    /// In a word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sources => "sources",
            Self::Groups => "groups",
            Self::OneSource => "groups-of-one-source",
        }
    }

    /// The values along it.
    pub const fn values(self) -> [u32; 7] {
        [1, 4, 16, 64, 256, 1024, 4096]
    }

    /// The attack at a value.
    const fn plan(self, value: u32, addresses: u32) -> AttackPlan {
        match self {
            Self::Sources => AttackPlan::new(addresses).sources(value),
            Self::Groups => AttackPlan::new(addresses).sources(MANY_SOURCES).groups(value),
            Self::OneSource => AttackPlan::new(addresses).groups(value),
        }
    }
}

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
    /// The attacker's addresses, as far as his groups have so many.
    pub addresses: u32,
    /// Whose books are attacked.
    pub defences: Vec<Defence>,
    /// How great the attackers are.
    pub sizes: Vec<(Axis, u32)>,
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
    /// Every defence against attackers of every size with 100 000 addresses.
    pub fn new(seeds: u64, first_seed: u64) -> Self {
        let sizes = Axis::ALL.into_iter().flat_map(|axis| axis.values().map(|value| (axis, value))).collect();
        Self { seeds, first_seed, lives: 20, addresses: 100_000, defences: Defence::all(), sizes }
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
        let all = move |defence: &Defence| {
            let defence = *defence;
            self.sizes.iter().map(move |(axis, value)| (defence, *axis, *value))
        };
        self.defences.iter().flat_map(all)
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
                let one = trial::run(*defence, axis.plan(*value, self.addresses), *seed, self.lives);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> EclipseSweep {
        EclipseSweep {
            lives: 2,
            addresses: 20_000,
            defences: vec![Defence::Ours, Defence::CoreLike],
            sizes: vec![(Axis::Sources, 1), (Axis::Groups, 1)],
            ..EclipseSweep::new(2, 1)
        }
    }

    #[test]
    fn the_number_of_threads_changes_nothing_and_every_point_is_a_line() {
        let sweep = small();
        let points = sweep.run(1, &|| ());
        assert_eq!(points, sweep.run(3, &|| ()));
        let csv = EclipseSweep::csv(&points);
        assert_eq!(csv.lines().count(), 1 + 4, "{csv}");
        assert!(csv.contains("\ngroups,1,core-like,"), "{csv}");
    }

    #[test]
    fn an_attacker_of_one_group_has_one_connection() {
        let points = small().run(2, &|| ());
        let of_one = points.iter().filter(|point| point.axis == Axis::Groups);
        for point in of_one {
            assert!(point.mean.new > Share::percent(50), "{point:?}");
            assert!(point.mean.slots_at_start <= Share::percent(10), "{point:?}");
            assert!(
                point.mean.slots_in_a_day <= Share::percent(10) && point.mean.all_in_a_day == Share::NONE,
                "{point:?}"
            );
        }
    }
}
