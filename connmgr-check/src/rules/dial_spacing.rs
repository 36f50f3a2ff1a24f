//! An address rests after each automatic dial: for `dial.min_spacing`, doubled for each failure in a row, up to
//! `dial.spacing`.
//!
//! The rest is at most a minute where the network was not dialed for ten seconds: no other address may be left there. It
//! is `dial.min_spacing` where the failures may have been forgiven, after an outage or when full speed was restored.

use core::time::Duration;
use std::collections::VecDeque;

use connmgr_core::{Action, CloseReason, ConnManager, DialFailure, Event, Fault, NetworkKind, PeerAddress, Time};
use rustc_hash::FxHashMap;

use super::{Concern, Ledger, Property, Rule, RuleContext, RuleResult, hold};
use crate::ledger::conn::KnownConn;

/// A full book may drop an address this long after its last dial, and forgets the dial with it.
const REMEMBERED_FOR: Duration = Duration::from_secs(60);

/// The longest rest of an address when no other is left in its network.
const SCARCE_REST: Duration = Duration::from_secs(60);
/// An address that rests is dialed only if its network was not dialed for so long.
const SCARCE_PACE: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Debug)]
struct Dialed {
    at: Time,
    /// The failure of this dial may have been forgiven.
    forgiven: bool,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct DialSpacingRule {
    dialed: FxHashMap<PeerAddress, Dialed>,
    /// Ordered by time, to drop those whose longest rest is over.
    order: VecDeque<(Time, PeerAddress)>,
    /// When each network last went down. Failures of dials before that may have been forgiven.
    down_at: [Option<Time>; NetworkKind::ALL.len()],
    /// When each network was last dialed automatically.
    last: [Option<Time>; NetworkKind::ALL.len()],
}

impl DialSpacingRule {
    fn forget_old(&mut self, seen: RuleContext<'_>) {
        let longest = longest_rest(seen.ledger);
        while self.order.front().is_some_and(|(at, _)| at.after(longest) <= seen.now()) {
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

    /// The shortest rest that the address may have.
    fn rest(&self, seen: RuleContext<'_>, address: &PeerAddress, dialed: Dialed, manager: &ConnManager) -> Duration {
        let (dial, book) = (&seen.ledger.config.dial, manager.book());
        let network = address.network();
        let down_at = network.and_then(|network| self.down_at[network.index()]);
        let restored_at = network.and_then(|network| seen.ledger.paces[network.index()].restored_at());
        let forgiven = dialed.forgiven || down_at.max(restored_at).is_some_and(|at| at >= dialed.at);
        let failures = book.get(address).map_or(0, |known| if forgiven { 0 } else { known.failures });
        let last = network.and_then(|network| self.last[network.index()]);
        let is_scarce = last.is_none_or(|last| last.after(SCARCE_PACE) <= seen.now());
        let longest = longest_rest(seen.ledger);
        let longest = if is_scarce { longest.min(SCARCE_REST.max(dial.min_spacing)) } else { longest };
        let rest = dial.min_spacing.saturating_mul(1 << failures.min(16)).min(longest);
        let is_full = book.len() >= seen.ledger.config.book.max_addresses as usize;
        if is_full { rest.min(REMEMBERED_FOR) } else { rest }
    }

    fn dial(&mut self, seen: RuleContext<'_>, conn: &KnownConn, manager: &ConnManager) -> RuleResult {
        let (Some(kind), Some(address)) = (conn.kind, &conn.address) else { return Ok(()) };
        if !kind.takes_group() {
            return Ok(());
        }
        let exempt = conn.is_probe || seen.ledger.repeats_unheard(conn);
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

/// How long an address rests at most.
fn longest_rest(ledger: &Ledger) -> Duration {
    ledger.config.dial.spacing.max(ledger.config.dial.min_spacing)
}

impl Rule for DialSpacingRule {
    const PROPERTY: Property = Property::DialSpacing;
    const AFTER: Concern = Concern::Dials;

    fn action(&mut self, seen: RuleContext<'_>, action: &Action) -> RuleResult {
        match action {
            Action::Emit(Event::DialFailed { address, error, .. }) => {
                let blameless = match error {
                    DialFailure::Failed(error) => error.fault() != Fault::Target,
                    _ => false,
                };
                let is_down = seen.ledger.health_network(address).is_some_and(|network| seen.ledger.is_down(network));
                if let Some(dialed) = self.dialed.get_mut(address).filter(|_| blameless || is_down) {
                    dialed.forgiven = true;
                }
            }
            Action::Emit(Event::NetworkDown { network }) => self.down_at[network.index()] = Some(seen.now()),
            // The book drops an own address with its dials; if it comes back later, it may be dialed at once.
            Action::Close { conn, reason: CloseReason::OwnAddress } => {
                if let Some(address) = seen.ledger.conn(*conn).and_then(|conn| conn.address.as_ref()) {
                    self.dialed.remove(address);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn after(&mut self, seen: RuleContext<'_>, manager: &ConnManager) -> RuleResult {
        self.forget_old(seen);
        for conn in seen.step.dials.iter().filter_map(|id| seen.ledger.conn(*id)) {
            self.dial(seen, conn, manager)?;
        }
        Ok(())
    }
}
