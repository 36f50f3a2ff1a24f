//! How many connections a group of addresses may have.

use crate::types::{AsnTable, More};

/// How many automatic connections one group of addresses may have. Addresses that lie close together often belong to one
/// operator, who must not have all connections of a node.
///
/// | addresses | one group is |
/// |---|---|
/// | IPv4 | a /16: `203.0.0.0` to `203.0.255.255` |
/// | IPv6 | a /32, and in the tunnel broker's `2001:470::/32` a /36 |
/// | IPv6 that contains IPv4 (6to4, Teredo, NAT64, mapped) | the /16 of the IPv4 address |
/// | private, shared and own ranges (see [`Ranges`](crate::Ranges)) | an IPv4 /24 or an IPv6 /64 |
/// | loopback | as on the internet: `127.0.0.1` to `127.0.255.255`, at every port; `::1` |
/// | onion, I2P | the first 4 bits: 16 groups in each network |
/// | CJDNS | the first 12 bits: 16 groups |
/// | with a table in `asn`: IPv4 and IPv6 that has a number in it, apart from private, shared and own ranges | all of its autonomous system |
///
/// The rule is for full and block-relay connections, which the manager chooses. Added peers, inbound connections and
/// addr-fetches have no group and take none. Where all peers are in one group, as on a LAN or one machine, set no limit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct GroupRule {
    /// Automatic connections and dials to one group at a time. Default: 1, as btcd and Bitcoin Core. At least 1. `None`: no
    /// limit, for small networks.
    pub max_per_group: Option<u32>,
    /// Whether onion, I2P and CJDNS are exempt, because they have few groups. Default: no.
    /// [`Config::bitcoin`](crate::Config::bitcoin): yes, as Bitcoin Core.
    pub exempt_overlays: bool,
    /// Which autonomous system announces an IPv4 or IPv6 address: all addresses of one system are one group, wherever they
    /// lie. The rule of prefixes is for those without a number. Private, shared and own ranges and overlays keep their
    /// groups. Default: none. It must be [loaded](AsnTable::is_loaded).
    pub asn: Option<AsnTable>,
    #[doc(hidden)]
    #[cfg_attr(feature = "serde", serde(skip))]
    pub _more: More,
}
