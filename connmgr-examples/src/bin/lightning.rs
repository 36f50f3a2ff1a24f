//! Two Lightning nodes stay connected whichever side drops the connection: `cargo run -p connmgr-examples --bin lightning`

use std::error::Error;

use connmgr_examples::lightning::{Node, short};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let alice = Node::start("alice", [1; 32]).await?;
    let bob = Node::start("bob", [2; 32]).await?;
    let carol = Node::start("carol", [3; 32]).await?;
    let both_are_ready = async |times| {
        alice.ready(bob.id(), times).await;
        bob.ready(alice.id(), times).await;
    };

    println!(
        "alice keeps {}, who is bob. Of the two addresses she has of him, the first is carol's.",
        short(&bob.id())
    );
    alice.keep(bob.id(), &[carol.address(), bob.address()]).await?;
    both_are_ready(1).await;

    println!("bob drops alice.");
    bob.disconnect(alice.id());
    both_are_ready(2).await;

    println!("alice drops bob.");
    alice.disconnect(bob.id());
    both_are_ready(3).await;

    for node in [alice, bob, carol] {
        node.stop().await;
    }
    println!("All have stopped.");
    Ok(())
}
