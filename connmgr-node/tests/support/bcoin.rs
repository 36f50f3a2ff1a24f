//! A real bcoin node, started and stopped by a test.
//!
//! bcoin is looked for in `CONNMGR_BCOIN_DIR`, else beside its launcher in `tests/bcoin`. If it is not installed, a test
//! fails and says what to do.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use connmgr_testbed::peers::free_port;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::soon;

/// How to start it.
#[derive(Clone, Copy, Debug, Default)]
pub struct BcoinOptions {
    /// Where it listens; absent: on a free port.
    pub port: Option<u16>,
    /// Its inbound limit; absent: 8.
    pub max_inbound: Option<u32>,
    /// The addresses it dials.
    pub only: Option<SocketAddr>,
    /// How many blocks it mines at the start.
    pub blocks: u32,
}

/// A running bcoin. It is killed when dropped, and ends by itself when this process does.
#[derive(Debug)]
pub struct Bcoin {
    child: Child,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    port: u16,
}

/// Its status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// Inbound connections.
    pub inbound: u64,
    /// Outbound connections.
    pub outbound: u64,
    /// All connections it ever accepted, including those closed at once because it was full.
    pub accepted: u64,
    /// The height of its chain.
    pub height: u64,
}

impl Bcoin {
    /// Starts it and waits until it listens.
    pub async fn start(options: &BcoinOptions) -> Self {
        let launcher = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bcoin/launcher.js");
        let port = options.port.unwrap_or_else(free_port);
        let mut command = Command::new("node");
        command.arg(launcher).arg(format!("port={port}")).arg(format!("blocks={}", options.blocks));
        command.args(options.max_inbound.map(|max| format!("maxInbound={max}")));
        command.args(options.only.map(|address| format!("only={address}")));
        command.current_dir(installed()).env("NODE_BACKEND", "js").kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("`node` (Node.js) must be installed to run bcoin");
        let stdin = child.stdin.take().expect("piped");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut bcoin = Self { child, stdin, lines, port };
        bcoin.line("ready").await;
        bcoin
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    /// Asks for its status.
    pub async fn status(&mut self) -> Status {
        self.ask("status").await
    }

    /// Makes it mine blocks.
    pub async fn mine(&mut self, count: u32) -> Status {
        self.ask(&format!("mine {count}")).await
    }

    /// Kills it, as a crash would. Its port is free then.
    pub async fn kill(mut self) {
        self.child.kill().await.expect("running");
    }

    async fn ask(&mut self, question: &str) -> Status {
        self.stdin.write_all(format!("{question}\n").as_bytes()).await.expect("bcoin runs");
        let answer = self.line("status").await;
        let number = |name: &str| answer[name].as_u64().expect("a number");
        Status {
            inbound: number("inbound"),
            outbound: number("outbound"),
            accepted: number("accepted"),
            height: number("height"),
        }
    }

    /// The rest of the next line that begins with this word; skips other lines.
    async fn line(&mut self, word: &str) -> Value {
        let read = async {
            loop {
                let line = self.lines.next_line().await.expect("readable").expect("bcoin ended early");
                if let Some(rest) = line.strip_prefix(word) {
                    return serde_json::from_str(rest).expect("the launcher writes JSON");
                }
            }
        };
        soon("an answer of bcoin", read).await
    }
}

/// The directory whose `node_modules` have bcoin.
fn installed() -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bcoin");
    let dir = std::env::var_os("CONNMGR_BCOIN_DIR").map_or_else(beside, PathBuf::from);
    assert!(
        dir.join("node_modules/bcoin").is_dir(),
        "bcoin is not installed in {}: copy connmgr-node/tests/bcoin/package.json there, run `npm install \
         --ignore-scripts --no-audit --no-fund`, and set CONNMGR_BCOIN_DIR to it",
        dir.display()
    );
    dir
}
