//! How many connections there are, and to whom, whatever happens.

use std::collections::BTreeMap;

use connmgr_core::*;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::cases;
use crate::moves::{Move, address, any_limits, any_move};
use crate::support::{Bench, dialed_address, dials, events, secs, with_listener};

fn bench(limits: Limits, max_hedged: Option<u32>) -> Bench {
    let mut config = with_listener(Config::default());
    config.limits = limits;
    config.dial.max_hedged = max_hedged;
    config.dial.min_spacing = secs(1);
    config.health.silent_groups = 2;
    config.health.silent_dials = 4;
    config.health.silent_for = secs(1);
    config.transport = Transport::V2;
    config.identity = Some(Identity([2; 32]));
    let mut bench = Bench::new(config);
    bench.tell(Input::Timeout);
    bench
}

/// What was seen of the pool before a step.
struct Before {
    banned: Vec<BanTarget>,
    added: u32,
}

fn held(bench: &Bench, kind: Kind) -> u32 {
    let conns = bench.manager.connections();
    let holds = |conn: &&ConnView| conn.kind == kind && conn.state.holds_slot();
    u32::try_from(conns.iter().filter(holds).count()).expect("few")
}

fn split(bench: &Bench) -> Split {
    let added = u32::try_from(bench.manager.added_peers().len()).expect("few");
    Split::new(bench.manager.limits(), bench.manager.config().mode, bench.manager.config().dial.max_hedged, added)
}

/// Makes a move, and checks all that is said of slots and dials.
fn step(bench: &mut Bench, next: Move) -> Result<(), TestCaseError> {
    let Some(input) = next.input(bench) else { return Ok(()) };
    let before = Before {
        banned: bench.manager.bans().into_iter().map(|ban| ban.target).collect(),
        added: held(bench, Kind::Added),
    };
    let actions = bench.tell(input.clone());
    check_slots(bench, &before)?;
    check_neighbours(bench)?;
    // Who is unbanned in a step may be dialed in it.
    let unbans = events(&actions).iter().any(|event| matches!(event, Event::Unbanned { .. }));
    for conn in dials(&actions) {
        let host = dialed_address(&actions, conn).host().clone();
        prop_assert!(unbans || !before.banned.contains(&BanTarget::Host(host)), "dialed a banned host on {}", input);
    }
    Ok(())
}

fn check_slots(bench: &Bench, before: &Before) -> Result<(), TestCaseError> {
    let (split, limits) = (split(bench), *bench.manager.limits());
    for kind in [Kind::Full, Kind::BlockRelay, Kind::Feeler, Kind::AddrFetch, Kind::Inbound] {
        let held = held(bench, kind);
        prop_assert!(held <= split.of(kind), "{held} {kind:?} of {}", split.of(kind));
    }
    // Added peers are spared when limits fall, but are not dialed beyond them.
    let added = held(bench, Kind::Added);
    prop_assert!(added <= split.added.max(before.added), "{added} added of {}", split.added);
    let all = u32::try_from(bench.manager.connections().len()).expect("few");
    prop_assert!(all <= limits.total.max(added), "{all} connections and dials of {}", limits.total);
    let count = |kind, state| bench.manager.count(kind, state);
    for kind in Kind::ALL {
        let without = count(kind, ConnState::Silent) + count(kind, ConnState::Stalled);
        let is_hedged = matches!(kind, Kind::Full | Kind::BlockRelay);
        let usual = if is_hedged { 2 * split.of(kind) } else { 0 };
        let most = bench.manager.config().dial.max_hedged.filter(|_| is_hedged).unwrap_or(usual);
        prop_assert!(without <= most, "{without} {kind:?} without a slot, of {most}");
    }
    Ok(())
}

/// No address twice, no group twice among automatic connections.
fn check_neighbours(bench: &Bench) -> Result<(), TestCaseError> {
    let (mut addresses, mut groups) = (BTreeMap::new(), BTreeMap::new());
    for conn in bench.manager.connections() {
        let Some(address) = conn.address.filter(|_| !conn.kind.is_inbound()) else { continue };
        let group = matches!(conn.kind, Kind::Full | Kind::BlockRelay).then(|| Group::of(address.host()));
        let twin = addresses.insert(address.clone(), conn.conn);
        prop_assert!(twin.is_none(), "{address} twice");
        let neighbour = group.and_then(|group| groups.insert(group, conn.conn));
        prop_assert!(neighbour.is_none(), "{address} beside a neighbour");
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(120))]

    #[test]
    fn limits_and_rules_hold_and_nothing_leaks(
        limits in any_limits(),
        max_hedged in prop::option::of(0..3u32),
        moves in vec(any_move(), 1..150),
    ) {
        let mut bench = bench(limits, max_hedged);
        (0..=255).step_by(3).for_each(|n| drop(bench.tell(Move::Learn(n).input(&mut Bench::new(Config::default())).expect("an input"))));
        for next in moves {
            step(&mut bench, next)?;
        }
        bench.tell(Input::SetActive { active: false });
        prop_assert_eq!(bench.manager.connections(), vec![]);
        let rest = bench.pass(secs(86_400));
        prop_assert!(dials(&rest).is_empty(), "dials while inactive");
        let is_busy = |peer: &PeerView| matches!(peer.state, PeerState::Dialing(_) | PeerState::Connected(_) | PeerState::Resolving);
        prop_assert!(!bench.manager.added_peers().iter().any(is_busy), "a peer is busy while inactive");
        let last = bench.tell(Input::Shutdown);
        prop_assert_eq!(events(&last), vec![Event::Stopped]);
        prop_assert_eq!(bench.manager.poll_timeout(), None);
    }

    #[test]
    fn a_pool_that_was_rested_is_as_good_as_new(moves in vec(any_move(), 1..100)) {
        let limits = Limits { total: 8, full: 2, ..Limits::default() };
        let mut bench = bench(limits, None);
        for next in moves {
            step(&mut bench, next)?;
        }
        bench.tell(Input::SetActive { active: false });
        bench.pass(secs(400));
        bench.tell(Input::SetLimits { limits });
        bench.tell(Input::SetActive { active: true });
        for peer in bench.manager.added_peers() {
            bench.tell(Input::RemovePeer { peer: peer.peer });
        }
        bench.tell(Input::NetworkChanged);
        // Addresses that no move can have made our own.
        for n in [1u8, 2, 3] {
            let far = crate::support::addr(&format!("9{n}.1.1.1:8333"));
            bench.learn(&[far, address(n)]);
        }
        for _ in 0..200 {
            let open = |conn: &ConnView| match conn.state {
                ConnState::Dialing | ConnState::Silent => Some(Input::DialResult { conn: conn.conn, result: Ok(()) }),
                ConnState::Handshaking | ConnState::Stalled => Some(Input::Ready { conn: conn.conn, info: PeerInfo { services: Services::NETWORK, ..PeerInfo::default() } }),
                ConnState::Ready => None,
            };
            match bench.manager.connections().iter().find_map(open) {
                Some(input) => drop(bench.tell(input)),
                None => drop(bench.pass(secs(1))),
            }
        }
        prop_assert_eq!(held(&bench, Kind::Full), 2);
    }
}
