//! Lightning nodes on real sockets.

use std::time::Duration;

use connmgr_core::{ConnState, ConnView};
use connmgr_examples::lightning::Node;
use tokio::time::{sleep, timeout};

/// Longer than anything here takes on a busy machine.
const LONG: Duration = Duration::from_secs(30);

/// The ready connections of a node, once they are as wanted.
async fn ready(node: &Node, wanted: impl Fn(&[ConnView]) -> bool) -> Vec<ConnView> {
    let look = async {
        loop {
            let mut all = node.pool().connections().await;
            all.retain(|conn| conn.state == ConnState::Ready);
            if wanted(&all) {
                return all;
            }
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(LONG, look).await.expect("the connections never were as wanted")
}

async fn both_are_ready(a: &Node, b: &Node, times: usize) {
    let both = async {
        a.ready(b.id(), times).await;
        b.ready(a.id(), times).await;
    };
    timeout(LONG, both).await.unwrap_or_else(|_| panic!("not ready for the time number {times}"));
}

#[tokio::test]
async fn a_peer_is_kept_by_its_id_whichever_side_drops_it() {
    let (alice, bob) = (Node::start("alice", [1; 32]).await.unwrap(), Node::start("bob", [2; 32]).await.unwrap());
    let kept = alice.keep(bob.id(), &[bob.address()]).await.unwrap();
    for times in 1..=3 {
        both_are_ready(&alice, &bob, times).await;
        let conns = ready(&alice, |conns| conns.len() == 1).await;
        assert_eq!(conns[0].peer, Some(kept));
        ready(&bob, |conns| conns.len() == 1).await;
        match times {
            1 => bob.disconnect(alice.id()),
            _ => alice.disconnect(bob.id()),
        }
    }
    timeout(LONG, async { (alice.stop().await, bob.stop().await) }).await.unwrap();
}

#[tokio::test]
async fn of_a_peers_addresses_the_one_that_leads_to_another_node_is_passed_over() {
    let (alice, bob) = (Node::start("alice", [4; 32]).await.unwrap(), Node::start("bob", [5; 32]).await.unwrap());
    let carol = Node::start("carol", [6; 32]).await.unwrap();
    alice.keep(bob.id(), &[carol.address(), bob.address()]).await.unwrap();
    both_are_ready(&alice, &bob, 1).await;
    let conns = ready(&alice, |conns| conns.len() == 1).await;
    assert_eq!(conns[0].address, Some(bob.address().into()));
}

#[tokio::test]
async fn two_nodes_that_keep_each_other_have_one_connection_which_is_both_peers() {
    let (alice, bob) = (Node::start("alice", [7; 32]).await.unwrap(), Node::start("bob", [8; 32]).await.unwrap());
    let alices = alice.keep(bob.id(), &[bob.address()]).await.unwrap();
    let bobs = bob.keep(alice.id(), &[alice.address()]).await.unwrap();
    both_are_ready(&alice, &bob, 1).await;
    for (node, peer) in [(&alice, alices), (&bob, bobs)] {
        ready(node, |conns| conns.len() == 1 && conns[0].peer == Some(peer)).await;
    }
}
