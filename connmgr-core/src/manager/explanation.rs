//! The answer of [`ConnManager::explain`](super::ConnManager::explain), as data and in plain sentences.

use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use crate::book::AddressView;
use crate::types::{ConnId, ConnView, DialRule, Hindrance, Kind, PeerAddress, PeerView, Time, UnixTime};

/// What the manager knows of an address, and whether and why it is not dialed now.
///
/// `Display` says it in plain sentences.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explanation {
    /// The address, as the networks in use name it.
    pub address: PeerAddress,
    /// The time for which this holds.
    pub at: Time,
    /// What the book knows of it (services, when last seen, dialed and ready, failures); `None` if it is not in the book.
    pub known: Option<AddressView>,
    /// The connections and dials that have it, by id.
    pub connections: Vec<ConnView>,
    /// The connection to the same peer by another address, if it lives.
    pub connected_elsewhere: Option<ConnId>,
    /// The added peer that has it.
    pub peer: Option<PeerView>,
    /// The score of its host; above [`ScoreConfig::threshold`](crate::ScoreConfig::threshold) a host is banned.
    pub score: u32,
    /// The end of the ban of its host.
    pub banned_until: Option<UnixTime>,
    /// What forbids dialing it as a full connection now. Empty: it may be dialed, when its turn comes.
    pub full: Vec<Hindrance>,
    /// The same as a block-relay connection.
    pub block_relay: Vec<Hindrance>,
    /// The same for the added peer that has it.
    pub added: Vec<Hindrance>,
}

impl Explanation {
    /// What forbids dialing it for this use now. Of the kinds that have no rules of their own, and of inbound
    /// connections, nothing is said: `None`.
    pub fn hindrances(&self, kind: Kind) -> Option<&[Hindrance]> {
        match kind {
            Kind::Full => Some(&self.full),
            Kind::BlockRelay => Some(&self.block_relay),
            Kind::Added => Some(&self.added),
            Kind::Feeler | Kind::AddrFetch | Kind::Inbound => None,
        }
    }

    /// Whether it may be dialed now for any use.
    pub fn may_be_dialed(&self) -> bool {
        [&self.full, &self.block_relay, &self.added].into_iter().any(Vec::is_empty)
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, at, .. } = self;
        match &self.known {
            Some(view) => write_known(f, address, view, *at)?,
            None => write!(f, "{address} is not in the book.")?,
        }
        if self.score > 0 {
            write!(f, " The score of its host is {}.", self.score)?;
        }
        if let Some(conn) = self.connections.first() {
            let what = if conn.state.is_open() { "It is connected" } else { "It is being dialed" };
            write!(f, " {what} ({} {}).", conn.kind, conn.conn)?;
        }
        if let Some(peer) = &self.peer {
            write!(f, " It is an address of added {} (failed attempts in a row: {}).", peer.peer, peer.attempt)?;
            write_verdict(f, "For the added peer", &self.added, *at)?;
        }
        if self.block_relay == self.full {
            return write_verdict(f, "As an automatic connection", &self.full, *at);
        }
        write_verdict(f, "As a full connection", &self.full, *at)?;
        // Most pools want none.
        if self.block_relay.iter().any(|found| found.rule == DialRule::NoSlots) {
            return Ok(());
        }
        write_verdict(f, "As a block-relay connection", &self.block_relay, *at)
    }
}

fn write_known(f: &mut fmt::Formatter<'_>, address: &PeerAddress, view: &AddressView, at: Time) -> fmt::Result {
    write!(f, "{address} is in the book.")?;
    match view.last_try {
        Some(tried) => write!(f, " It was last dialed {} ago", Span(at.since(tried)))?,
        None => f.write_str(" It was never dialed")?,
    }
    match view.last_success {
        Some(_) => f.write_str(", and was ready before")?,
        None => f.write_str(", and was never ready")?,
    }
    match view.failures {
        0 => f.write_str("."),
        failures => write!(f, "; failures in a row: {failures}."),
    }
}

fn write_verdict(f: &mut fmt::Formatter<'_>, use_of_it: &str, all: &[Hindrance], at: Time) -> fmt::Result {
    if all.is_empty() {
        return write!(f, " {use_of_it} it may be dialed now, when its turn comes.");
    }
    write!(f, " {use_of_it} it is not dialed now: ")?;
    // That the pool looks again soon is no comfort where no time ends what forbids the dial.
    let waits_for_good = all.iter().any(|found| found.until.is_none());
    let told = all.iter().filter(|found| !waits_for_good || found.rule != DialRule::LooksAgain);
    for (place, found) in told.enumerate() {
        write!(f, "{}{}", if place == 0 { "" } else { "; " }, found.rule)?;
        if let Some(until) = found.until.filter(|until| *until > at) {
            write!(f, ", for {} more at least", Span(until.since(at)))?;
        }
    }
    f.write_str(".")
}

/// A span of time in its two largest units.
struct Span(Duration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
        let secs = self.0.as_secs();
        let Some(first) = UNITS.iter().position(|(size, _)| secs >= *size) else {
            return write!(f, "{} ms", self.0.as_millis());
        };
        let (size, unit) = UNITS[first];
        write!(f, "{} {unit}", secs / size)?;
        match UNITS.get(first + 1).map(|(smaller, unit)| (secs % size / smaller, unit)) {
            Some((rest, unit)) if rest > 0 => write!(f, " {rest} {unit}"),
            Some(_) | None => Ok(()),
        }
    }
}
