//! `replay`: a seed, a saved failure or a recorded trace, again; and what one manager knew and did.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use clap::Args;
use connmgr_core::{ConnId, Time};
use connmgr_sim::run::case::Case;
use connmgr_sim::run::finish;
use connmgr_sim::run::replay::{Replayed, replay};
use connmgr_sim::scenario::Span;
use connmgr_sim::{Failure, Instant, Real, RunOutcome, RunVerdict, Scenario, Terms, World, report, run};
use connmgr_std::{ReplayError, ReplaySummary, TraceReader, read_asn_table, with_causes};

use super::again::CommandAgain;
use super::run::summary;
use super::source::MAX_SEED;
use super::view::{Sight, view};
use super::{say, source, table, usage, write};

/// Run something again, exactly as it was.
#[derive(Debug, Args)]
pub(super) struct ReplayArgs {
    /// A trace, a saved failure, a scenario in a file that ends in .toml, the name of a scenario, or `random:SEED`
    what: String,
    /// For a scenario, where all chances come from
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(..=MAX_SEED))]
    seed: u64,
    /// Stop after this time, such as `90s` or `1h 30m`, and show how the manager stands
    #[arg(long, value_name = "TIME")]
    at: Option<Span>,
    /// Tell the story of one connection, such as `c17`
    #[arg(long, value_name = "CONN", value_parser = parse_conn)]
    explain: Option<ConnId>,
    /// Which manager is shown or explained, from 0 on [default: the one that failed, or the first]
    #[arg(long, value_name = "N")]
    node: Option<u32>,
    /// For a trace of a run with a table of autonomous systems: the file of that table
    #[arg(long, value_name = "FILE")]
    asmap: Option<PathBuf>,
    /// Write a page on it into this file: HTML that needs nothing else
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

fn parse_conn(text: &str) -> Result<ConnId, String> {
    let number = text.strip_prefix('c').unwrap_or(text).parse();
    number.map(ConnId::from_u64).map_err(|_| "expected the id of a connection, such as c17".to_owned())
}

impl ReplayArgs {
    pub(super) fn perform(self) -> Result<RunVerdict> {
        let path = Path::new(&self.what);
        if !path.is_file() || path.extension().is_some_and(|extension| extension == "toml") {
            return self.of_world();
        }
        self.of_trace(path)
    }

    fn of_world(&self) -> Result<RunVerdict> {
        if let Some(case) = case(&self.what)? {
            let (again, scenario) = (self.again(None), &case.scenario);
            say!("seed {}: {again}", case.seed);
            let (verdict, outcome) = self.tell_world(scenario, case.seed, case.terms(), case.failure.node)?;
            if let Some(outcome) = outcome {
                say!("{}", compared(&case, &outcome));
            }
            self.draw_world(scenario, case.seed, case.terms(), &again)?;
            return Ok(verdict);
        }
        let (again, scenario) = (self.again(Some(self.seed)), source::scenario(&self.what)?);
        say!("seed {}: {again}", self.seed);
        let (verdict, _) = self.tell_world(&scenario, self.seed, Terms::default(), 0)?;
        self.draw_world(&scenario, self.seed, Terms::default(), &again)?;
        Ok(verdict)
    }

    /// Runs a world, to its end or up to the time asked for. What came of it is known only at its end.
    fn tell_world(
        &self,
        scenario: &Scenario,
        seed: u64,
        terms: Terms,
        failed: u32,
    ) -> Result<(RunVerdict, Option<RunOutcome>)> {
        let node = self.node.unwrap_or(failed);
        let mut world = terms.recorded(scenario.clone(), seed, node).map_err(|error| usage(error.to_string()))?;
        if node as usize >= world.nodes().len() {
            return Err(usage(format!("there is no manager {node}: there are {}", world.nodes().len())));
        }
        let (mut verdict, mut outcome) = self.go(&mut world);
        // Of many runs the first is shown, and all are judged.
        if let Some(outcome) = outcome.as_mut().filter(|_| terms.rivals) {
            *outcome = run(scenario, seed, terms);
            verdict = outcome.verdict();
        }
        if let Some(outcome) = &outcome {
            say::text(&summary(scenario, outcome));
        }
        self.show(&mut world, node);
        Ok((verdict, outcome))
    }

    fn draw_world(&self, scenario: &Scenario, seed: u64, terms: Terms, again: &CommandAgain) -> Result<()> {
        let Some(path) = &self.report else { return Ok(()) };
        write(path, &report::run(scenario, seed, terms, &again.to_string()).1)
    }

    fn go(&self, world: &mut World<Real>) -> (RunVerdict, Option<RunOutcome>) {
        let Some(at) = self.at else {
            let outcome = finish(world);
            return (outcome.verdict(), Some(outcome));
        };
        let broken = world.run_until(Instant::from_nanos(nanos(at)).next()).err();
        (broken.map_or(RunVerdict::Kept, |broken| Failure::of(&broken).verdict), None)
    }

