//! Medians, and how they are shown and judged.

use super::Sample;

/// What is counted by the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RaceRate {
    /// Connections, to peers known in this way.
    Opened(&'static str),
    /// Dials that were refused.
    Refused,
}

/// Whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Contestant {
    /// The bare loop's.
    Bare,
    /// The pool's.
    Pool,
}

impl Contestant {
    const BOTH: [Self; 2] = [Self::Bare, Self::Pool];

    /// The one that the command line names.
    pub(super) fn named(word: &str) -> Option<Self> {
        match word {
            "bare" => Some(Self::Bare),
            "pool" => Some(Self::Pool),
            _ => None,
        }
    }
}

/// All turns of both.
#[derive(Debug)]
pub(super) struct Contest {
    rate: RaceRate,
    bare: Vec<Sample>,
    pool: Vec<Sample>,
}

/// By how many percent the pool may be worse than the bare loop: what is aimed for, and what is the most.
const PERCENT: RaceLimits = RaceLimits { aim: 5.0, most: 15.0 };

/// How much more CPU a refused dial may cost, in microseconds.
const MICROS: RaceLimits = RaceLimits { aim: 2.0, most: 6.0 };

struct RaceLimits {
    aim: f64,
    most: f64,
}

impl RaceLimits {
    fn verdict(&self, value: f64) -> &'static str {
        if value <= self.aim {
            "met"
        } else if value <= self.most {
            "missed"
        } else {
            "BEYOND THE LIMIT"
        }
    }
}

impl Contest {
    /// Has the two run so many times each, by turns, after a first time that does not count. So many of each make one
    /// turn. Who begins changes with every pair.
    pub(super) fn hold(
        runs: usize,
        per_turn: usize,
        rate: RaceRate,
        mut run: impl FnMut(Contestant) -> Sample,
    ) -> Self {
        for runner in Contestant::BOTH {
            run(runner);
        }
        let (mut bare, mut pool) = (Vec::new(), Vec::new());
        for pair in 0..runs {
            let mut order = Contestant::BOTH;
            order.rotate_left(pair % 2);
            for runner in order {
                match runner {
                    Contestant::Bare => bare.push(run(runner)),
                    Contestant::Pool => pool.push(run(runner)),
                }
            }
        }
        let turns = |samples: Vec<Sample>| samples.chunks(per_turn).map(|turn| turn.iter().copied().sum()).collect();
        Self { rate, bare: turns(bare), pool: turns(pool) }
    }

    /// The median, and the extremes, over the turns.
    fn bare(&self, figure: impl Fn(&Sample) -> f64) -> MedianRange {
        MedianRange::of(self.bare.iter().map(figure))
    }

    fn pool(&self, figure: impl Fn(&Sample) -> f64) -> MedianRange {
        MedianRange::of(self.pool.iter().map(figure))
    }

    /// How each turn's two compare.
    fn pairs(&self, compare: impl Fn(&Sample, &Sample) -> f64) -> MedianRange {
        MedianRange::of(self.bare.iter().zip(&self.pool).map(|(bare, pool)| compare(bare, pool)))
    }
}

#[derive(Clone, Copy, Debug)]
struct MedianRange {
    least: f64,
    median: f64,
    most: f64,
}

impl MedianRange {
    fn of(figures: impl Iterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = figures.collect();
        sorted.sort_by(f64::total_cmp);
        Self { least: sorted[0], median: sorted[sorted.len() / 2], most: sorted[sorted.len() - 1] }
    }
}

/// Prints what the README shows; whether nothing is beyond its limit.
pub(super) fn print(opened: [&Contest; 2], refused: &Contest) -> bool {
    println!("| | bare loop | pool | pool against bare, each turn: median (least to most) | aim, limit | |");
    println!("|---|---|---|---|---|---|");
    let opened = opened.map(|contest| [rate_row(contest), cpu_row(contest)] == [true; 2]);
    let refused = [rate_row(refused), refused_row(refused)];
    opened.into_iter().chain(refused).all(|holds| holds)
}

/// A rate of refusals is shown and not judged: the world refuses faster than anybody should dial.
fn rate_row(contest: &Contest) -> bool {
    let percent = contest.pairs(|bare, pool| 100.0 * (pool.per_second() / bare.per_second() - 1.0));
    let name = match contest.rate {
        RaceRate::Opened(peers) => format!("{peers}: connections a second"),
        RaceRate::Refused => "refused dials a second".into(),
    };
    let bounds = match contest.rate {
        RaceRate::Opened(_) => Some(&PERCENT),
        RaceRate::Refused => None,
    };
    let (bare, pool) = (contest.bare(Sample::per_second), contest.pool(Sample::per_second));
    print!("| {name} | {:.0} | {:.0} | ", bare.median, pool.median);
    print_percent(percent);
    print_verdict(bounds, -percent.median, "−5 %, −15 %")
}

fn cpu_row(contest: &Contest) -> bool {
    let percent = contest.pairs(|bare, pool| 100.0 * (pool.cpu_micros() / bare.cpu_micros() - 1.0));
    let (bare, pool) = (contest.bare(Sample::cpu_micros), contest.pool(Sample::cpu_micros));
    print!("| … CPU of one | {:.1} µs | {:.1} µs | ", bare.median, pool.median);
    print_percent(percent);
    print_verdict(Some(&PERCENT), percent.median, "+5 %, +15 %")
}

fn refused_row(contest: &Contest) -> bool {
    let more = contest.pairs(|bare, pool| pool.cpu_micros() - bare.cpu_micros());
    let (bare, pool) = (contest.bare(Sample::cpu_micros), contest.pool(Sample::cpu_micros));
    print!("| … CPU of one | {:.1} µs | {:.1} µs | ", bare.median, pool.median);
    print!("{:+.1} µs ({:+.1} to {:+.1})", more.median, more.least, more.most);
    print_verdict(Some(&MICROS), more.median, "+2 µs, +6 µs")
}

fn print_percent(MedianRange { least, median, most }: MedianRange) {
    print!("{median:+.1} % ({least:+.1} to {most:+.1})");
}

fn print_verdict(bounds: Option<&RaceLimits>, value: f64, wanted: &str) -> bool {
    let Some(bounds) = bounds else {
        println!(" | | |");
        return true;
    };
    println!(" | {wanted} | {} |", bounds.verdict(value));
    value <= bounds.most
}
