//! A node on a LAN: its peers are at private addresses, all in one neighbourhood, and some have more than one; it dials
//! nothing on the internet. Here loopback stands for the LAN, so that it runs anywhere.
//!
//! `cargo run -p connmgr-mio --example lan_mio`

use std::io::{self, ErrorKind, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};

use connmgr_mio::{AddedPeer, AddressInfo, Config, ConnId, GroupRule, Limits, PeerInfo, Pool, PoolEvent, Ranges};
use mio::{Events, Interest, Poll, Token};

const CONNECTIONS: usize = 1000; // The first token of a connection; those below are the pool's own.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let config = Config {
        limits: Limits { full: 2, ..Limits::default() }, // Keep two connections to peers of our choice.
        // Peers are at private addresses and not on the internet. A real LAN leaves `loopback` out.
        ranges: Ranges { public: false, private: true, loopback: true, ..Ranges::default() },
        // On the internet, two peers in one neighbourhood may be one operator. Here all are in one.
        groups: GroupRule { max_per_group: None, ..GroupRule::default() },
        ..Config::default()
    };
    let (mut poll, mut events, mut open) = (Poll::new()?, Events::with_capacity(64), 0);
    let mut pool = Pool::builder(config).listen("127.0.0.1:0".parse()?).start(poll.registry(), 0..CONNECTIONS)?;
    let (a, b, c) = (neighbour()?, neighbour()?, neighbour()?);

    // What the application knows from a file or mDNS: two neighbours, ourselves, and a host on the internet.
    let known = [a, b, pool.local_addrs()[0], "8.8.8.8:53".parse()?].map(|address| AddressInfo::new(address.into()));
    println!("of 4 addresses: {}", pool.learn_addresses(known.to_vec()));
    // A peer with a cable and Wi-Fi has two addresses and gets one connection. The cable is not plugged in.
    pool.add_peer(AddedPeer::new("127.0.0.1:1".parse()?).or(c.into()))?;
    let _caller = TcpStream::connect(pool.local_addrs()[0])?; // And a neighbour calls us.

    while !pool.is_stopped() {
        poll.poll(&mut events, pool.poll_timeout())?; // With signal handlers, go on if it is interrupted.
        for event in &events {
            if !pool.handle_event(event) {
                let conn = ConnId::from_u64((event.token().0 - CONNECTIONS) as u64);
                match pool.stream(conn).map(|stream| stream.read(&mut [0; 64])) {
                    Some(Err(error)) if error.kind() == ErrorKind::WouldBlock => {}
                    Some(Ok(0) | Err(_)) => pool.release(conn),
                    _ => {} // Your protocol comes here. This one says nothing, and waits for the end.
                }
            }
        }
        while let Some(event) = pool.next_event() {
            match event {
                PoolEvent::Connected(info) => {
                    println!("connected, {} {}", info.kind, info.address.expect("no proxy hides it"));
                    let token = Token(CONNECTIONS + usize::try_from(info.conn.as_u64())?);
                    let stream = pool.stream(info.conn).expect("it is open");
                    poll.registry().register(stream, token, Interest::READABLE)?;
                    pool.report_ready(info.conn, PeerInfo::default());
                    open += 1;
                    if open == 4 {
                        println!("two of our choice, one added, one inbound: enough");
                        pool.shutdown()?;
                    }
                }
                other => println!("{other}"),
            }
        }
    }
    Ok(())
}

/// Another node: it accepts everyone. Returns its address.
fn neighbour() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || listener.incoming().collect::<Vec<_>>());
    Ok(address)
}
