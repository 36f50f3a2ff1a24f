//! Six million gossiped addresses a day, as in the wave of 2021, are mostly refused, and cost bounded memory.

use std::time::Duration;

use allocation_counter::measure;
use connmgr_core::*;
use connmgr_sim::attack::AttackPlan;

const UNIX: UnixTime = UnixTime::from_secs(1_767_225_600);
const PEERS: usize = 8;
const ADDRESSES_A_DAY: u32 = 6_000_000;
/// A quarter of a day: what is known grows evenly from the second hour on.
const HOURS: u32 = 6;
const CALLS_AN_HOUR: u32 = 60;

/// A manager with eight peers, which tell nothing yet.
fn connected() -> (ConnManager, Vec<ConnId>) {
    let mut config = Config::bitcoin(Chain::Mainnet);
    config.limits = Limits { full: 8, block_relay: 0, ..config.limits };
    config.seeds.names.clear();
    let birth = Birth { config, snapshot: None, rng_seed: [7; 32], now: Time::ZERO, unix: UNIX };
    let mut manager = ConnManager::new(birth).expect("a good configuration");
    let first: Vec<AddressInfo> = AttackPlan::new(1000).announcements(99, UNIX).map(|one| one.info).collect();
    manager.handle_addresses(Source::Application, &first, Time::ZERO);
    let mut conns = Vec::new();
    while let Some(action) = manager.poll_action() {
        if let Action::Dial { conn, .. } = action {
            manager.handle_dial_result(conn, Ok(()), Time::ZERO);
            manager.handle_ready(conn, PeerInfo::new(Services::NETWORK | Services::WITNESS), Time::ZERO);
            conns.push(conn);
        }
    }
    assert_eq!(conns.len(), PEERS);
    (manager, conns)
}

#[test]
fn a_flood_of_gossip_costs_no_memory() {
    let (mut manager, conns) = connected();
    let mut gossip = AttackPlan::new(ADDRESSES_A_DAY).announcements(1, UNIX).map(|one| one.info);
    let each = ADDRESSES_A_DAY / 24 / CALLS_AN_HOUR / 8;
    let (mut held, mut told, mut by_hour) = (0, 0, Vec::new());
    for minute in 0..HOURS * CALLS_AN_HOUR {
        let now = Time::ZERO.after(Duration::from_secs(60) * minute);
        for conn in &conns {
            let batch: Vec<AddressInfo> = gossip.by_ref().take(each as usize).collect();
            told += batch.len();
            let cost = measure(|| {
                manager.handle_addresses(Source::Peer(*conn), &batch, now);
                manager.handle_activity(*conn, Activity::default(), now);
                manager.handle_timeout(now);
                while manager.poll_action().is_some() {}
            });
            held += cost.bytes_current;
        }
        if minute % CALLS_AN_HOUR == CALLS_AN_HOUR - 1 {
            by_hour.push((held, manager.book().len()));
        }
    }
    println!("{told} told; bytes and addresses by the hour: {by_hour:?}");
    assert!(told > 1_490_000, "{told}");
    let (bytes, known) = by_hour[by_hour.len() - 1];
    // Each peer may tell a thousand at once and 360 an hour; beside that, the application told a thousand.
    assert!(known <= 1000 + PEERS * (1000 + 360 * HOURS as usize), "{known}");
    assert!(bytes <= 200 * known as i64, "{bytes} bytes for {known} addresses");
    assert!(manager.connections().len() >= PEERS, "the peers are still there");
}
