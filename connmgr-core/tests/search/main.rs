//! Every short history of a small world.
//!
//! A breadth-first search over all that can happen next: deadlines, dials that succeed or fail, handshakes, closings,
//! misbehaviour, strangers, commands. Two histories that lead to the same
//! [`fingerprint`](connmgr_core::ConnManager::fingerprint) are walked on from only once. After every input the checkers
//! of `connmgr-check` are content; in every state echoes of the past change nothing; and from every state, a world in
//! which all dials succeed from now on brings the pool to its target within a bounded time.
//!
//! A failure prints the inputs that lead to it. It knows nothing of the inside of the manager.

mod explore;
mod heal;
mod past;
mod sameness;
#[path = "../support/mod.rs"]
mod support;
mod world;
mod worlds;
