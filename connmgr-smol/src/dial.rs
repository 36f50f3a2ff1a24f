//! Opening a connection, directly or through a SOCKS5 proxy, and looking a name up through Tor.
//!
//! Each function is the body of one task, which ends when it is given up. Nothing here knows the manager: deadlines of
//! dials are kept by it, with an abort.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use async_io::Timer;
use connmgr_core::socks::{Client, Outcome, SocksError, Step};
use connmgr_core::{DialError, HostName, Isolation, LookupError, Target};
use connmgr_std::{dial_error, proxy_dial_error};
use futures_lite::{AsyncReadExt, AsyncWriteExt, FutureExt};

use crate::connection::Stream;

/// Opens a connection to the target.
///
/// # Errors
/// [`DialError`] says whose fault it was.
pub(crate) async fn dial(target: Target) -> Result<Stream, DialError> {
    match target {
        Target::Direct(address) => direct(address).await,
        Target::Proxied { proxy, isolation, address } => {
            let mut stream = to_proxy(proxy).await?;
            match negotiate(Client::connect(&address, isolation), &mut stream).await {
                Ok(Outcome::Connected) => Ok(stream),
                Ok(Outcome::Resolved(_)) => Err(DialError::ProxyProtocol),
                Err(error) => Err(error.dial_error()),
            }
        }
    }
}

/// Looks a name up through a proxy that understands Tor's RESOLVE.
///
/// # Errors
/// [`LookupError::TimedOut`] at the deadline: nobody aborts a lookup.
pub(crate) async fn resolve(
    name: HostName,
    proxy: SocketAddr,
    isolation: Isolation,
    deadline: Instant,
) -> Result<Vec<IpAddr>, LookupError> {
    let lookup = async {
        let mut stream = to_proxy(proxy).await.map_err(|_| LookupError::Proxy)?;
        match negotiate(Client::resolve(&name, isolation), &mut stream).await {
            Ok(Outcome::Resolved(ip)) => Ok(vec![ip]),
            Ok(Outcome::Connected) => Err(LookupError::Proxy),
            Err(error) => Err(error.lookup_error()),
        }
    };
    let timeout = async {
        Timer::at(deadline).await;
        Err(LookupError::TimedOut)
    };
    lookup.or(timeout).await
}

async fn direct(address: SocketAddr) -> Result<Stream, DialError> {
    connect(address).await.map_err(|error| dial_error(&error))
}

async fn to_proxy(proxy: SocketAddr) -> Result<Stream, DialError> {
    connect(proxy).await.map_err(|error| proxy_dial_error(&error))
}

async fn connect(address: SocketAddr) -> io::Result<Stream> {
    let stream = Stream::connect(address).await?;
    // A dial to a port of this machine's own range that nobody listens on may meet itself (simultaneous open).
    if stream.get_ref().local_addr().is_ok_and(|local| local == address) {
        return Err(ErrorKind::ConnectionRefused.into());
    }
    // Peers speak in small messages that wait for one another, which is what Nagle's algorithm delays. It fails only
    // if the other end is gone already, which the first read will say.
    let _ = stream.get_ref().set_nodelay(true);
    Ok(stream)
}

/// Reads no byte beyond the proxy's reply: what follows is the peer's.
async fn negotiate(mut client: Client, stream: &mut Stream) -> Result<Outcome, SocksError> {
    let mut buffer = [0; Client::MAX_READ];
    loop {
        match client.step() {
            Step::Write(bytes) => match stream.write(bytes).await {
                Ok(count) => client.wrote(count),
                Err(_) => client.eof(),
            },
            Step::Read(wanted) => match stream.read(&mut buffer[..wanted]).await {
                Ok(count) => client.received(&buffer[..count]),
                Err(_) => client.eof(),
            },
            Step::Done(result) => return result,
        }
    }
}
