//! The scenarios: one behaviour for each file, one story for each function.

pub mod added;
#[cfg(target_os = "linux")]
pub mod behind_ssh;
#[cfg(target_os = "linux")]
pub mod behind_tor;
pub mod commands;
pub mod connect;
#[cfg(target_os = "linux")]
pub mod crowd;
#[cfg(target_os = "linux")]
pub mod descriptors;
pub mod families;
pub mod half_close;
pub mod hung_up;
pub mod idle;
pub mod inbound;
#[cfg(target_os = "linux")]
pub mod itself;
pub mod late;
#[cfg(target_os = "linux")]
pub mod life;
pub mod named_proxies;
pub mod names;
pub mod plain_proxies;
pub mod proxied;
pub mod refused;
pub mod resets;
pub mod seeds;
pub mod shutdown;
#[cfg(target_os = "linux")]
pub mod silent;
#[cfg(unix)]
pub mod sockets;
pub mod starting;
pub mod state;
pub mod times;
