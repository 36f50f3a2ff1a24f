//! A Tor client of the private network, started, killed and started again by a test.
//!
//! `.ci/private-tor` has started everything else, and left the network's settings in a directory named by the environment.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::support::soon;

/// The environment variable that names the directory of `.ci/private-tor`.
const DIR: &str = "CONNMGR_PRIVATE_TOR";

/// The address of the onion service, without a port.
pub(crate) fn onion() -> String {
    read("hostname").trim().to_string()
}

fn read(name: &str) -> String {
    let dir = std::env::var_os(DIR).unwrap_or_else(|| panic!("{DIR} is not set: run .ci/interop-onion"));
    std::fs::read_to_string(PathBuf::from(dir).join(name)).expect("`.ci/private-tor` has written it")
}

/// A running client. It is killed when dropped, and ends by itself when this process does.
#[derive(Debug)]
pub(crate) struct Client {
    child: Child,
    socks: SocketAddr,
    dir: TempDir,
}

impl Client {
    /// Starts it on a free port, and waits until it is connected.
    pub(crate) async fn start() -> Self {
        Self::start_in(tempfile::tempdir().expect("a temporary directory"), "127.0.0.1:auto").await
    }

    /// Kills it, as a crash would. Its port is closed then.
    pub(crate) async fn kill(mut self) -> Killed {
        soon("Tor dies", self.child.kill()).await.expect("it was running");
        Killed { socks: self.socks, dir: self.dir }
    }

    /// The address of its SOCKS port.
    pub(crate) const fn socks(&self) -> SocketAddr {
        self.socks
    }

    async fn start_in(dir: TempDir, socks: &str) -> Self {
        let torrc = dir.path().join("torrc");
        std::fs::write(&torrc, read("common") + &settings(dir.path(), socks)).expect("the directory is ours");
        let mut command = Command::new("tor");
        command.arg("-f").arg(&torrc).args(["--defaults-torrc", "/dev/null"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("`.ci/interop-onion` has installed `tor`");
        let mut log = BufReader::new(child.stdout.take().expect("piped")).lines();
        let socks = soon("Tor listens and is connected", opened(&mut log)).await;
        // A full pipe would stop it.
        tokio::spawn(async move { while let Ok(Some(_)) = log.next_line().await {} });
        Self { child, socks, dir }
    }
}

/// The port of a client that was killed.
#[derive(Debug)]
pub(crate) struct Killed {
    socks: SocketAddr,
    dir: TempDir,
}

impl Killed {
    /// Starts it again on the same port.
    pub(crate) async fn restart(self) -> Client {
        Client::start_in(self.dir, &self.socks.to_string()).await
    }
}

/// Waits until it is connected, and returns the address of its SOCKS port.
async fn opened(log: &mut Lines<BufReader<ChildStdout>>) -> SocketAddr {
    let mut socks = None;
    loop {
        let line = log.next_line().await.expect("text").expect("Tor ended early");
        if let Some((_, address)) = line.split_once("Opened Socks listener connection (ready) on ") {
            socks = Some(address.parse().expect("an address"));
        }
        if line.contains("Bootstrapped 100%") {
            return socks.expect("it listens before it connects");
        }
    }
}

fn settings(dir: &Path, socks: &str) -> String {
    format!(
        "DataDirectory {}\n\
         __OwningControllerProcess {}\n\
         SocksPort {socks} ExtendedErrors NoPreferIPv6Automap\n\
         ClientOnly 1\n",
        dir.join("data").display(),
        std::process::id(),
    )
}
