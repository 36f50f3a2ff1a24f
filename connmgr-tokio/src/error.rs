//! Why a pool did not start. Knows no runtime.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use connmgr_core::ConfigError;
use connmgr_std::{StateError, TraceError};

/// Why a pool did not start. Each names what failed, and on what.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The configuration makes no sense.
    #[error("{0}")]
    Config(ConfigError),
    /// A listener can't be opened: the port is taken, or the address is not this machine's.
    #[error("can't listen on {address}: {error}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// What the system says.
        error: io::Error,
    },
    /// The state directory can't be used; another process may have it.
    #[error("{0}")]
    State(StateError),
    /// The trace can't be written; an earlier one is not overwritten.
    #[error("can't write the trace {}: {error}", path.display())]
    Trace {
        /// Where.
        path: PathBuf,
        /// What is wrong.
        error: TraceError,
    },
    /// The system refuses a thread to save the state, or a seed for chance.
    #[error("can't {what}: {error}")]
    System {
        /// What was tried.
        what: &'static str,
        /// What the system says.
        error: io::Error,
    },
}
