//! A node keeps another that it knows by its key, whatever certificate it shows: `cargo run -p connmgr-examples --bin tls`

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};

use connmgr_examples::tls::Node;
use rcgen::KeyPair;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let bobs_key = KeyPair::generate()?;
    let alice = Node::start("alice", &KeyPair::generate()?, anywhere).await?;
    let bob = Node::start("bob", &bobs_key, anywhere).await?;
    let mallory = Node::start("mallory", &KeyPair::generate()?, anywhere).await?;
    let (is_bob, bobs_address) = (bob.identity(), bob.address());

    println!("alice keeps bob. Of the two addresses she has of him, the first is mallory's.");
    alice.keep(is_bob, &[mallory.address(), bobs_address]).await?;
    alice.ready(is_bob, 1).await;

    println!("bob stops, and starts again with a new certificate of the same key.");
    bob.stop().await;
    let bob = Node::start("bob", &bobs_key, bobs_address).await?;
    alice.ready(is_bob, 2).await;

    for node in [alice, bob, mallory] {
        node.stop().await;
    }
    println!("All have stopped.");
    Ok(())
}
