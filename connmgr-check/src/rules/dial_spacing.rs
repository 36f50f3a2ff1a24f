//! An address is not dialed again automatically before its rest is over: `dial.min_spacing`, doubled for each failure
//! in a row, up to `dial.spacing`; up to a minute where its network was not dialed for ten seconds, for then nobody else
//! may be left; the plain one where its failures may have been forgiven, by an outage or by what restores full speed.

use core::time::Duration;
use std::collections::VecDeque;

use connmgr_core::{Action, CloseReason, ConnManager, DialFailure, Event, Fault, NetworkKind, PeerAddress, Time};
use rustc_hash::FxHashMap;

use super::{Ledger, Property, Rule, Seen, Verdict, hold};
use crate::ledger::conn::Conn;

/// A book may throw out an address so long after its last dial, and then forgets the dial.
const REMEMBERED_FOR: Duration = Duration::from_secs(60);

/// The longest rest where nobody else is left, …
const SCARCE_REST: Duration = Duration::from_secs(60);
/// … which is found out at this pace.
const SCARCE_PACE: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Debug)]
struct Dialed {
    at: Time,
    /// Its failure may have been forgiven.
    forgiven: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct DialSpacing {
    dialed: FxHashMap<PeerAddress, Dialed>,
    /// In order of time, to forget them when their rest is over for certain.
    order: VecDeque<(Time, PeerAddress)>,
    /// When each network was last suspected down: silent dials may then have been forgiven.
    down_at: [Option<Time>; NetworkKind::ALL.len()],
    /// When each network was last dialed automatically.
    last: [Option<Time>; NetworkKind::ALL.len()],
    longest: Duration,
}

impl DialSpacing {
    pub(crate) fn new(ledger: &Ledger) -> Self {
        let longest = ledger.config.dial.spacing.max(ledger.config.dial.min_spacing);
        Self {
            dialed: FxHashMap::default(),
            order: VecDeque::new(),
            down_at: Default::default(),
            last: Default::default(),
            longest,
        }
    }

    fn forget_old(&mut self, now: Time) {
        while self.order.front().is_some_and(|(at, _)| at.after(self.longest) <= now) {
            let Some((at, address)) = self.order.pop_front() else { return };
            if self.dialed.get(&address).is_some_and(|dialed| dialed.at == at) {
                self.dialed.remove(&address);
            }
        }
    }

    fn remember(&mut self, address: &PeerAddress, now: Time) {
        self.dialed.insert(address.clone(), Dialed { at: now, forgiven: false });
        self.order.push_back((now, address.clone()));
    }

    /// How long an address rests at the least, with so many failures in a row.
    fn rest(&self, seen: Seen<'_>, address: &PeerAddress, dialed: Dialed, manager: &ConnManager) -> Duration {
        let (dial, book) = (&seen.ledger.config.dial, manager.book());
        let network = address.network();
        let down_at = network.and_then(|network| self.down_at[network.index()]);
        let restored_at = network.and_then(|network| seen.ledger.paces[network.index()].restored_at());
        let forgiven = dialed.forgiven || down_at.max(restored_at).is_some_and(|at| at >= dialed.at);
        let failures = book.get(address).map_or(0, |known| if forgiven { 0 } else { known.failures });
        let last = network.and_then(|network| self.last[network.index()]);
        let is_scarce = last.is_none_or(|last| last.after(SCARCE_PACE) <= seen.now());
        let longest = if is_scarce { self.longest.min(SCARCE_REST.max(dial.min_spacing)) } else { self.longest };
        let rest = dial.min_spacing.saturating_mul(1 << failures.min(16)).min(longest);
        let is_full = book.len() >= seen.ledger.config.book.max_addresses as usize;
        if is_full { rest.min(REMEMBERED_FOR) } else { rest }
    }

    fn dial(&mut self, seen: Seen<'_>, conn: &Conn, manager: &ConnManager) -> Verdict {
        let (Some(kind), Some(address)) = (conn.kind, &conn.address) else { return Ok(()) };
        if !kind.takes_group() {
            return Ok(());
        }
        let exempt = conn.is_probe || seen.ledger.unheard_address.as_ref() == Some(address);
        let before = self.dialed.get(address).copied();
        self.remember(address, seen.now());
        let rest = before.filter(|_| !exempt).map(|before| (before, self.rest(seen, address, before, manager)));
        if let Some(network) = address.network() {
            self.last[network.index()] = Some(seen.now());
        }
        let Some((before, rest)) = rest else { return Ok(()) };
        hold(before.at.after(rest) <= seen.now(), || {
            format!("{address} is dialed at {}, and was at {}: its rest is {rest:?}", seen.now(), before.at)
        })
    }
}

impl Rule for DialSpacing {
    const PROPERTY: Property = Property::DialSpacing;

    fn action(&mut self, seen: Seen<'_>, action: &Action) -> Verdict {
        match action {
            Action::Emit(Event::DialFailed { address, error, .. }) => {
                let blameless = match error {
                    DialFailure::Failed(error) => error.fault() != Fault::Target,
                    DialFailure::GivenUp(_) => false,
                };
                let is_down = seen.ledger.judged(address).is_some_and(|network| seen.ledger.is_down(network));
                if let Some(dialed) = self.dialed.get_mut(address).filter(|_| blameless || is_down) {
                    dialed.forgiven = true;
                }
            }
            Action::Emit(Event::NetworkDown { network }) => self.down_at[network.index()] = Some(seen.now()),
            // Whoever is ourselves is thrown out of the book; should it come back one day, its dials are forgotten.
            Action::Close { conn, reason: CloseReason::OwnAddress } => {
                if let Some(address) = seen.ledger.conn(*conn).and_then(|conn| conn.address.as_ref()) {
                    self.dialed.remove(address);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn after(&mut self, seen: Seen<'_>, manager: &ConnManager) -> Verdict {
        self.forget_old(seen.now());
        for conn in seen.step.dials.iter().filter_map(|id| seen.ledger.conn(*id)) {
            self.dial(seen, conn, manager)?;
        }
        Ok(())
    }
}
