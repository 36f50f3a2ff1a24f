//! The command line.
//!
//! What comes out is checked and typed; an error names the option and what is allowed. Starts nothing. `--help` is made from the comments on `NodeArguments`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, ValueEnum};
use connmgr_core::{Chain, IsolationMode, PeerAddress, ProxyAddress};

/// The default of [`Config::bitcoin`](connmgr_core::Config::bitcoin), which the help repeats.
const DEFAULT_MAX_PEERS: u32 = 200;

/// A small Bitcoin node that gets connected and stays connected.
///
/// Without --chain, --connect, --add, --listen or --proxy it starts a world of its own on loopback: 24 peers, good and
/// bad, on regtest. With one of them it joins a real network: mainnet unless --chain says otherwise.
#[derive(Clone, Debug, Parser)]
#[command(name = "connmgr-node", version)]
struct NodeArguments {
    /// The network to join [default: mainnet; without any address or --chain, a world on loopback]
    #[arg(long, value_enum, value_name = "CHAIN")]
    chain: Option<ChainName>,

    /// Connect to this peer and to no others but added ones: no seeds, no gossip. May be repeated. The port may be
    /// left out.
    #[arg(long, value_name = "ADDRESS", conflicts_with = "outbound")]
    connect: Vec<String>,

    /// Keep a connection to this peer, besides the automatic ones. May be repeated. The port may be left out.
    #[arg(long, value_name = "ADDRESS")]
    add: Vec<String>,

    /// Accept connections here: an IP address (:: is IPv6 alone), a port, or both. May be repeated.
    #[arg(long, value_name = "IP:PORT")]
    listen: Vec<String>,

    /// Full outbound connections to keep: 0 (then none of any automatic kind) to --max-peers [default: 8]
    #[arg(long, value_name = "N")]
    outbound: Option<u32>,

    /// Connections in all: 1 to 1000000 [default: 200]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    max_peers: Option<u32>,

    /// Keep known addresses and bans in this directory
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,

    /// Record all inputs and actions of the connection manager in this file. It holds secrets.
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,

    /// Stop after this time: a number and one of ms, s, m, h, such as 20s, 5m, 1h [default: in the world on loopback
    /// 30s, on a real network at Ctrl-C]
    #[arg(long = "for", value_name = "DURATION", value_parser = parse_duration)]
    run_for: Option<Duration>,

    /// Write one JSON object a line instead of text
    #[arg(long)]
    json: bool,

    /// Reach everything through this SOCKS5 proxy (Tor: 127.0.0.1:9050). A name is resolved by this machine.
    #[arg(long, value_name = "HOST:PORT")]
    proxy: Option<ProxyAddress>,

    /// Whether each connection has a circuit of its own, by a user name and password that the proxy must take, may take,
    /// or is not offered [default: preferred]
    #[arg(long, value_enum, value_name = "ISOLATION", requires = "proxy")]
    isolation: Option<IsolationName>,

    /// Seed of all randomness, instead of the operating system's: 64 hexadecimal digits
    #[arg(long, value_name = "HEX", value_parser = parse_seed)]
    seed_rng: Option<[u8; 32]>,

    /// What the node runs on; it behaves the same on each
    #[arg(long, value_enum, value_name = "RUNTIME", default_value_t)]
    runtime: RuntimeName,

    /// Connect to no one: replay this trace, and report the first difference
    #[arg(long, value_name = "FILE", conflicts_with_all = [
        "chain", "connect", "add", "listen", "outbound", "max_peers", "state_dir", "trace", "run_for", "proxy",
        "isolation", "seed_rng",
    ])]
    replay: Option<PathBuf>,
}

/// The names of chains on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ChainName {
    Mainnet,
    Testnet4,
    Signet,
    Regtest,
}

impl From<ChainName> for Chain {
    fn from(name: ChainName) -> Self {
        match name {
            ChainName::Mainnet => Self::Mainnet,
            ChainName::Testnet4 => Self::Testnet4,
            ChainName::Signet => Self::Signet,
            ChainName::Regtest => Self::Regtest,
        }
    }
}

