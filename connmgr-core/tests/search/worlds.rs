//! The small worlds that are searched.

use std::time::Duration;

use connmgr_core::*;

use crate::explore::{Bounds, explore};
use crate::support::{addr, millis, secs, with_listener};
use crate::world::{Setup, USEFUL};

/// Two groups, three addresses.
const KNOWN: &[&str] = &["11.1.0.1:8333", "11.1.0.2:8333", "12.2.0.1:8333"];

const FOUR_GROUPS: &[&str] = &["11.1.0.1:8333", "12.2.0.1:8333", "13.3.0.1:8333", "14.4.0.1:8333"];

/// Short waits without jitter, so that few times differ.
fn config(total: u32, full: u32, added: u32) -> Config {
    let waits = |base, cap| Backoff { growth: Growth::Exponential, base, cap, jitter: false, ..Backoff::default() };
    let mut config = with_listener(Config::default());
    config.limits = Limits { total, full, added, addr_fetch: 0, ..Limits::default() };
    config.dial.direct = Patience::new(secs(5), secs(1));
    config.dial.spacing = secs(10);
    config.dial.min_spacing = secs(5);
    config.dial.rate = Rate { burst: 64, interval: millis(0) };
    config.dial.lookup_timeout = secs(5);
    config.handshake_timeout = secs(10);
    config.stable_after = secs(10);
    config.retry = waits(secs(5), secs(20));
    config.score.ban_for = secs(60);
    config.inbound.rate = Rate { burst: 64, interval: millis(0) };
    config.book.save_every = Duration::from_secs(900);
    config
}

fn setup(name: &'static str, config: Config) -> Setup {
    Setup {
        name,
        config,
        known: KNOWN,
        errors: &[DialError::Refused],
        causes: &[CloseCause::Eof],
        infos: &[USEFUL],
        ips: &["11.1.0.9", "12.2.0.9"],
        anytime: Vec::new(),
        misbehavior: false,
        stages: &ConnState::ALL,
    }
}

/// Added peers keep their slots.
const OF_ADDED_PEERS: &[ConnState] = &[ConnState::Dialing, ConnState::Handshaking, ConnState::Ready];

const REST: [Input; 2] = [Input::SetActive { active: false }, Input::SetActive { active: true }];

fn add(address: &str, keep: Keep) -> Input {
    Input::AddPeer { peer: AddedPeer::new(addr(address)).keep(keep) }
}

fn stranger(remote: &str) -> Input {
    Input::Accept { remote: remote.parse().expect("a socket address"), listener: ListenerId(0) }
}

const BOUNDS: Bounds = Bounds { depth: 20, states: 5_000, heal_every: 1 };

#[test]
fn a_pool_of_one_with_a_stranger() {
    let mut setup = setup("one and a stranger", config(2, 1, 0));
    setup.anytime = vec![stranger("13.3.0.1:50000"), Input::NetworkChanged];
    setup.anytime.extend(REST);
    setup.misbehavior = true;
    explore(&setup, BOUNDS);
}

#[test]
fn a_pool_of_two() {
    let mut setup = setup("two", config(3, 2, 0));
    setup.errors = &[DialError::Refused, DialError::TimedOut];
    explore(&setup, BOUNDS);
}

/// A dial that opens late, or opens and is silent for long, has lost its slot to another, and takes one back.
#[test]
fn slow_answers_in_a_pool_of_one() {
    let mut setup = setup("slow", config(4, 1, 0));
    setup.known = FOUR_GROUPS;
    explore(&setup, BOUNDS);
}

#[test]
fn slow_answers_in_a_pool_of_two_with_room_for_one_without_a_slot() {
    let mut setup = setup("two slow", config(4, 2, 0));
    setup.known = FOUR_GROUPS;
    setup.config.dial.max_hedged = Some(1);
    setup.errors = &[];
    setup.causes = &[];
    explore(&setup, BOUNDS);
}

#[test]
fn slow_answers_to_both_automatic_kinds() {
    let mut setup = setup("both kinds", config(5, 1, 0));
    setup.known = FOUR_GROUPS;
    setup.config.limits.block_relay = 1;
    setup.errors = &[];
    setup.causes = &[];
    setup.anytime = vec![stranger("13.3.0.1:50000")];
    explore(&setup, BOUNDS);
}

#[test]
fn added_peers_only() {
    let mut setup = setup("added peers", Config { mode: Mode::ConnectOnly, ..config(2, 0, 2) });
    setup.stages = OF_ADDED_PEERS;
    setup.anytime =
        vec![add("11.1.0.1:8333", Keep::Always), add("12.2.0.1:8333", Keep::Once), stranger("12.2.0.1:50000")];
    setup.anytime.extend(REST);
    setup.misbehavior = true;
    explore(&setup, BOUNDS);
}

#[test]
fn an_added_peer_beside_a_pool() {
    let mut setup = setup("added and automatic", config(2, 1, 1));
    setup.known = &KNOWN[..2];
    setup.anytime = vec![add(KNOWN[0], Keep::Always), stranger("11.1.0.1:8333")];
    setup.misbehavior = true;
    explore(&setup, BOUNDS);
}

#[test]
fn a_network_that_goes_down() {
    let mut setup = setup("outage", config(2, 1, 1));
    setup.config.health.own_failures = 2;
    setup.config.health.silent_dials = 2;
    setup.config.health.silent_groups = 1;
    setup.config.health.silent_for = secs(1);
    setup.config.health.traffic_within = secs(5);
    setup.errors = &[DialError::NetworkUnreachable, DialError::TimedOut];
    setup.anytime = vec![add("11.1.0.1:8333", Keep::Always), Input::NetworkChanged];
    explore(&setup, BOUNDS);
}

#[test]
fn a_peer_known_by_name() {
    let mut setup = setup("name", Config { mode: Mode::ConnectOnly, ..config(2, 0, 2) });
    setup.known = &[];
    setup.stages = OF_ADDED_PEERS;
    setup.anytime = vec![add("peer.example:8333", Keep::Always), add("11.1.0.9:8333", Keep::Always)];
    setup.anytime.extend(REST);
    explore(&setup, BOUNDS);
}

#[test]
fn two_transports_and_a_peer_met_twice() {
    const KNOWN_PEER: PeerInfo = PeerInfo { identity: Some(Identity([5; 32])), ..USEFUL };
    let mut setup = setup("identities", config(3, 2, 1));
    setup.config.transport = Transport::V2;
    setup.config.identity = Some(Identity([4; 32]));
    setup.causes = &[CloseCause::Eof, CloseCause::Unheard];
    setup.infos = &[USEFUL, KNOWN_PEER];
    setup.anytime = vec![add("12.2.0.1:8333", Keep::Always), stranger("12.2.0.1:50000")];
    explore(&setup, BOUNDS);
}

#[test]
fn limits_that_fall_and_rise_and_bans_by_hand() {
    let mut setup = setup("limits and bans", config(3, 2, 1));
    let limits = |total, full| Input::SetLimits { limits: Limits { total, full, ..setup.config.limits } };
    let target = BanTarget::Subnet("11.1.0.0/24".parse().expect("a subnet"));
    setup.anytime = vec![
        limits(1, 1),
        limits(3, 2),
        Input::Ban { target: target.clone(), duration: secs(60) },
        Input::Unban { target },
        add("11.1.0.1:8333", Keep::Always),
        stranger("11.1.0.7:50000"),
    ];
    explore(&setup, BOUNDS);
}
