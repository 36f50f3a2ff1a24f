//! The version handshake, both ways.
//!
//! The dialer sends first. Each side sends `version`, then its features (`wtxidrelay`, `sendaddrv2`), then `verack`. There
//! is no clock: the manager closes the stream of a handshake that takes too long. Read first: BIP 339, BIP 155, and <https://developer.bitcoin.org/reference/p2p_networking.html#version>.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{SystemTime, UNIX_EPOCH};

use bitcoin::p2p::message::NetworkMessage;
use bitcoin::p2p::message_network::VersionMessage;
use bitcoin::p2p::{Address, ServiceFlags};
use connmgr_core::{Kind, PeerInfo, Services};

use crate::end::SessionEnd;
use crate::frame::FrameError;
use crate::text::escape;
use crate::violation::ProtocolViolation;
use crate::wire::{MessageWire, PROTOCOL_VERSION, WireError};

/// The oldest protocol version we accept: 70001 is the first whose `version` has all its fields (BIP 37).
pub const MIN_VERSION: u32 = 70001;

/// Messages a peer may send before its handshake is done. An honest one sends five.
const MAX_MESSAGES: u32 = 64;

/// What we announce about ourselves.
#[derive(Clone, Debug)]
pub struct Hello {
    /// The kind of the connection. On inbound ones the peer sends first.
    pub kind: Kind,
    /// The manager's nonce of this connection. If a peer sends it back, we connected to ourselves.
    pub nonce: u64,
    /// Our services.
    pub services: Services,
    /// Our user agent.
    pub user_agent: String,
    /// The height of our chain.
    pub start_height: i32,
    /// The other end, if it has an IP address.
    pub remote: Option<SocketAddr>,
}

impl Hello {
    /// No services, and this program's user agent.
    pub fn new(kind: Kind, nonce: u64) -> Self {
        Self {
            kind,
            nonce,
            services: Services::NONE,
            user_agent: concat!("/connmgr-node:", env!("CARGO_PKG_VERSION"), "/").to_string(),
            start_height: 0,
            remote: None,
        }
    }

    fn version(&self) -> VersionMessage {
        let nowhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        VersionMessage {
            version: PROTOCOL_VERSION,
            services: ServiceFlags::from(self.services.bits()),
            timestamp: i64::try_from(seconds).unwrap_or(i64::MAX),
            receiver: Address::new(&self.remote.unwrap_or(nowhere), ServiceFlags::NONE),
            sender: Address::new(&nowhere, ServiceFlags::NONE),
            nonce: self.nonce,
            user_agent: self.user_agent.clone(),
            start_height: self.start_height,
            // This node needs no transactions.
            relay: false,
        }
    }
}

/// What a peer announces about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerHello {
    /// What the manager needs to know.
    pub info: PeerInfo,
    /// Its protocol version.
    pub version: u32,
    /// Its user agent, escaped and cut to be printed.
    pub user_agent: String,
    /// The height it announced.
    pub start_height: i32,
    /// Whether it wants addresses as `addrv2`.
    pub wants_addrv2: bool,
}

impl PeerHello {
    fn new(version: &VersionMessage) -> Self {
        Self {
            info: PeerInfo {
                services: Services::from_bits(version.services.to_u64()),
                nonce: Some(version.nonce),
                identity: None,
                ..PeerInfo::default()
            },
            version: version.version,
            user_agent: escape(&version.user_agent),
            start_height: version.start_height,
            wants_addrv2: false,
        }
    }
}

/// A handshake under way. Sans-IO.
///
/// ```text
/// AwaitingVersion ──version──▶ AwaitingVerack ──verack──▶ done
/// ```
#[derive(Debug)]
pub struct Handshake {
    hello: Hello,
    state: HandshakeState,
    /// Messages the peer may still send.
    patience: u32,
}

#[derive(Debug)]
enum HandshakeState {
    /// `version` has not come. Other messages are ignored, as in Core.
    AwaitingVersion,
    /// `version` has come; features may follow.
    AwaitingVerack(PeerHello),
}

impl Handshake {
    /// Begins. The dialer sends its `version`.
    ///
    /// # Errors
    /// That of [`MessageWire::send`].
    pub fn begin(hello: Hello, wire: &mut MessageWire) -> Result<Self, WireError> {
        if !hello.kind.is_inbound() {
            wire.send(NetworkMessage::Version(hello.version()))?;
        }
        Ok(Self { hello, state: HandshakeState::AwaitingVersion, patience: MAX_MESSAGES })
    }

    /// The kind of the connection.
    pub const fn kind(&self) -> Kind {
        self.hello.kind
    }

    /// Handles what was read. Returns the peer's announcement when the handshake is done.
    ///
    /// # Errors
    /// [`SessionEnd`]: the other end left, spoke another protocol, or speaks too old a version of this one. The handshake is
    /// over then.
    pub fn proceed(&mut self, wire: &mut MessageWire) -> Result<Option<PeerHello>, SessionEnd> {
        while let Some(message) = self.read(wire)? {
            match (&mut self.state, message) {
                (HandshakeState::AwaitingVersion, NetworkMessage::Version(version)) => {
                    self.state = HandshakeState::AwaitingVerack(self.meet(&version, wire)?);
                    continue;
                }
                (HandshakeState::AwaitingVerack(peer), NetworkMessage::Verack) => return Ok(Some(peer.clone())),
                (HandshakeState::AwaitingVerack(peer), NetworkMessage::SendAddrV2) => peer.wants_addrv2 = true,
                (HandshakeState::AwaitingVersion | HandshakeState::AwaitingVerack(_), _) => {}
            }
            self.patience = self.patience.checked_sub(1).ok_or(ProtocolViolation::EndlessHandshake(MAX_MESSAGES))?;
        }
        Ok(None)
    }