/// The names of isolation modes on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum IsolationName {
    /// A proxy that takes no user name and password, such as ssh -D, is not used.
    Required,
    /// Where the proxy takes none, connections may share circuits; a line says so.
    Preferred,
    /// No user name and password is sent.
    Off,
}

impl From<IsolationName> for IsolationMode {
    fn from(name: IsolationName) -> Self {
        match name {
            IsolationName::Required => Self::Required,
            IsolationName::Preferred => Self::Preferred,
            IsolationName::Off => Self::Off,
        }
    }
}

/// The names of runtimes on the command line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum RuntimeName {
    /// connmgr-tokio.
    #[default]
    Tokio,
    /// connmgr-mio, in a poll loop.
    Mio,
    /// connmgr-smol.
    Smol,
}

/// The checked options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The network to join.
    pub scene: Scene,
    /// If any: connect to these peers and no others.
    pub connect: Vec<PeerAddress>,
    /// Peers to keep besides the automatic ones.
    pub add: Vec<PeerAddress>,
    /// Where to listen.
    pub listen: Vec<SocketAddr>,
    /// Full outbound connections; absent: the default of the configuration.
    pub outbound: Option<u32>,
    /// Connections in all; absent: the default of the configuration.
    pub max_peers: Option<u32>,
    /// Where state is kept; absent: not at all.
    pub state_dir: Option<PathBuf>,
    /// Where the trace is written; absent: not at all.
    pub trace: Option<PathBuf>,
    /// How long to run; absent: until stopped.
    pub run_for: Option<Duration>,
    /// Whether to write JSON lines.
    pub json: bool,
    /// The proxy for everything.
    pub proxy: Option<ProxyAddress>,
    /// Whether each connection through it has a circuit of its own.
    pub isolation: IsolationMode,
    /// The seed of all randomness; absent: from the operating system.
    pub seed_rng: Option<[u8; 32]>,
    /// The runtime.
    pub runtime: RuntimeName,
    /// The trace to replay, instead of connecting.
    pub replay: Option<PathBuf>,
}

/// The network to join.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scene {
    /// The world on loopback, on regtest.
    World,
    /// The network of a real chain.
    Network(Chain),
}

impl Scene {
    /// The chain of this network.
    pub const fn chain(self) -> Chain {
        match self {
            Self::World => Chain::Regtest,
            Self::Network(chain) => chain,
        }
    }
}

impl Options {
    /// Reads the command line of this process. On an error, or when help is asked for, prints and ends the process.
    pub fn parse() -> Self {
        Self::try_parse(std::env::args_os()).unwrap_or_else(|error| error.exit())
    }

    /// Reads a command line, whose first word is the program's name.
    ///
    /// # Errors
    /// Says which option is wrong and what is allowed, or carries the help that was asked for.
    pub fn try_parse<I, T>(words: I) -> Result<Self, clap::Error>
    where
        I: IntoIterator<Item = T>,
        T: Into<std::ffi::OsString> + Clone,
    {
        NodeArguments::try_parse_from(words)?.check()
    }
}

impl NodeArguments {
    fn check(self) -> Result<Options, clap::Error> {
        let scene = self.scene();
        let port = scene.chain().default_port();
        let peers = |option: &str, texts: &[String]| -> Result<Vec<_>, clap::Error> {
            texts.iter().map(|text| parse_peer(option, text, port)).collect()
        };
        let max_peers = self.max_peers.unwrap_or(DEFAULT_MAX_PEERS);
        if let Some(outbound) = self.outbound.filter(|outbound| *outbound > max_peers) {
            return Err(invalid("--outbound", &outbound.to_string(), &format!("at most --max-peers, {max_peers}")));
        }
        Ok(Options {
            scene,
            connect: peers("--connect", &self.connect)?,
            add: peers("--add", &self.add)?,
            listen: self.listen.iter().map(|text| parse_listen(text, port)).collect::<Result<_, _>>()?,
            outbound: self.outbound,
            max_peers: self.max_peers,
            state_dir: self.state_dir,
            trace: self.trace,
            run_for: self.run_for,
            json: self.json,
            proxy: self.proxy,
            isolation: self.isolation.map(IsolationMode::from).unwrap_or_default(),
            seed_rng: self.seed_rng,
            runtime: self.runtime,
            replay: self.replay,
        })
    }

