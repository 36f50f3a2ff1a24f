//! What `explain` says is what the planner does, under any sequence of inputs.

use connmgr_core::*;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::cases;
use crate::moves::{Move, address, any_limits, any_move};
use crate::support::{secs, with_listener};
use crate::watched::Watched;

/// A pool that knows at most one address, and makes these moves.
fn moved(limits: Limits, transport: Transport, moves: Vec<Move>) -> Watched {
    let mut config = with_listener(Config { transport, ..Config::default() });
    config.health = HealthConfig { silent_groups: 2, silent_dials: 4, silent_for: secs(1), ..config.health };
    let mut watched = Watched::new(config);
    watched.tell(&Input::SetLimits { limits });
    watched.tell(&Input::Timeout);
    for next in moves {
        let input = match next {
            Move::Learn(_) => {
                watched.learn(Services::NETWORK, [address(0)]);
                continue;
            }
            // Its effect may come a minute later.
            Move::NetworkChanged => continue,
            // No other address may take a network down, or prove that it is up.
            Move::Add(_, keep) => Move::Add(0, keep).input(&mut watched.bench),
            other => other.input(&mut watched.bench),
        };
        if let Some(input) = input {
            watched.tell(&input);
        }
    }
    watched
}

/// The kinds of the dials to this address among the actions.
fn kinds_dialed(watched: &Watched, actions: &[Action], at: &PeerAddress) -> Vec<Kind> {
    let dial = |action: &Action| match action {
        Action::Dial { conn, target, .. } => {
            let is_it = matches!(target, Target::Direct(addr) if PeerAddress::from(*addr) == *at);
            is_it.then(|| watched.bench.manager.connection(*conn).map(|view| view.kind)).flatten()
        }
        _ => None,
    };
    actions.iter().filter_map(dial).collect()
}

/// The time before which no rule of these lets the address be dialed. That the pool looks again is no promise: another
/// rule's end wakes it.
fn not_before(found: &[Hindrance]) -> Option<Time> {
    found.iter().filter(|found| found.rule != DialRule::LooksAgain).filter_map(|found| found.until).max()
}

const KINDS: [Kind; 3] = [Kind::Full, Kind::BlockRelay, Kind::Added];

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn the_only_address_that_may_be_dialed_is_dialed(
        limits in any_limits(),
        v2 in any::<bool>(),
        moves in vec(any_move(), 1..60),
        wait in 0..700u64,
    ) {
        let transport = if v2 { Transport::V2 } else { Transport::V1 };
        let mut watched = moved(limits, transport, moves);
        for later in [0, wait] {
            watched.bench.now = watched.bench.now.after(secs(later));
            let told = watched.bench.manager.explain(&address(0), watched.bench.now);
            let actions = watched.tell(&Input::Timeout);
            let dialed = kinds_dialed(&watched, &actions, &address(0));
            prop_assert!(!told.may_be_dialed() || !dialed.is_empty(), "not dialed: {} {:?}", told, told);
            for kind in dialed {
                let found = told.hindrances(kind).expect("a kind with rules");
                prop_assert!(not_before(found) <= Some(told.at), "dialed {kind} although {told} {told:?}");
            }
        }
    }

    #[test]
    fn no_address_is_dialed_before_its_rules_end(
        limits in any_limits(),
        moves in vec(any_move(), 1..60),
        wait in 1..1000u64,
    ) {
        let mut watched = moved(limits, Transport::V1, moves);
        // Connections that live on may prove that failures were nobody's fault.
        let any_ready = watched.bench.manager.connections().iter().any(|conn| conn.state == ConnState::Ready);
        prop_assume!(!any_ready);
        let told = watched.bench.manager.explain(&address(0), watched.bench.now);
        let end = watched.bench.now.after(secs(wait));
        while let Some(due) = watched.bench.manager.poll_timeout().filter(|due| *due <= end) {
            watched.bench.now = due.max(watched.bench.now);
            let actions = watched.tell(&Input::Timeout);
            if let Some(kind) = kinds_dialed(&watched, &actions, &address(0)).into_iter().next() {
                let found = told.hindrances(kind).expect("a kind with rules");
                let at_least = not_before(found);
                prop_assert!(at_least <= Some(watched.bench.now), "{kind} dialed at {}: {told} {told:?}", watched.bench.now);
                return Ok(());
            }
        }
    }
}

#[test]
fn every_use_is_explained() {
    let watched = moved(Limits::default(), Transport::V1, Vec::new());
    let told = watched.bench.manager.explain(&address(0), watched.bench.now);
    assert!(KINDS.iter().all(|kind| told.hindrances(*kind).is_some_and(|found| !found.is_empty())));
}
