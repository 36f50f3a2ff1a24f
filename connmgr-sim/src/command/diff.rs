//! `diff`: two runs side by side.

use anyhow::Result;
use clap::Args;
use connmgr_sim::Verdict;
use connmgr_sim::diff::Side;
use connmgr_sim::figures::Figure;
use connmgr_sim::record::Entry;

use super::run::MAX_SEED;
use super::table::row;
use super::{source, table, usage};

/// Run two worlds, and show what is measured of both and where their first managers part.
#[derive(Debug, Args)]
pub(super) struct Diff {
    /// The one: a scenario that comes with the program, or a file that ends in .toml
    one: String,
    /// The other; none: the same scenario
    other: Option<String>,
    /// The seed of the one
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(..=MAX_SEED))]
    seed: u64,
    /// The seed of the other [default: the same]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(..=MAX_SEED))]
    other_seed: Option<u64>,
}

impl Diff {
    pub(super) fn perform(self) -> Result<Verdict> {
        let other = self.other.as_ref().unwrap_or(&self.one);
        let other_seed = self.other_seed.unwrap_or(self.seed);
        println!(
            "seed {}: connmgr-sim diff {} {other} --seed {} --other-seed {other_seed}",
            self.seed, self.one, self.seed
        );
        let run = |name: &str, seed| -> Result<Side> {
            Side::run(&source::scenario(name)?, seed).map_err(|error| usage(error.to_string()))
        };
        let (one, two) = (run(&self.one, self.seed)?, run(other, other_seed)?);
        print!("{}", figures(&one, &two));
        match one.parts_from(&two) {
            None => println!("their first managers were told and did the same"),
            Some(parting) => {
                println!("their first managers part after {} lines:", parting.common);
                println!("  one:   {}", text(parting.one.as_ref()));
                println!("  other: {}", text(parting.other.as_ref()));
            }
        }
        Ok(Verdict::Kept)
    }
}

fn figures(one: &Side, other: &Side) -> String {
    let mut rows = vec![row!["", "one", "other"]];
    let verdict = |side: &Side| side.outcome.verdict().to_string();
    rows.push(row!["verdict", verdict(one), verdict(other)]);
    rows.push(row!["steps", one.outcome.steps, other.outcome.steps]);
    for figure in Figure::ALL {
        let text = |side: &Side| figure.range_text(side.figures().get(*figure));
        let mark = if text(one) == text(other) { "" } else { "  differs" };
        rows.push(row![figure, text(one), format!("{}{mark}", text(other))]);
    }
    table::plain(&rows)
}

fn text(entry: Option<&Entry>) -> String {
    match entry {
        None => "nothing more".to_owned(),
        Some(Entry::Told { now, input, .. }) => format!("{now} told: {input}"),
        Some(Entry::Did { now, action }) => format!("{now} did: {action}"),
    }
}
