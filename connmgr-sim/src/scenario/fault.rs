//! What goes wrong, and when.

use std::time::Duration;

use connmgr_core::{Limits, NetworkKind, PeerAddress};
use serde::{Deserialize, Serialize};

use super::ProxyFault;
use crate::types::{Dice, DrawPurpose, Instant, Share, Span, text_key};

/// How often a recurring fault occurs at most.
const MOST_TIMES: u32 = 10_000;

/// A fault: what goes wrong, when, for how long, and how often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FaultSpec {
    /// What.
    pub fault: FaultKind,
    /// When it first begins.
    pub at: Span,
    /// How long it lasts. Absent: a jump is over at once, a state lasts to the end.
    #[serde(default, rename = "for")]
    pub lasts: Option<Span>,
    /// The time from one beginning to the next. Absent: it occurs once.
    #[serde(default)]
    pub every: Option<Span>,
    /// How often it occurs at most, if it recurs.
    #[serde(default)]
    pub times: Option<u32>,
    /// The share of the managers it affects.
    #[serde(default = "all")]
    pub share: Share,
    /// The chance, for each seed, that it occurs at all.
    #[serde(default = "all")]
    pub chance: Share,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum FaultKind {
    /// The interface is down: dials fail at once (no route), open connections are dead but not closed.
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
    /// The NAT loses its state: every open connection is reset at once.
    NatReset,
    /// Dials fail locally, at once; open connections live on.
    OwnFailures(OwnFailures),
    /// The proxy fails: so do dials through it; open connections live on.
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
    /// The process is out of descriptors: dials and accepts fail.
    OutOfDescriptors,
    /// The result of a dial is reported even if it was aborted.
    LateResults,
    /// The result of each dial is reported twice.
    DoubledResults,
    /// The result of this share of the dials is not reported.
    MissingResults(Share),
    /// This share of the open connections hangs: dead, but not closed.
    HalfHanging(Share),
    /// The operator sets these limits; after `for`, the old ones again.
    Limits(Limits),
    /// The operator deactivates the manager; after `for`, activates it again.
    Inactive,
    /// The operating system says that the network changed.
    NetworkChanged,
    /// The process shuts down in order; it starts again after `for`.
    Restart,
}

impl FaultSpec {
    /// When it begins and ends, for each occurrence before the end of the world.
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
    /// Whether it ends the process.
    pub const fn ends_processes(&self) -> bool {
        matches!(self, Self::Crash | Self::CrashToOldState | Self::Restart)
    }

    /// Whether a process ends without a word, and the next one reads what was saved before.
    pub const fn crashes(&self) -> bool {
        matches!(self, Self::Crash | Self::CrashToOldState)
    }

    /// Whether it is over at once unless `for` says how long it lasts.
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

/// Dials that fail locally, before anything is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct OwnFailures {
    /// Dials into these networks, through a proxy or not.
    pub networks: Vec<NetworkKind>,
    /// What they fail with.
    pub error: OwnError,
    /// Which share of them.
    #[serde(default = "all")]
    pub share: Share,
    /// What the share is taken of.
    #[serde(default)]
    pub of: ShareOf,
}

impl OwnFailures {
    /// Whether dials to an address are among those that fail. It depends on nothing but the address.
    pub(crate) fn strike(&self, seed: u64, address: &PeerAddress) -> bool {
        Dice::new(seed, DrawPurpose::Fault, text_key(&address.to_string())).happens(self.share)
    }
}

/// The error of a dial that fails locally.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OwnError {
    /// No route to the network.
    NetworkUnreachable,
    /// The address family is not spoken here.
    AddressFamilyUnsupported,
    /// Out of descriptors, ports or memory.
    OutOfResources,
    /// The host can't be reached: reported at once, by this machine or the next router.
    HostUnreachable,
    /// Anything else.
    Other,
}

/// What a share is taken of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ShareOf {
    /// Of the dials, drawn for each.
    #[default]
    Dials,
    /// Of the addresses: the same ones in every fault.
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
