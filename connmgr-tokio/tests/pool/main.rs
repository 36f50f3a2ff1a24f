//! The pool over real sockets on loopback.
//!
//! Every wait has an end: `within` names what did not happen.

mod commands;
mod shutdown;
mod support;
