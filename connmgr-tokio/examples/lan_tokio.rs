//! A node on a LAN: its peers are at private addresses, all in one neighbourhood, and some have more than one; it dials
//! nothing on the internet. Here loopback stands for the LAN, so that it runs anywhere.
//!
//! `cargo run -p connmgr-tokio --example lan_tokio`

use std::error::Error;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};

use connmgr_tokio::{AddedPeer, AddressInfo, Config, Connection, GroupRule, Limits, PeerInfo, Pool, PoolEvent, Ranges};
use tokio::io::AsyncReadExt;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let config = Config {
        limits: Limits { full: 2, ..Limits::default() }, // Keep two connections to peers of our choice.
        // Peers are at private addresses and not on the internet. A real LAN leaves `loopback` out.
        ranges: Ranges { public: false, private: true, loopback: true, ..Ranges::default() },
        // On the internet, two peers in one neighbourhood may be one operator. Here all are in one.
        groups: GroupRule { max_per_group: None, ..GroupRule::default() },
        ..Config::default()
    };
    let builder = Pool::builder(config).listen("127.0.0.1:0".parse()?);
    let mut pool = builder.start().await?;
    let handle = pool.handle();
    let (a, b, c) = (neighbour()?, neighbour()?, neighbour()?);

    // What the application knows from a file or mDNS: two neighbours, ourselves, and a host on the internet.
    let known = [a, b, pool.local_addrs()[0], "8.8.8.8:53".parse()?].map(|address| AddressInfo::new(address.into()));
    println!("of 4 addresses: {}", handle.learn_addresses(known.to_vec()).await);
    // A peer with a cable and Wi-Fi has two addresses and gets one connection. The cable is not plugged in.
    let cable = "127.0.0.1:1".parse()?;
    handle.add_peer(AddedPeer::new(cable).or(c.into())).await?;
    let _caller = TcpStream::connect(pool.local_addrs()[0])?; // And a neighbour calls us.

    let mut open = 0;
    while let Some(event) = pool.next().await {
        match event {
            PoolEvent::Connected(connection) => {
                println!("connected, {} {}", connection.kind(), connection.address().expect("no proxy hides it"));
                tokio::spawn(talk(connection));
                open += 1;
                if open == 4 {
                    println!("two of our choice, one added, one inbound: enough");
                    handle.shutdown().await?;
                }
            }
            other => println!("{other}"),
        }
    }
    Ok(())
}

/// Your protocol comes here. This one says nothing.
async fn talk(mut connection: Connection) {
    connection.report_ready(PeerInfo::default());
    while connection.read_u8().await.is_ok() {}
}

/// Another node: it accepts everyone. Returns its address.
fn neighbour() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || listener.incoming().collect::<Vec<_>>());
    Ok(address)
}
