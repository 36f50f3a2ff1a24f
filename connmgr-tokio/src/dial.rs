//! Opening a connection, directly or through a SOCKS5 proxy, and looking a name up through Tor.
//!
//! Each function is the body of one task, which ends when it is aborted. Nothing here knows the manager: deadlines of
//! dials are kept by it, with an abort.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};

use connmgr_core::socks::{Client, Outcome, SocksError, Step};
use connmgr_core::{DialError, HostName, Isolation, LookupError, Target};
use connmgr_std::{dial_error, proxy_dial_error};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

/// Opens a connection to the target.
///
/// # Errors
/// [`DialError`] says whose fault it was.
pub(crate) async fn dial(target: Target) -> Result<TcpStream, DialError> {
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
    tokio::time::timeout_at(deadline, lookup).await.unwrap_or(Err(LookupError::TimedOut))
}

async fn direct(address: SocketAddr) -> Result<TcpStream, DialError> {
    connect(address).await.map_err(|error| dial_error(&error))
}

async fn to_proxy(proxy: SocketAddr) -> Result<TcpStream, DialError> {
    connect(proxy).await.map_err(|error| proxy_dial_error(&error))
}

async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    // A dial to a port of this machine's own range that nobody listens on may meet itself (simultaneous open).
    if stream.local_addr().is_ok_and(|local| local == address) {
        return Err(ErrorKind::ConnectionRefused.into());
    }
    // Peers speak in small messages that wait for one another, which is what Nagle's algorithm delays. It fails only
    // if the other end is gone already, which the first read will say.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

/// Reads no byte beyond the proxy's reply: what follows is the peer's.
async fn negotiate(mut client: Client, stream: &mut TcpStream) -> Result<Outcome, SocksError> {
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

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use connmgr_core::{IsolationToken, PeerAddress};
    use tokio::net::TcpListener;

    use super::*;

    /// A proxy that answers one dial: after so many bytes of a request, these, byte by byte; and so on. Then it hangs up.
    async fn proxy(script: Vec<(usize, &'static [u8])>) -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            for (request, answer) in script {
                stream.read_exact(&mut vec![0; request]).await.unwrap();
                for byte in answer {
                    stream.write_all(&[*byte]).await.unwrap();
                    tokio::task::yield_now().await;
                }
            }
        });
        address
    }

    fn proxied(proxy: SocketAddr, address: &str) -> Target {
        let isolation = Isolation::Token(IsolationToken::from_u64(7));
        Target::Proxied { proxy, isolation, address: address.parse::<PeerAddress>().unwrap() }
    }

    const REQUEST: usize = 5 + "node.example".len() + 2;
    const CREDENTIALS: usize = 1 + 2 * (1 + 24);
    const YES: &[u8] = &[5, 0, 0, 1, 0, 0, 0, 0, 0, 0];

    #[tokio::test]
    async fn what_follows_a_proxys_slow_reply_is_the_peers() {
        let script: Vec<(usize, &[u8])> = vec![(3, &[5, 2]), (CREDENTIALS, &[1, 0]), (REQUEST, YES), (0, b"hello")];
        let mut stream = dial(proxied(proxy(script).await, "node.example:1")).await.unwrap();
        let mut heard = String::new();
        stream.read_to_string(&mut heard).await.unwrap();
        assert_eq!(heard, "hello");
    }

    #[tokio::test]
    async fn what_the_proxy_says_of_the_target_counts_against_the_target() {
        let script: Vec<(usize, &[u8])> = vec![(3, &[5, 2]), (CREDENTIALS, &[1, 0]), (REQUEST, &[5, 5])];
        let error = dial(proxied(proxy(script).await, "node.example:1")).await.unwrap_err();
        assert_eq!(error, DialError::Refused);
    }

    #[tokio::test]
    async fn a_proxy_that_is_not_there_says_nothing_of_the_target() {
        let gone = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap();
        let error = dial(proxied(gone, "node.example:1")).await.unwrap_err();
        assert_eq!(error, DialError::ProxyUnreachable);
    }

    #[tokio::test]
    async fn a_proxy_that_hangs_up_has_failed() {
        let script: Vec<(usize, &[u8])> = vec![(3, &[5])];
        let error = dial(proxied(proxy(script).await, "node.example:1")).await.unwrap_err();
        assert_eq!(error, DialError::ProxyFailed);
    }

    #[tokio::test]
    async fn a_name_is_resolved_by_the_proxy() {
        let script: Vec<(usize, &[u8])> = vec![(3, &[5, 0]), (REQUEST, &[5, 0, 0, 1, 1, 2, 3, 4, 0, 0])];
        let found = lookup(proxy(script).await, 10_000).await;
        assert_eq!(found, Ok(vec![IpAddr::from([1, 2, 3, 4])]));
    }

    #[tokio::test]
    async fn a_lookup_ends_at_its_deadline() {
        let script: Vec<(usize, &[u8])> = vec![(3, &[5, 0]), (usize::from(u16::MAX), &[])];
        assert_eq!(lookup(proxy(script).await, 20).await, Err(LookupError::TimedOut));
    }

    async fn lookup(proxy: SocketAddr, within_millis: u64) -> Result<Vec<IpAddr>, LookupError> {
        let deadline = Instant::now() + std::time::Duration::from_millis(within_millis);
        resolve("node.example".parse().unwrap(), proxy, Isolation::Shared, deadline).await
    }
}
