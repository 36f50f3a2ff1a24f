//! No kind holds more slots than it has, nor more silent dials than may be.
//!
//! Which dials are silent no action says. After each step it is judged whether any choice of silent ones among those
//! that are old enough keeps both limits; the audit, which sees the view, judges the choice that was made.

use std::collections::VecDeque;

use connmgr_core::{Action, ConnId, ConnManager, Event, Kind, Time};
use rustc_hash::FxHashMap;

use super::{Ledger, Property, Rule, Seen, Verdict, hold};
use crate::check::ledger::conn::Life;

/// Kinds whose dials may give their slot back.
const HEDGED: [Kind; 2] = [Kind::Full, Kind::BlockRelay];
/// Kinds that have limits which hold at all times. Added peers stay when theirs falls.
const LIMITED: [Kind; 5] = [Kind::Full, Kind::BlockRelay, Kind::Feeler, Kind::AddrFetch, Kind::Inbound];

#[derive(Clone, Debug)]
pub(crate) struct SlotLimits {
    /// Dials and when they become old enough to be silent: direct ones, proxied ones. Each in order of time.
    young: [VecDeque<(Time, ConnId)>; 2],
    /// Dials old enough to be silent.
    old: FxHashMap<ConnId, Kind>,
    /// How many of these are of each kind.
    old_counts: [u32; Kind::ALL.len()],
}

impl SlotLimits {
    pub(crate) fn new(_: &Ledger) -> Self {
        Self { young: Default::default(), old: FxHashMap::default(), old_counts: Default::default() }
    }

    fn no_dial_any_more(&mut self, id: ConnId) {
        if let Some(kind) = self.old.remove(&id) {
            self.old_counts[kind.index()] -= 1;
        }
    }

    fn grow_old(&mut self, seen: Seen<'_>) {
        for queue in &mut self.young {
            while let Some((_, id)) = queue.front().copied().filter(|(at, _)| *at <= seen.now()) {
                queue.pop_front();
                let dialing = seen.ledger.conn(id).filter(|conn| conn.life == Life::Dialing);
                if let Some(kind) = dialing.and_then(|conn| conn.kind) {
                    self.old.insert(id, kind);
                    self.old_counts[kind.index()] += 1;
                }
            }
        }
    }

    fn take_note_of_dials(&mut self, seen: Seen<'_>) {
        let dial = &seen.ledger.config.dial;
        for id in &seen.step.dials {
            let Some(conn) = seen.ledger.conn(*id) else { continue };
            if conn.kind.is_some_and(|kind| HEDGED.contains(&kind)) {
                let (queue, patience) = if conn.via.is_some() { (1, dial.proxied) } else { (0, dial.direct) };
                self.young[queue].push_back((conn.since.after(patience.hedge_after), *id));
            }
        }
    }

    fn max_hedged(ledger: &Ledger, kind: Kind) -> u32 {
        match HEDGED.contains(&kind) {
            true => ledger.config.dial.max_hedged.unwrap_or(2 * ledger.split.of(kind)),
            false => 0,
        }
    }

    fn judge(&self, ledger: &Ledger, kind: Kind) -> Verdict {
        let (count, share) = (ledger.count(kind), ledger.split.of(kind));
        let silent = self.old_counts[kind.index()].min(Self::max_hedged(ledger, kind));
        hold(count.open + count.dialing <= share + silent, || {
            format!(
                "{} open and {} dialed {kind} connections hold more than {share} slots, with at most {silent} dials silent",
                count.open, count.dialing,
            )
        })
    }

    /// A dial for an added peer needs a free slot; later the limit may fall below those that stay.
    fn judge_added(seen: Seen<'_>) -> Verdict {
        let ledger = seen.ledger;
        let is_added = |id: &ConnId| ledger.conn(*id).is_some_and(|conn| conn.kind == Some(Kind::Added));
        let Some(id) = seen.step.dials.iter().find(|id| is_added(id)) else { return Ok(()) };
        let (count, share) = (ledger.count(Kind::Added), ledger.split.added);
        hold(count.open + count.dialing + ledger.lookups <= share, || {
            format!(
                "{id} was dialed with {} open, {} dialed and {} being resolved, in {share} slots of added peers",
                count.open, count.dialing, ledger.lookups,
            )
        })
    }
}

impl Rule for SlotLimits {
    const PROPERTY: Property = Property::SlotLimits;

    fn action(&mut self, _: Seen<'_>, action: &Action) -> Verdict {
        match action {
            Action::Emit(Event::DialFailed { conn, .. }) => self.no_dial_any_more(*conn),
            Action::Emit(Event::Connected(connected)) => self.no_dial_any_more(connected.conn),
            _ => {}
        }
        Ok(())
    }

    fn after(&mut self, seen: Seen<'_>, _: &ConnManager) -> Verdict {
        self.take_note_of_dials(seen);
        self.grow_old(seen);
        if !seen.step.is_settled() {
            return Ok(());
        }
        Self::judge_added(seen)?;
        LIMITED.into_iter().try_for_each(|kind| self.judge(seen.ledger, kind))
    }

    fn audit(&mut self, seen: Seen<'_>, manager: &ConnManager) -> Verdict {
        if !seen.step.is_settled() {
            return Ok(());
        }
        let mut counts = [[0u32; 2]; Kind::ALL.len()];
        for view in manager.connections() {
            counts[view.kind.index()][usize::from(!view.state.holds_slot())] += 1;
        }
        for kind in LIMITED {
            let [held, silent] = counts[kind.index()];
            let (share, most) = (seen.ledger.split.of(kind), Self::max_hedged(seen.ledger, kind));
            hold(held <= share && silent <= most, || {
                format!("{held} slots of {kind} are held, of {share}, and {silent} dials silent, of {most}")
            })?;
        }
        Ok(())
    }
}
