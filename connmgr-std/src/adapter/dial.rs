//! Opening a connection, directly or through a SOCKS5 proxy, and looking a name up through Tor, for runtimes with
//! futures.
//!
//! Each function is the body of one job, which ends when it is dropped. Nothing here knows the manager, which keeps
//! the deadlines of dials, nor a timer: whoever looks a name up keeps that deadline.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};

use connmgr_core::socks::{Client, Outcome, SocksError, Step};
use connmgr_core::{ConnId, DialError, HostName, Isolation, LookupError, LookupId, PeerAddress};

use super::engine::Lookup;
use super::ephemeral::may_meet_itself;
use super::wire::Wire;
use crate::errors::{dial_error, proxy_dial_error};

/// What came of a job.
#[derive(Debug)]
pub enum Job<W> {
    /// A dial has ended.
    Dialed(ConnId, Result<W, DialError>),
    /// A lookup through a proxy has ended.
    Looked(LookupId, Lookup),
}

/// Opens a connection. A future of its own: what goes through a proxy needs many times its room.
///
/// # Errors
/// [`DialError`] of the peer.
pub async fn dial<W: Wire>(address: SocketAddr) -> Result<W, DialError> {
    connect(address).await.map_err(|error| dial_error(&error))
}

/// Opens a connection through a proxy.
///
/// # Errors
/// [`DialError`] says whose fault it was.
pub async fn dial_by_proxy<W: Wire>(
    proxy: SocketAddr,
    isolation: Isolation,
    address: PeerAddress,
) -> Result<W, DialError> {
    let mut wire = to_proxy::<W>(proxy).await?;
    match negotiate(Client::connect(&address, isolation), &mut wire).await {
        Ok(Outcome::Connected) => Ok(wire),
        Ok(Outcome::Resolved(_)) => Err(DialError::ProxyProtocol),
        Err(error) => Err(error.dial_error()),
    }
}

/// Looks a name up through a proxy that understands Tor's RESOLVE. The caller keeps the deadline: the manager aborts no
/// lookup.
///
/// # Errors
/// [`LookupError`] of the name, or [`LookupError::Proxy`].
pub async fn resolve_by_proxy<W: Wire>(
    name: HostName,
    proxy: SocketAddr,
    isolation: Isolation,
) -> Result<Vec<IpAddr>, LookupError> {
    let mut wire = to_proxy::<W>(proxy).await.map_err(|_| LookupError::Proxy)?;
    match negotiate(Client::resolve(&name, isolation), &mut wire).await {
        Ok(Outcome::Resolved(ip)) => Ok(vec![ip]),
        Ok(Outcome::Connected) => Err(LookupError::Proxy),
        Err(error) => Err(error.lookup_error()),
    }
}

async fn to_proxy<W: Wire>(proxy: SocketAddr) -> Result<W, DialError> {
    connect(proxy).await.map_err(|error| proxy_dial_error(&error))
}

async fn connect<W: Wire>(address: SocketAddr) -> io::Result<W> {
    let wire = W::connect(address).await?;
    // A dial to a port of this machine's own range that nobody listens on may meet itself (simultaneous open).
    if may_meet_itself(address) && wire.local_addr().is_ok_and(|local| local == address) {
        return Err(ErrorKind::ConnectionRefused.into());
    }
    // Peers speak in small messages that wait for one another, which is what Nagle's algorithm delays. It fails only
    // if the other end is gone already, which the first read will say.
    let _ = wire.set_nodelay();
    Ok(wire)
}

/// Reads no byte beyond the proxy's reply: what follows is the peer's.
async fn negotiate<W: Wire>(mut client: Client, wire: &mut W) -> Result<Outcome, SocksError> {
    let mut buffer = [0; Client::MAX_READ];
    loop {
        match client.step() {
            Step::Write(bytes) => match wire.write(bytes).await {
                // Nothing would come of trying again.
                Ok(0) | Err(_) => client.eof(),
                Ok(count) => client.wrote(count),
            },
            Step::Read(wanted) => match wire.read(&mut buffer[..wanted]).await {
                Ok(count) => client.received(&buffer[..count]),
                Err(_) => client.eof(),
            },
            Step::Done(result) => return result,
        }
    }
}
