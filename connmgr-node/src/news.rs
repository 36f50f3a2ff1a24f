//! What a conversation tells to whoever holds it, and the little it asks.

use bitcoin::block::BlockHash;
use connmgr_core::{Activity, AddressInfo};

use crate::end::End;
use crate::handshake::Peer;
use crate::violation::Violation;

/// Something learnt from a peer. Comes from [`Session::poll`](crate::session::Session::poll).
#[derive(Debug)]
pub enum News {
    /// The handshake is done. Comes once, before everything else but [`News::Misbehaving`] and [`News::Ended`]. Whoever
    /// wants the peer's headers says so now, by [`Session::follow_headers`](crate::session::Session::follow_headers).
    Ready(Peer),
    /// The peer told addresses, at most 1000 at a time. Never on block-relay connections.
    Addresses(Vec<AddressInfo>),
    /// The peer answered a ping, or brought a block that was new to us.
    Activity(Activity),
    /// The peer did something wrong. If it was fatal, [`News::Ended`] comes next.
    Misbehaving(Violation),
    /// The peer's chain was followed up to this height.
    Tip(u32),
    /// The peer asks for at most so many addresses, to be answered by
    /// [`Session::tell_addresses`](crate::session::Session::tell_addresses). Comes at most once a connection, and only
    /// from those who came to us.
    AddressesWanted(u32),
    /// The peer asks for the headers after the first of these blocks that we have, to be answered by
    /// [`Session::tell_headers`](crate::session::Session::tell_headers).
    HeadersWanted(Vec<BlockHash>),
    /// The conversation is over; nothing comes after.
    Ended(End),
}
