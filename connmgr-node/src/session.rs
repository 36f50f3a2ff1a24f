//! A conversation with one peer, from the handshake to the end.
//!
//! It owns the stream; what it learns goes to [`Reports`]. It asks for headers and, where the connection is for that,
//! for addresses; it answers pings, and to those who came to us `getaddr`, once. It decides nothing about connections:
//! it ends when the stream does, when the peer breaks the protocol, or when the peer leaves a ping unanswered.

use std::convert::Infallible;

use bitcoin::block::Header;
use bitcoin::hashes::Hash;
use bitcoin::p2p::Magic;
use bitcoin::p2p::message::NetworkMessage;
use bitcoin::p2p::message_blockdata::{GetHeadersMessage, Inventory};
use bitcoin::params::Params;
use bitcoin::{BlockHash, Network};
use connmgr_core::{Activity, AddressInfo, Chain, Kind};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::coop::consume_budget;
use tokio::time::{Instant, sleep_until};

use crate::gossip::{self, MAX_ADDRESSES};
use crate::handshake::{Hello, Peer, shake_hands};
use crate::headers::{HeaderChain, MAX_HEADERS, Progress};
use crate::ping::{PingConfig, PingDue, Pinger};
use crate::reports::Reports;
use crate::violation::Violation;
use crate::wire::{PROTOCOL_VERSION, Wire, WireError};

/// Why a conversation ended.
#[derive(Debug, thiserror::Error)]
pub enum End {
    /// The stream ended or broke.
    #[error(transparent)]
    Wire(WireError),
    /// The peer broke the protocol. It was reported.
    #[error(transparent)]
    Violation(#[from] Violation),
    /// The peer speaks too old a version; that is no offence.
    #[error("speaks protocol version {0}, at least 70001 is needed")]
    Obsolete(u32),
    /// The peer left a ping unanswered for too long.
    #[error("does not answer pings")]
    Silent,
}

impl From<WireError> for End {
    /// What is no proper message is the peer's doing; everything else happens.
    fn from(error: WireError) -> Self {
        match error {
            WireError::Frame(error) => Self::Violation(Violation::Frame(error)),
            WireError::Closed | WireError::Truncated | WireError::Broken(_) | WireError::Backlog(_) => {
                Self::Wire(error)
            }
        }
    }
}

impl End {
    /// What the peer did wrong, if that was it.
    pub const fn violation(&self) -> Option<&Violation> {
        match self {
            Self::Violation(violation) => Some(violation),
            Self::Wire(_) | Self::Obsolete(_) | Self::Silent => None,
        }
    }
}

/// How to talk.
#[derive(Clone, Copy, Debug)]
pub struct SessionConfig {
    /// The network to talk on.
    pub chain: Chain,
    /// When to ping.
    pub ping: PingConfig,
    /// Whether the peer's chain of headers may be followed; [`Reports::wants_headers`] decides.
    pub sync_headers: bool,
}

impl SessionConfig {
    /// Ping as Core does, and follow headers.
    pub fn new(chain: Chain) -> Self {
        Self { chain, ping: PingConfig::default(), sync_headers: true }
    }

