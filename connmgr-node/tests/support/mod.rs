//! Shared by the node's tests: a recorder of news, pairs of sockets, and a real bcoin node.

#![allow(dead_code, unreachable_pub, unused_macros, reason = "each test target uses a part of it")]

pub mod bcoin;
#[cfg(target_os = "linux")]
pub mod flow;
pub mod program;
pub mod recorder;
#[cfg(target_os = "linux")]
pub mod watch;
pub mod wire;

use std::fmt;
use std::time::Duration;

use connmgr_node::world::LoopbackWorld;
use connmgr_node::world::behavior::PeerBehavior;
use connmgr_node::world::row::BehaviorRow;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

/// The longest wait for anything on loopback. Only a failure takes this long.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for at most [`PATIENCE`].
pub async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("{what}: not within {PATIENCE:?}"))
}

/// Waits until the counts of one behavior are as wanted.
pub async fn settled(
    world: &LoopbackWorld,
    behavior: PeerBehavior,
    is_so: impl Fn(&BehaviorRow) -> bool,
) -> BehaviorRow {
    let settle = async {
        loop {
            let row = world.tally().into_iter().find(|row| row.behavior == behavior).expect("each has a row");
            if is_so(&row) {
                return row;
            }
            sleep(Duration::from_millis(5)).await;
        }
    };
    soon("the world settles", settle).await
}

/// The two ends of a connection on loopback: the dialer's and the acceptor's.
pub async fn connected() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let (dialed, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
    (dialed.expect("listening"), accepted.expect("dialed").0)
}

/// Options of a node whose peers can't be reached: documentation addresses (RFC 3849). Without a route to them dials fail
/// at once; with one, they get no answer.
pub const OUT_OF_REACH: &str = "--chain regtest --add [2001:db8::1] --add [2001:db8:1::1] --add [2001:db8:2::1] \
                                --add [2001:db8:3::1] --add 127.0.0.1:1";

/// The runtime of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runtime {
    Tokio,
    Mio,
    Smol,
}

impl fmt::Display for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tokio => "tokio",
            Self::Mio => "mio",
            Self::Smol => "smol",
        })
    }
}

/// Makes these functions tests, each with a node on each runtime: `on::mio::some_story` and so on.
macro_rules! on_each_runtime {
    ($($(#[$when:meta])* $story:ident,)*) => {
        mod on {
            mod tokio {
                $($(#[$when])* #[::tokio::test] async fn $story() { crate::$story(crate::support::Runtime::Tokio).await })*
            }
            mod mio {
                $($(#[$when])* #[::tokio::test] async fn $story() { crate::$story(crate::support::Runtime::Mio).await })*
            }
            mod smol {
                $($(#[$when])* #[::tokio::test] async fn $story() { crate::$story(crate::support::Runtime::Smol).await })*
            }
        }
    };
}
