//! Clause 10: the same version, birth and inputs give the same actions, byte for byte.

use connmgr_core::*;

use crate::chaos::{Dice, Mood, birth, configs, drain};
use crate::support::*;

#[test]
fn same_birth_and_inputs_same_actions() {
    for seed in crate::seeds(10, 1) {
        for (name, config) in configs() {
            let (mut one, mut other) = (birth(&config, seed), birth(&config, seed));
            for (now, input) in crate::script(&config, seed, Mood::Eternal) {
                assert_eq!(one.apply(&input, now), other.apply(&input, now), "`{name}`, CHAOS_SEED={seed}");
                assert_eq!(drain(&mut one), drain(&mut other), "`{name}`, CHAOS_SEED={seed}");
                assert_eq!(one.poll_timeout(), other.poll_timeout(), "`{name}`, CHAOS_SEED={seed}");
            }
            assert!(one == other, "`{name}`, CHAOS_SEED={seed}");
            assert_eq!(one.fingerprint(Time::MAX), other.fingerprint(Time::MAX), "`{name}`, CHAOS_SEED={seed}");
        }
    }
}

/// A clone that gets the same inputs stays equal to the original.
#[test]
fn a_clone_lives_the_same_life() {
    for (name, config) in configs() {
        let script = crate::script(&config, 7, Mood::Living);
        let (first, rest) = script.split_at(script.len() / 2);
        let mut one = birth(&config, 7);
        first.iter().for_each(|(now, input)| drop(one.apply(input, *now)));
        let mut other = one.clone();
        for (now, input) in rest {
            assert_eq!(one.apply(input, *now), other.apply(input, *now), "`{name}`");
        }
        assert!(one == other, "`{name}`");
    }
}

#[test]
fn another_rng_seed_makes_other_choices() {
    let dialed = |seed| {
        let mut manager = birth(&Config::default(), seed);
        let info = |address| AddressInfo::new(address).last_seen(UNIX);
        let known: Vec<AddressInfo> = addresses(200).into_iter().map(info).collect();
        manager.handle_addresses(Source::Application, &known, Time::ZERO);
        drain(&mut manager)
    };
    assert_eq!(dialed(1), dialed(1));
    assert_ne!(dialed(1), dialed(2));
}

/// The digest of all actions of a fixed run. When it changes, traces of earlier releases no longer replay: raise
/// `TRACE_VERSION`, and describe the change in the changelog.
const GOLDEN: u64 = 0xf3bf_1074_ccb8_6115;

#[test]
fn the_actions_of_a_fixed_life_are_those_of_this_trace_version() {
    let mut digest = Digest::default();
    let mut world = Dice::new(1);
    let mut bench = Bench::new(with_listener(Config::bitcoin(Chain::Mainnet)));
    let mut actions = bench.learn(&addresses(400));
    actions.extend(bench.add_peer("1.2.3.4:8333", Keep::Always).1);
    actions.extend(bench.add_peer("node.example:8333", Keep::Always).1);
    for second in 0..900 {
        if second % 10 == 0 {
            let _ = bench.accept(&format!("99.{}.1.1:1000", second / 10));
            actions.extend(bench.actions());
        }
        for action in std::mem::take(&mut actions) {
            digest.add(&action);
            if let Some(input) = answer(&action, &mut world) {
                actions.extend(bench.tell(input));
            }
        }
        actions.extend(bench.pass(secs(1)));
    }
    actions.extend(bench.tell(Input::Shutdown));
    actions.iter().for_each(|action| digest.add(action));
    assert_eq!(digest.0, GOLDEN, "the digest of the actions is now {:#018x}", digest.0);
}

/// The answers of a world in which a third of the hosts is good.
fn answer(action: &Action, world: &mut Dice) -> Option<Input> {
    match action {
        Action::Dial { conn, .. } => match world.below(6) {
            0 | 1 => Some(Input::DialResult { conn: *conn, result: Ok(()) }),
            2 => Some(Input::DialResult { conn: *conn, result: Err(DialError::Refused) }),
            3 => Some(Input::DialResult { conn: *conn, result: Err(DialError::HostUnreachable) }),
            _ => None,
        },
        Action::ResolveSeed { lookup, .. } | Action::ResolveHost { lookup, .. } => {
            let octet = u8::try_from(world.below(200)).expect("an octet");
            let ips = (1..20).map(|n| ResolvedIp::from([60, octet, n, 1])).collect();
            Some(Input::LookupResult { lookup: *lookup, result: Ok(ips) })
        }
        Action::Emit(Event::Connected(Connected { conn, .. })) => match world.below(10) {
            0 => Some(Input::Closed { conn: *conn, cause: CloseCause::Eof }),
            _ => {
                let services = Services::NETWORK | Services::WITNESS;
                Some(Input::Ready { conn: *conn, info: PeerInfo { services, ..PeerInfo::default() } })
            }
        },
        _ => None,
    }
}

/// FNV-1a over the `Debug` text of the actions. The hashes of the standard library may change between versions.
struct Digest(u64);

impl Default for Digest {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Digest {
    fn add(&mut self, action: &Action) {
        for byte in format!("{action:?}\n").bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}
