//! What 80 000 known addresses cost on disk: their file, the start from it, and the turns of an event loop while they are
//! copied for it. The figures are in the README.
//!
//! ```sh
//! cargo bench -p connmgr-std --bench state
//! ```

use std::fs;
use std::hint::black_box;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use connmgr_core::{
    AddressInfo, Birth, BookSecret, Config, ConnManager, Host, Input, Limits, NewBuckets, PeerAddress, Placement,
    SavedAddress, Services, Snapshot, Source, SourceGroup, Time, UnixTime,
};
use connmgr_std::adapter::{Engine, Startup};
use connmgr_std::{StateDir, SystemResolver};
use no_sockets::NoSockets;

#[path = "../tests/common/no_sockets.rs"]
mod no_sockets;

const KNOWN: u32 = 80_000;

const ROUNDS: usize = 11;

const UNIX: UnixTime = UnixTime::from_secs(1_800_000_000);

fn main() {
    let dir = tempfile::tempdir().expect("a place for temporary files");
    let snapshot = Snapshot {
        addresses: (0..KNOWN).map(saved).collect(),
        book_secret: Some(BookSecret([7; 16])),
        ..Snapshot::default()
    };
    let save = least(|| {
        let _ = fs::remove_file(dir.path().join("peers.dat"));
        let (mut state, ..) = StateDir::open(dir.path()).expect("the directory is ours");
        timed(|| state.save(&snapshot).expect("there is room"))
    });
    let bytes = fs::metadata(dir.path().join("peers.dat")).expect("it was saved").len();
    println!("{KNOWN} known addresses: {bytes} bytes on disk, {} each", bytes / u64::from(KNOWN));
    let empty = tempfile::tempdir().expect("a place for temporary files");
    println!("on the processor, least of {ROUNDS}:");
    println!("open, nothing there:            {:>9.2?}", least(|| open(empty.path())));
    println!("save:                           {save:>9.2?}");
    println!("open:                           {:>9.2?}", least(|| open(dir.path())));
    println!("manager born from it:           {:>9.2?}", least(|| born(snapshot.clone())));
    println!("whole book copied at once:      {:>9.2?}", least(|| copied_at_once(&snapshot)));
    let (turns, longest) = longest_turn(dir.path());
    println!("longest of {turns} turns that copy it: {longest:>9.2?}");
    write_version_1(dir.path(), &snapshot);
    println!("open, version 1:                {:>9.2?}", least(|| open(dir.path())));
}

/// In 20 000 groups, from 1000 sources.
fn saved(n: u32) -> SavedAddress {
    let ip = Ipv4Addr::from(0x1000_0000 + ((n % 20_000) << 12) + n / 20_000);
    let ago = |hours: u32| UNIX.before(Duration::from_secs(3600) * hours);
    let is_tried = n % 8 == 0;
    SavedAddress {
        address: PeerAddress::new(Host::from(ip), 8333),
        services: Services::NETWORK | Services::WITNESS | Services::P2P_V2,
        last_seen: ago(1 + n % 500),
        last_try: if is_tried { ago(1 + n % 100) } else { UnixTime::default() },
        last_success: if is_tried { ago(1 + n % 100) } else { UnixTime::default() },
        failures: n % 2,
        v1_only: false,
        source: SourceGroup::from_u128(1 << 64 | u128::from(n % 1000)),
        placement: if is_tried { Placement::Tried } else { Placement::New(bucket(n)) },
    }
}

fn bucket(n: u32) -> NewBuckets {
    u16::try_from(n % 1024).into_iter().collect()
}

/// How long it takes this thread, waits for the disk and for other processes left out.
fn timed<T>(run: impl FnOnce() -> T) -> Duration {
    let begun = busy();
    // What it returns is freed later.
    let _kept = black_box(run());
    busy().saturating_sub(begun)
}

/// How long this thread has been on a processor.
#[cfg(target_os = "linux")]
fn busy() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).expect("a time since the start")
}

/// Elsewhere, the time that has passed.
#[cfg(not(target_os = "linux"))]
fn busy() -> Duration {
    static BEGUN: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    BEGUN.get_or_init(std::time::Instant::now).elapsed()
}

/// The least of several rounds: the others were disturbed by what else the machine does.
fn least(run: impl FnMut() -> Duration) -> Duration {
    std::iter::repeat_with(run).take(ROUNDS).min().unwrap_or_default()
}

fn open(dir: &Path) -> Duration {
    timed(|| StateDir::open(dir).expect("the directory is ours"))
}

fn config() -> Config {
    // It dials nobody.
    Config {
        limits: Limits { full: 0, block_relay: 0, feeler: 0, addr_fetch: 0, ..Limits::default() },
        ..Config::default()
    }
}

fn birth(snapshot: Snapshot) -> Birth {
    Birth { config: config(), snapshot: Some(snapshot), rng_seed: [7; 32], now: Time::ZERO, unix: UNIX }
}

fn born(snapshot: Snapshot) -> Duration {
    timed(|| ConnManager::new(birth(snapshot)).expect("a good configuration"))
}

fn copied_at_once(snapshot: &Snapshot) -> Duration {
    let manager = ConnManager::new(birth(snapshot.clone())).expect("a good configuration");
    timed(|| manager.snapshot())
}

/// How many turns it takes to copy the book, and the longest of them, each by the least of several rounds.
fn longest_turn(dir: &Path) -> (usize, Duration) {
    let startup = Startup { state_dir: Some(dir.into()), ..Startup::new(config()) };
    let started = startup.start().expect("it starts");
    let mut engine = Engine::<()>::start(started, Arc::new(SystemResolver), || ()).expect("it starts");
    let mut turns = Vec::new();
    for round in 1..=u32::try_from(ROUNDS).expect("a few") {
        let now = Time::from_secs(u64::from(round) * 3600);
        let host = Host::from(Ipv4Addr::from(0x0200_0000 + (round << 16)));
        let addresses = vec![AddressInfo::new(PeerAddress::new(host, 8333)).services(Services::NETWORK)];
        engine.apply(&Input::Addresses { source: Source::Application, addresses }, now, &mut NoSockets);
        let at = now.after(Duration::from_secs(1800));
        for turn in 0.. {
            let time = timed(|| engine.turn(at, &mut NoSockets));
            match turns.get_mut(turn) {
                Some(least) => *least = time.min(*least),
                None => turns.push(time),
            }
            if !engine.has_work() {
                break;
            }
        }
    }
    (turns.len(), turns.into_iter().max().unwrap_or_default())
}

/// As the releases before wrote it.
fn write_version_1(dir: &Path, snapshot: &Snapshot) {
    let told = |saved: &SavedAddress| {
        let SavedAddress { address, services, last_seen, last_try, last_success, failures, v1_only, .. } =
            saved.clone();
        (address, services, last_seen, last_try, last_success, failures, v1_only)
    };
    let addresses: Vec<_> = snapshot.addresses.iter().map(told).collect();
    let content = postcard::to_stdvec(&(addresses, Vec::<PeerAddress>::new())).expect("into a vector");
    let mut file = b"CONNMGRP\x01\x00\x00\x00".to_vec();
    file.extend((content.len() as u64).to_le_bytes());
    file.extend(crc32fast::hash(&content).to_le_bytes());
    file.extend(content);
    fs::write(dir.join("peers.dat"), file).expect("there is room");
}
