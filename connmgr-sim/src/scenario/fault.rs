//! What goes wrong, and when.

use std::time::Duration;

use connmgr_core::{Limits, NetworkKind, PeerAddress};
use serde::{Deserialize, Serialize};

use super::ProxyFault;
use crate::types::{Dice, DrawPurpose, Instant, Share, Span, text_key};

/// Times that a recurring fault comes, unless it says how often.
const MOST_TIMES: u32 = 10_000;

/// Something that goes wrong at a time, for a while, perhaps again and again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FaultSpec {
    /// What.
    pub fault: FaultKind,
    /// When it first begins.
    pub at: Span,
    /// How long it lasts; absent: it is over at once (a jump), or lasts to the end (a state).
    #[serde(default, rename = "for")]
    pub lasts: Option<Span>,
    /// It begins again so long after it began; absent: it comes once.
    #[serde(default)]
    pub every: Option<Span>,
    /// How often in all, if it comes again. At most.
    #[serde(default)]
    pub times: Option<u32>,
    /// The share of the managers it befalls.
    #[serde(default = "all")]
    pub share: Share,
    /// In a swarm, the chance that it is there at all.
    #[serde(default = "all")]
    pub chance: Share,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum FaultKind {
    /// The interface is pulled: dials fail at once (no route), open connections are dead but not closed.
    Interface,
    /// Nothing sent into these networks comes back, nor anything sent before: dials stay silent, open connections are
    /// dead but not closed.
    Silent(Vec<NetworkKind>),
    /// These networks have no route: dials fail at once.
    NoRoute(Vec<NetworkKind>),
    /// Every dial into these networks is reset, and every open connection with it.
    Reset(Vec<NetworkKind>),
    /// This share of the hosts can't be reached, and nothing comes from them.
    Partition(Share),
    /// The address translator forgets us: every open connection is reset at once.
    NatReset,
    /// Dials fail by this machine's own doing, at once; open connections live on.
    OwnFailures(OwnFailures),
    /// The proxy is ill: dials through it fail; open connections live on.
    Proxy(ProxyFault),
    /// No name server answers.
    NamesHang,
    /// Every name server fails.
    NamesFail,
    /// The wall clock steps forward; back again after `for`.
    ClockForward(Span),
    /// The wall clock steps back; forward again after `for`.
    ClockBack(Span),
    /// The machine sleeps for so long.
    Suspend(Monotonic),
    /// The process dies, and starts again after `for` with what was saved last.
    Crash,
    /// The process dies, and starts again after `for` with what was saved before its first crash.
    CrashToOldState,
    /// Dials are out of descriptors, and accepting fails.
    OutOfDescriptors,
    /// What comes of a dial that was given up is reported all the same.
    LateResults,
    /// What comes of each dial is reported twice.
    DoubledResults,
    /// What comes of a dial is not reported.
    MissingResults(Share),
    /// This share of the open connections hangs: dead, but not closed.
    HalfHanging(Share),
    /// The operator sets these limits; after `for`, the old ones again.
    Limits(Limits),
    /// The operator stops everything; after `for`, lets it go on.
    Inactive,
    /// The operating system says that the network changed.
    NetworkChanged,
    /// The operator has the process end in an orderly way; it starts again after `for`.
    Restart,
}

impl FaultSpec {
    /// When it begins and ends, each time that it comes before the end of the world.
    pub(crate) fn times(&self, end: Instant) -> Vec<(Instant, Option<Instant>)> {
        let first = Instant::ZERO.after(self.at.0);
        let ends = |begins: Instant| self.lasts.map(|lasts| begins.after(lasts.0));
        let Some(every) = self.every else { return vec![(first, ends(first))] };
        let step = every.0.max(Duration::from_millis(1));
        let begins = std::iter::successors(Some(first), |begins| Some(begins.after(step)));
        let times = self.times.unwrap_or(MOST_TIMES).min(MOST_TIMES) as usize;
        begins.take(times).take_while(|begins| *begins < end).map(|begins| (begins, ends(begins))).collect()
    }
}

impl FaultKind {
    /// Whether it is over as soon as it has begun, unless it says how long it lasts.
    pub const fn is_jump(&self) -> bool {
        match self {
            Self::NatReset
            | Self::ClockForward(_)
            | Self::ClockBack(_)
            | Self::Crash
            | Self::CrashToOldState
            | Self::HalfHanging(_)
            | Self::NetworkChanged
            | Self::Restart => true,
            Self::Interface
            | Self::Silent(_)
            | Self::NoRoute(_)
            | Self::Reset(_)
            | Self::Partition(_)
            | Self::OwnFailures(_)
            | Self::Proxy(_)
            | Self::NamesHang
            | Self::NamesFail
            | Self::Suspend(_)
            | Self::OutOfDescriptors
            | Self::LateResults
            | Self::DoubledResults
            | Self::MissingResults(_)
            | Self::Limits(_)
            | Self::Inactive => false,
        }
    }
}

/// Dials that fail on this machine, before anything is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct OwnFailures {
    /// Of the dials into these networks, through a proxy or not.
    pub networks: Vec<NetworkKind>,
    /// What they fail with.
    pub error: OwnError,
    /// How many of them.
    #[serde(default = "all")]
    pub share: Share,
    /// A share of what.
    #[serde(default)]
    pub of: ShareOf,
}

impl OwnFailures {
    /// Whether dials to an address are among those that fail. It depends on nothing but the address.
    pub(crate) fn strike(&self, seed: u64, address: &PeerAddress) -> bool {
        Dice::new(seed, DrawPurpose::Fault, text_key(&address.to_string())).happens(self.share)
    }
}

/// What a dial fails with that fails at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OwnError {
    /// No route to the network.
    NetworkUnreachable,
    /// The address family is not spoken here.
    AddressFamilyUnsupported,
    /// Out of descriptors, ports or memory.
    OutOfResources,
    /// The host can't be reached: said at once, by this machine or the router next to it.
    HostUnreachable,
    /// Anything else.
    Other,
}

/// What a share is taken of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ShareOf {
    /// Of the dials, each by its own chance.
    #[default]
    Dials,
    /// Of the addresses: always the same ones, in every fault.
    Addresses,
}

/// What the monotonic clock does while the machine sleeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Monotonic {
    /// It stands still, and the wall clock is found ahead.
    Stops,
    /// It goes on.
    Continues,
}

const fn all() -> Share {
    Share::ALL
}
