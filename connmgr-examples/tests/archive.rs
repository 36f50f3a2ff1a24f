//! The network of archives, on real sockets.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use connmgr_core::PeerAddress;
use connmgr_examples::archive::{ARCHIVE, Node, READER};
use smol::Timer;
use smol::future::or;
use tempfile::TempDir;

/// Runs a story, for no longer than anything here takes on a busy machine.
fn play(story: impl Future<Output = ()>) {
    smol::block_on(or(story, async {
        Timer::after(Duration::from_secs(50)).await;
        panic!("it takes too long");
    }));
}

fn states<const N: usize>() -> [TempDir; N] {
    std::array::from_fn(|_| tempfile::tempdir().expect("a temporary directory can be made"))
}

fn addresses<'a>(nodes: impl IntoIterator<Item = &'a Node>) -> BTreeSet<PeerAddress> {
    nodes.into_iter().map(|node| node.address().into()).collect()
}

#[test]
fn archives_find_each_other_from_one_address_and_nobody_dials_a_reader() {
    play(async {
        let states: [_; 4] = states();
        let ada = Node::start("ada", ARCHIVE, 2, None, states[0].path()).await.unwrap();
        let seed = Some(ada.address());
        let dan = Node::start("dan", READER, 3, seed, states[3].path()).await.unwrap();
        let ben = Node::start("ben", ARCHIVE, 2, seed, states[1].path()).await.unwrap();
        let cleo = Node::start("cleo", ARCHIVE, 2, seed, states[2].path()).await.unwrap();
        for node in [&ada, &ben, &cleo, &dan] {
            node.is_full().await;
        }
        assert_eq!(ada.archives().await, addresses([&ben, &cleo]));
        assert_eq!(ben.archives().await, addresses([&ada, &cleo]));
        assert_eq!(cleo.archives().await, addresses([&ada, &ben]));
        assert_eq!(dan.archives().await, addresses([&ada, &ben, &cleo]));
        assert_eq!(dan.pool().stats().await.accepted, 0);
    });
}

#[test]
fn a_node_finds_its_way_back_by_its_address_book_alone() {
    play(async {
        let states: [_; 2] = states();
        let ada = Node::start("ada", ARCHIVE, 0, None, states[0].path()).await.unwrap();
        let dan = Node::start("dan", READER, 1, Some(ada.address()), states[1].path()).await.unwrap();
        dan.is_full().await;
        dan.stop().await;
        let dan = Node::start("dan", READER, 1, None, states[1].path()).await.unwrap();
        dan.is_full().await;
        assert_eq!(dan.archives().await, addresses([&ada]));
    });
}

#[test]
fn a_peer_that_breaks_the_protocol_again_and_again_is_banned() {
    play(async {
        let [state] = states();
        let ada = Node::start("ada", ARCHIVE, 0, None, state.path()).await.unwrap();
        for words in ["hello\n", "hello 1 x 1\n", "hello 0 1 1\nwhat\n", "hello 0 2 1\nknown 1.2.3.4\n", "\n", " \n"] {
            let mut peer = TcpStream::connect(ada.address()).unwrap();
            peer.write_all(words.as_bytes()).unwrap();
            // It may be reset, as it has not read everything.
            let _ = smol::unblock(move || peer.read_to_end(&mut Vec::new())).await;
        }
        while ada.pool().bans().await.is_empty() {
            Timer::after(Duration::from_millis(5)).await;
        }
    });
}
