//! A session after its handshake. Sans-IO.
//!
//! It asks for headers if told to, and for addresses if the connection is of a kind for that. It pings, answers pings, and
//! passes on other requests. The handshake and the end are in [`Session`](crate::session::Session).

use std::time::Instant;

use bitcoin::block::{BlockHash, Header};
use bitcoin::hashes::Hash;
use bitcoin::p2p::message::NetworkMessage;
use bitcoin::p2p::message_blockdata::{GetHeadersMessage, Inventory};
use bitcoin::params::Params;
use connmgr_core::{Activity, AddressInfo, Chain, Kind};

use super::{SessionConfig, network};
use crate::end::SessionEnd;
use crate::gossip::{self, MAX_ADDRESSES};
use crate::handshake::PeerHello;
use crate::headers::{HeaderChain, HeadersProgress};
use crate::news::News;
use crate::ping::{PingDue, Pinger};
use crate::violation::ProtocolViolation;
use crate::wire::{MessageWire, PROTOCOL_VERSION, WireError};

/// A session between its handshake and its end.
#[derive(Debug)]
pub(super) struct Conversation {
    kind: Kind,
    wants_addrv2: bool,
    pinger: Pinger,
    headers: Option<HeaderChain>,
    /// Since when our request for headers is unanswered.
    asked: Option<Instant>,
    /// Whether the peer's chain was followed to its end once. Only later blocks are new.
    is_synced: bool,
    /// The height to report next.
    tip: Option<u32>,
    was_asked_for_addresses: bool,
}

impl Conversation {
    /// Asks for addresses, on connections that are for that.
    ///
    /// # Errors
    /// That of [`MessageWire::send`], as everywhere here.
    pub(super) fn begin(
        kind: Kind,
        peer: &PeerHello,
        config: &SessionConfig,
        wire: &mut MessageWire,
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
            asked: None,
            is_synced: false,
            tip: None,
            was_asked_for_addresses: false,
        })
    }

    pub(super) fn deadline(&self) -> Instant {
        self.pinger.deadline()
    }

    /// The next news; none when everything read is handled.
    ///
    /// # Errors
    /// Why the session ends. After a violation that is not fatal it may go on.
    pub(super) fn poll(&mut self, wire: &mut MessageWire, now: Instant) -> Result<Option<News>, SessionEnd> {
        match self.pinger.handle_timeout(now) {
            PingDue::Nothing => {}
            PingDue::Ping(nonce) => wire.send(NetworkMessage::Ping(nonce))?,
            PingDue::GiveUp => return Err(SessionEnd::Silent),
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

    fn handle(
        &mut self,
        message: NetworkMessage,
        wire: &mut MessageWire,
        now: Instant,
    ) -> Result<Option<News>, SessionEnd> {
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
            NetworkMessage::Headers(headers) => self.handle_headers(&headers, wire, now),
            NetworkMessage::Inv(items) => self.handle_inventory(&items, wire, now),
            NetworkMessage::WtxidRelay => Err(ProtocolViolation::LateFeature("wtxidrelay").into()),
            NetworkMessage::SendAddrV2 => Err(ProtocolViolation::LateFeature("sendaddrv2").into()),
            // A second `version` or `verack` is ignored, as in Core; this node needs no other message.
            _ => Ok(None),
        }
    }

    fn handle_pong(&mut self, nonce: u64, now: Instant) -> Option<News> {
        let round_trip = self.pinger.handle_pong(nonce, now)?;
        Some(News::Activity(Activity { ping: Some(round_trip), ..Activity::default() }))
    }

    // Only inbound peers get an answer, as in Core: otherwise a peer that we dialed could fingerprint us by our book.
    fn handle_getaddr(&mut self) -> Option<News> {
        if !self.kind.is_inbound() || std::mem::replace(&mut self.was_asked_for_addresses, true) {
            return None;
        }
        Some(News::AddressesWanted(u32::try_from(MAX_ADDRESSES).expect("a thousand")))
    }

    fn handle_addresses(
        &self,
        count: usize,
        read: impl FnOnce() -> Vec<AddressInfo>,
    ) -> Result<Option<News>, SessionEnd> {
        if count > MAX_ADDRESSES {
            return Err(ProtocolViolation::TooManyAddresses(count).into());
        }
        // On block-relay connections addresses are not asked for, and are ignored.
        Ok((self.kind != Kind::BlockRelay).then(|| News::Addresses(read())))
    }

    fn handle_headers(
        &mut self,
        headers: &[Header],
        wire: &mut MessageWire,
        now: Instant,
    ) -> Result<Option<News>, SessionEnd> {
        let Some(chain) = &mut self.headers else { return Ok(None) };
        let before = chain.height();
        let progress = chain.extend(headers)?;
        let height = chain.height();
        let is_new_block = self.is_synced && height > before;
        match progress {
            HeadersProgress::More => self.ask_for_headers(wire, now)?,
            // Announced while our request is under way: its answer will connect.
            HeadersProgress::Unconnected if self.asked.is_some() => {}
            HeadersProgress::Unconnected => self.ask_for_headers(wire, now)?,
            HeadersProgress::UpToDate => {
                self.asked = None;
                self.is_synced = true;
                self.tip = Some(height);
            }
        }
        Ok(is_new_block.then(|| News::Activity(Activity { block: true, ..Activity::default() })))
    }

    /// Asks for the headers of blocks that were announced by hash.
    fn handle_inventory(
        &mut self,
        items: &[Inventory],
        wire: &mut MessageWire,
        now: Instant,
    ) -> Result<Option<News>, SessionEnd> {
        let is_block = |item: &Inventory| {
            matches!(item, Inventory::Block(_) | Inventory::WitnessBlock(_) | Inventory::CompactBlock(_))
        };
        if self.is_synced && self.asked.is_none() && items.iter().any(is_block) {
            self.ask_for_headers(wire, now)?;
        }
        Ok(None)
    }

    pub(super) fn follow_headers(
        &mut self,
        chain: Chain,
        wire: &mut MessageWire,
        now: Instant,
    ) -> Result<(), WireError> {
        let params: &'static Params = network(chain).params();
        self.headers = Some(HeaderChain::new(params));
        wire.send(NetworkMessage::SendHeaders)?;
        self.ask_for_headers(wire, now)
    }

    pub(super) fn leave_headers(&mut self) {
        (self.headers, self.asked, self.is_synced) = (None, None, false);
    }

    pub(super) const fn asked(&self) -> Option<Instant> {
        self.asked
    }

    fn ask_for_headers(&mut self, wire: &mut MessageWire, now: Instant) -> Result<(), WireError> {
        let Some(chain) = &self.headers else { return Ok(()) };
        self.asked = Some(now);
        wire.send(NetworkMessage::GetHeaders(GetHeadersMessage {
            version: PROTOCOL_VERSION,
            locator_hashes: chain.locator(),
            stop_hash: BlockHash::all_zeros(),
        }))
    }

    pub(super) fn tell_addresses(&self, addresses: &[AddressInfo], wire: &mut MessageWire) -> Result<(), WireError> {
        gossip::to_message(addresses, self.wants_addrv2).map_or(Ok(()), |message| wire.send(message))
    }
}

/// Whether a connection of this kind asks for addresses.
const fn wants_addresses(kind: Kind) -> bool {
    match kind {
        Kind::Full | Kind::AddrFetch | Kind::Added => true,
        Kind::BlockRelay | Kind::Feeler | Kind::Inbound => false,
    }
}
