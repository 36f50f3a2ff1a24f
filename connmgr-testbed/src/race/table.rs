//! The table of medians, compared with their limits.

use super::Sample;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RaceRate {
    /// Connections; the text says how their peers are known.
    Opened(&'static str),
    /// Dials that were refused.
    Refused,
}

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Contestant {
    /// The bare loop.
    Bare,
    /// The pool.
    Pool,
}

impl Contestant {
    const BOTH: [Self; 2] = [Self::Bare, Self::Pool];

    /// The one named on the command line.
    pub(super) fn named(word: &str) -> Option<Self> {
        match word {
            "bare" => Some(Self::Bare),
            "pool" => Some(Self::Pool),
            _ => None,
        }
    }
}

/// The samples of both, by turn.
#[derive(Debug)]
pub(super) struct Contest {
    rate: RaceRate,
    bare: Vec<Sample>,
    pool: Vec<Sample>,
}

/// By how many percent the pool may be worse than the bare loop: the aim and the limit.
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
    /// Runs the two by turns, so many times each, after one that is not counted. So many runs of each make one turn.
    /// The order changes with every pair.
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

    /// The median and the extremes over the turns.
    fn bare(&self, figure: impl Fn(&Sample) -> f64) -> MedianRange {
        MedianRange::of(self.bare.iter().map(figure))
    }

    fn pool(&self, figure: impl Fn(&Sample) -> f64) -> MedianRange {
        MedianRange::of(self.pool.iter().map(figure))
    }

    /// The comparison of the two within each turn.
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

/// Prints the README's table. Returns whether nothing is beyond its limit.
pub(super) fn print(opened: [&Contest; 2], refused: &Contest) -> bool {
    println!("| | bare loop | pool | pool against bare, each turn: median (least to most) | aim, limit | |");
    println!("|---|---|---|---|---|---|");
    let opened = opened.map(|contest| [rate_row(contest), cpu_row(contest)] == [true; 2]);
    let refused = [rate_row(refused), refused_row(refused)];
    opened.into_iter().chain(refused).all(|holds| holds)
}

// The rate of refused dials has no limit: no pool should dial that fast.
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
