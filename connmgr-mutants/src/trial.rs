//! Tries a mutant: builds it, and runs the layers of tests on it.

use std::io::{Write, stdout};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};

use crate::copy::Copy;
use crate::layer::{Layer, Program};
use crate::mutant::Mutant;
use crate::watched::{self, WatchEnd};

/// The cargo profile of the builds.
const PROFILE: &str = "mutants";

/// A program that takes longer is in an endless loop: even on a busy machine the slowest takes less than a tenth of this.
const LIMIT: Duration = Duration::from_secs(120);

/// Tries mutants.
#[derive(Debug)]
pub(crate) struct Bench {
    copy: Copy,
    target: PathBuf,
    layers: Vec<Layer>,
    all_layers: bool,
}

/// The result of a mutant.
#[derive(Debug)]
pub(crate) struct MutantTrial {
    /// The name of the mutant.
    pub(crate) name: String,
    /// The verdict of each layer that was run, in order.
    pub(crate) verdicts: Vec<(Layer, LayerVerdict)>,
}

/// The verdict of a layer, and how long it took without the build.
#[derive(Debug)]
pub(crate) enum LayerVerdict {
    /// The layer failed; `by` is what failed first.
    Killed { by: String, after: Duration },
    /// The layer did not fail.
    Survived { after: Duration },
}

impl MutantTrial {
    /// Whether any layer failed.
    pub(crate) fn is_killed(&self) -> bool {
        self.first_killer().is_some()
    }

    /// The verdict of a layer, if it was run.
    pub(crate) fn verdict(&self, layer: Layer) -> Option<&LayerVerdict> {
        self.verdicts.iter().find(|(run, _)| *run == layer).map(|(_, verdict)| verdict)
    }

    /// What failed first.
    pub(crate) fn first_killer(&self) -> Option<&str> {
        self.verdicts.iter().find_map(|(_, verdict)| verdict.killer())
    }
}

impl LayerVerdict {
    /// What failed, if the layer did.
    pub(crate) fn killer(&self) -> Option<&str> {
        match self {
            Self::Killed { by, .. } => Some(by),
            Self::Survived { .. } => None,
        }
    }
}

impl Bench {
    /// A bench for a workspace. It writes only to the workspace's `target/mutants`.
    pub(crate) fn new(workspace: PathBuf, layers: Vec<Layer>, all_layers: bool) -> Self {
        let place = workspace.join("target/mutants");
        let copy = Copy::new(workspace, place.join("tree"));
        Self { copy, target: place.join("build"), layers, all_layers }
    }

    /// Runs the layers on an unbroken copy.
    ///
    /// # Errors
    /// One of them fails.
    pub(crate) fn check_unharmed(&self) -> Result<()> {
        self.copy.restore()?;
        writeln!(stdout(), "unharmed")?;
        for layer in &self.layers {
            if let Some(by) = self.run_layer(*layer)?.killer() {
                bail!("{} fails though nothing is broken: {by}", layer.name());
            }
        }
        Ok(())
    }

    /// Breaks the copy, and runs the layers on it.
    ///
    /// # Errors
    /// The patch no longer applies, or the result does not compile.
    pub(crate) fn attempt(&self, mutant: &Mutant) -> Result<MutantTrial> {
        self.copy.restore()?;
        self.copy.apply(&mutant.patch)?;
        writeln!(stdout(), "{}", mutant.name)?;
        let mut verdicts = Vec::new();
        for layer in &self.layers {
            let verdict = self.run_layer(*layer)?;
            let is_over = verdict.killer().is_some() && !self.all_layers;
            verdicts.push((*layer, verdict));
            if is_over {
                break;
            }
        }
        Ok(MutantTrial { name: mutant.name.clone(), verdicts })
    }

    fn run_layer(&self, layer: Layer) -> Result<LayerVerdict> {
        let began = Instant::now();
        let said = self.build(layer)?;
        let built_in = began.elapsed().as_secs_f64();
        let programs = layer.programs(&said, &self.target.join(PROFILE), &self.copy.root)?;
        ensure!(!programs.is_empty(), "cargo built nothing for the layer {}", layer.name());
        let verdict = self.run_programs(layer, &programs)?;
        let (did, after) = match &verdict {
            LayerVerdict::Killed { by, after } => (format!("kills, by {by},"), after.as_secs_f64()),
            LayerVerdict::Survived { after } => ("sees nothing".to_owned(), after.as_secs_f64()),
        };
        writeln!(stdout(), "    {:10} {did} in {after:.2} s (built in {built_in:.0} s)", layer.name())?;
        Ok(verdict)
    }

    /// Builds a layer. Returns cargo's output.
    fn build(&self, layer: Layer) -> Result<String> {
        let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args(layer.build(&self.copy.root)?)
            .args(["--locked", "--color", "never", "--profile", PROFILE, "--target-dir"])
            .arg(&self.target)
            .current_dir(&self.copy.root)
            // Mutants differ in a few lines, so nearly all of the last build can be reused.
            .env("CARGO_INCREMENTAL", "1")
            .output()?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), "the layer {} does not compile:\n{said}", layer.name());
        Ok(said)
    }

    fn run_programs(&self, layer: Layer, programs: &[Program]) -> Result<LayerVerdict> {
        let mut after = Duration::ZERO;
        for program in programs {
            let directory = self.copy.root.join(program.package);
            let complaint = |line: &str| layer.complaint(line);
            let (end, took) = watched::run(
                // Cargo prints relative paths for programs below its working directory.
                &self.copy.root.join(&program.path),
                &program.arguments,
                &directory,
                LIMIT,
                complaint,
            )?;
            after += took;
            if let Some(what) = trouble(end) {
                let by = [program.name.as_str(), &what].into_iter().filter(|part| !part.is_empty());
                return Ok(LayerVerdict::Killed { by: by.collect::<Vec<_>>().join(": "), after });
            }
        }
        Ok(LayerVerdict::Survived { after })
    }
}

fn trouble(end: WatchEnd) -> Option<String> {
    match end {
        WatchEnd::Sign(what) => Some(what),
        WatchEnd::Exit(status, _) if status.success() => None,
        WatchEnd::Exit(status, last) => Some(format!("{status}: {}", last.trim())),
        WatchEnd::TimedOut => Some(format!("spins: no end in {} s", LIMIT.as_secs())),
    }
}
