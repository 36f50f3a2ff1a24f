//! Does the pool recover if everything succeeds from now on?

use std::collections::BTreeSet;
use std::time::Duration;

use connmgr_core::*;

use crate::support::addr;
use crate::world::{Setup, USEFUL, World, ips, split};

/// The longest that recovery may take: a ban (60 s), then the longest wait (probe, starvation or back-off: at most 32
/// s).
const WITHIN: Duration = Duration::from_secs(60 + 32 + 1);
/// The most inputs that recovery may take.
const INPUTS: usize = 500;
/// How long the pool must stay healthy.
const REST: Duration = Duration::from_secs(3600);
/// The most wake-ups in that time: saving, and a ban that ends.
const REST_TIMEOUTS: usize = 10;

/// Lets everything succeed until the pool is at its target. If it is not, because one peer was met at several
/// addresses, which rest while it is connected, that peer leaves, and everything succeeds again.
///
/// # Errors
/// What is missing when the time is up.
pub(crate) fn heal(mut world: World, setup: &Setup) -> Result<(), String> {
    world.step(&Input::SetActive { active: true })?;
    while let Some(lack) = lets_all_go_well(&mut world, setup)? {
        let Some(twice) = world.past.met_twice(&world.manager.connections()) else { return Err(lack) };
        world.step(&Input::Closed { conn: twice, cause: CloseCause::Eof })?;
    }
    rest(world, setup)
}

/// Lets everything succeed for a while. Returns what is still missing then.
fn lets_all_go_well(world: &mut World, setup: &Setup) -> Result<Option<String>, String> {
    let end = world.now.after(WITHIN);
    for _ in 0..INPUTS {
        if let Some(input) = good_news(world, setup) {
            world.step(&input).map_err(|broken| format!("{broken}, while healing, after {input}"))?;
            continue;
        }
        let Some(lack) = lack(world, setup) else { return Ok(None) };
        match world.manager.poll_timeout().filter(|due| *due <= end) {
            Some(_) => drop(world.step(&Input::Timeout)?),
            None => {
                let due = world.manager.poll_timeout();
                return Ok(Some(format!("never recovers: {lack}, until {end}, next deadline {due:?}")));
            }
        }
    }
    Err(format!("not recovered after {INPUTS} inputs: {}", lack(world, setup).unwrap_or_default()))
}

/// A pool at its target dials no one, and hardly wakes. A pool that knows too few addresses may go on looking for more.
fn rest(mut world: World, setup: &Setup) -> Result<(), String> {
    let (end, dials) = (world.now.after(REST), world.manager.stats().dials);
    if automatic_ready(&world.manager) < automatic_target(&world.manager) {
        return Ok(());
    }
    for _ in 0..REST_TIMEOUTS {
        if world.manager.poll_timeout().is_none_or(|due| due > end) {
            let lack = lack(&world, setup);
            return lack.map_or(Ok(()), |lack| Err(format!("did not stay healthy: {lack}")));
        }
        world.step(&Input::Timeout)?;
        if world.manager.stats().dials != dials {
            return Err(format!("a healthy pool dials at {}", world.now));
        }
    }
    Err(format!("a healthy pool woke {REST_TIMEOUTS} times before {}", world.now))
}

/// The next success, if anything is under way.
fn good_news(world: &World, setup: &Setup) -> Option<Input> {
    if let Some(lookup) = world.lookups.first() {
        return Some(Input::LookupResult { lookup: *lookup, result: Ok(ips(setup)) });
    }
    world.manager.connections().into_iter().find_map(|ConnView { conn, state, .. }| match state {
        ConnState::Dialing | ConnState::Silent => Some(Input::DialResult { conn, result: Ok(()) }),
        ConnState::Handshaking | ConnState::Stalled => Some(Input::Ready { conn, info: USEFUL }),
        _ => None,
    })
}

/// What a healthy pool would have more.
fn lack(world: &World, setup: &Setup) -> Option<String> {
    let manager = &world.manager;
    let (ready, wanted) = (automatic_ready(manager), automatic_wanted(manager, setup));
    if ready < wanted {
        return Some(format!("{ready} automatic connections of {wanted}"));
    }
    let peers = manager.added_peers();
    let waiting = peers.iter().find(|peer| !is_served(peer, manager));
    waiting.map(|peer| format!("{:?} is {:?}", peer.addresses, peer.state))
}

/// Whether the peer is connected, or its address is, by a connection that can't become its own.
fn is_served(peer: &PeerView, manager: &ConnManager) -> bool {
    let has_its_address = |conn: &ConnView| {
        conn.kind != Kind::Full && conn.address.as_ref().is_some_and(|address| peer.addresses.contains(address))
    };
    match peer.state {
        PeerState::Connected(_) => true,
        PeerState::Blocked(Obstacle::AddressInUse) => manager.connections().iter().any(has_its_address),
        _ => false,
    }
}

/// The target, or the number of groups with an address that no added peer has, if that is less.
fn automatic_wanted(manager: &ConnManager, setup: &Setup) -> usize {
    let taken: BTreeSet<PeerAddress> = manager.added_peers().into_iter().flat_map(|peer| peer.addresses).collect();
    let free = setup.known.iter().map(|text| addr(text)).filter(|address| !taken.contains(address));
    let groups: BTreeSet<Option<Group>> = free.map(|address| Groups::default().of(address.host())).collect();
    groups.len().min(automatic_target(manager))
}

fn automatic_target(manager: &ConnManager) -> usize {
    let split = split(manager);
    (split.full + split.block_relay) as usize
}

fn automatic_ready(manager: &ConnManager) -> usize {
    let is_it = |conn: &&ConnView| conn.state == ConnState::Ready && conn.kind.takes_group();
    manager.connections().iter().filter(is_it).count()
}
