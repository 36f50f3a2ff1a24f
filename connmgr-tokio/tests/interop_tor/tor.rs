//! A real Tor without a network, started and stopped by a test.
//!
//! It knows one directory authority, which is dead, so it never has a circuit. What it can do alone is answer: for
//! mapped names, for addresses that no circuit would help to reach, and, after two seconds, for all the others.
//! Read first: `tor(1)`; Tor's `control-spec`, STREAM events. Where Tor is not installed, or could reach a network, a
//! test fails and says what to do; none is skipped.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::process::Stdio;

use connmgr_core::Proxy;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdout, Command};

use crate::support::within;

/// What it resolves by itself, and to what. The IPv6 address is of a range that counts as public; nothing gets there.
const MAPPED: [(&str, &str); 2] = [("seed.example", "127.0.0.5"), ("seed6.example", "2a00:1450::5")];

/// A running Tor. It is killed when dropped, and ends by itself when this process does.
#[derive(Debug)]
pub(crate) struct Tor {
    child: Child,
    socks: SocketAddr,
    control: SocketAddr,
    dir: TempDir,
}

impl Tor {
    /// Starts it on ports that are free, and waits until it listens.
    pub(crate) async fn start() -> Self {
        assert_no_network();
        Self::start_in(tempfile::tempdir().expect("a temporary directory"), "auto").await
    }

    /// Kills it, as a crash would. Nobody listens on its port now.
    pub(crate) async fn kill(mut self) -> Killed {
        within("Tor dies", self.child.kill()).await.expect("it was running");
        Killed { socks: self.socks, dir: self.dir }
    }

    /// It, as our proxy.
    pub(crate) const fn proxy(&self) -> Proxy {
        Proxy { address: self.socks, isolate: true, resolves: true }
    }

    /// The streams that it will be asked for from now on.
    pub(crate) async fn streams(&self) -> Streams {
        let mut control = TcpStream::connect(self.control).await.expect("Tor has a control port");
        control.write_all(b"AUTHENTICATE\r\nSETEVENTS STREAM\r\n").await.expect("Tor goes on");
        let mut lines = BufReader::new(control).lines();
        for _ in ["AUTHENTICATE", "SETEVENTS"] {
            let answer = within("an answer of Tor", lines.next_line()).await.expect("Tor goes on");
            assert_eq!(answer.as_deref(), Some("250 OK"));
        }
        Streams { lines }
    }

    async fn start_in(dir: TempDir, socks_port: &str) -> Self {
        let torrc = dir.path().join("torrc");
        std::fs::write(&torrc, configuration(dir.path(), socks_port)).expect("the directory is ours");
        let mut command = Command::new("tor");
        command.arg("-f").arg(&torrc).args(["--defaults-torrc", "/dev/null"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("`tor` must be installed (Debian: apt-get install tor)");
        let mut log = BufReader::new(child.stdout.take().expect("piped")).lines();
        let [socks, control] = within("Tor listens", listeners(&mut log)).await;
        // A full pipe would stop it.
        tokio::spawn(async move { while let Ok(Some(_)) = log.next_line().await {} });
        Self { child, socks, control, dir }
    }
}

/// Where a Tor was.
#[derive(Debug)]
pub(crate) struct Killed {
    socks: SocketAddr,
    dir: TempDir,
}

impl Killed {
    /// Starts it again on the same port.
    pub(crate) async fn restart(self) -> Tor {
        Tor::start_in(self.dir, &self.socks.to_string()).await
    }
}

/// What a Tor says of the streams that it is asked for.
#[derive(Debug)]
pub(crate) struct Streams {
    lines: Lines<BufReader<TcpStream>>,
}

impl Streams {
    /// The user that the next stream to this target is asked for by, as Tor understood it.
    pub(crate) async fn user_of(&mut self, target: &str) -> String {
        let next = async {
            loop {
                let line = self.lines.next_line().await.expect("readable").expect("Tor goes on");
                if line.contains(&format!(" {target} ")) {
                    return line;
                }
            }
        };
        let line = within("a stream", next).await;
        let user = line.split(' ').find_map(|word| word.strip_prefix("SOCKS_USERNAME="));
        user.unwrap_or_else(|| panic!("no user: {line}")).to_owned()
    }
}

/// Where it listens: for SOCKS, and for control.
async fn listeners(log: &mut Lines<BufReader<ChildStdout>>) -> [SocketAddr; 2] {
    let (mut socks, mut control, mut said) = (None, None, Vec::new());
    loop {
        if let (Some(socks), Some(control)) = (socks, control) {
            return [socks, control];
        }
        let line = log.next_line().await.expect("text");
        let line = line.unwrap_or_else(|| panic!("Tor ended early:\n{}", said.join("\n")));
        socks = socks.or_else(|| opened(&line, "Socks"));
        control = control.or_else(|| opened(&line, "Control"));
        said.push(line);
    }
}

fn opened(line: &str, kind: &str) -> Option<SocketAddr> {
    let (_, address) = line.split_once(&format!("Opened {kind} listener connection (ready) on "))?;
    Some(address.parse().expect("an address"))
}

/// Tor waits at least 2 s before it gives a stream up.
fn configuration(dir: &Path, socks_port: &str) -> String {
    let maps = MAPPED.map(|(name, address)| format!("MapAddress {name} {address}\n")).concat();
    format!(
        "DataDirectory {}\n\
         Log notice stdout\n\
         __OwningControllerProcess {}\n\
         SocksPort {socks_port} ExtendedErrors NoPreferIPv6Automap\n\
         SocksTimeout 2\n\
         ControlPort auto\n\
         ClientOnly 1\n\
         UseDefaultFallbackDirs 0\n\
         DirAuthority dead orport=1 v3ident={id} 127.0.0.1:1 {id}\n\
         {maps}",
        dir.join("data").display(),
        std::process::id(),
        id = "0000000000000000000000000000000000000001",
    )
}

/// Connecting a datagram socket sends nothing, but it needs a route.
fn assert_no_network() {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).expect("a port");
    let routed = socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).map_err(|error| error.kind());
    assert_eq!(routed, Err(ErrorKind::NetworkUnreachable), "to be run without a network: see .ci/interop-tor");
}
