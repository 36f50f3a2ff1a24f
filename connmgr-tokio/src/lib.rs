#![doc = include_str!("../README.md")]
//!
//! # The samples of the items below
//!
//! All that an application needs is in the root of this crate. Samples of items that come from `connmgr_core` and
//! `connmgr_std` name these crates: in your program, write `connmgr_tokio` for both.
#![forbid(unsafe_code)]

mod builder;
mod connection;
pub mod guide;
mod halves;
mod runtime;
mod watch;
mod wire;

pub use connmgr_core;
// The configuration, addresses, commands, events and errors that an application needs.
#[doc(inline)]
pub use connmgr_std::exports::*;

pub use builder::Builder;
pub use connection::Connection;
pub use halves::{ReadHalf, WriteHalf};
pub use watch::StreamWatch;

/// A pool of live connections, run by a task of its own.
///
/// Dropping it shuts the pool down without waiting: connections are closed and the state is saved as long as the
/// runtime lives. `shutdown` waits for that.
///
/// ```
/// use connmgr_tokio::{Pool, PoolEvent};
///
/// async fn tell(mut pool: Pool) {
///     while let Some(event) = pool.next().await {
///         if let PoolEvent::RetryScheduled { peer, at, .. } = event {
///             println!("{peer} is dialed again in {:?}", at.since(pool.now()));
///         }
///     }
/// }
/// ```
pub type Pool = connmgr_std::Pool<Connection>;

/// Commands and views of a [`Pool`].
pub type Handle = connmgr_std::Handle<Connection>;

/// An event of a [`Pool`]. `println!("{event}")` tells it in words, whichever it is.
pub type PoolEvent = connmgr_std::PoolEvent<Connection>;
