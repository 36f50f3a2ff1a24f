//! A small real Bitcoin node: enough of the protocol to be a good peer, and nothing of consensus beyond headers.
//!
//! It shows the connection manager at work, and is what the interop tests run. From the bottom up:
//!
//! - [`frame`] and [`wire`]: messages on a stream (protocol v1).
//!
//! Nothing here decides whom to dial, admit or ban.

pub mod frame;
pub mod text;
pub mod wire;
