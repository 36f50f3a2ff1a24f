//! Everybody but the node: the added peer, and strangers. Plain sockets that block.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::sleep;
use std::time::Duration;

/// Plays them all. `peer` listens where the node dials its added peer; `node` is where the node listens.
pub(crate) fn play(peer: TcpListener, node: SocketAddr) -> io::Result<()> {
    let address = peer.local_addr()?;
    println!("others: the added peer is echoed: {}", is_echoed(&mut peer.accept()?.0));
    drop(peer);
    println!("others: the added peer is dead");
    sleep(Duration::from_secs(1));

    let peer = TcpListener::bind(address)?;
    let mut returned = peer.accept()?.0;
    println!("others: the added peer is back, and echoed: {}", is_echoed(&mut returned));

    let mut let_in = Vec::new();
    for _ in 0..3 {
        let mut stranger = TcpStream::connect(node)?;
        if is_echoed(&mut stranger) {
            let_in.push(stranger);
        }
    }
    println!("others: of 3 strangers from one host, {} are let in", let_in.len());

    let_in[0].write_all(b"@#$!?")?;
    let all_end = let_in.iter_mut().all(|stranger| matches!(stranger.read(&mut [0]), Ok(0) | Err(_)));
    println!("others: one talks nonsense; all connections of its host end: {all_end}");
    println!("others: its host is let in again: {}", is_echoed(&mut TcpStream::connect(node)?));
    println!("others: the added peer, on another host, is still echoed: {}", is_echoed(&mut returned));
    Ok(())
}

/// Whether the node says back what it is told. It closes at once what it does not let in.
fn is_echoed(stream: &mut TcpStream) -> bool {
    stream.write_all(b"hello").and_then(|()| stream.read_exact(&mut [0; 5])).is_ok()
}
