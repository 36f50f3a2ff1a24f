//! A real `ssh -D`, with a server of its own on loopback: OpenSSH as a SOCKS5 proxy. It takes no credentials, and closes
//! the stream on every command but CONNECT.
//!
//! Read first: `ssh(1)`, `-D`; `channel_decode_socks5` in OpenSSH's `channels.c`. If OpenSSH is not installed, a test
//! fails and says what to do.

use std::ffi::OsStr;
use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use connmgr_core::{IsolationMode, Proxy};
use tempfile::TempDir;

use crate::peers::{PATIENCE, TestPeer};

const INSTALL: &str = "OpenSSH must be installed (Debian: apt-get install openssh-server openssh-client)";

/// A client that forwards, and its server. Both are killed when dropped.
#[derive(Debug)]
pub struct Ssh {
    client: Child,
    server: Child,
    socks: SocketAddr,
    _dir: TempDir,
}

impl Ssh {
    /// Starts both on ports that are free, and waits until the client forwards.
    pub fn start() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let [port, socks] = [TestPeer::nobody(), TestPeer::nobody()];
        for key in ["host", "user"] {
            let made =
                run("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(dir.path().join(key)).status();
            assert!(made.expect(INSTALL).success(), "ssh-keygen makes a key");
        }
        let server = serve(dir.path(), port);
        wait_for(port);
        let client = forward(dir.path(), port, socks);
        wait_for(socks);
        Self { client, server, socks, _dir: dir }
    }

    /// The proxy's configuration, as for one that may be Tor.
    pub fn proxy(&self, isolation: IsolationMode) -> Proxy {
        Proxy::new(self.socks.into()).isolation(isolation).resolves(true)
    }
}

impl Drop for Ssh {
    fn drop(&mut self) {
        for child in [&mut self.client, &mut self.server] {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The server, which lets our own user in by the key.
fn serve(dir: &Path, address: SocketAddr) -> Child {
    // Where it runs as root, it wants this directory.
    let _ = fs::create_dir_all("/run/sshd");
    let (host, user) = (dir.join("host"), dir.join("user.pub"));
    let settings = [
        format!("Port={}", address.port()),
        format!("ListenAddress={}", address.ip()),
        format!("HostKey={}", host.display()),
        format!("AuthorizedKeysFile={}", user.display()),
    ];
    let others = [
        "StrictModes=no",
        "UsePAM=no",
        "PasswordAuthentication=no",
        "PermitRootLogin=prohibit-password",
        "PidFile=none",
    ];
    let settings = settings.iter().map(String::as_str).chain(others);
    let mut command = run("/usr/sbin/sshd");
    command.args(["-D", "-e", "-f", "/dev/null"]);
    command.args(settings.flat_map(|setting| ["-o", setting]));
    command.spawn().expect(INSTALL)
}

fn forward(dir: &Path, server: SocketAddr, socks: SocketAddr) -> Child {
    let mut command = run("ssh");
    command.args(["-N", "-F", "/dev/null", "-D", &socks.to_string(), "-p", &server.port().to_string(), "-i"]);
    command.arg(dir.join("user"));
    let settings =
        ["BatchMode=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "ExitOnForwardFailure=yes"];
    command.args(settings.iter().flat_map(|setting| ["-o", setting]));
    command.arg(server.ip().to_string()).spawn().expect(INSTALL)
}

fn run(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Waits until somebody listens.
fn wait_for(address: SocketAddr) {
    let start = Instant::now();
    while TcpStream::connect(address).is_err() {
        assert!(start.elapsed() < PATIENCE, "OpenSSH does not listen at {address}");
        thread::sleep(Duration::from_millis(20));
    }
}
