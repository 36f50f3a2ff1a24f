//! How the node handles faults of a real network, on every runtime.
//!
//! Run by `.ci/interop-faults`, as root: see [`lab`]. The numbers are the node's defaults, so a silence takes half a
//! minute to become an outage; the tests run side by side.

#![cfg(target_os = "linux")]

mod lab;
mod peers;
#[path = "../support/mod.rs"]
mod support;

use std::time::Duration;

use connmgr_core::NetworkKind::{Ipv4, Ipv6};
use lab::Lab;
use peers::Peers;
use support::Runtime;
use support::flow::Flow;
use support::watch::{State, Watch, on_every_runtime};

const SECOND: Duration = Duration::from_secs(1);

/// Eight full connections and two block-relay ones.
const POOL: usize = 10;

/// A node in a lab. It knows one peer, and learns the others from it.
fn meet(lab: &Lab, peers: &Peers, runtime: Runtime, story: &str, words: &str) -> Watch {
    Watch::start(Some(lab.node()), runtime, story, &format!("--chain regtest --add {} {words}", peers.first()))
}

fn is_full(state: &State) -> bool {
    state.full() >= POOL
}

fn is_up(state: &State) -> bool {
    !state.is_down(Ipv4) && !state.is_down(Ipv6)
}

/// Watches for a while; the node must use less than 2 % of a processor.
async fn lie_low(node: &mut Watch, length: Duration) {
    let before = node.processor_time();
    node.during(length).await;
    let used = node.processor_time() - before;
    node.say(&format!("{used:.2?} of a processor in {length:.1?}"));
    assert!(used < length / 50, "{used:?} of {length:?}");
}

#[tokio::test]
async fn when_nobody_answers_the_node_probes_and_is_itself_again_within_a_minute() {
    on_every_runtime(|runtime| async move {
        let lab = Lab::new();
        let peers = Peers::start(&lab, 250, 0);
        let mut node = meet(&lab, &peers, runtime, "silence", "");
        node.until("the pool is full", 20 * SECOND, is_full).await;

        lab.drop_syns();
        peers.hang_up();
        // As many silent dials as there are peers, for a world in which few answer is no outage.
        node.until("IPv4 is down", 150 * SECOND, |state| state.is_down(Ipv4)).await;
        lie_low(&mut node, 8 * SECOND).await;
        lab.restore();
        let up = node.until("IPv4 is up", 60 * SECOND, is_up).await;
        node.until("the pool is full again", 60 * SECOND - up, is_full).await;
        Flow::of(&node.end().await).check_outages(&runtime.to_string(), &[Ipv4]);
    })
    .await;
}

#[tokio::test]
async fn a_pulled_cable_is_an_outage_at_once_and_forgotten_soon_after() {
    on_every_runtime(|runtime| async move {
        let lab = Lab::new();
        let peers = Peers::start(&lab, 100, 100);
        let mut node = meet(&lab, &peers, runtime, "cable", "");
        node.until("the pool is full", 20 * SECOND, is_full).await;

        // Nobody notices, as nobody has anything to say. A surplus in its handshake may go all the same.
        lab.pull();
        let ready = node.state().ready();
        assert_eq!(node.during(2 * SECOND).await.ready(), ready);
        lab.give_up_connections();
        node.until("both are down", 10 * SECOND, |state| state.is_down(Ipv4) && state.is_down(Ipv6)).await;
        lie_low(&mut node, 8 * SECOND).await;
        lab.plug();
        let up = node.until("both are up", 60 * SECOND, is_up).await;
        node.until("the pool is full again", 60 * SECOND - up, is_full).await;
        Flow::of(&node.end().await).check_outages(&runtime.to_string(), &[Ipv4, Ipv6]);
    })
    .await;
}

