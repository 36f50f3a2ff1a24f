//! No kind holds more slots than its share, nor has more dials and handshakes without a slot than `dial.max_hedged`.
//!
//! No action tells which of them are without a slot. The view's counts are used, and the audit recounts them.

use connmgr_core::{ConnId, ConnManager, Kind};

use super::{Ledger, Property, Rule, RuleContext, RuleResult, hold};

/// Kinds whose dials and handshakes may give their slot to another.
const HEDGED: [Kind; 2] = [Kind::Full, Kind::BlockRelay];
/// How many silent dials of an attempt at an added peer may go on beside its newest step.
const MORE_DIALS: u32 = 2;
/// Kinds whose limits hold at all times. Connections to added peers stay when their limit is lowered.
const LIMITED: [Kind; 5] = [Kind::Full, Kind::BlockRelay, Kind::Feeler, Kind::AddrFetch, Kind::Inbound];

#[derive(Clone, Debug, Default)]
pub(crate) struct SlotLimitsRule {
    /// The version of the counts that were last checked, in a step that left no work.
    checked: Option<u64>,
}

impl SlotLimitsRule {
    fn max_hedged(ledger: &Ledger, kind: Kind) -> u32 {
        match HEDGED.contains(&kind) {
            true => ledger.config.dial.max_hedged.unwrap_or(2 * ledger.split.of(kind)),
            false => 0,
        }
    }

    fn check(ledger: &Ledger, kind: Kind) -> RuleResult {
        let (count, share) = (ledger.count(kind), ledger.split.of(kind));
        hold(count.ready <= share, || format!("{} {kind} connections are ready, of {share}", count.ready))?;
        let (without, most) = (count.silent + count.stalled, Self::max_hedged(ledger, kind));
        hold(without <= most, || format!("{without} {kind} connections go without a slot, of at most {most}"))?;
        hold(count.open + count.dialing <= share + without, || {
            format!(
                "{} open and {} dialed {kind} connections, {without} of them without a slot, hold more than {share} slots",
                count.open, count.dialing,
            )
        })
    }

    /// A dial for an added peer needs a free slot. Later the limit may be lowered below what is there.
    fn check_added(seen: RuleContext<'_>) -> RuleResult {
        let ledger = seen.ledger;
        let is_added = |id: &ConnId| ledger.conn(*id).is_some_and(|conn| conn.kind == Some(Kind::Added));
        let Some(id) = seen.step.dials.iter().find(|id| is_added(id)) else { return Ok(()) };
        let (count, share) = (ledger.count(Kind::Added), ledger.split.added);
        let without = count.silent + count.stalled;
        hold(without <= MORE_DIALS * ledger.peers.len(), || format!("{without} dials of added peers have no slot"))?;
        hold(count.open + count.dialing + ledger.lookups <= share + without, || {
            format!(
                "{id} was dialed with {} open, {} dialed, {without} of them without a slot, and {} being resolved, in \
                 {share} slots of added peers",
                count.open, count.dialing, ledger.lookups,
            )
        })
    }
}

impl Rule for SlotLimitsRule {
    const PROPERTY: Property = Property::SlotLimits;

    fn after(&mut self, seen: RuleContext<'_>, _: &ConnManager) -> RuleResult {
        if !seen.step.is_settled() {
            // Work is left, such as connections to close. Even so, each dial needs a slot.
            let dialed = seen.step.dials.iter().filter_map(|id| seen.ledger.conn(*id)?.kind);
            return dialed.filter(|kind| LIMITED.contains(kind)).try_for_each(|kind| Self::check(seen.ledger, kind));
        }
        if self.checked == Some(seen.ledger.usage.version()) && seen.step.dials.is_empty() {
            return Ok(());
        }
        Self::check_added(seen)?;
        LIMITED.into_iter().try_for_each(|kind| Self::check(seen.ledger, kind))?;
        self.checked = Some(seen.ledger.usage.version());
        Ok(())
    }

    fn audit(&mut self, seen: RuleContext<'_>, manager: &ConnManager) -> RuleResult {
        if !seen.step.is_settled() {
            return Ok(());
        }
        let mut counts = [[0u32; 2]; Kind::ALL.len()];
        for view in manager.connections() {
            counts[view.kind.index()][usize::from(!view.state.holds_slot())] += 1;
        }
        for kind in LIMITED {
            let [held, without] = counts[kind.index()];
            let (share, most) = (seen.ledger.split.of(kind), Self::max_hedged(seen.ledger, kind));
            hold(held <= share && without <= most, || {
                format!("{held} slots of {kind} are held, of {share}, and {without} go without, of {most}")
            })?;
        }
        Ok(())
    }
}
