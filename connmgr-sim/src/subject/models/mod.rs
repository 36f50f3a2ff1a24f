//! Models of other connection managers, to compare ours with: two follow published facts about the policy of others, as
//! far as it decides whom they dial and when; two are as simple as possible.
//!
//! The former are not those programs, and say nothing of their code. Where releases differ, the fact that favours the
//! model is used. Routes, timeouts of proxies, groups, limits and required services are
//! those of the configuration for all of them.

mod btcd;
mod core;
mod core_book;
mod desk;
mod pace;
mod plain;
mod seeds;
mod subject;

pub use btcd::{BtcdLike, PacedBtcd};
pub use core::{CoreLike, PacedCore};
pub use core_book::CoreBook;
pub use plain::{OneAtATime, ParallelPlain};
pub use subject::Modelled;