    fn scene(&self) -> Scene {
        let names_someone = !(self.connect.is_empty() && self.add.is_empty() && self.listen.is_empty());
        match self.chain {
            Some(chain) => Scene::Network(chain.into()),
            None if names_someone || self.proxy.is_some() => Scene::Network(Chain::Mainnet),
            None => Scene::World,
        }
    }
}

fn invalid(option: &str, value: &str, allowed: &str) -> clap::Error {
    NodeArguments::command()
        .error(ErrorKind::ValueValidation, format!("invalid value '{value}' for '{option}': expected {allowed}"))
}

fn parse_peer(option: &str, text: &str, port: u16) -> Result<PeerAddress, clap::Error> {
    PeerAddress::parse(text, port).map_err(|why| {
        let allowed = "an IP address, onion, I2P or CJDNS address, or a host name, with or without ':port'";
        invalid(option, text, &format!("{allowed} ({why})"))
    })
}

/// An address and a port, or either alone. A port alone means all IPv4 addresses.
fn parse_listen(text: &str, port: u16) -> Result<SocketAddr, clap::Error> {
    let port_alone = || text.parse().map(|port| SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)));
    let ip_alone = || text.parse::<IpAddr>().map(|ip| SocketAddr::from((ip, port)));
    text.parse().or_else(|_| ip_alone()).or_else(|_| port_alone()).map_err(|_| {
        invalid(
            "--listen",
            text,
            "an IP address, a port from 0 to 65535, or both as 1.2.3.4:8333 or [2001:db8::1]:8333",
        )
    })
}

/// A whole number and its unit.
fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || "expected a whole number and one of ms, s, m, h, such as 20s, 5m, 1h".to_string();
    let digits = text.find(|letter: char| !letter.is_ascii_digit()).ok_or_else(wrong)?;
    let number: u64 = text[..digits].parse().map_err(|_| wrong())?;
    let millis = match &text[digits..] {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(wrong()),
    };
    number.checked_mul(millis).map(Duration::from_millis).ok_or_else(wrong)
}

