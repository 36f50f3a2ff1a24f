//! Models of two other connection managers, to compare ours with: written from published facts about their policy, and
//! no more of it than bears on whom they dial and when.
//!
//! They are not those programs, and say nothing of their code. Where a fact is known to differ between releases, the
//! one that is kinder to the model is taken.

mod btcd;
mod core;
mod desk;
mod subject;

pub use btcd::BtcdLike;
pub use core::CoreLike;
pub use subject::Modelled;
