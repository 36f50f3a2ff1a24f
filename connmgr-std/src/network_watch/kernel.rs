//! The kernel's routing messages. Read first: `rtnetlink(7)`, `netlink(7)`.

use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd};

use netlink_packet_core::{NLM_F_DUMP, NLM_F_REQUEST, NetlinkBuffer, NetlinkHeader, NetlinkMessage, NetlinkPayload};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::address::AddressMessage;
use netlink_packet_route::route::RouteMessage;
use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};

use super::scene::{NetworkScene, may_matter};
use crate::errors::is_out_of_resources;

/// More than the kernel puts into one datagram.
const BUFFER: usize = 64 * 1024;

/// Each message of a datagram begins at a multiple of this.
const ALIGNMENT: usize = 4;

/// What is listened to: links, addresses and routes of both families.
const GROUPS: [u32; 5] = [
    libc::RTNLGRP_LINK,
    libc::RTNLGRP_IPV4_IFADDR,
    libc::RTNLGRP_IPV6_IFADDR,
    libc::RTNLGRP_IPV4_ROUTE,
    libc::RTNLGRP_IPV6_ROUTE,
];

/// Messages about changes.
#[derive(Debug)]
pub(super) struct Announcements {
    socket: Socket,
    buffer: Vec<u8>,
}

impl Announcements {
    /// Listens. Only changes from now on are announced.
    pub(super) fn listen() -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        socket.bind_auto()?;
        for group in GROUPS {
            socket.add_membership(group)?;
        }
        socket.set_non_blocking(true)?;
        Ok(Self { socket, buffer: vec![0; BUFFER] })
    }

    /// Takes everything that was announced. Returns whether any of it may matter.
    pub(super) fn take(&mut self) -> io::Result<bool> {
        let mut matters = false;
        loop {
            match self.socket.recv(&mut &mut self.buffer[..], 0) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                // What can't be read may matter.
                Ok(count) => {
                    let _ = each(&self.buffer[..count], |message| {
                        matters |= message.as_ref().is_none_or(may_matter);
                    });
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(matters),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // Messages were lost: there were too many.
                Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => matters = true,
                Err(error) if is_out_of_resources(&error) => return Ok(true),
                Err(error) => return Err(error),
            }
        }
    }
}

impl AsFd for Announcements {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Asks the kernel how the network is. The socket stays open: there may be no descriptor for another when it is needed.
#[derive(Debug)]
pub(super) struct Questions {
    socket: Socket,
    buffer: Vec<u8>,
    asked: u32,
}

impl Questions {
    pub(super) fn open() -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        socket.bind_auto()?;
        socket.connect(&SocketAddr::new(0, 0))?;
        Ok(Self { socket, buffer: vec![0; BUFFER], asked: 0 })
    }

    /// How the network is now.
    pub(super) fn look(&mut self) -> io::Result<NetworkScene> {
        let mut scene = NetworkScene::default();
        self.dump(RouteNetlinkMessage::GetAddress(AddressMessage::default()), &mut scene)?;
        self.dump(RouteNetlinkMessage::GetRoute(RouteMessage::default()), &mut scene)?;
        Ok(scene)
    }

    fn dump(&mut self, question: RouteNetlinkMessage, scene: &mut NetworkScene) -> io::Result<()> {
        self.asked = self.asked.wrapping_add(1);
        let mut request = NetlinkMessage::new(NetlinkHeader::default(), NetlinkPayload::from(question));
        request.header.flags = NLM_F_DUMP | NLM_F_REQUEST;
        request.header.sequence_number = self.asked;
        request.finalize();
        let mut bytes = vec![0; request.buffer_len()];
        request.serialize(&mut bytes);
        self.socket.send(&bytes, 0)?;
        let mut add = |message: Option<RouteNetlinkMessage>| {
            if let Some(message) = message {
                scene.add(&message);
            }
        };
        loop {
            match self.socket.recv(&mut &mut self.buffer[..], 0) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                // What is left of a dump that failed is not of this one.
                Ok(count) if !is_answer(&self.buffer[..count], self.asked) => {}
                Ok(count) => {
                    if each(&self.buffer[..count], &mut add)? {
                        return Ok(());
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// Whether a datagram answers the question of this number.
fn is_answer(datagram: &[u8], asked: u32) -> bool {
    NetlinkBuffer::new_checked(datagram).is_ok_and(|packet| packet.sequence_number() == asked)
}

/// Calls `take` with each message of a datagram; with none for one that can't be read. Returns whether it was the last of a
/// dump.
///
/// # Errors
/// The kernel reports one.
fn each(datagram: &[u8], mut take: impl FnMut(Option<RouteNetlinkMessage>)) -> io::Result<bool> {
    let mut rest = datagram;
    while !rest.is_empty() {
        let Ok(length) = NetlinkBuffer::new_checked(rest).map(|packet| packet.length()) else {
            take(None);
            break;
        };
        match NetlinkMessage::deserialize(rest).map(|message| message.payload) {
            Ok(NetlinkPayload::Done(_)) => return Ok(true),
            Ok(NetlinkPayload::Error(error)) if error.code.is_some() => return Err(error.to_io()),
            Ok(NetlinkPayload::InnerMessage(message)) => take(Some(message)),
            Ok(NetlinkPayload::Overrun(_)) | Err(_) => take(None),
            Ok(_) => {}
        }
        let length = usize::try_from(length).unwrap_or(usize::MAX).next_multiple_of(ALIGNMENT);
        rest = rest.get(length..).unwrap_or_default();
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_network_of_this_machine_can_be_looked_at() {
        let mut questions = Questions::open().unwrap();
        let scene = questions.look().unwrap();
        assert_eq!(questions.look().unwrap(), scene);
        assert!(!scene.changes_to(&scene));
        assert!(!Announcements::listen().unwrap().take().unwrap(), "nothing has changed");
    }

    #[test]
    fn a_datagram_that_makes_no_sense_may_matter_and_is_left_at_that() {
        for datagram in [&[0; 3][..], &[0; 64], &[255; 64], &[16, 0, 0, 0, 24, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]] {
            let mut count = 0;
            let last = each(datagram, |message| {
                assert_eq!(message, None);
                count += 1;
            });
            assert!(!last.unwrap() && count == 1, "{datagram:?}");
        }
    }
}
