//! What the adapters are made of, and nobody else needs. It knows no runtime.
//!
//! | | |
//! |---|---|
//! | [`Settings`], [`builder_methods!`](crate::builder_methods) | what the builders of all adapters are told |
//! | [`Startup`], [`Started`] | a manager with its state and its trace, and what it is started from |
//! | [`Engine`], [`Sockets`] | all that is the same around a driver; what is left to an adapter |
//! | [`PoolRuntime`], [`Wire`], [`PoolConnection`], [`open_pool`] | a pool that a task keeps: for runtimes with futures |
//! | [`dial()`], [`dial_by_proxy`], [`resolve_by_proxy`] | their dials, and their lookups through proxies |
//! | [`OpenSockets`], [`Guard`], [`connection_methods!`](crate::connection_methods) | the streams that their applications own |
//! | [`StreamEnd`] | how a stream ended, as far as whoever reads and writes saw it |
//! | [`Listeners`] | what an adapter listens on, and the pauses |
//! | [`Mailbox`] | what streams report to whoever turns the engine |
//! | [`Clock`] | the core's two clocks, read from the machine's |
//! | [`dial_error`], [`proxy_dial_error`], [`may_meet_itself`] | what came of a dial, in the core's words |
//! | [`command_methods!`](crate::command_methods), [`FromReply`] | every command as a method, from one list |
//! | [`IdMap`] | the table for ids |

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
mod stream_end;
pub(crate) mod wire;

pub use commands::FromReply;
pub use dial::{Job, dial, dial_by_proxy, resolve_by_proxy};
pub use engine::{Engine, Lookup, Sockets, TURN_BUDGET};
pub use ephemeral::may_meet_itself;
pub use guard::{Guard, OpenSockets};
pub use listeners::Listeners;
pub use mailbox::Mailbox;
pub use runtime::PoolRuntime;
pub use stream_end::StreamEnd;
pub use wire::Wire;

pub use crate::clock::Clock;
pub use crate::errors::{dial_error, proxy_dial_error};
pub use crate::id_map::IdMap;
pub use crate::pool::{PoolConnection, open_pool};
pub use crate::startup::settings::Settings;
pub use crate::startup::{Started, Startup};
