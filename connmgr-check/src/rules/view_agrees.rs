//! What the actions told is what the view shows: connections, peers, bans, limits and counters.

use connmgr_core::{Action, BanTarget, ConnManager, ConnState, ConnView, Event, Input, Kind, PeerView, Reply};

use super::{Ledger, Property, Rule, Seen, Verdict, hold};
use crate::ledger::bans::Key;
use crate::ledger::conn::{Conn, Life};

/// What the actions and replies add up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
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

#[derive(Clone, Debug)]
pub(crate) struct ViewAgrees {
    tally: Tally,
}

impl ViewAgrees {
    pub(crate) fn new(_: &Ledger) -> Self {
        Self { tally: Tally::default() }
    }

    fn stats(&self, manager: &ConnManager) -> Verdict {
        let stats = manager.stats();
        let shown = Tally {
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
        hold(shown == self.tally, || format!("the counters are {shown:?} instead of {:?}", self.tally))
    }
}

fn conn(seen: Seen<'_>, view: &ConnView) -> Verdict {
    let Some(told) = seen.ledger.conn(view.conn) else { return Err(format!("nobody told of {}", view.conn)) };
    let life = match view.state {
        ConnState::Dialing | ConnState::Silent => Life::Dialing,
        ConnState::Handshaking | ConnState::Stalled => Life::Open,
        ConnState::Ready => Life::Ready,
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

/// Whether a connection has been as it is since when it was told to be: one without a slot since it gave that away, no
/// action says when, and a handshake that an added peer took over may have been without before.
fn is_since(seen: Seen<'_>, told: &Conn, view: &ConnView) -> bool {
    let is_told = told.since == view.since;
    let may_be_later = !view.state.holds_slot() || (view.state == ConnState::Handshaking && told.was_adopted);
    is_told || (may_be_later && (told.since..=seen.now()).contains(&view.since))
}

fn conns(seen: Seen<'_>, manager: &ConnManager) -> Verdict {
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

fn peer(seen: Seen<'_>, view: &PeerView) -> Verdict {
    let Some(told) = seen.ledger.peers.get(view.peer) else { return Err(format!("nobody told of {}", view.peer)) };
    let same = (&told.address, told.keep, told.attempt) == (&view.address, view.keep, view.attempt);
    hold(same, || format!("{view:?} was told as {told:?}"))
}

fn peers(seen: Seen<'_>, manager: &ConnManager) -> Verdict {
    let views = manager.added_peers();
    views.iter().try_for_each(|view| peer(seen, view))?;
    hold(views.len() == seen.ledger.peers.len() as usize, || {
        format!("{} peers are shown, and {} were told of", views.len(), seen.ledger.peers.len())
    })
}

fn bans(seen: Seen<'_>, manager: &ConnManager) -> Verdict {
    let (ledger, now) = (seen.ledger, seen.now());
    let views = manager.bans();
    let standing = ledger.bans.iter().filter(|(until, _)| *until > now).count();
    hold(views.len() == standing, || format!("{} bans are shown, and {standing} were told of", views.len()))?;
    for view in &views {
        let told = ledger.bans.get(&key(&view.target)).map(|ban| ledger.unix_at(ban.until));
        hold(told == Some(view.until), || format!("{view:?} was told to end at {told:?}"))?;
    }
    Ok(())
}

fn key(target: &BanTarget) -> Key {
    Key::of(target)
}

impl Rule for ViewAgrees {
    const PROPERTY: Property = Property::ViewAgrees;

    fn input(&mut self, _: Seen<'_>, _: &Input, reply: &Reply) -> Verdict {
        match reply {
            Reply::Accepted(Ok(_)) => self.tally.accepted += 1,
            Reply::Accepted(Err(_)) => self.tally.refused += 1,
            Reply::Noted | Reply::Added(_) | Reply::Addresses(_) | Reply::Done(_) => {}
        }
        Ok(())
    }

    fn action(&mut self, seen: Seen<'_>, action: &Action) -> Verdict {
        let tally = &mut self.tally;
        match action {
            Action::Dial { target, .. } => {
                tally.dials += 1;
                tally.probes += u64::from(seen.ledger.suspected(target).is_some());
            }
            Action::ResolveSeed { .. } | Action::ResolveHost { .. } => tally.lookups += 1,
            Action::ScheduleRetry { .. } => tally.retries += 1,
            Action::Emit(Event::Connected(connected)) => {
                tally.succeeded += u64::from(!connected.kind.is_inbound());
            }
            Action::Emit(Event::Disconnected { .. }) => tally.disconnected += 1,
            Action::Emit(Event::DialFailed { .. }) => tally.failed += 1,
            Action::Emit(Event::Banned { .. }) => tally.bans += 1,
            _ => {}
        }
        Ok(())
    }

    fn audit(&mut self, seen: Seen<'_>, manager: &ConnManager) -> Verdict {
        hold(manager.limits() == &seen.ledger.limits, || format!("limits are {:?}", manager.limits()))?;
        self.stats(manager)?;
        conns(seen, manager)?;
        peers(seen, manager)?;
        bans(seen, manager)
    }
}
