//! The scenarios: one behaviour a file, one story a function.

pub mod added;
pub mod inbound;
pub mod refused;
