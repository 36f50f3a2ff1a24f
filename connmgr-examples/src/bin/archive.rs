//! Archives find each other from one address, and after a restart without any: `cargo run -p connmgr-examples --bin archive`

use std::error::Error;

use connmgr_examples::archive::{ARCHIVE, Node, READER};

fn main() -> Result<(), Box<dyn Error>> {
    smol::block_on(async {
        let states: Vec<_> = (0..4).map(|_| tempfile::tempdir()).collect::<Result<_, _>>()?;
        println!(
            "Three archives and a reader, which keeps no files. All know the first archive's address, and no other."
        );
        let ada = Node::start("ada", ARCHIVE, 2, None, states[0].path()).await?;
        let seed = Some(ada.address());
        let ben = Node::start("ben", ARCHIVE, 2, seed, states[1].path()).await?;
        let cleo = Node::start("cleo", ARCHIVE, 2, seed, states[2].path()).await?;
        let dan = Node::start("dan", READER, 3, seed, states[3].path()).await?;
        for node in [&ada, &ben, &cleo, &dan] {
            node.is_full().await;
        }
        println!("Each archive has dialed both others, and the reader all three.");

        println!("The reader stops, and starts again with its address book alone.");
        dan.stop().await;
        let dan = Node::start("dan", READER, 3, None, states[3].path()).await?;
        dan.is_full().await;
        println!("It has dialed all three.");

        for node in [ada, ben, cleo, dan] {
            node.stop().await;
        }
        println!("All have stopped.");
        Ok(())
    })
}
