//! Ports that stay free until somebody is wanted there.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// A port at which nobody listens, on any address of this machine.
///
/// It is one of those that systems do not give out by themselves (Linux gives 32 768 and up): a dial or a listener of
/// another test can't take it meanwhile.
pub fn free_port() -> u16 {
    static GIVEN: AtomicU16 = AtomicU16::new(0);
    loop {
        let nth = u32::from(GIVEN.fetch_add(1, Ordering::Relaxed));
        // Programs that run at once begin at different ports.
        let port = u16::try_from(20_000 + (std::process::id() * 32 + nth) % 10_000).expect("less than 30 000");
        if TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).is_ok() {
            return port;
        }
    }
}