    /// The first four bytes of every message.
    pub fn magic(&self) -> Magic {
        network(self.chain).magic()
    }
}

/// The same chain in the words of the `bitcoin` crate.
pub const fn network(chain: Chain) -> Network {
    match chain {
        Chain::Mainnet => Network::Bitcoin,
        Chain::Testnet4 => Network::Testnet4,
        Chain::Signet => Network::Signet,
        Chain::Regtest => Network::Regtest,
    }
}

/// A conversation with one peer.
#[derive(Debug)]
pub struct Session<S, R> {
    wire: Wire<S>,
    reports: R,
    kind: Kind,
    peer: Peer,
    pinger: Pinger,
    headers: Option<HeaderChain>,
    /// Whether the peer's chain has been followed to its end once: blocks are news only after that.
    is_synced: bool,
    was_asked_for_addresses: bool,
}

impl<S, R> Session<S, R>
where
    S: AsyncRead + AsyncWrite + Unpin,
    R: Reports<S>,
{
    /// Shakes hands, talks, and says why it ended. The stream is closed by then.
    pub async fn run(stream: S, hello: &Hello, config: &SessionConfig, reports: R) -> End {
        match Self::start(stream, hello, config, reports).await {
            Ok(session) => session.talk().await,
            Err(end) => end,
        }
    }

    /// Shakes hands. There is no deadline: drop it when it takes too long, or close the stream.
    ///
    /// # Errors
    /// Why the handshake failed; what was the peer's doing has been reported.
    pub async fn start(stream: S, hello: &Hello, config: &SessionConfig, mut reports: R) -> Result<Self, End> {
        let mut wire = Wire::new(stream, config.magic());
        let peer = match shake_hands(&mut wire, hello).await {
            Ok(peer) => peer,
            Err(end) => {
                end.violation().into_iter().for_each(|violation| reports.misbehaving(wire.stream(), violation));
                return Err(end);
            }
        };
        reports.ready(wire.stream(), &peer);
        let follows_headers = config.sync_headers && reports.wants_headers();
        let params: &'static Params = network(config.chain).params();
        Ok(Self {
            wire,
            reports,
            kind: hello.kind,
            peer,
            pinger: Pinger::new(config.ping, Instant::now()),
            headers: follows_headers.then(|| HeaderChain::new(params)),
            is_synced: false,
            was_asked_for_addresses: false,
        })
    }

    /// What the peer said of itself.
    pub const fn peer(&self) -> &Peer {
        &self.peer
    }

    /// Talks until there is nothing more to say.
    pub async fn talk(mut self) -> End {
        match self.exchange().await {
            Ok(never) => match never {},
            Err(end) => end,
        }
    }

    async fn exchange(&mut self) -> Result<Infallible, End> {
        self.ask()?;
        loop {
            let result = tokio::select! {
                message = self.wire.next() => match message {
                    Ok(message) => self.handle(message).await,
                    Err(error) => Err(error.into()),
                },
                () = sleep_until(self.pinger.deadline()) => self.ping(),
            };
            self.judge(result)?;
            // What has arrived already is read without waiting: a peer that floods us must not keep the others out.
            consume_budget().await;
        }
    }

    /// The first questions.
    fn ask(&mut self) -> Result<(), End> {
        if wants_addresses(self.kind) {
            self.wire.send(NetworkMessage::GetAddr)?;
        }
        if self.headers.is_some() {
            self.wire.send(NetworkMessage::SendHeaders)?;
            self.ask_for_headers()?;
        }
        Ok(())
    }

    /// Reports an offence, and goes on if it can be borne.
    fn judge(&mut self, result: Result<(), End>) -> Result<(), End> {
        let Err(end) = result else { return Ok(()) };
        let Some(violation) = end.violation() else { return Err(end) };
        self.reports.misbehaving(self.wire.stream(), violation);
        if violation.is_fatal() { Err(end) } else { Ok(()) }
    }

    fn ping(&mut self) -> Result<(), End> {
        match self.pinger.handle_timeout(Instant::now()) {
            PingDue::Nothing => Ok(()),
            PingDue::Ping(nonce) => Ok(self.wire.send(NetworkMessage::Ping(nonce))?),
            PingDue::GiveUp => Err(End::Silent),
        }
    }

    async fn handle(&mut self, message: NetworkMessage) -> Result<(), End> {
        match message {
            NetworkMessage::Ping(nonce) => self.wire.send(NetworkMessage::Pong(nonce))?,
            NetworkMessage::Pong(nonce) => self.handle_pong(nonce),
            NetworkMessage::GetAddr => self.answer_getaddr().await?,
            NetworkMessage::Addr(entries) => self.handle_addresses(entries.len(), || gossip::from_addr(&entries))?,
            NetworkMessage::AddrV2(entries) => {
                self.handle_addresses(entries.len(), || gossip::from_addrv2(&entries))?;
            }
            NetworkMessage::GetHeaders(request) => self.answer_getheaders(&request)?,
            NetworkMessage::Headers(headers) => self.handle_headers(&headers)?,
            NetworkMessage::Inv(items) => self.handle_inventory(&items)?,
            NetworkMessage::WtxidRelay => return Err(Violation::LateFeature("wtxidrelay").into()),
            NetworkMessage::SendAddrV2 => return Err(Violation::LateFeature("sendaddrv2").into()),
            // A second `version` or `verack` is ignored, as Core does; the rest is of no use to this node.
            _ => {}
        }
        Ok(())
    }

    fn handle_pong(&mut self, nonce: u64) {
        if let Some(round_trip) = self.pinger.handle_pong(nonce, Instant::now()) {
            let activity = Activity { ping: Some(round_trip), ..Activity::default() };
            self.reports.activity(self.wire.stream(), activity);
        }
    }

    fn handle_addresses(&mut self, count: usize, read: impl FnOnce() -> Vec<AddressInfo>) -> Result<(), Violation> {
        if count > MAX_ADDRESSES {
            return Err(Violation::TooManyAddresses(count));
        }
        // On a block-relay connection addresses would tell the peer what we know, and us nothing we asked for.
        if self.kind != Kind::BlockRelay {
            self.reports.addresses(self.wire.stream(), read());
        }
        Ok(())
    }

    /// Only those who came to us get an answer: asking those we dialed would let anyone read our book (Core does the
    /// same against fingerprinting).
    async fn answer_getaddr(&mut self) -> Result<(), WireError> {
        if !self.kind.is_inbound() || std::mem::replace(&mut self.was_asked_for_addresses, true) {
            return Ok(());
        }
        let count = u32::try_from(MAX_ADDRESSES).expect("a thousand");
        let addresses = self.reports.sample_addresses(count).await;
        gossip::to_message(&addresses, self.peer.wants_addrv2).map_or(Ok(()), |message| self.wire.send(message))
    }

    fn answer_getheaders(&mut self, request: &GetHeadersMessage) -> Result<(), WireError> {
        let mut headers: Vec<Header> = self.reports.headers_after(&request.locator_hashes);
        headers.truncate(MAX_HEADERS);
        self.wire.send(NetworkMessage::Headers(headers))
    }

    fn handle_headers(&mut self, headers: &[Header]) -> Result<(), End> {
        let Some(chain) = &mut self.headers else { return Ok(()) };
        let before = chain.height();
        let progress = chain.extend(headers)?;
        let height = chain.height();
        if height > before && self.is_synced {
            self.reports.activity(self.wire.stream(), Activity { block: true, ..Activity::default() });
        }
        match progress {
            Progress::More | Progress::Ask => self.ask_for_headers()?,
            Progress::UpToDate => {
                self.is_synced = true;
                self.reports.tip(self.wire.stream(), height);
            }
        }
        Ok(())
    }

    /// A block announced by its hash: ask for its header.
    fn handle_inventory(&mut self, items: &[Inventory]) -> Result<(), WireError> {
        let is_block = |item: &Inventory| {
            matches!(item, Inventory::Block(_) | Inventory::WitnessBlock(_) | Inventory::CompactBlock(_))
        };
        if self.is_synced && items.iter().any(is_block) { self.ask_for_headers() } else { Ok(()) }
    }

    fn ask_for_headers(&mut self) -> Result<(), WireError> {
        let Some(chain) = &self.headers else { return Ok(()) };
        self.wire.send(NetworkMessage::GetHeaders(GetHeadersMessage {
            version: PROTOCOL_VERSION,
            locator_hashes: chain.locator(),
            stop_hash: BlockHash::all_zeros(),
        }))
    }
}

/// Whether a connection of this kind is there to learn addresses, among other things.
const fn wants_addresses(kind: Kind) -> bool {
    match kind {
        Kind::Full | Kind::AddrFetch | Kind::Added => true,
        Kind::BlockRelay | Kind::Feeler | Kind::Inbound => false,
    }
}
