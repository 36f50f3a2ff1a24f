//! The hosts around the managers, in populations that behave alike.

use connmgr_core::{NetworkKind, Penalty, Services};
use serde::{Deserialize, Serialize};

use super::{Span, TimeSpread};
use crate::types::Share;

/// Hosts that behave alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct HostSpec {
    /// The population's name, used where others refer to it.
    pub name: String,
    /// How many.
    pub count: u32,
    /// The network they live in.
    #[serde(default = "ipv4")]
    pub network: NetworkKind,
    /// Whether they live in private networks (`10.0.0.0/8` or `fd00::/8`), where a group is a /24 or /64. The managers'
    /// ranges then include those. For IPv4 and IPv6 alone.
    #[serde(default)]
    pub private: bool,
    /// How many address groups (IPv4 /16, IPv6 /32) they are spread over; absent: one for each host, at most 2000.
    #[serde(default)]
    pub groups: Option<u32>,
    /// The share of them that answers dials; the others are silent.
    #[serde(default = "all")]
    pub reachable: Share,
    /// What they do with a connection.
    #[serde(default)]
    pub behavior: HostBehavior,
    /// A change of behavior of all of them at one moment.
    #[serde(default)]
    pub turns: Option<HostTurn>,
    /// The share of them without a free slot: they accept and close.
    #[serde(default)]
    pub full: Share,
    /// How long until a dial is answered, good or bad, drawn for each dial; absent: as published for the
    /// network. Silence stays silence.
    #[serde(default)]
    pub answers_in: Option<TimeSpread>,
    /// How long they take to shake hands on an open connection; absent: as published for the network.
    #[serde(default)]
    pub shakes_in: Option<TimeSpread>,
    /// How long until they close a connection they do not want, because they are full or know only the v1 transport;
    /// absent: as published for the network.
    #[serde(default)]
    pub closes_in: Option<TimeSpread>,
    /// The time a ping takes from us to them and back, drawn once a host.
    #[serde(default = "round_trip")]
    pub latency: TimeSpread,
    /// How long they stay, and stay away; absent: they stay.
    #[serde(default)]
    pub churn: Option<Churn>,
    /// How long a good connection to them lasts, churn apart; absent: until somebody closes it.
    #[serde(default)]
    pub session: Option<TimeSpread>,
    /// What they offer, as the number of Bitcoin's service bits; 9 is NETWORK and WITNESS.
    #[serde(default = "useful")]
    pub services: u64,
    /// What they tell of others.
    #[serde(default)]
    pub gossip: Gossip,
    /// How many addresses each peer has: so many hosts in a row are one peer, which tells its identity in the
    /// handshake. Absent: one, and no identity is told.
    #[serde(default)]
    pub addresses: Option<u32>,
    /// They know only the v1 transport: a v2 connection is closed before anything is understood.
    #[serde(default)]
    pub v1_only: bool,
    /// They are adversaries: reports show how many of our connections they hold. It changes nothing in the world.
    #[serde(default)]
    pub adversary: bool,
    /// How many source groups announced them to the managers that know them at the start, each by one of them. Absent: it
    /// is not known who did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sources: Option<u32>,
}

/// What a host does with a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum HostBehavior {
    /// Accepts, shakes hands and stays.
    #[default]
    Accept,
    /// Refuses.
    Refuse,
    /// Answers nothing.
    BlackHole,
    /// A router in front of it reports that it can't be reached.
    Unreachable,
    /// Answers after this time; then it is good.
    Slow(TimeSpread),
    /// Accepts, and closes after this time, before any handshake.
    AcceptThenClose(TimeSpread),
    /// Shakes hands, and closes this long after that.
    ReadyThenClose(TimeSpread),
    /// Accepts, and never sends anything.
    Mute,
    /// Shakes hands after this time.
    SlowHandshake(TimeSpread),
    /// Each dial is good with this chance, and refused otherwise.
    Flaky(Share),
    /// Is good for a while, then misbehaves again and again.
    #[serde(rename_all = "kebab-case")]
    Misbehave {
        /// How long it is good.
        after: TimeSpread,
        /// What each misbehavior costs.
        penalty: Penalty,
    },
    /// Answers only in windows: for this long in each period, all of them at the same moments. A back-off of the
    /// same period would resonate.
    #[serde(rename_all = "kebab-case")]
    Windows {
        /// From the opening of one window to that of the next.
        period: Span,
        /// How long each is open, from the beginning of the period.
        open: Span,
    },
    /// Good, but lacks the required services.
    Useless,
    /// The manager itself, at an address that it does not know as its own.
    Mirror,
}

/// A change of behavior of a whole population at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct HostTurn {
    /// When.
    pub at: Span,
    /// What they do from then on.
    pub into: HostBehavior,
    /// Whether they close what is open at that moment.
    #[serde(default)]
    pub hang_up: bool,
}

/// How hosts come and go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Churn {
    /// How long a host stays.
    pub up: TimeSpread,
    /// How long it stays away.
    pub down: TimeSpread,
    /// The share that leaves for good each day. A new host replaces each, and is gossiped from then on; the
    /// dead are still gossiped too. Only the first hosts can be known at the start, or added.
    #[serde(default)]
    pub leaves: Share,
}

/// What a host tells of others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Gossip {
    /// How many addresses it answers with when asked right after the handshake.
    pub answer: u32,
    /// How many it gossips unasked, each time.
    pub unasked: u32,
    /// How often; absent: never.
    pub every: Option<Span>,
    /// The populations it gossips about; empty: all that may be known.
    pub about: Vec<String>,
    /// The share of its gossip that is addresses where nobody is.
    pub invented: Share,
}

impl Default for Gossip {
    /// 23 % of a book of a hundred, and a handful every ten minutes: 0.02 addresses a second.
    fn default() -> Self {
        Self { answer: 23, unasked: 10, every: Some(Span::minutes(10)), about: Vec::new(), invented: Share::NONE }
    }
}

impl HostSpec {
    /// A population of good hosts.
    pub fn new(name: &str, count: u32) -> Self {
        Self {
            name: name.to_owned(),
            count,
            network: ipv4(),
            private: false,
            groups: None,
            reachable: all(),
            behavior: HostBehavior::default(),
            turns: None,
            full: Share::NONE,
            answers_in: None,
            shakes_in: None,
            closes_in: None,
            latency: round_trip(),
            churn: None,
            session: None,
            services: useful(),
            gossip: Gossip::default(),
            addresses: None,
            v1_only: false,
            adversary: false,
            sources: None,
        }
    }

    /// The services they say they offer: also the v2 transport, where they speak it.
    pub const fn offered(&self) -> Services {
        let transport = if self.v1_only { 0 } else { Services::P2P_V2.bits() };
        Services::from_bits(self.services | transport)
    }

    /// An upper bound on the number of hosts: if any leave for good, each place may get a new one every day.
    pub fn at_most(&self, duration: Span) -> u64 {
        let leaves = self.churn.as_ref().is_some_and(|churn| churn.leaves > Share::NONE);
        let days = if leaves { duration.0.as_secs() / 86_400 + 1 } else { 0 };
        u64::from(self.count) * (1 + days)
    }
}

const fn ipv4() -> NetworkKind {
    NetworkKind::Ipv4
}

const fn all() -> Share {
    Share::ALL
}

const fn useful() -> u64 {
    9
}

/// A fifth within 20 ms, half within 90 ms, all within 600 ms.
fn round_trip() -> TimeSpread {
    TimeSpread::Quantiles([5, 20, 60, 120, 200, 600].map(Span::millis).to_vec())
}
