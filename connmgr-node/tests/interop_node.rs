//! The whole node against a real bcoin: met, lost, met again, and left in peace when it has no room.
//!
//! Run by `.ci/run`, or by hand: see [`support::bcoin`].

#![cfg(unix)]

#[macro_use]
mod support;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use support::bcoin::{Bcoin, BcoinOptions};
use support::program::{Program, replay_byte_for_byte};
use support::{Runtime, soon};
use tokio::time::{Instant, sleep};

fn to(bcoin: SocketAddr) -> String {
    format!("--chain regtest --connect {bcoin}")
}

/// Waits until bcoin has so many connections from us.
async fn settled(bcoin: &mut Bcoin, inbound: u64) {
    let settle = async {
        while bcoin.status().await.inbound != inbound {
            sleep(Duration::from_millis(50)).await;
        }
    };
    soon(&format!("{inbound} connections at bcoin"), settle).await;
}

fn is_dial(line: &&Value) -> bool {
    line["event"].get("connected").is_some() || line["event"].get("dial_failed").is_some()
}

on_each_runtime! {
    the_node_dials_bcoin_and_leaves_in_order,
    bcoin_dials_the_node,
    a_bcoin_that_comes_back_is_met_again_with_one_connection,
    a_bcoin_without_room_is_not_stormed,
    a_run_with_bcoin_goes_the_same_way_again_byte_for_byte,
    #[cfg(target_os = "linux")]
    twenty_seconds_of_a_world_out_of_reach_cost_less_than_one_percent,
}

async fn the_node_dials_bcoin_and_leaves_in_order(runtime: Runtime) {
    let mut bcoin = Bcoin::start(&BcoinOptions { blocks: 10, ..BcoinOptions::default() }).await;
    let mut program = Program::start(runtime, &to(bcoin.address()));
    let ready = program.hear_text("ready: ").await;
    assert!(ready.contains("/bcoin:") && ready.contains("10 blocks"), "{ready}");
    program.hear_text("headers up to 10").await;
    settled(&mut bcoin, 1).await;
    bcoin.mine(2).await;
    program.hear_text("headers up to 12").await;

    program.interrupt();
    let ended = program.end().await;
    assert_eq!((ended.code, &ended.summary["on_target"]), (Some(0), &json!(1)), "{}", ended.summary);
    settled(&mut bcoin, 0).await;
    assert_eq!(bcoin.status().await.accepted, 1);
}

async fn bcoin_dials_the_node(runtime: Runtime) {
    let mut program = Program::start(runtime, "--chain regtest --outbound 0 --listen 127.0.0.1:0");
    let listening = program.hear_text("listening on ").await;
    let only = listening.trim_start_matches("listening on ").parse().expect("an address");
    let mut bcoin = Bcoin::start(&BcoinOptions { only: Some(only), ..BcoinOptions::default() }).await;
    assert_eq!(program.hear_event("connected").await["kind"], json!("inbound"));
    assert!(program.hear_text("ready: ").await.contains("/bcoin:"));
    assert_eq!(bcoin.status().await.outbound, 1);
}

async fn a_bcoin_that_comes_back_is_met_again_with_one_connection(runtime: Runtime) {
    let bcoin = Bcoin::start(&BcoinOptions::default()).await;
    let address = bcoin.address();
    let mut program = Program::start(runtime, &to(address));
    program.hear_text("ready: ").await;

    let lost = Instant::now();
    bcoin.kill().await;
    program.hear_event("disconnected").await;
    let wait = program.hear_text("retry p1 in ").await;
    let mut bcoin = Bcoin::start(&BcoinOptions { port: Some(address.port()), ..BcoinOptions::default() }).await;
    program.hear_text("ready: ").await;
    assert!(lost.elapsed() >= Duration::from_millis(2500), "{wait}: at least half of 5 s");

    sleep(Duration::from_secs(2)).await;
    let status = bcoin.status().await;
    assert_eq!((status.inbound, status.accepted), (1, 1));
    program.interrupt();
    assert_eq!(program.end().await.summary["live"], json!(1));
}

async fn a_bcoin_without_room_is_not_stormed(runtime: Runtime) {
    let mut bcoin = Bcoin::start(&BcoinOptions { max_inbound: Some(0), ..BcoinOptions::default() }).await;
    let mut program = Program::start(runtime, &to(bcoin.address()));
    let heard = program.listen_for(Duration::from_secs(15)).await;
    let dials = heard.iter().filter(is_dial).count() as u64;
    // At 0; then after half to all of 5, 10 and 20 s.
    assert!((2..=3).contains(&dials), "{dials} dials in 15 s");
    assert_eq!(bcoin.status().await.accepted, dials);
}

async fn a_run_with_bcoin_goes_the_same_way_again_byte_for_byte(runtime: Runtime) {
    // It stays in the target directory, for `connmgr-sim` and for the reader.
    let trace = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("bcoin-{runtime}.trace"));
    let _absent = std::fs::remove_file(&trace);
    let bcoin = Bcoin::start(&BcoinOptions { blocks: 3, ..BcoinOptions::default() }).await;
    let mut program = Program::start(runtime, &format!("{} --trace {}", to(bcoin.address()), trace.display()));
    program.hear_text("headers up to 3").await;
    bcoin.kill().await;
    program.hear_event("dial_failed").await;
    program.interrupt();
    assert_eq!(program.end().await.code, Some(0));
    assert!(replay_byte_for_byte(&trace) >= 6);
}

#[cfg(target_os = "linux")]
async fn twenty_seconds_of_a_world_out_of_reach_cost_less_than_one_percent(runtime: Runtime) {
    let mut program = Program::start(runtime, support::OUT_OF_REACH);
    program.listen_for(Duration::from_secs(20)).await;
    let used = support::program::processor_time(program.pid());
    assert!(used < Duration::from_millis(200), "{used:?} of 20 s");
}
