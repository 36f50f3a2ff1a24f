//! What is said once hands are shaken. Sans-IO.
//!
//! It asks for headers where it is told to and, where the connection is for that, for addresses; it pings, answers
//! pings, and passes on what else the peer asks. It does not know how a conversation begins or ends: see
//! [`Session`](crate::session::Session).

use std::time::Instant;

use bitcoin::block::{BlockHash, Header};
use bitcoin::hashes::Hash;
use bitcoin::p2p::message::NetworkMessage;
use bitcoin::p2p::message_blockdata::{GetHeadersMessage, Inventory};
use bitcoin::params::Params;
use connmgr_core::{Activity, AddressInfo, Chain, Kind};

use super::{SessionConfig, network};
use crate::end::End;
use crate::gossip::{self, MAX_ADDRESSES};
use crate::handshake::Peer;
use crate::headers::{HeaderChain, Progress};
use crate::news::News;
use crate::ping::{PingDue, Pinger};
use crate::violation::Violation;
use crate::wire::{PROTOCOL_VERSION, Wire, WireError};

/// A conversation between its handshake and its end.
#[derive(Debug)]
pub(super) struct Talk {
    kind: Kind,
    wants_addrv2: bool,
    pinger: Pinger,
    headers: Option<HeaderChain>,
    /// Whether the peer's chain has been followed to its end once: blocks are news only after that.
    is_synced: bool,
    /// The height to tell next.
    tip: Option<u32>,
    was_asked_for_addresses: bool,
}

impl Talk {
    /// Asks the first question.
    ///
    /// # Errors
    /// That of [`Wire::send`], as everywhere here.
    pub(super) fn begin(
        kind: Kind,
        peer: &Peer,
        config: &SessionConfig,
        wire: &mut Wire,
        now: Instant,
    ) -> Result<Self, WireError> {
        if wants_addresses(kind) {
            wire.send(NetworkMessage::GetAddr)?;
        }
        Ok(Self {
            kind,
            wants_addrv2: peer.wants_addrv2,
            pinger: Pinger::new(config.ping, now),
            headers: None,
            is_synced: false,
            tip: None,
            was_asked_for_addresses: false,
        })
    }

    pub(super) fn deadline(&self) -> Instant {
        self.pinger.deadline()
    }

    /// The next thing learnt; none when all that was read is understood.
    ///
    /// # Errors
    /// Why the conversation ends; after a violation that can be borne, it may go on.
    pub(super) fn poll(&mut self, wire: &mut Wire, now: Instant) -> Result<Option<News>, End> {
        match self.pinger.handle_timeout(now) {
            PingDue::Nothing => {}
            PingDue::Ping(nonce) => wire.send(NetworkMessage::Ping(nonce))?,
            PingDue::GiveUp => return Err(End::Silent),
        }
        loop {
            if let Some(height) = self.tip.take() {
                return Ok(Some(News::Tip(height)));
            }
            let Some(message) = wire.next_message()? else { return Ok(None) };
            if let Some(news) = self.handle(message, wire, now)? {
                return Ok(Some(news));
            }
        }
    }

    fn handle(&mut self, message: NetworkMessage, wire: &mut Wire, now: Instant) -> Result<Option<News>, End> {
        match message {
            NetworkMessage::Ping(nonce) => {
                wire.send(NetworkMessage::Pong(nonce))?;
                Ok(None)
            }
            NetworkMessage::Pong(nonce) => Ok(self.handle_pong(nonce, now)),
            NetworkMessage::GetAddr => Ok(self.handle_getaddr()),
            NetworkMessage::Addr(entries) => self.handle_addresses(entries.len(), || gossip::from_addr(&entries)),
            NetworkMessage::AddrV2(entries) => self.handle_addresses(entries.len(), || gossip::from_addrv2(&entries)),
            NetworkMessage::GetHeaders(request) => Ok(Some(News::HeadersWanted(request.locator_hashes))),
            NetworkMessage::Headers(headers) => self.handle_headers(&headers, wire),
            NetworkMessage::Inv(items) => self.handle_inventory(&items, wire),
            NetworkMessage::WtxidRelay => Err(Violation::LateFeature("wtxidrelay").into()),
            NetworkMessage::SendAddrV2 => Err(Violation::LateFeature("sendaddrv2").into()),
            // A second `version` or `verack` is ignored, as Core does; the rest is of no use to this node.
            _ => Ok(None),
        }
    }

