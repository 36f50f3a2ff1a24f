//! A real Tor without a network, started and stopped by a test.
//!
//! Its only directory authority is dead, so it never has a circuit. It answers for mapped names, for addresses that no
//! circuit could reach, and, after two seconds, for all others. Read first: `tor(1)`; Tor's `control-spec`, STREAM
//! events. If Tor is not installed, or could reach a network, a test fails and says what to do.

use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use connmgr_core::{IsolationMode, Proxy};
use tempfile::TempDir;

use crate::peers::PATIENCE;

/// The names it resolves by itself. The IPv6 address is in a range that counts as public, but is unreachable.
const MAPPED: [(&str, &str); 2] = [("seed.example", "127.0.0.5"), ("seed6.example", "2a00:1450::5")];

/// A Tor process. It is killed when dropped, and ends by itself with this process.
#[derive(Debug)]
pub struct Tor {
    child: Child,
    socks: SocketAddr,
    control: SocketAddr,
    dir: TempDir,
}

impl Tor {
    /// Starts it on ports that are free, and waits until it listens.
    pub fn start() -> Self {
        assert_no_network();
        let dir = tempfile::tempdir().expect("a temporary directory");
        let (child, [socks, control]) = launch(dir.path(), "auto");
        Self { child, socks, control, dir }
    }

    /// Kills it, as a crash would. Its port refuses connections then.
    pub fn kill(&mut self) {
        self.child.kill().expect("it is ours");
        self.child.wait().expect("it is ours");
    }

    /// Starts it again on the same port, after [`Tor::kill`].
    pub fn restart(&mut self) {
        (self.child, [self.socks, self.control]) = launch(self.dir.path(), &self.socks.to_string());
    }

    /// The proxy's configuration. Isolation is preferred, as it is by default: Tor takes credentials where they are offered.
    pub fn proxy(&self) -> Proxy {
        Proxy::new(self.socks.into()).isolation(IsolationMode::Preferred).resolves(true)
    }

    /// The streams that it is asked for from now on.
    pub fn streams(&self) -> Streams {
        let mut control = TcpStream::connect_timeout(&self.control, PATIENCE).expect("Tor has a control port");
        control.set_read_timeout(Some(PATIENCE)).expect("a socket");
        control.write_all(b"AUTHENTICATE\r\nSETEVENTS STREAM\r\n").expect("Tor goes on");
        let mut streams = Streams(BufReader::new(control));
        for _ in ["AUTHENTICATE", "SETEVENTS"] {
            assert_eq!(streams.next_line().trim_end(), "250 OK");
        }
        streams
    }
}

impl Drop for Tor {
    fn drop(&mut self) {
        // It may have been killed before.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Tor's events about streams.
#[derive(Debug)]
pub struct Streams(BufReader<TcpStream>);

impl Streams {
    /// The user that the next stream to this target is asked for by, as Tor understood it.
    pub fn user_of(&mut self, target: &str) -> String {
        loop {
            let line = self.next_line();
            if line.contains(&format!(" {target} ")) {
                let user = line.split(' ').find_map(|word| word.strip_prefix("SOCKS_USERNAME="));
                return user.unwrap_or_else(|| panic!("no user: {line}")).to_owned();
            }
        }
    }

    fn next_line(&mut self) -> String {
        let mut line = String::new();
        assert!(self.0.read_line(&mut line).expect("Tor says something") > 0, "Tor has gone");
        line
    }
}

/// Its process, and its addresses.
fn launch(dir: &Path, socks_port: &str) -> (Child, [SocketAddr; 2]) {
    let torrc = dir.join("torrc");
    std::fs::write(&torrc, configuration(dir, socks_port)).expect("the directory is ours");
    let mut command = Command::new("tor");
    command.arg("-f").arg(&torrc).args(["--defaults-torrc", "/dev/null"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("`tor` must be installed (Debian: apt-get install tor)");
    let log = BufReader::new(child.stdout.take().expect("piped"));
    let (said, heard) = channel();
    // Read to its end, because a full pipe would stop Tor. The receiver is dropped once Tor is up.
    thread::spawn(move || log.lines().map_while(Result::ok).for_each(|line| drop(said.send(line))));
    (child, listeners(&heard))
}

/// Its addresses for SOCKS and for control.
fn listeners(log: &Receiver<String>) -> [SocketAddr; 2] {
    let (mut socks, mut control, mut said) = (None, None, Vec::new());
    loop {
        if let (Some(socks), Some(control)) = (socks, control) {
            return [socks, control];
        }
        let line = log.recv_timeout(PATIENCE);
        let line = line.unwrap_or_else(|error| panic!("Tor does not listen ({error}):\n{}", said.join("\n")));
        socks = socks.or_else(|| opened(&line, "Socks"));
        control = control.or_else(|| opened(&line, "Control"));
        said.push(line);
    }
}

fn opened(line: &str, kind: &str) -> Option<SocketAddr> {
    let (_, address) = line.split_once(&format!("Opened {kind} listener connection (ready) on "))?;
    Some(address.parse().expect("an address"))
}

/// Its configuration. Tor's shortest timeout for a stream is 2 s.
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

/// Fails if there is a route to a network. To connect a datagram socket needs one, and sends nothing.
fn assert_no_network() {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).expect("a port");
    let routed = socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).map_err(|error| error.kind());
    assert_eq!(routed, Err(ErrorKind::NetworkUnreachable), "to be run without a network: see .ci/interop-tor");
}
