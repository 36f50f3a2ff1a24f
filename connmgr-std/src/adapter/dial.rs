//! The jobs of a pool on a runtime with futures: a dial, directly or through a SOCKS5 proxy, and a lookup through Tor.
//!
//! Each function is the body of one job, which is aborted by dropping it. No deadline is kept here: the manager keeps
//! those of dials, the caller those of lookups.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;

use connmgr_core::socks::{Client, Outcome, SocksError, Step};
use connmgr_core::{ConnId, DialError, HostName, Isolation, LookupError, LookupId, PeerAddress, ResolvedIp};

use super::engine::Lookup;
use super::ephemeral::may_meet_itself;
use super::socket_hook::{DialSocketError, SocketHook};
use super::wire::Wire;
use crate::errors::dial_error;

/// The result of a job.
#[derive(Debug)]
pub enum Job<W> {
    /// A dial has ended.
    Dialed(ConnId, Result<W, DialError>, Unisolated),
    /// A lookup through a proxy has ended.
    Looked(LookupId, Lookup, Unisolated),
}

/// The proxy that chose "no authentication" where isolation was preferred, if the job met one.
pub type Unisolated = Option<SocketAddr>;

/// Opens a connection.
///
/// # Errors
/// [`DialError`] of the peer.
// Apart from `dial_by_proxy`, whose future is many times as large: a pool may have thousands of dials at a time.
pub(crate) async fn dial<W: Wire>(address: SocketAddr) -> Result<W, DialError> {
    connect(address).await.map_err(|error| dial_error(&error))
}

/// Opens a connection by a socket that the application prepares.
///
/// # Errors
/// [`DialError`] of the peer or the application.
pub(crate) async fn dial_prepared<W: Wire>(address: SocketAddr, hook: SocketHook) -> Result<W, DialError> {
    connect_by(address, Some(&hook)).await.map_err(|error| error.dial_error())
}

/// Opens a connection through a proxy. [`DialError`] says whether the proxy or the peer is at fault.
pub(crate) async fn dial_by_proxy<W: Wire>(
    proxy: SocketAddr,
    isolation: Isolation,
    address: PeerAddress,
    hook: Option<SocketHook>,
) -> (Result<W, DialError>, Unisolated) {
    let mut wire = match connect_by::<W>(proxy, hook.as_ref()).await {
        Ok(wire) => wire,
        Err(error) => return (Err(error.proxy_dial_error()), None),
    };
    let (result, lacks_isolation) = negotiate(Client::connect(&address, isolation), &mut wire).await;
    let result = match result {
        Ok(Outcome::Connected) => Ok(wire),
        Ok(Outcome::Resolved(_)) => Err(DialError::ProxyProtocol),
        Err(error) => Err(error.dial_error()),
    };
    (result, lacks_isolation.then_some(proxy))
}

/// Looks a name up through a proxy that understands Tor's RESOLVE. The caller keeps the deadline. [`LookupError`] says
/// whether the proxy or the name is at fault.
pub(crate) async fn resolve_by_proxy<W: Wire>(
    name: HostName,
    proxy: SocketAddr,
    isolation: Isolation,
    hook: Option<SocketHook>,
) -> (Result<Vec<ResolvedIp>, LookupError>, Unisolated) {
    let mut wire = match connect_by::<W>(proxy, hook.as_ref()).await {
        Ok(wire) => wire,
        Err(error) => return (Err(error.proxy_lookup_error()), None),
    };
    let (result, lacks_isolation) = negotiate(Client::resolve(&name, isolation), &mut wire).await;
    let result = match result {
        Ok(Outcome::Resolved(ip)) => Ok(vec![ip.into()]),
        Ok(Outcome::Connected) => Err(LookupError::Proxy),
        Err(error) => Err(error.lookup_error()),
    };
    (result, lacks_isolation.then_some(proxy))
}

async fn connect_by<W: Wire>(address: SocketAddr, hook: Option<&SocketHook>) -> Result<W, DialSocketError> {
    let Some(hook) = hook else { return connect(address).await.map_err(DialSocketError::System) };
    let socket = hook.connect(address)?;
    let wire = W::connecting(socket).await;
    // The hook may have bound it to any port.
    wire.and_then(|wire| connected(wire, address, true)).map_err(DialSocketError::System)
}

async fn connect<W: Wire>(address: SocketAddr) -> io::Result<W> {
    connected(W::connect(address).await?, address, may_meet_itself(address))
}

fn connected<W: Wire>(wire: W, address: SocketAddr, may_meet_itself: bool) -> io::Result<W> {
    // A dial to one of this machine's ephemeral ports may connect to itself (TCP's simultaneous open).
    if may_meet_itself && wire.local_addr().is_ok_and(|local| local == address) {
        return Err(ErrorKind::ConnectionRefused.into());
    }
    // Nagle's algorithm delays small messages that wait for an answer, which is how peers talk. The call fails only if
    // the peer is gone, which the first read reports.
    let _ = wire.set_nodelay();
    Ok(wire)
}

/// Reads no byte beyond the proxy's reply: the next ones are the peer's. Returns also whether isolation was preferred
/// and not had.
async fn negotiate<W: Wire>(mut client: Client, wire: &mut W) -> (Result<Outcome, SocksError>, bool) {
    let mut buffer = [0; Client::MAX_READ];
    loop {
        match client.step() {
            Step::Write(bytes) => match wire.write(bytes).await {
                // Writing again would write nothing again.
                Ok(0) | Err(_) => client.eof(),
                Ok(count) => client.wrote(count),
            },
            Step::Read(wanted) => match wire.read(&mut buffer[..wanted]).await {
                Ok(count) => client.received(&buffer[..count]),
                Err(_) => client.eof(),
            },
            Step::Done(result) => return (result, client.lacks_isolation()),
        }
    }
}

#[cfg(test)]
mod tests;
