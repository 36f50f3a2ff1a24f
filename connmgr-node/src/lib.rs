//! A small real Bitcoin node: enough of the protocol to be a good peer, and nothing of consensus beyond headers.
//!
//! It shows the connection manager at work, and is what the interop tests run. From the bottom up:
//!
//! - [`frame`] and [`wire`]: messages on a stream (protocol v1).
//! - [`handshake`], [`ping`], [`gossip`], [`headers`]: the parts of a conversation.
//! - [`session`], with its [`end`](mod@end): a whole conversation with one peer, sans-IO; what it learns comes out as
//!   [`news`].
//! - [`pump`]: carries bytes between a conversation and a stream, on any runtime; [`drive`] takes its turns.
//! - [`world`]: two dozen peers on loopback, good and bad, for a node without a network.
//! - [`cli`] and [`report`], with [`summary`] and [`pen`]: what the operator says, and what the operator reads.
//! - [`setup`]: the pool that the operator asked for.
//! - [`runtime`]: what the node asks of a runtime, and the three it runs on.
//! - [`node`], with [`link`](mod@link), [`board`] and [`stop`]: the pool, a conversation on each of its connections, the
//!   report.
//! - [`rerun`]: a recorded trace, run again.
//!
//! Nothing here decides whom to dial, admit or ban.

pub mod board;
pub mod cli;
pub mod drive;
pub mod end;
pub mod frame;
pub mod gossip;
pub mod handshake;
pub mod headers;
pub mod link;
pub mod news;
pub mod node;
pub mod pen;
pub mod ping;
pub mod pump;
pub mod report;
pub mod rerun;
pub mod runtime;
pub mod session;
pub mod setup;
pub mod stop;
pub mod summary;
pub mod text;
pub mod violation;
pub mod wire;
pub mod world;
