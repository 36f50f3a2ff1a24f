//! What survives kill -9 in the first quarter of an hour, in which a node learns most of the addresses it will ever know.
//!
//! A child process is a pool at virtual time, with the real disk. It learns 100 addresses a second for 20 s, as from its
//! first two peers, and then one in ten seconds. It is killed at any second of the first 15 minutes.
//!
//! ```sh
//! CONNMGR_KILLS=100 cargo test -p connmgr-std --test kills -- --nocapture
//! ```
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that can't be set up has failed")]

mod common;
#[path = "common/no_sockets.rs"]
mod no_sockets;

use std::env;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use common::LONG;
use connmgr_core::{AddressInfo, Config, Input, Limits, PeerAddress, Services, Source, Time, UnixTime};
use connmgr_std::adapter::{Engine, Startup};
use connmgr_std::{StateDir, SystemResolver};
use no_sockets::NoSockets;

/// The child's directory, and the second at which it is killed.
const CHILD: &str = "CONNMGR_KILLED";

/// The book is saved a minute after the first address, at the latest.
const SAVED_BY: u64 = 61;

/// How many addresses are known at the end of this second.
fn learnt_by(second: u64) -> u64 {
    100 * second.min(20) + second.saturating_sub(20) / 10
}

/// A different group for each.
fn address(number: u64) -> AddressInfo {
    let ip = Ipv4Addr::from_bits(0x1000_0000 + (u32::try_from(number).unwrap() << 12));
    let address = PeerAddress::from(SocketAddr::from((ip, 8333)));
    AddressInfo::new(address).services(Services::NETWORK).last_seen(UnixTime::from_secs(1_700_000_000))
}

fn learn(engine: &mut Engine<()>, second: u64) {
    let addresses: Vec<_> = (learnt_by(second - 1)..learnt_by(second)).map(address).collect();
    if !addresses.is_empty() {
        let input = Input::Addresses { source: Source::Application, addresses };
        engine.apply(&input, Time::from_secs(second), &mut NoSockets);
    }
}

/// A disk takes less than a second; virtual seconds pass faster.
fn wait_for_the_disk(dir: &Path) {
    let begun = Instant::now();
    while !dir.join("peers.dat").exists() {
        assert!(begun.elapsed() < LONG, "nothing is saved");
        thread::yield_now();
    }
}

#[test]
#[ignore = "run by what_was_learnt_in_the_first_minute_survives_a_kill"]
fn in_a_child_process() {
    let Ok(told) = env::var(CHILD) else { return };
    let (second, dir) = told.split_once(' ').unwrap();
    let (second, dir) = (second.parse().unwrap(), Path::new(dir));
    // It dials nobody, so that nothing but time passes.
    let limits = Limits { full: 0, block_relay: 0, feeler: 0, addr_fetch: 0, ..Limits::default() };
    let config = Config { limits, ..Config::default() };
    let startup = Startup { state_dir: Some(dir.into()), ..Startup::new(config) };
    let mut engine = Engine::<()>::start(startup.start().unwrap(), Arc::new(SystemResolver), || ()).unwrap();
    for now in 1..=second {
        learn(&mut engine, now);
        engine.turn(Time::from_secs(now), &mut NoSockets);
        // A large book is copied in several turns.
        while engine.has_work() {
            engine.turn(Time::from_secs(now), &mut NoSockets);
        }
        if now == SAVED_BY + 1 {
            wait_for_the_disk(dir);
        }
    }
    println!("kill me");
    thread::park();
}

/// Kills a child at this second. Returns how many addresses are on disk.
fn survivors(second: u64) -> u64 {
    let dir = tempfile::tempdir().unwrap();
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", "in_a_child_process", "--ignored", "--nocapture"]).stdout(Stdio::piped());
    let mut child = child.env(CHILD, format!("{second} {}", dir.path().display())).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let is_ready = lines.any(|line| line.unwrap().ends_with("kill me"));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(is_ready, "the child failed");
    let (_, found, damages) = StateDir::open(dir.path()).unwrap();
    assert_eq!(damages, [], "killed at {second} s");
    found.map_or(0, |found| found.addresses.len() as u64)
}

#[test]
fn what_was_learnt_in_the_first_minute_survives_a_kill() {
    let kills: u64 = env::var("CONNMGR_KILLS").ok().map_or(10, |kills| kills.parse().unwrap());
    let (mut known, mut kept, mut spared) = (0, 0, 0);
    for kill in 0..kills {
        // Every second of the quarter of an hour, in an order of no consequence.
        let second = 1 + kill * 389 % 900;
        let (learnt, found) = (learnt_by(second), survivors(second));
        if second > SAVED_BY {
            assert!(found >= learnt_by(SAVED_BY - 1), "killed at {second} s: {found} of {learnt}");
        }
        (known, kept, spared) = (known + learnt, kept + found, spared + u64::from(found > 0));
    }
    println!("{kills} kills: {kept} of {known} addresses survive, some in {spared} lives");
}
