//! The ranges of addresses in which peers may be.

use alloc::vec::Vec;

use ipnet::IpNet;

use crate::types::More;

/// The most subnets in [`Ranges::own`]. Each address that is heard of is compared with all of them.
pub(super) const MAX_OWN: usize = 64;

/// The ranges of IPv4 and IPv6 addresses in which peers may be: an address outside of all of them is not taken from
/// seeds, gossip, fixed seeds, the application or an earlier run. Added peers may be anywhere, and overlay networks
/// (onion, I2P, CJDNS) are always inside.
///
/// Where addresses are dialed automatically, not all may be off, unless an overlay network can be reached: CJDNS is
/// enabled by default, onion and I2P need a proxy.
///
/// Where `public` is off, as on a LAN or a VPN, all addresses that are inside tell whether their network is up; where it
/// is on, only public ones and loopback do. For then the others may answer while the internet is away.
///
/// Addresses in private and own ranges are kept and told like any other: with `public` on as well, peers on the internet
/// hear of them, and tell us of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct Ranges {
    /// The public internet: what the IANA registries do not reserve. Default: yes.
    pub public: bool,
    /// Private networks: `10.0.0.0/8`, `172.16.0.0/12`, `192.168.0.0/16`, `fd00::/8`, and `fc00::/8` where CJDNS is not
    /// enabled. Default: no.
    pub private: bool,
    /// Carriers' shared range, `100.64.0.0/10`, which some VPNs use. Default: no.
    pub shared: bool,
    /// This machine: `127.0.0.0/8` and `::1`. Then hosts there can be banned too. For tests and regtest. Default: no.
    pub loopback: bool,
    /// Any other subnets of the operator's, such as `200::/7`. Default: none. At most 64, and IPv4 written as IPv4
    /// (`10.0.0.0/8`, not `::ffff:10.0.0.0/104`).
    pub own: Vec<IpNet>,
    #[doc(hidden)]
    #[cfg_attr(feature = "serde", serde(skip))]
    pub _more: More,
}

impl Ranges {
    /// Whether no IP address is inside.
    pub(super) fn is_empty(&self) -> bool {
        !self.public && !self.private && !self.shared && !self.loopback && self.own.is_empty()
    }
}

impl Default for Ranges {
    fn default() -> Self {
        Self { public: true, private: false, shared: false, loopback: false, own: Vec::new(), _more: More(()) }
    }
}
