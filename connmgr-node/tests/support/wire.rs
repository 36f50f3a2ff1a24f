//! The other end of a connection, controlled by the test.

use bitcoin::p2p::Magic;
use bitcoin::p2p::message::NetworkMessage;
use connmgr_node::handshake::{Handshake, Hello, PeerHello};
use connmgr_node::wire;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::soon;

/// Messages over a socket.
#[derive(Debug)]
pub struct Wire {
    wire: wire::MessageWire,
    stream: TcpStream,
}

impl Wire {
    pub fn new(stream: TcpStream, magic: Magic) -> Self {
        Self { wire: wire::MessageWire::new(magic), stream }
    }

    pub async fn shake_hands(&mut self, hello: Hello) -> PeerHello {
        let mut handshake = Handshake::begin(hello, &mut self.wire).expect("room");
        let shake = async {
            loop {
                let peer = handshake.proceed(&mut self.wire).expect("shaken");
                self.flush().await;
                match peer {
                    Some(peer) => return peer,
                    None => self.read().await,
                }
            }
        };
        soon("handshake", shake).await
    }

    pub fn into_stream(self) -> TcpStream {
        self.stream
    }

    pub async fn send(&mut self, message: NetworkMessage) {
        self.wire.send(message).expect("room");
        self.flush().await;
    }

    pub async fn send_raw(&mut self, bytes: &[u8]) {
        soon("sending", self.stream.write_all(bytes)).await.expect("open");
    }

    pub async fn next(&mut self) -> NetworkMessage {
        let read = async {
            loop {
                if let Some(message) = self.wire.next_message().expect("open") {
                    return message;
                }
                self.read().await;
            }
        };
        soon("a message", read).await
    }

    /// As [`Wire::next`], however long it takes; none at the end.
    pub async fn next_unhurried(&mut self) -> Option<NetworkMessage> {
        loop {
            match self.wire.next_message() {
                Ok(Some(message)) => return Some(message),
                Ok(None) => {}
                Err(_) => return None,
            }
            let mut space = [0; 4096];
            match self.stream.read(&mut space).await {
                Ok(read @ 1..) => self.wire.receive(&space[..read]),
                Ok(0) | Err(_) => return None,
            }
        }
    }

    async fn flush(&mut self) {
        let bytes = self.wire.outgoing();
        soon("sending", self.stream.write_all(bytes)).await.expect("open");
        self.wire.handle_written(self.wire.outgoing().len());
    }

    async fn read(&mut self) {
        let mut space = [0; 4096];
        match self.stream.read(&mut space).await.expect("open") {
            0 => self.wire.handle_end(None),
            read => self.wire.receive(&space[..read]),
        }
    }
}
