//! Runs the program as a user does.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use super::{Runtime, soon};

/// A running `connmgr-node --json`. It is killed when dropped.
#[derive(Debug)]
pub struct Program {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

/// The end of a run.
#[derive(Debug)]
pub struct Ended {
    /// The exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// The summary.
    pub summary: Value,
    /// Everything it printed after the last line asked for, but the summary.
    pub lines: Vec<Value>,
    /// What it printed on standard error.
    pub errors: String,
}

/// The program with this command line.
pub fn command(runtime: Runtime, words: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_connmgr-node"));
    command
        .arg("--runtime")
        .arg(runtime.to_string())
        .args(words.split_whitespace())
        .kill_on_drop(true)
        .stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The same, with SIGHUP and SIGINT as a terminal has them: the caller of the tests may ignore them, and what is
/// ignored is inherited.
pub fn command_with_signals(runtime: Runtime, words: &str) -> Command {
    let node = command(runtime, words);
    let mut command = Command::new("env");
    command.args(["--default-signal=HUP,INT"]).arg(node.as_std().get_program()).args(node.as_std().get_args());
    command.kill_on_drop(true).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs it to its end. Returns the exit code, standard output and standard error.
pub async fn run(runtime: Runtime, words: &str) -> (Option<i32>, String, String) {
    let output = soon("the end", command(runtime, words).output()).await.expect("it starts");
    let text = |bytes| String::from_utf8(bytes).expect("it writes text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// Sends SIGINT to a process.
#[cfg(unix)]
pub fn interrupt(pid: u32) {
    signal(pid, rustix::process::Signal::INT);
}

/// Sends a signal to a process.
#[cfg(unix)]
pub fn signal(pid: u32, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).expect("small")).expect("not zero");
    rustix::process::kill_process(pid, signal).expect("it runs");
}

impl Program {
    /// Starts it.
    pub fn start(runtime: Runtime, words: &str) -> Self {
        Self::spawn(command(runtime, words))
    }

    /// Starts this command of the program.
    pub fn spawn(mut command: Command) -> Self {
        let mut child = command.arg("--json").spawn().expect("it starts");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        Self { child, lines }
    }

    /// The next line in which something is found; skips others.
    pub async fn hear<T>(&mut self, what: &str, mut wanted: impl FnMut(&Value) -> Option<T>) -> T {
        let listen = async {
            loop {
                let line = self.line().await.unwrap_or_else(|| panic!("{what}: it ended before"));
                if let Some(found) = wanted(&line) {
                    return found;
                }
            }
        };
        soon(what, listen).await
    }

    /// The text of the next line that begins with this.
    pub async fn hear_text(&mut self, beginning: &str) -> String {
        let wanted =
            |line: &Value| line["text"].as_str().filter(|text| text.starts_with(beginning)).map(str::to_string);
        self.hear(beginning, wanted).await
    }

    /// The data of the next event of this name.
    pub async fn hear_event(&mut self, name: &str) -> Value {
        self.hear(name, |line| line["event"].get(name).cloned()).await
    }

    async fn line(&mut self) -> Option<Value> {
        let line = self.lines.next_line().await.expect("it writes text")?;
        Some(serde_json::from_str(&line).expect("it writes JSON"))
    }

    /// Everything it prints within this time.
    pub async fn listen_for(&mut self, while_: Duration) -> Vec<Value> {
        let mut heard = Vec::new();
        let listen = async {
            while let Some(line) = self.line().await {
                heard.push(line);
            }
        };
        // Reading lines may be given up and taken up again.
        let _elapsed = tokio::time::timeout(while_, listen).await;
        heard
    }

    /// Sends SIGINT.
    #[cfg(unix)]
    pub fn interrupt(&self) {
        interrupt(self.pid());
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    /// Waits for its end.
    pub async fn end(mut self) -> Ended {
        let read = async {
            let (mut lines, mut errors) = (Vec::new(), String::new());
            while let Some(line) = self.line().await {
                lines.push(line);
            }
            let mut stderr = self.child.stderr.take().expect("piped");
            stderr.read_to_string(&mut errors).await.expect("it writes text");
            (self.child.wait().await.expect("it ends").code(), lines, errors)
        };
        let (code, mut lines, errors) = soon("the end", read).await;
        let summary = lines.pop().map_or(Value::Null, |last| last["summary"].clone());
        Ended { code, summary, lines, errors }
    }
}

/// Waits until a process has a thread of this name.
#[cfg(target_os = "linux")]
pub async fn has_thread(pid: u32, name: &str) {
    let has_it = || {
        let threads = std::fs::read_dir(format!("/proc/{pid}/task")).expect("it runs");
        let names = threads.map(|thread| std::fs::read_to_string(thread.expect("listed").path().join("comm")));
        names.into_iter().any(|found| found.is_ok_and(|found| found.trim_end() == name))
    };
    soon(name, async {
        while !has_it() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

/// The processor time that a process has used.
#[cfg(target_os = "linux")]
pub fn processor_time(pid: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("it runs");
    // The name in parentheses may have spaces; user and system time are the 12th and 13th field after it.
    let fields: Vec<&str> = stat.rsplit(')').next().expect("a name").split_whitespace().collect();
    let ticks: u64 = fields[11..=12].iter().map(|field| field.parse::<u64>().expect("a number")).sum();
    Duration::from_millis(ticks * 1000 / rustix::param::clock_ticks_per_second())
}

/// Replays a trace, and compares the text of each reply and action with what was recorded.
///
/// Returns the number of actions.
pub fn replay_byte_for_byte(trace: &Path) -> usize {
    use connmgr_core::{ConnManager, Input, Time};

    let text = std::fs::read_to_string(trace).expect("a trace");
    let mut lines = text.lines();
    let reader = connmgr_std::TraceReader::open(trace).expect("a trace");
    let birth = reader.birth().clone();
    let mut manager = ConnManager::new(birth).expect("it was born with this before");
    lines.next().expect("the birth");
    let mut actions = 0;
    for (line, number) in lines.zip(2..) {
        let recorded: Value = serde_json::from_str(line).expect("JSON");
        let again = if recorded.get("action").is_some() {
            actions += 1;
            format!("{{\"action\":{}}}", to_json(&manager.poll_action().expect("as many actions as recorded")))
        } else {
            let now: Time = serde_json::from_value(recorded["now"].clone()).expect("a time");
            let input: Input = serde_json::from_value(recorded["input"].clone()).expect("an input");
            let reply = manager.apply(&input, now);
            format!("{{\"now\":{},\"input\":{},\"reply\":{}}}", to_json(&now), to_json(&input), to_json(&reply))
        };
        assert_eq!(again, line, "line {number}");
    }
    assert_eq!(manager.poll_action(), None, "more actions than recorded");
    actions
}

fn to_json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("plain data")
}
