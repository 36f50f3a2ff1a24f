//! Peers, proxies and name servers for tests, on real sockets of loopback.
//!
//! They know no runtime and no pool. Every wait ends after [`PATIENCE`], so that a failing test ends.

mod line;
#[cfg(target_os = "linux")]
mod name_server;
mod peer;
mod port;
#[cfg(target_os = "linux")]
mod silent;
pub mod socks;
#[cfg(target_os = "linux")]
mod ssh;
#[cfg(target_os = "linux")]
mod tor;

use std::time::Duration;

pub use line::PeerStream;
#[cfg(target_os = "linux")]
pub use name_server::NameServer;
pub use peer::TestPeer;
pub use port::free_port;
#[cfg(target_os = "linux")]
pub use silent::Silent;
#[cfg(target_os = "linux")]
pub use ssh::Ssh;
#[cfg(target_os = "linux")]
pub use tor::{Streams, Tor};

/// The longest wait here, far longer than anything takes.
pub const PATIENCE: Duration = Duration::from_secs(20);
