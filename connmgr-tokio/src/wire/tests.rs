//! Dials and lookups through a proxy, on real sockets.

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use connmgr_core::{DialError, Isolation, IsolationToken, LookupError, PeerAddress};
use connmgr_std::adapter::{PoolRuntime, dial, dial_by_proxy, resolve_by_proxy};
use tokio::net::TcpListener;

use super::*;
use crate::runtime::TokioRuntime;

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

async fn dial_a_name(proxy: SocketAddr) -> Result<TokioStream, DialError> {
    let address: PeerAddress = "node.example:1".parse().unwrap();
    dial_by_proxy(proxy, Isolation::Token(IsolationToken::from_u64(7)), address).await
}

const REQUEST: usize = 5 + "node.example".len() + 2;
const CREDENTIALS: usize = 1 + 2 * (1 + 24);
const YES: &[u8] = &[5, 0, 0, 1, 0, 0, 0, 0, 0, 0];

#[tokio::test]
async fn what_follows_a_proxys_slow_reply_is_the_peers() {
    let script: Vec<(usize, &[u8])> = vec![(3, &[5, 2]), (CREDENTIALS, &[1, 0]), (REQUEST, YES), (0, b"hello")];
    let mut stream = dial_a_name(proxy(script).await).await.unwrap();
    let mut heard = String::new();
    stream.0.read_to_string(&mut heard).await.unwrap();
    assert_eq!(heard, "hello");
}

#[tokio::test]
async fn what_the_proxy_says_of_the_target_counts_against_the_target() {
    let script: Vec<(usize, &[u8])> = vec![(3, &[5, 2]), (CREDENTIALS, &[1, 0]), (REQUEST, &[5, 5])];
    let error = dial_a_name(proxy(script).await).await.unwrap_err();
    assert_eq!(error, DialError::Refused);
}

#[tokio::test]
async fn a_proxy_that_is_not_there_says_nothing_of_the_target() {
    let gone = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap();
    let error = dial_a_name(gone).await.unwrap_err();
    assert_eq!(error, DialError::ProxyUnreachable);
}

#[tokio::test]
async fn a_proxy_that_hangs_up_has_failed() {
    let script: Vec<(usize, &[u8])> = vec![(3, &[5])];
    let error = dial_a_name(proxy(script).await).await.unwrap_err();
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
    let deadline = Instant::now() + Duration::from_millis(within_millis);
    let lookup = resolve_by_proxy::<TokioStream>("node.example".parse().unwrap(), proxy, Isolation::Shared);
    TokioRuntime::until(deadline, lookup).await
}

/// There may be thousands at a time, each copied into its task.
#[test]
fn a_direct_dial_is_small() {
    let size = size_of_val(&dial::<TokioStream>(SocketAddr::from(([127, 0, 0, 1], 1))));
    assert!(size <= 384, "{size} bytes");
}
