//! A name server that receives questions, and answers them only on request, that the name does not exist.
//!
//! Of the DNS (RFC 1035 §4.1) it knows no more than that.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};

/// The bytes of a message before its question.
const HEADER: usize = 12;

/// A response, recursion desired and available, of a name that does not exist.
const NO_SUCH_NAME: [u8; 2] = [0x81, 0x83];

/// A name server on the port of name servers.
#[derive(Debug)]
pub struct NameServer {
    socket: UdpSocket,
    questions: Vec<(Vec<u8>, SocketAddr)>,
}

impl NameServer {
    /// Listens on loopback.
    ///
    /// # Errors
    /// What the operating system reports, if the port can't be bound.
    pub fn listen() -> io::Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 53))?;
        socket.set_nonblocking(true)?;
        Ok(Self { socket, questions: Vec::new() })
    }

    /// How many clients wait for an answer. Each asks from a port of its own.
    pub fn asked_by(&mut self) -> usize {
        self.hear();
        self.questions.iter().map(|(_, from)| from).collect::<BTreeSet<_>>().len()
    }

    /// Answers every question that was received.
    pub fn answer(&mut self) {
        self.hear();
        for (mut message, from) in self.questions.drain(..) {
            message[2..4].copy_from_slice(&NO_SUCH_NAME);
            // The client may be gone.
            let _ = self.socket.send_to(&message, from);
        }
    }

    fn hear(&mut self) {
        let mut buffer = [0; 512];
        loop {
            match self.socket.recv_from(&mut buffer) {
                Ok((length, from)) if length >= HEADER => self.questions.push((buffer[..length].to_vec(), from)),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) => panic!("recv: {error}"),
            }
        }
    }
}
