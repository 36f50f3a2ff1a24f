//! Sockets on which nothing happens.

use std::net::SocketAddr;

use connmgr_core::{ConnId, HostName, Isolation, ListenerId, LookupId, Time};
use connmgr_std::adapter::{SocketTarget, Sockets};

/// Sockets that neither dial nor listen.
#[derive(Debug)]
pub(crate) struct NoSockets;

impl Sockets for NoSockets {
    fn dial(&mut self, _: ConnId, _: SocketTarget) {}
    fn abort(&mut self, _: ConnId) {}
    fn close(&mut self, _: ConnId) {}
    fn note_dropped(&mut self, _: ConnId) -> bool {
        true
    }
    fn take_heard(&mut self) -> Vec<ConnId> {
        Vec::new()
    }
    fn resolve(&mut self, _: LookupId, _: &HostName, _: SocketAddr, _: Isolation, _: Time) {}
    fn pause_accept(&mut self, _: ListenerId, _: Time) {}
    fn handle_timeout(&mut self, _: Time) {}
    fn poll_timeout(&self) -> Option<Time> {
        None
    }
    fn stop(&mut self) {}
}
