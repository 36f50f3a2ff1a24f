#![doc = connmgr_std::guide_index!()]

#[doc = include_str!("../guide/first_pool.md")]
pub mod first_pool {}

#[doc(inline)]
pub use connmgr_std::guide::{
    bans, connections, from_a_loop, from_btcd, inbound, metrics, options, pick_an_adapter, simulation, state, tor,
    what_is_dialed, why_not,
};