fn parse_seed(text: &str) -> Result<[u8; 32], String> {
    let wrong = || "expected 64 hexadecimal digits".to_string();
    let digits = text.as_bytes();
    if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return Err(wrong());
    }
    let mut seed = [0; 32];
    for (byte, pair) in seed.iter_mut().zip(0..) {
        *byte = u8::from_str_radix(&text[2 * pair..2 * pair + 2], 16).map_err(|_| wrong())?;
    }
    Ok(seed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, String> {
        let words = std::iter::once("connmgr-node").chain(line.split_whitespace());
        Options::try_parse(words).map_err(|error| error.to_string())
    }

    fn options(line: &str) -> Options {
        parse(line).expect(line)
    }

    #[test]
    fn the_definition_holds_together() {
        NodeArguments::command().debug_assert();
    }

    #[test]
    fn the_help_tells_the_defaults_of_the_configuration() {
        let limits = connmgr_core::Config::bitcoin(Chain::Mainnet).limits;
        assert_eq!((limits.full, limits.total), (8, DEFAULT_MAX_PEERS));
    }

    #[test]
    fn without_arguments_there_is_a_world() {
        assert_eq!(options("").scene, Scene::World);
        assert_eq!(options("--for 20s --json --outbound 4 --state-dir /tmp/x").scene, Scene::World);
    }

    #[test]
    fn a_named_peer_means_mainnet() {
        let given = options("--connect 1.2.3.4");
        assert_eq!(given.scene, Scene::Network(Chain::Mainnet));
        assert_eq!(given.connect[0].to_string(), "1.2.3.4:8333");
        assert_eq!(options("--proxy 127.0.0.1:9050").scene, Scene::Network(Chain::Mainnet));
    }

    #[test]
    fn the_port_left_out_is_the_one_of_the_chain() {
        let given = options("--chain signet --add node.example --add [2001:db8::1]:1 --listen 127.0.0.1 --listen 7");
        assert_eq!(given.add[0].to_string(), "node.example:38333");
        assert_eq!(given.add[1].to_string(), "[2001:db8::1]:1");
        assert_eq!(given.listen[0].to_string(), "127.0.0.1:38333");
        assert_eq!(given.listen[1].to_string(), "0.0.0.0:7");
    }

    #[test]
    fn durations_have_units() {
        for (text, millis) in [("500ms", 500), ("20s", 20_000), ("5m", 300_000), ("1h", 3_600_000), ("0s", 0)] {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for wrong in
            ["", "20", "s", "1.5s", "-1s", "20 s", "1d", "99999999999999999999s", "18446744073709551615h", "1ß"]
        {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_proxy_has_a_name_or_an_address_and_isolation_is_preferred() {
        for (line, proxy, isolation) in [
            ("--proxy tor:9050", "tor:9050", IsolationMode::Preferred),
            ("--proxy [::1]:9050 --isolation required", "[::1]:9050", IsolationMode::Required),
            ("--proxy 127.0.0.1:1080 --isolation off", "127.0.0.1:1080", IsolationMode::Off),
        ] {
            let given = options(line);
            assert_eq!(given.proxy.expect("given").to_string(), proxy);
            assert_eq!(given.isolation, isolation, "{line}");
        }
    }

    #[test]
    fn the_runtime_is_tokio_unless_another_is_named() {
        assert_eq!(options("").runtime, RuntimeName::Tokio);
        assert_eq!(options("--runtime mio").runtime, RuntimeName::Mio);
        assert_eq!(options("--runtime smol").runtime, RuntimeName::Smol);
    }

    #[test]
    fn a_seed_is_64_hexadecimal_digits() {
        let seed = options(&format!("--seed-rng {}ff", "0".repeat(62))).seed_rng.expect("given");
        assert_eq!((seed[0], seed[31]), (0, 255));
    }

    #[test]
    fn an_error_names_the_option_and_what_is_allowed() {
        for (line, named, allowed) in [
            ("--chain moon", "--chain", "[possible values: mainnet, testnet4, signet, regtest]"),
            ("--connect a/b", "--connect", "an IP address, onion, I2P or CJDNS address, or a host name"),
            ("--add 1.2.3.4:x", "--add", "from 0 to 65535"),
            ("--listen nowhere:1", "--listen", "an IP address, a port from 0 to 65535, or both"),
            ("--outbound many", "--outbound", "invalid digit"),
            ("--outbound 9 --max-peers 8", "--outbound", "at most --max-peers, 8"),
            ("--outbound 201", "--outbound", "at most --max-peers, 200"),
            ("--replay t --connect 1.2.3.4", "--replay", "cannot be used with '--connect"),
            ("--max-peers 0", "--max-peers", "1..=1000000"),
            ("--runtime glommio", "--runtime", "[possible values: tokio, mio, smol]"),
            ("--for soon", "--for", "one of ms, s, m, h"),
            ("--seed-rng 12", "--seed-rng", "64 hexadecimal digits"),
            ("--proxy localhost", "--proxy", "no port: expected host:port"),
            ("--proxy localhost:0", "--proxy", "nothing listens on port 0"),
            ("--proxy 127.0.0.1:0", "--proxy", "nothing listens on port 0"),
            ("--proxy socks5h://tor:9050", "--proxy", "the host and the port alone"),
            ("--proxy cjdns:[fc00::1]:9050", "--proxy", "an IP address or a host name"),
            ("--proxy tor:9050 --isolation some", "--isolation", "[possible values: required, preferred, off]"),
            ("--isolation off", "--proxy", "required"),
            ("--replay t --proxy tor:9050", "--replay", "cannot be used with '--proxy"),
            ("--connect 1.2.3.4 --outbound 3", "--connect", "cannot be used with '--outbound"),
        ] {
            let error = parse(line).expect_err(line);
            assert!(error.contains(named) && error.contains(allowed), "{line}: {error}");
        }
    }
}
