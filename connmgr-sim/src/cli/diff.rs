//! `diff`: two runs side by side.

use anyhow::Result;
use clap::Args;
use connmgr_sim::run::diff::{Difference, Parting, diff};
use connmgr_sim::types::Figure;
use connmgr_sim::watch::record::RecordEntry;
use connmgr_sim::{RunVerdict, Scenario, Terms};

use super::again::CommandAgain;
use super::source::MAX_SEED;
use super::table::row;
use super::{say, source, table, usage, view};

/// Show two runs side by side, and where they part.
#[derive(Debug, Args)]
pub(super) struct DiffArgs {
    /// A scenario, with a seed if it is not the first: `cold-start` or `cold-start@7`
    left: String,
    /// Another; absent: the same
    right: Option<String>,
    /// Set a field of the right one, by its path in the scenario's TOML: `node.limits.full=4`. May be repeated.
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,
    /// Which manager's story is compared, from 0 on
    #[arg(long, value_name = "N", default_value_t = 0)]
    node: u32,
}

impl DiffArgs {
    pub(super) fn perform(self) -> Result<RunVerdict> {
        let left = of(&self.left)?;
        let mut right = self.right.as_deref().map_or_else(|| Ok(left.clone()), of)?;
        for set in &self.set {
            let (path, value) =
                set.split_once('=').ok_or_else(|| usage(format!("--set {set}: expected PATH=VALUE")))?;
            right.0 = right.0.with_field(path, value).map_err(|error| usage(format!("--set {set}: {error}")))?;
        }
        say!("seeds {} and {}: {}", left.1, right.1, self.again());
        let runs = [(&left.0, left.1), (&right.0, right.1)];
        let difference = diff(runs, Terms::default(), self.node).map_err(|error| usage(error.to_string()))?;
        say::text(&figures(&difference));
        say::text(&first(&difference));
        Ok(RunVerdict::Kept)
    }

    fn again(&self) -> CommandAgain {
        let again = CommandAgain::of("diff").words([&self.left]).words(&self.right);
        again.option("--set", &self.set).option("--node", [self.node])
    }
}

/// A scenario and a seed.
fn of(text: &str) -> Result<(Scenario, u64)> {
    let (name, seed) = text.rsplit_once('@').unwrap_or((text, "1"));
    let seed = seed.parse().ok().filter(|seed| *seed <= MAX_SEED);
    let seed = seed.ok_or_else(|| usage(format!("`{text}`: expected a scenario, and a seed such as in `{name}@7`")))?;
    Ok((source::scenario(name)?, seed))
}

fn figures(difference: &Difference) -> String {
    let [left, right] = &difference.outcomes;
    let mut rows = vec![row!["", "left", "right"]];
    rows.push(row!["verdict", left.verdict(), right.verdict()]);
    rows.push(row!["digest", format!("{:016x}", left.digest), format!("{:016x}", right.digest)]);
    rows.push(row!["steps", left.steps, right.steps]);
    rows.extend(Figure::ALL.iter().map(|figure| {
        let text = |outcome: &connmgr_sim::RunOutcome| figure.range_text(outcome.figures.get(*figure));
        row![figure, text(left), text(right)]
    }));
    table::plain(&rows)
}

fn first(difference: &Difference) -> String {
    let births = if difference.births_differ { "The manager is born with something else.\n" } else { "" };
    let Some(Parting { after, before, next: [left, right] }) = &difference.first else {
        return format!("{births}What it is told and does is the same from beginning to end.\n");
    };
    let mut rows: Vec<Vec<String>> = before.iter().map(|entry| marked("", entry)).collect();
    for (side, entry) in [("left", left), ("right", right)] {
        rows.push(entry.as_ref().map_or_else(|| row![side, "", "", "nothing more"], |entry| marked(side, entry)));
    }
    format!("{births}After {after} lines that are the same, they part:\n{}", table::plain(&rows))
}

fn marked(side: &str, entry: &RecordEntry) -> Vec<String> {
    let mut line = row![side];
    line.extend(view::line(entry));
    line
}
