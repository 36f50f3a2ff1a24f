//! What a session reports to its owner, and what it asks.

use bitcoin::block::BlockHash;
use connmgr_core::{Activity, AddressInfo};

use crate::end::SessionEnd;
use crate::handshake::PeerHello;
use crate::violation::ProtocolViolation;

/// Something learnt from a peer. Comes from [`Session::poll`](crate::session::Session::poll).
#[derive(Debug)]
pub enum News {
    /// The handshake is done. Comes once, before everything but [`News::Misbehaving`] and [`News::Ended`]. To follow the
    /// peer's headers, call [`Session::follow_headers`](crate::session::Session::follow_headers) now.
    Ready(PeerHello),
    /// The peer gossiped addresses, at most 1000 at a time. Never on block-relay connections.
    Addresses(Vec<AddressInfo>),
    /// The peer answered a ping, or brought a block that was new to us.
    Activity(Activity),
    /// The peer did something wrong. If it was fatal, [`News::Ended`] comes next.
    Misbehaving(ProtocolViolation),
    /// The peer's chain was followed up to this height.
    Tip(u32),
    /// The peer asks for at most this many addresses; answer by
    /// [`Session::tell_addresses`](crate::session::Session::tell_addresses). Comes at most once per connection, and only on
    /// inbound ones.
    AddressesWanted(u32),
    /// The peer asks for the headers after the first of these blocks that we have; answer by
    /// [`Session::tell_headers`](crate::session::Session::tell_headers).
    HeadersWanted(Vec<BlockHash>),
    /// The session is over. Nothing comes after.
    Ended(SessionEnd),
}
