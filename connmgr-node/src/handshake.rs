//! The version handshake, both ways.
//!
//! Whoever dialed speaks first. Each side sends `version`, then what it can do (`wtxidrelay`, `sendaddrv2`), then
//! `verack`. It has no clock: the manager gives up a handshake that takes too long, by closing the stream. Read
//! first: BIP 339, BIP 155, and <https://developer.bitcoin.org/reference/p2p_networking.html#version>.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{SystemTime, UNIX_EPOCH};

use bitcoin::p2p::message::NetworkMessage;
use bitcoin::p2p::message_network::VersionMessage;
use bitcoin::p2p::{Address, ServiceFlags};
use connmgr_core::{Kind, PeerInfo, Services};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::frame::FrameError;
use crate::session::End;
use crate::text::escape;
use crate::violation::Violation;
use crate::wire::{PROTOCOL_VERSION, Wire, WireError};

/// The oldest protocol we talk to: 70001 is the first whose `version` has all its fields (BIP 37).
pub const MIN_VERSION: u32 = 70001;

/// Messages a peer may send before its handshake is done. An honest one sends five.
const MAX_MESSAGES: u32 = 64;

/// What we say of ourselves.
#[derive(Clone, Debug)]
pub struct Hello {
    /// What the connection is for. Inbound: they speak first.
    pub kind: Kind,
    /// The manager's number for this connection: when it comes back, we have reached ourselves.
    pub nonce: u64,
    /// What we offer.
    pub services: Services,
    /// The name of our software.
    pub user_agent: String,
    /// How many blocks we have.
    pub start_height: i32,
    /// The other end, where it has an IP address.
    pub remote: Option<SocketAddr>,
}

impl Hello {
    /// A node that offers nothing, and says so under this program's name.
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
            // This node has no use for transactions.
            relay: false,
        }
    }
}

/// What a peer says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// What the manager wants to know of it.
    pub info: PeerInfo,
    /// The protocol it speaks.
    pub version: u32,
    /// The name of its software, escaped and cut: fit to print.
    pub user_agent: String,
    /// How many blocks it says it has.
    pub start_height: i32,
    /// Whether it wants addresses as `addrv2`.
    pub wants_addrv2: bool,
}

impl Peer {
    fn new(version: &VersionMessage) -> Self {
        Self {
            info: PeerInfo {
                services: Services::from_bits(version.services.to_u64()),
                nonce: Some(version.nonce),
                identity: None,
            },
            version: version.version,
            user_agent: escape(&version.user_agent),
            start_height: version.start_height,
            wants_addrv2: false,
        }
    }
}

/// Shakes hands. Not cancel-safe: once dropped, the stream is of no more use.
///
/// # Errors
/// [`End`]: the other end left, spoke another protocol, or speaks too old a version of this one.
pub async fn shake_hands<S>(wire: &mut Wire<S>, hello: &Hello) -> Result<Peer, End>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut patience = MAX_MESSAGES;
    if !hello.kind.is_inbound() {
        wire.send(NetworkMessage::Version(hello.version()))?;
    }
    let theirs = read_version(wire, &mut patience).await?;
    if theirs.version < MIN_VERSION {
        return Err(End::Obsolete(theirs.version));
    }
    if hello.kind.is_inbound() {
        wire.send(NetworkMessage::Version(hello.version()))?;
    }
    send_features(wire, theirs.version)?;
    let peer = read_features(wire, Peer::new(&theirs), &mut patience).await?;
    wire.flush().await?;
    Ok(peer)
}

fn send_features<S>(wire: &mut Wire<S>, their_version: u32) -> Result<(), WireError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    // Older nodes may take a message they don't know before `verack` for an offence.
    if their_version >= PROTOCOL_VERSION {
        wire.send(NetworkMessage::WtxidRelay)?;
        wire.send(NetworkMessage::SendAddrV2)?;
    }
    wire.send(NetworkMessage::Verack)
}

/// Whatever comes before the version is ignored, as Core does.
async fn read_version<S>(wire: &mut Wire<S>, patience: &mut u32) -> Result<VersionMessage, End>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let is_first = |patience: u32| patience == MAX_MESSAGES;
    loop {
        match wire.next().await {
            Ok(NetworkMessage::Version(version)) => return Ok(version),
            Ok(_) => lose_patience(patience)?,
            Err(WireError::Frame(FrameError::Magic(magic))) if is_first(*patience) => {
                return Err(Violation::OtherNetwork(magic).into());
            }
            Err(error) => return Err(error.into()),
        }
    }
}

