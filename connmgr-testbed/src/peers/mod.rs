//! The other ends: peers and proxies as they are met, on real sockets of loopback.
//!
//! They know no runtime and no pool. Whatever waits here gives up after [`PATIENCE`], so that a test that fails ends.

mod line;
#[cfg(target_os = "linux")]
mod name_server;
mod peer;
#[cfg(target_os = "linux")]
mod silent;
pub mod socks;
#[cfg(target_os = "linux")]
mod tor;

use std::time::Duration;

pub use line::PeerStream;
#[cfg(target_os = "linux")]
pub use name_server::NameServer;
pub use peer::TestPeer;
#[cfg(target_os = "linux")]
pub use silent::Silent;
#[cfg(target_os = "linux")]
pub use tor::{Streams, Tor};

/// How long anything here waits: far beyond what it takes.
pub const PATIENCE: Duration = Duration::from_secs(20);