    fn handle_pong(&mut self, nonce: u64, now: Instant) -> Option<News> {
        let round_trip = self.pinger.handle_pong(nonce, now)?;
        Some(News::Activity(Activity { ping: Some(round_trip), ..Activity::default() }))
    }

    /// Only those who came to us get an answer: asking those we dialed would let anyone read our book (Core does the
    /// same against fingerprinting).
    fn handle_getaddr(&mut self) -> Option<News> {
        if !self.kind.is_inbound() || std::mem::replace(&mut self.was_asked_for_addresses, true) {
            return None;
        }
        Some(News::AddressesWanted(u32::try_from(MAX_ADDRESSES).expect("a thousand")))
    }

    fn handle_addresses(&self, count: usize, read: impl FnOnce() -> Vec<AddressInfo>) -> Result<Option<News>, End> {
        if count > MAX_ADDRESSES {
            return Err(Violation::TooManyAddresses(count).into());
        }
        // On a block-relay connection addresses would tell the peer what we know, and us nothing we asked for.
        Ok((self.kind != Kind::BlockRelay).then(|| News::Addresses(read())))
    }

    fn handle_headers(&mut self, headers: &[Header], wire: &mut Wire) -> Result<Option<News>, End> {
        let Some(chain) = &mut self.headers else { return Ok(None) };
        let before = chain.height();
        let progress = chain.extend(headers)?;
        let height = chain.height();
        let is_new_block = self.is_synced && height > before;
        match progress {
            Progress::More | Progress::Ask => self.ask_for_headers(wire)?,
            Progress::UpToDate => {
                self.is_synced = true;
                self.tip = Some(height);
            }
        }
        Ok(is_new_block.then(|| News::Activity(Activity { block: true, ..Activity::default() })))
    }

    /// A block announced by its hash: ask for its header.
    fn handle_inventory(&self, items: &[Inventory], wire: &mut Wire) -> Result<Option<News>, End> {
        let is_block = |item: &Inventory| {
            matches!(item, Inventory::Block(_) | Inventory::WitnessBlock(_) | Inventory::CompactBlock(_))
        };
        if self.is_synced && items.iter().any(is_block) {
            self.ask_for_headers(wire)?;
        }
        Ok(None)
    }

    pub(super) fn follow_headers(&mut self, chain: Chain, wire: &mut Wire) -> Result<(), WireError> {
        let params: &'static Params = network(chain).params();
        self.headers = Some(HeaderChain::new(params));
        wire.send(NetworkMessage::SendHeaders)?;
        self.ask_for_headers(wire)
    }

    fn ask_for_headers(&self, wire: &mut Wire) -> Result<(), WireError> {
        let Some(chain) = &self.headers else { return Ok(()) };
        wire.send(NetworkMessage::GetHeaders(GetHeadersMessage {
            version: PROTOCOL_VERSION,
            locator_hashes: chain.locator(),
            stop_hash: BlockHash::all_zeros(),
        }))
    }

    pub(super) fn tell_addresses(&self, addresses: &[AddressInfo], wire: &mut Wire) -> Result<(), WireError> {
        gossip::to_message(addresses, self.wants_addrv2).map_or(Ok(()), |message| wire.send(message))
    }
}

/// Whether a connection of this kind is there to learn addresses, among other things.
const fn wants_addresses(kind: Kind) -> bool {
    match kind {
        Kind::Full | Kind::AddrFetch | Kind::Added => true,
        Kind::BlockRelay | Kind::Feeler | Kind::Inbound => false,
    }
}
