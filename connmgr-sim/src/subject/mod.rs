//! The subjects of a world: the real manager with its driver, and models of others.

pub mod models;
mod real;

pub use real::Driven;
