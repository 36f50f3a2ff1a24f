//! A pool on real sockets of loopback, turned by a loop like an application's.

mod commands;
mod dialing;
mod inbound;
mod shutdown;
mod starting;
mod support;