    /// How the manager stands, if that is asked for, and the story of a connection, if one is named.
    fn show(&self, world: &mut World<Real>, node: u32) {
        let now = world.now();
        let record = world.watch_mut().take_record();
        let place = &world.nodes()[node as usize];
        let at = place.now(now);
        let mut sight = Sight::of(self.explain);
        record.iter().flat_map(|record| &record.entries).for_each(|entry| sight.see(entry));
        if self.at.is_some() {
            match &place.subject {
                Some(real) => say::text(&view(real.manager(), &sight, at)),
                None => say!("the process of manager {node} does not run at {now}"),
            }
        }
        self.explain(sight);
    }

    fn explain(&self, sight: Sight) {
        let Some(conn) = self.explain else { return };
        say!("\n{conn}, as the manager was told (<) and what it did (>)");
        if sight.lines.is_empty() {
            say!("nothing was ever told of it");
        }
        say::text(&table::plain(&sight.lines));
    }

    fn of_trace(&self, path: &Path) -> Result<RunVerdict> {
        let again = self.again(None);
        say!("trace {}: {again}", path.display());
        let mut sight = Sight::of(self.explain);
        let until = self.at.map(|at| Time::from_nanos(nanos(at)));
        let replayed = replay(self.open(path)?, until, &mut sight);
        if let Err(error @ (ReplayError::Trace(_) | ReplayError::Config(_) | ReplayError::NeedsAsnTable(_))) = &replayed
        {
            return Err(usage(format!("{}: {error}", path.display())));
        }
        if let (Ok(replayed), Some(until)) = (&replayed, until) {
            say::text(&view(&replayed.manager, &sight, until));
        }
        self.explain(sight);
        let verdict = conclude(replayed);
        if let Some(out) = &self.report {
            let page = report::trace(&path.display().to_string(), self.open(path)?, &again.to_string());
            write(out, &page.map_err(|error| anyhow!("{}: {error}", path.display()))?)?;
        }
        Ok(verdict)
    }

    fn open(&self, path: &Path) -> Result<TraceReader<std::io::BufReader<fs::File>>> {
        let wrong = |error| usage(format!("{}: {error}", path.display()));
        let mut trace = TraceReader::open(path).map_err(wrong)?;
        if let Some(asmap) = &self.asmap {
            let table = read_asn_table(asmap).map_err(|error| usage(with_causes(&error).to_string()))?;
            trace.supply_asn_table(table).map_err(wrong)?;
        }
        Ok(trace)
    }

    /// The command that gives the same answer; a saved failure and a trace know of no other seed than their own.
    fn again(&self, seed: Option<u64>) -> CommandAgain {
        let again = CommandAgain::of("replay").words([&self.what]).option("--seed", seed).option("--at", self.at);
        again
            .option("--explain", self.explain)
            .option("--node", self.node)
            .option("--asmap", self.asmap.as_ref().map(|path| path.display()))
    }
}

fn nanos(span: Span) -> u64 {
    u64::try_from(span.0.as_nanos()).unwrap_or(u64::MAX)
}

/// A saved failure; none if the file is something else.
///
/// # Errors
/// When it is one that can't be read.
pub(super) fn case(what: &str) -> Result<Option<Case>> {
    let Ok(text) = fs::read_to_string(what) else { return Ok(None) };
    let is_case = text.parse::<toml::Table>().is_ok_and(|table| table.contains_key("failure"));
    let case = is_case.then(|| Case::parse(&text)).transpose();
    case.map_err(|error| usage(format!("{what}: {error}")))
}

fn compared(case: &Case, outcome: &RunOutcome) -> String {
    match outcome.failures.first() {
        None => format!("it does not fail any more: release {} failed with {}", case.release, case.failure),
        Some(failure) if *failure == case.failure => "as it was saved".to_owned(),
        Some(_) => format!("it fails otherwise: release {} failed with {}", case.release, case.failure),
    }
}

fn conclude(replayed: Result<Replayed, ReplayError>) -> RunVerdict {
    let Replayed { summary, broken, .. } = match replayed {
        Ok(replayed) => replayed,
        Err(difference) => {
            say!("it went another way: {difference}");
            return RunVerdict::NonDeterminism;
        }
    };
    let ReplaySummary { inputs, actions, waiting, cut_off, last, .. } = summary;
    say!("{last} run again: {inputs} inputs, {actions} actions, all as recorded");
    if waiting > 0 {
        say!("{waiting} more actions were never taken");
    }
    if cut_off {
        say!("the last line was cut off, and left out");
    }
    let Some(violation) = broken else { return RunVerdict::Kept };
    say!("FAILED {violation}");
    if violation.property.is_liveness() { RunVerdict::Liveness } else { RunVerdict::Safety }
}
