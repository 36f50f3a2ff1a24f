//! Models of other connection managers, to compare ours with: two written from published facts about others' policy,
//! and no more of it than bears on whom they dial and when; and two as plain as can be.
//!
//! The former are not those programs, and say nothing of their code. Where a fact is known to differ between releases,
//! the one that is kinder to the model is taken. Routes, timeouts of proxies, groups, limits and required services are
//! those of the configuration for all of them.

mod btcd;
mod core;
mod desk;
mod pace;
mod plain;
mod seeds;
mod subject;

pub use btcd::{BtcdLike, PacedBtcd};
pub use core::{CoreLike, PacedCore};
pub use plain::{OneAtATime, ParallelPlain};
pub use subject::Modelled;
