//! Every short history of a small world.
//!
//! A breadth-first search over everything that can happen next: deadlines, dial results, handshakes, closings,
//! misbehavior, arrivals, commands. Histories that lead to the same
//! [`fingerprint`](connmgr_core::ConnManager::fingerprint) are continued only once. `connmgr-check` checks every step.
//! In every state, late, doubled and early facts change nothing. From every state, if all dials succeed from now on,
//! the pool reaches its target in bounded time.
//!
//! A failure prints the inputs that lead to it.

mod explore;
mod heal;
mod past;
mod sameness;
#[path = "../support/mod.rs"]
mod support;
mod world;
mod worlds;
