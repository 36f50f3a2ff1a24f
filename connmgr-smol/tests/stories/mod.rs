//! The pool over real sockets on loopback: the same stories whatever executor runs them.
//!
//! Every wait has an end: `within` names what did not happen.

mod commands;
mod fairness;
mod shutdown;
mod support;
