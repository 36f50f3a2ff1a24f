//! What a conversation tells to whoever holds it, and the little it asks.
//!
//! The session knows no manager. Each report comes with the stream it is about, because a pool's guarded stream is
//! what carries facts to the manager.

use bitcoin::block::{BlockHash, Header};
use connmgr_core::{Activity, AddressInfo};

use crate::handshake::Peer;
use crate::violation::Violation;

/// Who hears what a session learns from its peer. `S` is the stream beneath.
pub trait Reports<S> {
    /// The handshake is done. Comes once, before everything else but [`Reports::misbehaving`].
    fn ready(&mut self, stream: &S, peer: &Peer);

    /// Whether to follow this peer's chain of headers. Asked once, after [`Reports::ready`], where the session may.
    fn wants_headers(&mut self) -> bool {
        true
    }

    /// The peer told addresses, at most 1000 at a time. Never called on block-relay connections.
    fn addresses(&mut self, stream: &S, addresses: Vec<AddressInfo>);

    /// The peer answered a ping, or brought a block that was new to us.
    fn activity(&mut self, stream: &S, activity: Activity);

    /// The peer did something wrong. If it was fatal the session ends next.
    fn misbehaving(&mut self, stream: &S, violation: &Violation);

    /// The peer's chain was followed up to this height.
    fn tip(&mut self, stream: &S, height: u32) {
        let _ = (stream, height);
    }

    /// At most `count` addresses to tell the peer. Asked once a connection, only by those who came to us.
    fn sample_addresses(&mut self, count: u32) -> impl Future<Output = Vec<AddressInfo>> + Send;

    /// At most 2000 headers after the first block of the locator that we have. This node keeps none.
    fn headers_after(&mut self, locator: &[BlockHash]) -> Vec<Header> {
        let _ = locator;
        Vec::new()
    }
}