    fn read(&self, wire: &mut MessageWire) -> Result<Option<NetworkMessage>, SessionEnd> {
        let is_first = matches!(self.state, HandshakeState::AwaitingVersion) && self.patience == MAX_MESSAGES;
        match wire.next_message() {
            Err(WireError::Frame(FrameError::Magic(magic))) if is_first => Err(SessionEnd::Foreign(magic)),
            read => Ok(read?),
        }
    }

    /// Answers the peer's `version`.
    fn meet(&self, theirs: &VersionMessage, wire: &mut MessageWire) -> Result<PeerHello, SessionEnd> {
        if theirs.version < MIN_VERSION {
            return Err(SessionEnd::Obsolete(theirs.version));
        }
        if self.hello.kind.is_inbound() {
            wire.send(NetworkMessage::Version(self.hello.version()))?;
        }
        // Older nodes may punish an unknown message before `verack`.
        if theirs.version >= PROTOCOL_VERSION {
            wire.send(NetworkMessage::WtxidRelay)?;
            wire.send(NetworkMessage::SendAddrV2)?;
        }
        wire.send(NetworkMessage::Verack)?;
        Ok(PeerHello::new(theirs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::encode;
    use bitcoin::p2p::Magic;

    const MAGIC: Magic = Magic::REGTEST;

    /// One side of a handshake.
    struct Side {
        handshake: Handshake,
        wire: MessageWire,
    }

    impl Side {
        fn new(hello: Hello) -> Self {
            let mut wire = MessageWire::new(MAGIC);
            Self { handshake: Handshake::begin(hello, &mut wire).expect("room"), wire }
        }

        fn proceed(&mut self) -> Result<Option<PeerHello>, SessionEnd> {
            self.handshake.proceed(&mut self.wire)
        }

        /// Sends all that waits to the other side.
        fn speak(&mut self, to: &mut Self) {
            to.wire.receive(self.wire.outgoing());
            self.wire.handle_written(self.wire.outgoing().len());
        }
    }

    fn hello(kind: Kind) -> Hello {
        Hello { services: Services::NETWORK, start_height: 5, ..Hello::new(kind, 42 + kind.index() as u64) }
    }

    /// What each side learns about the other.
    fn shake(dialer: Hello, acceptor: Hello) -> (PeerHello, PeerHello) {
        let (mut near, mut far) = (Side::new(dialer), Side::new(acceptor));
        near.speak(&mut far);
        assert_eq!(far.proceed().expect("shaken"), None);
        far.speak(&mut near);
        let acceptor = near.proceed().expect("shaken").expect("all was said");
        near.speak(&mut far);
        (acceptor, far.proceed().expect("shaken").expect("all was said"))
    }

    #[test]
    fn both_sides_learn_who_the_other_is() {
        let (ours, theirs) = (hello(Kind::Full), hello(Kind::Inbound));
        let (near, far) = shake(ours.clone(), theirs.clone());
        assert_eq!(near.info.nonce, Some(theirs.nonce));
        assert_eq!(far.info.nonce, Some(ours.nonce));
        assert_eq!(far.info.services, Services::NETWORK);
        assert_eq!((far.version, far.start_height), (70016, 5));
        assert!(near.wants_addrv2 && far.wants_addrv2);
        assert!(far.user_agent.starts_with("/connmgr-node:"));
    }

    #[test]
    fn inbound_waits_for_the_other_to_speak_first() {
        let mut side = Side::new(hello(Kind::Inbound));
        assert_eq!(side.proceed().expect("nothing is wrong"), None);
        assert!(side.wire.outgoing().is_empty());
    }

    fn after(bytes: &[u8]) -> SessionEnd {
        let mut side = Side::new(hello(Kind::Inbound));
        side.wire.receive(bytes);
        side.proceed().expect_err("no handshake")
    }

    #[test]
    fn an_old_peer_is_left_without_a_penalty() {
        let old = VersionMessage { version: 60002, ..hello(Kind::Full).version() };
        let end = after(&encode(MAGIC, NetworkMessage::Version(old)));
        assert!(matches!(end, SessionEnd::Obsolete(60002)));
        assert_eq!(end.violation(), None);
    }

    #[test]
    fn an_endless_handshake_is_cut_short() {
        let verack = encode(MAGIC, NetworkMessage::Verack);
        let version = encode(MAGIC, NetworkMessage::Version(hello(Kind::Full).version()));
        for endless in [verack.repeat(1000), [version, encode(MAGIC, NetworkMessage::SendAddrV2).repeat(1000)].concat()]
        {
            assert_eq!(after(&endless).violation(), Some(&ProtocolViolation::EndlessHandshake(MAX_MESSAGES)));
        }
    }

    #[test]
    fn a_node_of_another_network_or_transport_is_let_go_without_a_penalty() {
        for bytes in [encode(Magic::BITCOIN, NetworkMessage::Verack), vec![0x5a; 64]] {
            let end = after(&bytes);
            assert!(matches!(end, SessionEnd::Foreign(_)), "{end}");
            assert_eq!(end.violation(), None);
        }
    }

    #[test]
    fn a_user_agent_is_made_fit_to_print() {
        let theirs = Hello { user_agent: "/evil\u{1b}[2J\n/".to_string(), ..hello(Kind::Full) };
        assert_eq!(shake(theirs, hello(Kind::Inbound)).1.user_agent, "/evil\\u{1b}[2J\\u{a}/");
    }
}
