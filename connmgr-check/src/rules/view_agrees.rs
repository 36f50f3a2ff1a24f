//! The public view agrees with the ledger: connections, peers, bans, limits and counters.

use connmgr_core::{Action, AddedPeer, ConnManager, ConnState, ConnView, Event, Input, Kind, PeerView, Reply};

use super::{Property, Rule, RuleContext, RuleResult, hold};
use crate::ledger::bans::BanKey;
use crate::ledger::conn::{ConnLife, KnownConn};

/// Counts of what actions and replies reported, to compare with `stats()`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct ViewCount {
    dials: u64,
    succeeded: u64,
    failed: u64,
    probes: u64,
    accepted: u64,
    refused: u64,
    disconnected: u64,
    retries: u64,
    lookups: u64,
    bans: u64,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct ViewAgreesRule {
    count: ViewCount,
}

impl ViewAgreesRule {
    fn stats(&self, manager: &ConnManager) -> RuleResult {
        let stats = manager.stats();
        let shown = ViewCount {
            dials: stats.dials,
            succeeded: stats.dials_succeeded,
            failed: stats.dials_failed + stats.dials_given_up,
            probes: stats.probes,
            accepted: stats.accepted,
            refused: stats.refused,
            disconnected: stats.disconnected,
            retries: stats.retries_scheduled,
            lookups: stats.lookups,
            bans: stats.bans,
        };
        hold(shown == self.count, || format!("the counters are {shown:?} instead of {:?}", self.count))
    }
}

fn conn(seen: RuleContext<'_>, view: &ConnView) -> RuleResult {
    let Some(told) = seen.ledger.conn(view.conn) else { return Err(format!("nobody told of {}", view.conn)) };
    let life = match view.state {
        ConnState::Dialing | ConnState::Silent => ConnLife::Dialing,
        ConnState::Handshaking | ConnState::Stalled => ConnLife::Open,
        ConnState::Ready => ConnLife::Ready,
        state => return Err(format!("{} is in a state that these rules do not know: {state:?}", view.conn)),
    };
    let same = told.life == life
        && told.kind == Some(view.kind)
        && told.address == view.address
        && told.peer == view.peer
        && told.listener == view.listener
        && told.transport == view.transport
        && is_since(seen, told, view);
    hold(same, || format!("{view:?} was told as {told:?}"))
}

/// Whether the view's `since` fits. It may be later than the ledger's for a connection without a slot, since no action
/// tells when it lost that, and for an adopted handshake, which may have been without a slot before.
fn is_since(seen: RuleContext<'_>, told: &KnownConn, view: &ConnView) -> bool {
    let is_told = told.since == view.since;
    let may_be_later = !view.state.holds_slot() || (view.state == ConnState::Handshaking && told.was_adopted);
    is_told || (may_be_later && (told.since..=seen.now()).contains(&view.since))
}

fn conns(seen: RuleContext<'_>, manager: &ConnManager) -> RuleResult {
    let views = manager.connections();
    views.iter().try_for_each(|view| conn(seen, view))?;
    hold(views.len() == seen.ledger.conns.len(), || {
        format!("{} connections are shown, and {} were told of", views.len(), seen.ledger.conns.len())
    })?;
    for kind in Kind::ALL {
        let count = seen.ledger.count(kind);
        let shown =
            |sort: fn(ConnState) -> bool| views.iter().filter(|view| view.kind == kind && sort(view.state)).count();
        let (open, ready) = (shown(ConnState::is_open), shown(|state| state == ConnState::Ready));
        let dialing = shown(|state| !state.is_open());
        let same = (count.open as usize, count.ready as usize, count.dialing as usize) == (open, ready, dialing);
        hold(same, || format!("of {kind} there are {open} open and {dialing} dialed, told as {count:?}"))?;
    }
    Ok(())
}

fn peer(seen: RuleContext<'_>, view: &PeerView) -> RuleResult {
    let Some(told) = seen.ledger.peers.get(view.peer) else { return Err(format!("nobody told of {}", view.peer)) };
    let AddedPeer { addresses, keep, identity, tag, .. } = &told.wanted;
    let same = (addresses, keep, identity, tag, told.attempt)
        == (&view.addresses, &view.keep, &view.identity, &view.tag, view.attempt);
    hold(same, || format!("{view:?} was told as {told:?}"))
}

fn peers(seen: RuleContext<'_>, manager: &ConnManager) -> RuleResult {
    let views = manager.added_peers();
    views.iter().try_for_each(|view| peer(seen, view))?;
    hold(views.len() == seen.ledger.peers.len() as usize, || {
        format!("{} peers are shown, and {} were told of", views.len(), seen.ledger.peers.len())
    })
}

fn bans(seen: RuleContext<'_>, manager: &ConnManager) -> RuleResult {
    let (ledger, now) = (seen.ledger, seen.now());
    let views = manager.bans();
    let standing = ledger.bans.iter().filter(|(until, _)| *until > now).count();
    hold(views.len() == standing, || format!("{} bans are shown, and {standing} were told of", views.len()))?;
    for view in &views {
        let told = ledger.bans.get(&BanKey::of(&view.target)).map(|ban| ledger.unix_at(ban.until));
        hold(told == Some(view.until), || format!("{view:?} was told to end at {told:?}"))?;
    }
    Ok(())
}

impl Rule for ViewAgreesRule {
    const PROPERTY: Property = Property::ViewAgrees;

    fn input(&mut self, _: RuleContext<'_>, input: &Input, reply: &Reply) -> RuleResult {
        match reply {
            Reply::Accepted(Ok(_)) => self.count.accepted += 1,
            Reply::Accepted(Err(_)) => self.count.refused += 1,
            Reply::Learnt(counts) => {
                let Input::Addresses { addresses, .. } = input else { return Err("counts of no addresses".into()) };
                let told = addresses.len() as u64;
                return hold(counts.total() == told, || format!("of {told} addresses these were counted: {counts}"));
            }
            Reply::Noted | Reply::Added(_) | Reply::Addresses(_) | Reply::Done(_) => {}
        }
        Ok(())
    }

    fn action(&mut self, seen: RuleContext<'_>, action: &Action) -> RuleResult {
        let count = &mut self.count;
        match action {
            Action::Dial { target, .. } => {
                count.dials += 1;
                count.probes += u64::from(seen.ledger.suspected(target).is_some());
            }
            Action::ResolveSeed { .. } | Action::ResolveHost { .. } => count.lookups += 1,
            Action::ScheduleRetry { .. } => count.retries += 1,
            Action::Emit(Event::Connected(connected)) => {
                count.succeeded += u64::from(!connected.kind.is_inbound());
            }
            Action::Emit(Event::Disconnected { .. }) => count.disconnected += 1,
            Action::Emit(Event::DialFailed { .. }) => count.failed += 1,
            Action::Emit(Event::Banned { .. }) => count.bans += 1,
            _ => {}
        }
        Ok(())
    }

    fn audit(&mut self, seen: RuleContext<'_>, manager: &ConnManager) -> RuleResult {
        hold(manager.limits() == &seen.ledger.limits, || format!("limits are {:?}", manager.limits()))?;
        self.stats(manager)?;
        conns(seen, manager)?;
        peers(seen, manager)?;
        bans(seen, manager)
    }
}
