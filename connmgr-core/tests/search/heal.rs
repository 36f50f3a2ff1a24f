//! From now on all goes well: does the pool recover?

use std::collections::BTreeSet;
use std::time::Duration;

use connmgr_core::*;

use crate::support::addr;
use crate::world::{Setup, USEFUL, World, ips};

/// The longest that recovery may take: a ban (60 s), and then the longest wait there is (probe, starvation, back-off:
/// 32 s at the most).
const WITHIN: Duration = Duration::from_secs(60 + 32 + 1);
/// The most inputs that may take.
const INPUTS: usize = 500;
/// What was reached must stay so for as long.
const REST: Duration = Duration::from_secs(3600);
/// What an idle hour may cost in wake-ups: saving, and a ban that ends.
const REST_TIMEOUTS: usize = 10;

/// Lets all go well, until the pool is at its target.
///
/// # Errors
/// What is missing when time is up.
pub(crate) fn heal(mut world: World, setup: &Setup) -> Result<(), String> {
    let end = world.now.after(WITHIN);
    world.step(&Input::SetActive { active: true })?;
    for _ in 0..INPUTS {
        if let Some(input) = good_news(&world, setup) {
            world.step(&input).map_err(|broken| format!("{broken}, while healing, after {input}"))?;
            continue;
        }
        let Some(lack) = lack(&world, setup) else { return rest(world, setup) };
        match world.manager.poll_timeout().filter(|due| *due <= end) {
            Some(_) => drop(world.step(&Input::Timeout)?),
            None => {
                return Err(format!(
                    "never recovers: {lack}, until {end}, next deadline {:?}",
                    world.manager.poll_timeout()
                ));
            }
        }
    }
    Err(format!("not recovered after {INPUTS} inputs: {}", lack(&world, setup).unwrap_or_default()))
}

/// A pool at its target is left alone: it dials nobody, and hardly wakes. One for which too few are known goes on
/// looking for more.
fn rest(mut world: World, setup: &Setup) -> Result<(), String> {
    let (end, dials) = (world.now.after(REST), world.manager.stats().dials);
    if full_ready(&world.manager) < full_target(&world.manager) {
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

/// The next thing to go well, if anything is under way.
fn good_news(world: &World, setup: &Setup) -> Option<Input> {
    if let Some(lookup) = world.lookups.first() {
        return Some(Input::LookupResult { lookup: *lookup, result: Ok(ips(setup)) });
    }
    world.manager.connections().into_iter().find_map(|ConnView { conn, state, .. }| match state {
        ConnState::Dialing | ConnState::Silent => Some(Input::DialResult { conn, result: Ok(()) }),
        ConnState::Handshaking | ConnState::Stalled => Some(Input::Ready { conn, info: USEFUL }),
        ConnState::Ready => None,
    })
}

/// What is missing to a healthy pool.
fn lack(world: &World, setup: &Setup) -> Option<String> {
    let manager = &world.manager;
    let (full, wanted) = (full_ready(manager), full_wanted(manager, setup));
    if full < wanted {
        return Some(format!("{full} full connections of {wanted}"));
    }
    let peers = manager.added_peers();
    let waiting = peers.iter().find(|peer| !is_served(peer, manager));
    waiting.map(|peer| format!("{} is {:?}", peer.address, peer.state))
}

/// Whether there is a connection for the peer: its own, or one from the same address that can't become its own.
fn is_served(peer: &PeerView, manager: &ConnManager) -> bool {
    let has_its_address = |conn: &ConnView| conn.kind != Kind::Full && conn.address.as_ref() == Some(&peer.address);
    match peer.state {
        PeerState::Connected(_) => true,
        PeerState::Blocked(Obstacle::AddressInUse) => manager.connections().iter().any(has_its_address),
        _ => false,
    }
}

/// The target, or as many as there are groups with an address that no added peer has.
fn full_wanted(manager: &ConnManager, setup: &Setup) -> usize {
    let taken: BTreeSet<PeerAddress> = manager.added_peers().into_iter().map(|peer| peer.address).collect();
    let free = setup.known.iter().map(|text| addr(text)).filter(|address| !taken.contains(address));
    let groups: BTreeSet<Option<Group>> = free.map(|address| Group::of(address.host())).collect();
    groups.len().min(full_target(manager))
}

fn full_target(manager: &ConnManager) -> usize {
    let added = u32::try_from(manager.added_peers().len()).expect("few");
    Split::new(manager.limits(), manager.config().mode, manager.config().dial.max_hedged, added).full as usize
}

fn full_ready(manager: &ConnManager) -> usize {
    let is_full = |conn: &&ConnView| conn.state == ConnState::Ready && conn.kind == Kind::Full;
    manager.connections().iter().filter(is_full).count()
}
