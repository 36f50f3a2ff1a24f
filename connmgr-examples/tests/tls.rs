//! Nodes that speak TLS, on real sockets.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use connmgr_core::ConnState;
use connmgr_examples::tls::Node;
use rcgen::KeyPair;
use tokio::time::{sleep, timeout};

/// Longer than anything here takes on a busy machine.
const LONG: Duration = Duration::from_secs(30);

async fn start(name: &'static str, key: &KeyPair) -> Node {
    Node::start(name, key, (Ipv4Addr::LOCALHOST, 0).into()).await.expect("a port of loopback is free")
}

/// Waits until the node's only ready connection is to this address.
async fn is_ready_at(node: &Node, address: SocketAddr) {
    let look = async {
        loop {
            let mut all = node.pool().connections().await;
            all.retain(|conn| conn.state == ConnState::Ready);
            if all.len() == 1 && all[0].address == Some(address.into()) {
                return;
            }
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(LONG, look).await.expect("it was never ready, or not alone");
}

#[tokio::test]
async fn of_a_peers_addresses_the_one_where_another_key_is_shown_is_passed_over() {
    let (alice, bob) =
        (start("alice", &KeyPair::generate().unwrap()).await, start("bob", &KeyPair::generate().unwrap()).await);
    let mallory = start("mallory", &KeyPair::generate().unwrap()).await;
    alice.keep(bob.identity(), &[mallory.address(), bob.address()]).await.unwrap();
    is_ready_at(&alice, bob.address()).await;
}

#[tokio::test]
async fn a_node_with_a_new_certificate_of_its_key_is_the_same_node() {
    let bobs_key = KeyPair::generate().unwrap();
    let (alice, bob) = (start("alice", &KeyPair::generate().unwrap()).await, start("bob", &bobs_key).await);
    let (identity, address) = (bob.identity(), bob.address());
    alice.keep(identity, &[address]).await.unwrap();
    is_ready_at(&alice, address).await;
    bob.stop().await;
    let bob = Node::start("bob", &bobs_key, address).await.unwrap();
    timeout(LONG, alice.ready(identity, 2)).await.expect("it was never dialed again");
    is_ready_at(&alice, address).await;
    assert_eq!(bob.identity(), identity);
}

#[tokio::test]
async fn two_nodes_that_keep_each_other_have_one_connection() {
    let (alice, bob) =
        (start("alice", &KeyPair::generate().unwrap()).await, start("bob", &KeyPair::generate().unwrap()).await);
    let alices = alice.keep(bob.identity(), &[bob.address()]).await.unwrap();
    let bobs = bob.keep(alice.identity(), &[alice.address()]).await.unwrap();
    for (node, peer) in [(&alice, alices), (&bob, bobs)] {
        let one = async {
            loop {
                let all = node.pool().connections().await;
                if all.len() == 1 && all[0].state == ConnState::Ready && all[0].peer == Some(peer) {
                    return;
                }
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(LONG, one).await.expect("its peer never had one connection alone");
    }
}
