//! The pool on real sockets of loopback.
//!
//! Every wait ends: `within` names what did not happen.

mod commands;
mod fairness;
mod shutdown;
mod support;
