//! Takes a conversation's turns on a stream that is asynchronous. It knows streams and timers, and no pool.
//!
//! The two differ in their traits of streams and in their timers, which have nothing in common.

pub mod smol;
pub mod tokio;