async fn read_features<S>(wire: &mut Wire<S>, mut peer: Peer, patience: &mut u32) -> Result<Peer, End>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    loop {
        match wire.next().await? {
            NetworkMessage::Verack => return Ok(peer),
            NetworkMessage::SendAddrV2 => peer.wants_addrv2 = true,
            _ => {}
        }
        lose_patience(patience)?;
    }
}

fn lose_patience(patience: &mut u32) -> Result<(), Violation> {
    *patience = patience.checked_sub(1).ok_or(Violation::EndlessHandshake(MAX_MESSAGES))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::encode;
    use bitcoin::p2p::Magic;
    use std::time::Duration;
    use tokio::io::{AsyncWriteExt, DuplexStream, duplex};
    use tokio::time::timeout;

    const MAGIC: Magic = Magic::REGTEST;

    fn pair() -> (Wire<DuplexStream>, Wire<DuplexStream>) {
        let (near, far) = duplex(64 * 1024);
        (Wire::new(near, MAGIC), Wire::new(far, MAGIC))
    }

    async fn within_a_second<T>(future: impl Future<Output = T>) -> T {
        timeout(Duration::from_secs(1), future).await.expect("within a second")
    }

    fn hello(kind: Kind) -> Hello {
        Hello { services: Services::NETWORK, start_height: 5, ..Hello::new(kind, 42 + kind.index() as u64) }
    }

    #[tokio::test]
    async fn both_sides_learn_who_the_other_is() {
        let (mut near, mut far) = pair();
        let (ours, theirs) = (hello(Kind::Full), hello(Kind::Inbound));
        let both = async { tokio::join!(shake_hands(&mut near, &ours), shake_hands(&mut far, &theirs)) };
        let (near, far) = within_a_second(both).await;
        let (near, far) = (near.expect("shaken"), far.expect("shaken"));
        assert_eq!(near.info.nonce, Some(theirs.nonce));
        assert_eq!(far.info.nonce, Some(ours.nonce));
        assert_eq!(far.info.services, Services::NETWORK);
        assert_eq!((far.version, far.start_height), (70016, 5));
        assert!(near.wants_addrv2 && far.wants_addrv2);
        assert!(far.user_agent.starts_with("/connmgr-node:"));
    }

    #[tokio::test]
    async fn inbound_waits_for_the_other_to_speak_first() {
        let (mut near, mut far) = pair();
        let ours = hello(Kind::Inbound);
        let waiting = shake_hands(&mut near, &ours);
        let heard = timeout(Duration::from_millis(20), async { tokio::join!(waiting, far.next()) }).await;
        assert!(heard.is_err(), "nobody may speak");
    }

    async fn after(sent: Vec<NetworkMessage>) -> End {
        let (mut near, mut far) = pair();
        for message in sent {
            far.send(message).expect("room");
        }
        far.flush().await.expect("open");
        within_a_second(shake_hands(&mut near, &hello(Kind::Inbound))).await.expect_err("no handshake")
    }

    #[tokio::test]
    async fn an_old_peer_is_left_without_a_penalty() {
        let old = VersionMessage { version: 60002, ..hello(Kind::Full).version() };
        let end = after(vec![NetworkMessage::Version(old)]).await;
        assert!(matches!(end, End::Obsolete(60002)));
        assert_eq!(end.violation(), None);
    }

    #[tokio::test]
    async fn an_endless_handshake_is_cut_short() {
        let end = after(vec![NetworkMessage::Verack; 1000]).await;
        assert_eq!(end.violation(), Some(&Violation::EndlessHandshake(MAX_MESSAGES)));
    }

    #[tokio::test]
    async fn a_node_of_another_network_is_no_criminal() {
        let (mut near, far) = pair();
        let mut far = far.into_stream();
        far.write_all(&encode(Magic::BITCOIN, NetworkMessage::Verack)).await.expect("open");
        let end = within_a_second(shake_hands(&mut near, &hello(Kind::Inbound))).await.expect_err("another network");
        let violation = end.violation().expect("a violation");
        assert_eq!(*violation, Violation::OtherNetwork(Magic::BITCOIN));
        assert!(violation.penalty().persistent == 0);
    }

    #[tokio::test]
    async fn a_user_agent_is_made_fit_to_print() {
        let (mut near, mut far) = pair();
        let theirs = Hello { user_agent: "/evil\u{1b}[2J\n/".to_string(), ..hello(Kind::Full) };
        let ours = hello(Kind::Inbound);
        let both = async { tokio::join!(shake_hands(&mut near, &ours), shake_hands(&mut far, &theirs)).0 };
        assert_eq!(within_a_second(both).await.expect("shaken").user_agent, "/evil\\u{1b}[2J\\u{a}/");
    }
}
