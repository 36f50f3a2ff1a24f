//! This machine's own addresses, for listeners that stand for all of them (`0.0.0.0`, `[::]`).
//!
//! Such a listener does not tell which addresses it has, so the machine's are looked up: at the start, and again when its
//! network changes. This file does not know what they are good for.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr, SocketAddrV6};

use connmgr_core::PeerAddress;
use if_addrs::{IfAddr, Interface};

/// Addresses used of a machine: more are not our own only until we meet ourselves there. Well below what a manager
/// remembers.
const MAX_ADDRESSES: usize = 256;

/// The listeners that stand for all of the machine's addresses, and the addresses that they have.
#[derive(Clone, Debug, Default)]
pub struct WildcardListeners {
    listeners: Vec<SocketAddr>,
    known: BTreeSet<PeerAddress>,
}

/// What has changed since the last look.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct OwnAddressChange {
    pub(crate) gone: Vec<PeerAddress>,
    pub(crate) come: Vec<PeerAddress>,
}

impl WildcardListeners {
    pub(crate) const fn new() -> Self {
        Self { listeners: Vec::new(), known: BTreeSet::new() }
    }

    /// One more listener.
    pub(crate) fn add(&mut self, listener: SocketAddr) {
        self.listeners.push(listener);
    }

    /// Looks at the machine's interfaces. If the system does not tell, nothing has changed: an address of our own that is
    /// not known is found out by meeting ourselves.
    pub(crate) fn look(&mut self) -> OwnAddressChange {
        if self.listeners.is_empty() {
            return OwnAddressChange::default();
        }
        if_addrs::get_if_addrs().map_or_else(|_| OwnAddressChange::default(), |found| self.compare(&found))
    }

    /// The machine had this address at the last look.
    #[cfg(test)]
    pub(crate) fn had(&mut self, address: PeerAddress) {
        self.known.insert(address);
    }

    fn compare(&mut self, interfaces: &[Interface]) -> OwnAddressChange {
        let each = interfaces.iter().flat_map(|interface| self.listeners.iter().filter_map(|on| at(interface, *on)));
        let now: BTreeSet<PeerAddress> = each.take(MAX_ADDRESSES).collect();
        let change = OwnAddressChange {
            gone: self.known.difference(&now).cloned().collect(),
            come: now.difference(&self.known).cloned().collect(),
        };
        self.known = now;
        change
    }
}

/// Where a listener on all addresses is reached at this interface; `None` if it is of another family: our listeners on
/// `[::]` take IPv6 alone, so the same port of IPv4 may be another program's.
fn at(interface: &Interface, listener: SocketAddr) -> Option<PeerAddress> {
    let port = listener.port();
    let addr = match (&interface.addr, listener.ip()) {
        (IfAddr::V4(addr), IpAddr::V4(_)) => SocketAddr::from((addr.ip, port)),
        (IfAddr::V6(addr), IpAddr::V6(_)) => {
            SocketAddr::V6(SocketAddrV6::new(addr.ip, port, 0, interface.index.unwrap_or(0)))
        }
        (IfAddr::V4(_), IpAddr::V6(_)) | (IfAddr::V6(_), IpAddr::V4(_)) => return None,
    };
    Some(PeerAddress::from(addr))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(listener: &str) -> WildcardListeners {
        let mut listeners = WildcardListeners::default();
        listeners.add(listener.parse().unwrap());
        listeners
    }

    #[test]
    fn a_listener_on_all_addresses_has_those_of_the_machine() {
        let home: PeerAddress = "127.0.0.1:8333".parse().unwrap();
        let mut listeners = all("0.0.0.0:8333");
        let found = listeners.look();
        assert!(found.come.contains(&home) && found.gone.is_empty(), "{found:?}");
        assert!(found.come.iter().all(|address| address.host().ip().is_some_and(|ip| ip.is_ipv4())), "{found:?}");
        assert_eq!(listeners.look(), OwnAddressChange::default(), "nothing has changed");
        assert!(!all("[::]:8333").look().come.contains(&home));
    }

    #[test]
    fn an_address_that_the_machine_has_lost_is_gone() {
        let mut listeners = all("0.0.0.0:8333");
        let come = listeners.look().come;
        assert_eq!(listeners.compare(&[]), OwnAddressChange { gone: come, come: Vec::new() });
    }

    #[test]
    fn without_such_a_listener_nobody_looks() {
        assert_eq!(WildcardListeners::default().look(), OwnAddressChange::default());
    }
}
