//! One mutant before the layers: built, run, judged.

use std::io::{Write, stdout};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};

use crate::copy::Copy;
use crate::layer::{Layer, Program};
use crate::mutant::Mutant;
use crate::watched::{self, End};

/// The profile of the workspace that the copies are built in.
const PROFILE: &str = "mutants";

/// What takes longer than this spins: the slowest program takes less than a tenth of it on a machine with other work.
const LIMIT: Duration = Duration::from_secs(120);

/// Where mutants are tried.
#[derive(Debug)]
pub(crate) struct Bench {
    copy: Copy,
    target: PathBuf,
    layers: Vec<Layer>,
    all_layers: bool,
}

/// What came of a mutant.
#[derive(Debug)]
pub(crate) struct Trial {
    /// Whose.
    pub(crate) name: String,
    /// What each layer said that was run, in the order in which they ran.
    pub(crate) verdicts: Vec<(Layer, Verdict)>,
}

/// What a layer said, and how long that took it, building apart.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// It failed, and this part of it first.
    Killed { by: String, after: Duration },
    /// It noticed nothing.
    Survived { after: Duration },
}

impl Trial {
    /// Whether any layer noticed.
    pub(crate) fn is_killed(&self) -> bool {
        self.first_killer().is_some()
    }

    /// What a layer said, if it was run.
    pub(crate) fn verdict(&self, layer: Layer) -> Option<&Verdict> {
        self.verdicts.iter().find(|(judged, _)| *judged == layer).map(|(_, verdict)| verdict)
    }

    /// What failed in the first layer that noticed.
    pub(crate) fn first_killer(&self) -> Option<&str> {
        self.verdicts.iter().find_map(|(_, verdict)| verdict.killer())
    }
}

impl Verdict {
    /// The part of the layer that failed.
    pub(crate) fn killer(&self) -> Option<&str> {
        match self {
            Self::Killed { by, .. } => Some(by),
            Self::Survived { .. } => None,
        }
    }
}

impl Bench {
    /// A bench for a workspace. All that it writes is in the workspace's `target/mutants`.
    pub(crate) fn new(workspace: PathBuf, layers: Vec<Layer>, all_layers: bool) -> Self {
        let place = workspace.join("target/mutants");
        let copy = Copy::new(workspace, place.join("tree"));
        Self { copy, target: place.join("build"), layers, all_layers }
    }

    /// Runs the layers where nothing is broken.
    ///
    /// # Errors
    /// One of them fails even so.
    pub(crate) fn check_unharmed(&self) -> Result<()> {
        self.copy.restore()?;
        writeln!(stdout(), "unharmed")?;
        for layer in &self.layers {
            if let Some(by) = self.judge(*layer)?.killer() {
                bail!("{} fails though nothing is broken: {by}", layer.name());
            }
        }
        Ok(())
    }

    /// Breaks the copy, and runs layers on it.
    ///
    /// # Errors
    /// The patch does not apply any more, or what it makes does not compile.
    pub(crate) fn attempt(&self, mutant: &Mutant) -> Result<Trial> {
        self.copy.restore()?;
        self.copy.apply(&mutant.patch)?;
        writeln!(stdout(), "{}", mutant.name)?;
        let mut verdicts = Vec::new();
        for layer in &self.layers {
            let verdict = self.judge(*layer)?;
            let is_over = verdict.killer().is_some() && !self.all_layers;
            verdicts.push((*layer, verdict));
            if is_over {
                break;
            }
        }
        Ok(Trial { name: mutant.name.clone(), verdicts })
    }

    fn judge(&self, layer: Layer) -> Result<Verdict> {
        let began = Instant::now();
        let said = self.build(layer)?;
        let built_in = began.elapsed().as_secs_f64();
        let programs = layer.programs(&said, &self.target.join(PROFILE), &self.copy.root)?;
        ensure!(!programs.is_empty(), "cargo built nothing for the layer {}", layer.name());
        let verdict = self.run(layer, &programs)?;
        let (did, after) = match &verdict {
            Verdict::Killed { by, after } => (format!("kills, by {by},"), after.as_secs_f64()),
            Verdict::Survived { after } => ("sees nothing".to_owned(), after.as_secs_f64()),
        };
        writeln!(stdout(), "    {:10} {did} in {after:.2} s (built in {built_in:.0} s)", layer.name())?;
        Ok(verdict)
    }

    /// Builds a layer. Returns what cargo said.
    fn build(&self, layer: Layer) -> Result<String> {
        let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args(layer.build(&self.copy.root)?)
            .args(["--locked", "--color", "never", "--profile", PROFILE, "--target-dir"])
            .arg(&self.target)
            .current_dir(&self.copy.root)
            // Mutants differ in a line: what is left of the last build is nearly all of the next.
            .env("CARGO_INCREMENTAL", "1")
            .output()?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), "the layer {} does not compile:\n{said}", layer.name());
        Ok(said)
    }

    fn run(&self, layer: Layer, programs: &[Program]) -> Result<Verdict> {
        let mut after = Duration::ZERO;
        for program in programs {
            let directory = self.copy.root.join(program.package);
            let complaint = |line: &str| layer.complaint(line);
            let (end, took) = watched::run(
                &absolute(&program.path, &self.copy.root),
                &program.arguments,
                &directory,
                LIMIT,
                complaint,
            )?;
            after += took;
            if let Some(what) = trouble(end) {
                let by = [program.name.as_str(), &what].into_iter().filter(|part| !part.is_empty());
                return Ok(Verdict::Killed { by: by.collect::<Vec<_>>().join(": "), after });
            }
        }
        Ok(Verdict::Survived { after })
    }
}

/// Cargo says paths relative to where it was called, if they are below.
fn absolute(path: &Path, root: &Path) -> PathBuf {
    root.join(path)
}

fn trouble(end: End) -> Option<String> {
    match end {
        End::Sign(what) => Some(what),
        End::Exit(status, _) if status.success() => None,
        End::Exit(status, last) => Some(format!("{status}: {}", last.trim())),
        End::TimedOut => Some(format!("spins: no end in {} s", LIMIT.as_secs())),
    }
}
