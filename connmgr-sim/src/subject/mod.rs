//! Who lives in a world: the real manager with its driver, or a model of another's.

pub mod models;
mod real;

pub use real::Driven;
