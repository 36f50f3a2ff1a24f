//! The guide: pages for those who build a node on a pool. Each adapter shows it as a module of its own, with a first program
//! on its runtime, so this crate is its one source.

// The same index in every adapter: the links lead to its own pages. A macro, because a file of another crate can't be
// included.
#[doc(hidden)]
#[macro_export]
macro_rules! guide_index {
    () => {
        "The guide: pages for those who build a node on a pool.

1. [Which adapter to take](pick_an_adapter)
2. [The first pool](first_pool): a whole program
3. [Connections and their streams](connections)
4. [What is dialed, and when](what_is_dialed)
5. [Why doesn't it dial?](why_not)
6. [Every option](options): one table with defaults, ranges and origins
7. [Scores and bans](bans), with numbers
8. [Tor, I2P and other proxies](tor)
9. [Inbound connections](inbound)
10. [State on disk](state)
11. [Metrics and logs](metrics)
12. [Your node in a simulator](simulation)
13. [From btcd or dcrd](from_btcd)
14. [From a loop of your own](from_a_loop)

Samples are for tokio. With smol the same names are in `connmgr_smol`; with mio the methods of `Handle` are those of the pool
and need no `.await`. All names are in the root of the adapter's crate."
    };
}

#[doc = include_str!("../guide/pick_an_adapter.md")]
pub mod pick_an_adapter {}

/// A whole program. It is on the page of this name of each adapter, on that adapter's runtime.
pub mod first_pool {}

#[doc = include_str!("../guide/connections.md")]
pub mod connections {}

#[doc = include_str!("../guide/what_is_dialed.md")]
pub mod what_is_dialed {}

#[doc = include_str!("../guide/why_not.md")]
pub mod why_not {}

#[doc(inline)]
pub use connmgr_core::options;

#[doc = include_str!("../guide/bans.md")]
pub mod bans {}

#[doc = include_str!("../guide/tor.md")]
pub mod tor {}

#[doc = include_str!("../guide/inbound.md")]
pub mod inbound {}

#[doc = include_str!("../guide/state.md")]
pub mod state {}

#[doc = include_str!("../guide/metrics.md")]
pub mod metrics {}

#[doc = include_str!("../guide/simulation.md")]
pub mod simulation {}

#[doc = include_str!("../guide/from_btcd.md")]
pub mod from_btcd {}

#[doc = include_str!("../guide/from_a_loop.md")]
pub mod from_a_loop {}
