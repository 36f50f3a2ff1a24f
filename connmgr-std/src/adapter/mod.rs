//! Building blocks for adapters. They know no runtime; applications do not need them.
//!
//! | | |
//! |---|---|
//! | [`Settings`], [`ListenerPlace`], [`builder_methods!`](crate::builder_methods) | the settings of builders, and their methods |
//! | [`Startup`], [`Started`] | starts a manager with its state and its trace |
//! | [`Engine`], [`Sockets`], [`SocketTarget`] | everything around a driver; the part that each adapter implements |
//! | [`PoolRuntime`], [`Wire`], [`PoolConnection`], [`open_pool`] | a pool run by a task: for runtimes with futures |
//! | [`OpenSockets`], [`Guard`], [`connection_methods!`](crate::connection_methods) | streams of the application |
//! | [`SocketHook`], [`DialSocketError`] | sockets that the application prepares before they connect |
//! | [`StreamEnd`] | how a stream ended, as its reader and writer saw it |
//! | [`Listeners`] | listening sockets, and their pauses |
//! | [`Mailbox`] | facts that streams report to the engine |
//! | [`Clock`] | the core's two clocks |
//! | [`dial_error`], [`proxy_dial_error`], [`proxy_lookup_error`], [`may_meet_itself`] | the result of a dial in the core's terms |
//! | [`command_methods!`](crate::command_methods), [`FromReply`] | every command as a method, from one list |
//! | [`IdMap`] | a hash map for ids |

mod bind;
pub(crate) mod commands;
mod connection;
pub(crate) mod dial;
pub(crate) mod engine;
mod ephemeral;
pub(crate) mod guard;
pub(crate) mod listeners;
pub(crate) mod mailbox;
pub(crate) mod reporter;
pub(crate) mod runtime;
pub(crate) mod socket_hook;
mod stream_end;
pub(crate) mod wire;

pub use commands::FromReply;
pub use dial::{Job, Unisolated};
pub use engine::{Engine, Lookup, SocketTarget, Sockets, TURN_BUDGET};
pub use ephemeral::may_meet_itself;
pub use guard::{Guard, OpenSockets};
pub use listeners::Listeners;
pub use mailbox::Mailbox;
pub use runtime::PoolRuntime;
pub use socket_hook::{DialSocketError, SocketHook};
pub use stream_end::StreamEnd;
pub use wire::Wire;

pub use crate::clock::Clock;
pub use crate::errors::{dial_error, proxy_dial_error, proxy_lookup_error};
pub use crate::id_map::IdMap;
pub use crate::pool::{PoolConnection, open_pool};
pub use crate::startup::settings::{ListenerPlace, Settings};
pub use crate::startup::{Started, Startup};
