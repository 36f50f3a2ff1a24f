//! Memory: no allocations in the steady state, and few bytes for what is kept.
//!
//! The cases are those of the benches.

#[path = "../benches/cases/mod.rs"]
mod cases;

use allocation_counter::measure;
use cases::Node;

/// Rounds of warm-up: until everything that is remembered (ended connections, rates of groups) is full.
const WARM_UP: u32 = 10_000;

/// The allocations of a thousand rounds after the warm-up.
fn check_none(what: &str, mut node: Node, mut round: impl FnMut(&mut Node, u32)) {
    (0..WARM_UP).for_each(|number| round(&mut node, number));
    let info = measure(|| (WARM_UP..WARM_UP + 1000).for_each(|number| round(&mut node, number)));
    assert_eq!(info.count_total, 0, "{what} allocates");
    assert!(node.actions > 0 || what == "a tick", "{what} does nothing");
}

#[test]
fn the_steady_state_allocates_nothing() {
    check_none("a tick", Node::dialing(1000), |node, _| node.tick());
    check_none("a failed dial", Node::dialing(1000), |node, _| node.fail());
    check_none("silence", Node::dialing(1000), |node, _| node.silence());
    check_none("silence around a large pool", Node::dialing_many(10_000), |node, _| node.silence());
    check_none("a lost connection", Node::connected(1000), |node, _| node.replace());
    check_none("a retry", Node::with_peer(), |node, _| node.retry());
    check_none("a visit", Node::connected(1000), |node, number| node.visit(number));
    check_none("a banned visitor", Node::banning(2000), |node, number| _ = node.accept(number));
    check_none("activity", Node::connected(1000), |node, _| node.activity());
    check_none("misbehavior", Node::connected(1000), |node, _| node.misbehave());
}

/// Bytes that `make` leaves allocated.
fn bytes<T>(make: impl FnOnce() -> T) -> u64 {
    let mut kept = None;
    let info = measure(|| kept = Some(make()));
    drop(kept);
    u64::try_from(info.bytes_current).expect("no less than before")
}

#[test]
fn an_empty_manager_takes_less_than_16_kib() {
    let bytes = bytes(Node::empty) + size_of::<Node>() as u64;
    println!("an empty manager: {bytes} bytes");
    assert!(bytes < 16 * 1024, "{bytes} bytes");
}

#[test]
fn a_waiting_peer_takes_at_most_256_bytes() {
    const PEERS: u32 = 100_000;
    let bytes = bytes(|| Node::waiting(PEERS)).div_ceil(u64::from(PEERS));
    println!("a waiting peer: {bytes} bytes");
    assert!(bytes <= 256, "{bytes} bytes");
}

#[test]
fn a_known_address_takes_at_most_64_bytes() {
    const KNOWN: u32 = 80_000;
    let bytes = bytes(|| Node::dialing(KNOWN)).div_ceil(u64::from(KNOWN));
    println!("a known address: {bytes} bytes");
    assert!(bytes <= 64, "{bytes} bytes");
}

/// For the first hour of a life with a file, or until the clock is right.
#[test]
fn a_known_address_takes_at_most_128_bytes_while_the_clock_is_in_doubt() {
    const KNOWN: u32 = 80_000;
    for (is_told, most) in [(false, 96), (true, 128)] {
        let bytes = bytes(|| Node::doubting(KNOWN, is_told)).div_ceil(u64::from(KNOWN));
        println!("an address by a doubtful clock, reported again: {is_told}: {bytes} bytes");
        assert!(bytes <= most, "{bytes} bytes");
    }
}
