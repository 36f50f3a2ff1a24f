//! Runs the program and keeps the state that its report tells: open connections, and what happened so far.
//!
//! [`Program`](super::program::Program) skips lines until one is found. This keeps the state that all lines together tell,
//! so that a test can wait for it whatever the order of events.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use connmgr_core::{NetworkKind, PeerAddress};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::Runtime;
use super::program::processor_time;

/// Every runtime of the program.
pub const RUNTIMES: [Runtime; 3] = [Runtime::Tokio, Runtime::Mio, Runtime::Smol];

/// Runs a test on every runtime at once.
pub async fn on_every_runtime<F>(story: impl Fn(Runtime) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let mut stories: JoinSet<()> = RUNTIMES.into_iter().map(story).collect();
    while let Some(ended) = stories.join_next().await {
        ended.unwrap_or_else(|panicked| std::panic::resume_unwind(panicked.into_panic()));
    }
}

/// A running program. It is killed when dropped.
#[derive(Debug)]
pub struct Watch {
    name: String,
    runtime: Runtime,
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    trace: PathBuf,
    state: State,
}

/// The state so far.
#[derive(Clone, Debug, Default)]
pub struct State {
    live: BTreeMap<String, Live>,
    down: BTreeSet<String>,
    outages: u32,
    failures: BTreeMap<String, u32>,
    seeds: u32,
}

#[derive(Clone, Debug)]
struct Live {
    is_automatic: bool,
    network: Option<NetworkKind>,
    is_ready: bool,
}

impl Watch {
    /// Starts it on a runtime, with these words on its command line; in another network namespace if one is given. Its
    /// trace stays in the target directory under this name, to find out why a test failed.
    pub fn start(namespace: Option<&str>, runtime: Runtime, name: &str, words: &str) -> Self {
        let trace = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{runtime}.trace"));
        // Of the run before. The program overwrites none.
        let _absent = std::fs::remove_file(&trace);
        let mut command = command_in(namespace, env!("CARGO_BIN_EXE_connmgr-node"));
        command
            .arg("--runtime")
            .arg(runtime.to_string())
            .args(["--json", "--trace"])
            .arg(&trace)
            .args(words.split_whitespace());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("the script that runs this has installed `ip`");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        Self { name: name.to_string(), runtime, child, lines, trace, state: State::default() }
    }

    /// Waits until its state is as wanted. Returns how long that took.
    pub async fn until(&mut self, what: &str, bound: Duration, wanted: impl Fn(&State) -> bool) -> Duration {
        let start = Instant::now();
        let watch = async {
            while !wanted(&self.state) {
                self.take_note().await;
            }
        };
        let found = timeout(bound, watch).await;
        let Self { runtime, trace, state, .. } = self;
        assert!(found.is_ok(), "{runtime}: {what}: not within {bound:?}: {state:?}; its trace: {}", trace.display());
        let took = start.elapsed();
        self.say(&format!("{what} after {took:.1?}"));
        took
    }

    /// Watches for this long.
    pub async fn during(&mut self, while_: Duration) -> &State {
        let watch = async {
            loop {
                self.take_note().await;
            }
        };
        let Err(_elapsed) = timeout(while_, watch).await;
        &self.state
    }

    /// Prints something about it to the test's output.
    pub fn say(&self, text: &str) {
        println!("{} on {}: {text}", self.name, self.runtime);
    }

    /// The state so far.
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// The processor time it has used.
    pub fn processor_time(&self) -> Duration {
        processor_time(self.child.id().expect("it runs"))
    }

    /// Asks it to end, and waits until it has. Returns the path of its trace.
    pub async fn end(mut self) -> PathBuf {
        let pid = i32::try_from(self.child.id().expect("it runs")).expect("small");
        let pid = rustix::process::Pid::from_raw(pid).expect("not zero");
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it runs");
        let rest = async {
            while let Ok(Some(_)) = self.lines.next_line().await {}
            self.child.wait().await
        };
        let status = super::soon("the end", rest).await.expect("it ends");
        assert!(status.success(), "{}: {status}", self.runtime);
        self.trace
    }

    async fn take_note(&mut self) {
        let line = self.lines.next_line().await.expect("it writes text");
        let line = line.unwrap_or_else(|| panic!("{}: it ended early", self.runtime));
        self.state.note(&serde_json::from_str(&line).expect("it writes JSON"));
    }
}

/// A command, in another network namespace if one is given.
fn command_in(namespace: Option<&str>, program: &str) -> Command {
    let Some(namespace) = namespace else { return Command::new(program) };
    let mut command = Command::new("ip");
    command.args(["netns", "exec", namespace, program]);
    command
}

impl State {
    /// Automatic connections whose handshake is done.
    pub fn full(&self) -> usize {
        self.live.values().filter(|live| live.is_automatic && live.is_ready).count()
    }

    /// Connections in a network whose handshake is done.
    pub fn ready_in(&self, network: NetworkKind) -> usize {
        self.live.values().filter(|live| live.network == Some(network) && live.is_ready).count()
    }

    /// Connections.
    pub fn live(&self) -> usize {
        self.live.len()
    }

    /// Whether a network is down.
    pub fn is_down(&self, network: NetworkKind) -> bool {
        self.down.contains(&network.to_string())
    }

    /// How often a network went down.
    pub const fn outages(&self) -> u32 {
        self.outages
    }

    /// How many dials failed for this reason.
    pub fn failures(&self, reason: &str) -> u32 {
        self.failures.get(reason).copied().unwrap_or(0)
    }

    /// How many seeds brought addresses.
    pub const fn seeds(&self) -> u32 {
        self.seeds
    }

    /// Connections whose handshake is done.
    pub fn ready(&self) -> usize {
        self.live.values().filter(|live| live.is_ready).count()
    }

    fn note(&mut self, line: &Value) {
        if let Some((name, data)) = line["event"].as_object().and_then(|event| event.iter().next()) {
            self.note_event(name, data);
        } else if line["text"].as_str().is_some_and(|text| text.starts_with("ready: ")) {
            let live = line["conn"].as_str().and_then(|conn| self.live.get_mut(conn));
            live.into_iter().for_each(|live| live.is_ready = true);
        }
    }

    fn note_event(&mut self, name: &str, data: &Value) {
        let text = |field: &str| data[field].as_str().unwrap_or_default().to_string();
        match name {
            "connected" => {
                let is_automatic = matches!(data["kind"].as_str(), Some("full" | "block_relay"));
                let address = data["address"].as_str().and_then(|address| address.parse::<PeerAddress>().ok());
                let network = address.and_then(|address| address.network());
                self.live.insert(text("conn"), Live { is_automatic, network, is_ready: false });
            }
            "disconnected" => drop(self.live.remove(&text("conn"))),
            "dial_failed" => {
                let reason = data["error"]["failed"].as_str().unwrap_or("aborted");
                *self.failures.entry(reason.to_string()).or_default() += 1;
            }
            "network_down" => {
                self.outages += 1;
                self.down.insert(text("network"));
            }
            "seed_answered" => self.seeds += u32::from(data["added"].as_u64() > Some(0)),
            "network_up" => drop(self.down.remove(&text("network"))),
            _ => {}
        }
    }
}