/// Later probes of a network that is down are half a minute apart.
#[tokio::test]
async fn a_cable_that_is_plugged_in_again_is_noticed_before_the_next_probe() {
    on_every_runtime(|runtime| async move {
        let lab = Lab::new();
        let peers = Peers::start(&lab, 100, 100);
        let mut node = meet(&lab, &peers, runtime, "plug", "");
        node.until("the pool is full", 20 * SECOND, is_full).await;
        lab.fidget();
        node.during(3 * SECOND).await;

        lab.pull();
        lab.give_up_connections();
        node.until("both are down", 10 * SECOND, |state| state.is_down(Ipv4) && state.is_down(Ipv6)).await;
        // Probes after 1, 3, 7 and 15 s. The next would be after 31 s.
        node.during(17 * SECOND).await;
        lab.plug();
        let up = node.until("both are up", 5 * SECOND, is_up).await;
        node.until("the pool is full again", 10 * SECOND - up, is_full).await;
        node.say(&format!("up after {up:.2?}"));
        assert_eq!(Flow::of(&node.end().await).network_changes(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_world_that_refuses_everything_is_no_outage_and_is_not_stormed() {
    on_every_runtime(|runtime| async move {
        let lab = Lab::new();
        // So many that there is always somebody left to dial: silence would be an outage after half a minute of this.
        let peers = Peers::start(&lab, 1, 900);
        let mut node = meet(&lab, &peers, runtime, "resets", "");
        node.until("the pool is full", 20 * SECOND, is_full).await;

        lab.reset_all();
        peers.hang_up();
        lie_low(&mut node, 35 * SECOND).await;
        let refused = node.state().failures("refused");
        assert!(node.state().live() == 0 && refused > 300, "{:?}", node.state());
        lab.restore();
        node.until("the pool is full again", 60 * SECOND, is_full).await;
        assert_eq!(node.state().outages(), 0);

        let flow = Flow::of(&node.end().await);
        let busiest = [1, 10].map(|seconds| flow.busiest(seconds * SECOND));
        println!("{runtime}: {refused} refused; dials in the busiest second and ten seconds: {busiest:?}");
        // 64 at once, then ten a second; and the added peer's.
        assert!(busiest[0] <= 64 + 10 + 2 && busiest[1] <= 64 + 100 + 5, "{runtime}: {busiest:?}");
    })
    .await;
}

#[tokio::test]
async fn the_pool_is_full_before_it_is_known_that_half_of_its_addresses_lead_nowhere() {
    on_every_runtime(|runtime| async move {
        let lab = Lab::new();
        let peers = Peers::start(&lab, 100, 100);
        lab.swallow_v6();
        let mut node = meet(&lab, &peers, runtime, "half", "");
        // One in two dials is never answered, and gives its slot back after a second. The last of the two block-relay
        // slots takes longest: there are dials for it three times in five seconds.
        node.until("the pool is full", 30 * SECOND, is_full).await;
        assert!(is_up(node.state()));
        node.end().await;
    })
    .await;
}

#[tokio::test]
async fn an_ipv6_that_leads_nowhere_keeps_nobody_of_ipv4_away_once_it_is_known() {
    on_every_runtime(|runtime| async move {
        let lab = Lab::new();
        let peers = Peers::start(&lab, 40, 500);
        lab.swallow_v6();
        // More than IPv4 alone has, so that there is a reason to go on trying.
        let mut node = meet(&lab, &peers, runtime, "ipv6", "--outbound 60");
        node.until("IPv6 is down", 60 * SECOND, |state| state.is_down(Ipv6)).await;
        node.say(&format!("{} of IPv4 are here", node.state().ready_in(Ipv4)));
        // What is left of them comes at the pace of dials, ten a second.
        node.until("all of IPv4 is here", 6 * SECOND, |state| state.ready_in(Ipv4) == 40).await;
        lie_low(&mut node, 4 * SECOND).await;
        assert!(node.state().is_down(Ipv6) && !node.state().is_down(Ipv4));

        lab.restore();
        let up = node.until("IPv6 is up", 60 * SECOND, is_up).await;
        node.until("the pool is full", 60 * SECOND - up, |state| state.full() >= 62).await;
        Flow::of(&node.end().await).check_outages(&runtime.to_string(), &[Ipv6]);
    })
    .await;
}
