//! A small real Bitcoin node: enough of the protocol to be a good peer, and nothing of consensus beyond headers.
//!
//! It is an example of the connection manager in use, and the interop tests run it. From the bottom up:
//!
//! - [`frame`], [`payload`] and [`wire`]: messages on a stream (protocol v1).
//! - [`handshake`], [`ping`], [`gossip`], [`headers`]: the parts of a conversation.
//! - [`session`], with its [`end`](mod@end): a conversation with one peer, sans-IO; what it learns comes out as [`news`].
//! - [`pump`]: moves bytes between a session and a stream, on any runtime; [`drive`] takes its turns.
//! - [`world`]: 24 peers on loopback, good and bad, for a node without a network.
//! - [`cli`]; [`report`] with [`summary`] and [`pen`]: the operator's options, and the output.
//! - [`setup`]: the configuration that follows from the options.
//! - [`runtime`]: what the node needs of a runtime, and the three it runs on.
//! - [`node`], with [`link`](mod@link), [`board`] and [`stop`]: the pool, a session on each of its connections, the
//!   report.
//! - [`rerun`]: replays a recorded trace.
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
pub mod payload;
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
pub mod wanted;
pub mod why;
pub mod wire;
pub mod world;

/// The example on the project's front page compiles.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct ReadmeOfTheProject;
