//! The number of connections and their addresses, under any sequence of inputs.

use connmgr_core::*;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::cases;
use crate::moves::{Move, address, any_limits, any_move};
use crate::support::{addr, dials, events, secs, with_listener};
use crate::watched::Watched;

fn watched(limits: Limits, max_hedged: Option<u32>) -> Watched {
    let mut config = with_listener(Config::default());
    config.dial.max_hedged = max_hedged;
    config.dial.min_spacing = secs(1);
    config.health.silent_groups = 2;
    config.health.silent_dials = 4;
    config.health.silent_for = secs(1);
    config.transport = Transport::V2;
    config.identity = Some(Identity([2; 32]));
    let mut watched = Watched::new(config);
    watched.tell(&Input::SetLimits { limits });
    watched.tell(&Input::Timeout);
    watched
}

fn make(watched: &mut Watched, next: Move) {
    if let Some(input) = next.input(&mut watched.bench) {
        watched.tell(&input);
    }
}

/// A dial that succeeds or a handshake that is done, if one is under way.
fn next_success(manager: &ConnManager) -> Option<Input> {
    let info = PeerInfo { services: Services::NETWORK, ..PeerInfo::default() };
    manager.connections().iter().find_map(|ConnView { conn, state, .. }| match state {
        ConnState::Dialing | ConnState::Silent => Some(Input::DialResult { conn: *conn, result: Ok(()) }),
        ConnState::Handshaking | ConnState::Stalled => Some(Input::Ready { conn: *conn, info }),
        _ => None,
    })
}

proptest! {
    #![proptest_config(cases(120))]

    #[test]
    fn limits_and_rules_hold_and_nothing_leaks(
        limits in any_limits(),
        max_hedged in prop::option::of(0..3u32),
        moves in vec(any_move(), 1..150),
    ) {
        let mut watched = watched(limits, max_hedged);
        (0..=255).step_by(3).map(Move::Learn).chain(moves).for_each(|next| make(&mut watched, next));
        watched.tell(&Input::SetActive { active: false });
        prop_assert_eq!(watched.bench.manager.connections(), vec![]);
        let rest = watched.pass(secs(86_400));
        prop_assert!(dials(&rest).is_empty(), "dials while inactive");
        let is_busy = |peer: &PeerView| matches!(peer.state, PeerState::Dialing(_) | PeerState::Connected(_) | PeerState::Resolving);
        prop_assert!(!watched.bench.manager.added_peers().iter().any(is_busy), "a peer is busy while inactive");
        let last = watched.tell(&Input::Shutdown);
        prop_assert_eq!(events(&last), vec![Event::Stopped]);
        prop_assert_eq!(watched.bench.manager.poll_timeout(), None);
    }

    #[test]
    fn a_pool_that_was_rested_is_as_good_as_new(moves in vec(any_move(), 1..100)) {
        let limits = Limits { total: 8, full: 2, ..Limits::default() };
        let mut watched = watched(limits, None);
        moves.into_iter().for_each(|next| make(&mut watched, next));
        watched.tell(&Input::SetActive { active: false });
        watched.pass(secs(400));
        watched.tell(&Input::SetLimits { limits });
        watched.tell(&Input::SetActive { active: true });
        for peer in watched.bench.manager.added_peers() {
            watched.tell(&Input::RemovePeer { peer: peer.peer });
        }
        watched.tell(&Input::NetworkChanged);
        // Addresses that no move can have made our own.
        let far = [1u8, 2, 3].map(|n| addr(&format!("9{n}.1.1.1:8333")));
        watched.learn(Services::NETWORK, far.into_iter().chain([1, 2, 3].map(address)));
        for _ in 0..200 {
            match next_success(&watched.bench.manager) {
                Some(input) => drop(watched.tell(&input)),
                None => drop(watched.pass(secs(1))),
            }
        }
        let slots = |state| watched.bench.manager.count(Kind::Full, state);
        prop_assert_eq!(slots(ConnState::Ready), 2);
    }
}
