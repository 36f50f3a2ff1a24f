//! The command line.
//!
//! What comes out is checked and typed; an error names the option and what is allowed. Starts nothing. `--help` is made from the comments on `NodeArguments`.

mod contradictions;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, ValueEnum};
use connmgr_core::{Chain, Config, IsolationMode, PeerAddress, ProxyAddress, Ranges};

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

    /// Where peers may be, apart from those named here: any of public, private, shared (100.64.0.0/10), loopback, and
    /// subnets such as 200::/7, with commas between them. Without public, as on a LAN, there may be many peers in one
    /// network [default: public; on regtest also loopback]
    #[arg(long, value_name = "RANGES", value_parser = parse_ranges)]
    ranges: Option<Ranges>,

    /// Count all addresses of an autonomous system as one group, of which one peer is connected automatically: Bitcoin Core's
    /// asmap, or a text file with lines such as 1.2.0.0/16 AS64500. With --replay, the table of the recorded run
    #[arg(long, value_name = "FILE")]
    asmap: Option<PathBuf>,

    /// Seed of all randomness, instead of the operating system's: 64 hexadecimal digits
    #[arg(long, value_name = "HEX", value_parser = parse_seed)]
    seed_rng: Option<[u8; 32]>,

    /// What the node runs on; it behaves the same on each
    #[arg(long, value_enum, value_name = "RUNTIME", default_value_t)]
    runtime: RuntimeName,

    /// Connect to no one: replay this trace, and report the first difference
    #[arg(long, value_name = "FILE", conflicts_with_all = [
        "chain", "connect", "add", "listen", "outbound", "max_peers", "state_dir", "trace", "run_for", "proxy",
        "isolation", "ranges", "seed_rng",
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
    /// Where peers may be; absent: the default of the chain.
    pub ranges: Option<Ranges>,
    /// The file of the table of autonomous systems; absent: none.
    pub asmap: Option<PathBuf>,
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
        let (connect, add) = (peers("--connect", &self.connect)?, peers("--add", &self.add)?);
        let listen = self.listen.iter().map(|text| parse_listen(text, port)).collect::<Result<Vec<_>, _>>()?;
        refuse_contradictions(&connect, &add, &listen, self.proxy.is_some(), max_peers)?;
        Ok(Options {
            scene,
            connect,
            add,
            listen,
            outbound: self.outbound,
            max_peers: self.max_peers,
            state_dir: self.state_dir,
            trace: self.trace,
            run_for: self.run_for,
            json: self.json,
            proxy: self.proxy,
            isolation: self.isolation.map(IsolationMode::from).unwrap_or_default(),
            ranges: self.ranges,
            asmap: self.asmap,
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

/// Refuses what could never work, so that nobody waits for it.
fn refuse_contradictions(
    connect: &[PeerAddress],
    add: &[PeerAddress],
    listen: &[SocketAddr],
    has_proxy: bool,
    max_peers: u32,
) -> Result<(), clap::Error> {
    let refused = |option: &str, value: &str, why: &str| conflict(&format!("{option} {value} can't work: {why}"));
    for (option, peers) in [("--connect", connect), ("--add", add)] {
        for peer in peers {
            if let Some(why) = contradictions::unreachable(peer, has_proxy) {
                return Err(refused(option, &peer.to_string(), &why));
            }
        }
    }
    for (at, address) in listen.iter().enumerate() {
        if let Some(why) = contradictions::not_listenable(&listen[..=at]) {
            return Err(refused("--listen", &address.to_string(), &why));
        }
    }
    let wanted = connect.len() + add.len();
    if u32::try_from(wanted).is_ok_and(|wanted| wanted <= max_peers) {
        return Ok(());
    }
    let why = format!("{wanted} peers are given by --connect and --add, each of which needs a connection");
    Err(refused("--max-peers", &max_peers.to_string(), &why))
}

fn conflict(text: &str) -> clap::Error {
    NodeArguments::command().error(ErrorKind::ArgumentConflict, text)
}

fn parse_peer(option: &str, text: &str, port: u16) -> Result<PeerAddress, clap::Error> {
    connmgr_std::parse_address(text, port).map_err(|why| {
        let allowed = "an IP address, onion, I2P or CJDNS address, or a host name, with or without ':port'";
        invalid(option, text, &format!("{allowed} ({why})"))
    })
}

/// An address and a port, or either alone. A port alone means all IPv4 addresses.
fn parse_listen(text: &str, port: u16) -> Result<SocketAddr, clap::Error> {
    let port_alone = || text.parse().map(|port| SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)));
    let ip_alone = || text.parse::<IpAddr>().map(|ip| SocketAddr::from((ip, port)));
    let with_zone = |_| connmgr_std::parse_address(text, port).ok().and_then(|at| at.socket_addr()).ok_or(());
    text.parse().or_else(|_| ip_alone()).or_else(|_| port_alone()).or_else(with_zone).map_err(|()| {
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

/// Names of ranges and subnets, with commas between them.
fn parse_ranges(text: &str) -> Result<Ranges, String> {
    let mut ranges = Ranges { public: false, ..Ranges::default() };
    for word in text.split(',') {
        match word.trim() {
            "public" => ranges.public = true,
            "private" => ranges.private = true,
            "shared" => ranges.shared = true,
            "loopback" => ranges.loopback = true,
            subnet => ranges.own.push(subnet.parse().map_err(|_| {
                format!("'{subnet}' is none of public, private, shared, loopback, and no subnet such as 10.1.0.0/16")
            })?),
        }
    }
    Config { ranges: ranges.clone(), ..Config::default() }.check().map_err(|error| error.to_string())?;
    Ok(ranges)
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

    const ONION: &str = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion";

    #[test]
    fn what_works_together_is_not_refused() {
        options(&format!("--connect {ONION} --proxy 127.0.0.1:9050"));
        options("--listen 127.0.0.1:0 --listen 127.0.0.1:0 --listen [::]:5 --listen 5");
        options("--max-peers 2 --connect 1.2.3.4 --add 1.2.3.5");
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
    fn ranges_are_named_or_subnets() {
        let given = options("--ranges public,private,200::/7").ranges.expect("they are given");
        assert!(given.public && given.private && !given.shared && !given.loopback);
        assert_eq!(given.own.iter().map(ToString::to_string).collect::<Vec<_>>(), ["200::/7"]);
        assert!(!options("--ranges shared").ranges.expect("they are given").public);
        for (text, said) in [("lan", "none of public"), ("10.0.0.1/40", "no subnet"), ("", "none of public")] {
            let error = parse_ranges(text).expect_err(text);
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_link_local_address_has_an_interface_by_name_or_number() {
        let given = options("--add [fe80::1%7]:1 --add fe80::1%lo --listen [fe80::1%lo]:2");
        assert_eq!(given.add[0].to_string(), "[fe80::1%7]:1");
        assert!(given.add[1].zone().is_some(), "{}", given.add[1]);
        let std::net::SocketAddr::V6(listen) = given.listen[0] else { panic!("it is IPv6") };
        assert_eq!((listen.scope_id(), listen.port()), (given.add[1].zone().expect("as above"), 2));
        let error = parse("--add fe80::1%nosuch0").expect_err("there is no such interface");
        assert!(error.contains("no interface"), "{error}");
    }

    #[test]
    fn what_is_wrong_with_a_peer_is_said() {
        for (text, said) in [
            ("http://1.2.3.4", "URL"),
            ("2001:db8::1:8333", "brackets"),
            ("10.0.0.0/8", "subnet"),
            ("1.2.3", "four numbers"),
        ] {
            let error = parse(&format!("--connect {text}")).expect_err(text);
            assert!(error.contains(said), "{error}");
        }
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
            ("--connect 1.2.3.4:0", "--connect", "nobody listens on port 0"),
            ("--add a.example:0", "--add", "nobody listens on port 0"),
            (
                &format!("--add {}.b32.i2p", "a".repeat(52)),
                "--add",
                "needs --proxy with the SOCKS5 port of an I2P router",
            ),
            (&format!("--connect {ONION}"), "--connect", "needs --proxy with Tor's SOCKS5 port"),
            ("--listen 5 --listen 5", "--listen", "given twice"),
            ("--listen ::ffff:127.0.0.1", "--listen", "written as one: 127.0.0.1:8333"),
            ("--max-peers 1 --connect 1.2.3.4 --connect 1.2.3.5 --add 1.2.3.6", "--max-peers", "3 peers are given"),
        ] {
            let error = parse(line).expect_err(line);
            assert!(error.contains(named) && error.contains(allowed), "{line}: {error}");
        }
    }
}
