//! The node behind Tor, on every runtime: a private Tor network, and bcoin behind an onion service of it.
//!
//! Run by `.ci/interop-onion`, which starts the network and a name server in a namespace with only loopback: see
//! `.ci/private-tor`.

#![cfg(target_os = "linux")]

mod client;
#[path = "../support/mod.rs"]
mod support;

use std::time::Duration;

use connmgr_core::NetworkKind::Onion;

use client::{Client, onion};
use support::Runtime;
use support::bcoin::{Bcoin, BcoinOptions};
use support::flow::Flow;
use support::watch::{Watch, on_every_runtime};

const SECOND: Duration = Duration::from_secs(1);

/// The target of the service's port 18444.
const FIRST: u16 = 28444;
/// The targets of its ports 18445 to 18447.
const OTHER: u16 = 28445;

async fn bcoin(port: u16) -> Bcoin {
    Bcoin::start(&BcoinOptions { port: Some(port), max_inbound: Some(30), ..BcoinOptions::default() }).await
}

fn start(client: &Client, runtime: Runtime, name: &str, words: &str) -> Watch {
    Watch::start(None, runtime, name, &format!("--proxy {} {words}", client.socks()))
}

#[tokio::test]
async fn a_peer_is_reached_by_its_onion_address_and_by_a_name_that_only_an_exit_can_resolve() {
    let mut bcoin = bcoin(FIRST).await;
    let client = &Client::start().await;
    let words = &format!("--chain regtest --connect {}:18444 --connect bcoin.test:{FIRST}", onion());
    let mut nodes = Vec::new();
    for runtime in support::watch::RUNTIMES {
        nodes.push(start(client, runtime, "onion", words));
    }
    for node in &mut nodes {
        node.until("both are ready", 30 * SECOND, |state| state.ready() == 2 && state.ready_in(Onion) == 1).await;
    }
    assert_eq!(bcoin.status().await.inbound, 2 * nodes.len() as u64);
    for node in nodes {
        node.end().await;
    }
}

#[tokio::test]
async fn a_seed_is_resolved_by_an_exit() {
    on_every_runtime(|runtime| async move {
        let client = Client::start().await;
        let mut node = start(&client, runtime, "seed", "--chain signet");
        node.until("a seed has answered", 30 * SECOND, |state| state.seeds() > 0).await;
        node.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_tor_that_is_killed_is_an_outage_and_when_it_is_back_everybody_is_met_again() {
    let _bcoin = bcoin(OTHER).await;
    on_every_runtime(|runtime| async move {
        let client = Client::start().await;
        let ports = 18445..=18447;
        let peers = ports.map(|port| format!("--connect {}:{port} ", onion())).collect::<String>();
        let mut node = start(&client, runtime, "tor", &format!("--chain regtest {peers}"));
        node.until("all are ready", 30 * SECOND, |state| state.ready_in(Onion) == 3).await;

        let killed = client.kill().await;
        node.until("Tor is down", 30 * SECOND, |state| state.is_down(Onion)).await;
        assert_eq!(node.state().live(), 0);
        node.during(4 * SECOND).await;
        let _client = killed.restart().await;
        let up = node.until("Tor is up", 60 * SECOND, |state| !state.is_down(Onion)).await;
        node.until("all are ready again", 60 * SECOND - up, |state| state.ready_in(Onion) == 3).await;
        Flow::of(&node.end().await).check_outages(&runtime.to_string(), &[Onion]);
    })
    .await;
}
