//! A host: where a peer is, without its port.
//!
//! Texts follow each network's convention: onion v3 as in Tor's rend-spec-v3 §6, I2P as `.b32.i2p`. This file knows no
//! routes and no rules for dialing.

use alloc::sync::Arc;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::str::FromStr;

use super::network::{NetworkKind, NetworkSet};

/// A host in one of the networks, or a name that resolves to one.
///
/// Equal hosts are the same host: [`Host::from`] converts IPv4-mapped IPv6 to IPv4, and names are lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Host {
    /// IPv4 or IPv6.
    Ip(IpAddr),
    /// An onion service, version 3: its public key.
    Onion([u8; 32]),
    /// An I2P destination: its hash.
    I2p([u8; 32]),
    /// A CJDNS node: an address inside `fc00::/8`.
    Cjdns(Ipv6Addr),
    /// A name. It is resolved for every attempt.
    Name(HostName),
}

impl Host {
    /// The host's network; `None` for a name.
    pub const fn network(&self) -> Option<NetworkKind> {
        match self {
            Self::Ip(IpAddr::V4(_)) => Some(NetworkKind::Ipv4),
            Self::Ip(IpAddr::V6(_)) => Some(NetworkKind::Ipv6),
            Self::Onion(_) => Some(NetworkKind::Onion),
            Self::I2p(_) => Some(NetworkKind::I2p),
            Self::Cjdns(_) => Some(NetworkKind::Cjdns),
            Self::Name(_) => None,
        }
    }

    /// The IP address to connect to without a proxy, if the host has one.
    pub const fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Ip(ip) => Some(*ip),
            Self::Cjdns(ip) => Some(IpAddr::V6(*ip)),
            Self::Onion(_) | Self::I2p(_) | Self::Name(_) => None,
        }
    }

    /// Whether an address is in CJDNS' range, `fc00::/8`.
    pub(crate) const fn is_cjdns_range(ip: Ipv6Addr) -> bool {
        ip.octets()[0] == 0xfc
    }

    /// Whether this is a link-local IPv6 address (`fe80::/10`), which needs a zone.
    pub(crate) const fn is_link_local_v6(&self) -> bool {
        matches!(self, Self::Ip(IpAddr::V6(ip)) if ip.is_unicast_link_local())
    }

    /// The same host as the networks in use name it: where CJDNS is among them, an IPv6 address of `fc00::/8` is a
    /// CJDNS address.
    #[must_use]
    pub fn settled(self, networks: NetworkSet) -> Self {
        match self {
            Self::Ip(IpAddr::V6(ip)) if Self::is_cjdns_range(ip) && networks.contains(NetworkKind::Cjdns) => {
                Self::Cjdns(ip)
            }
            Self::Ip(_) | Self::Onion(_) | Self::I2p(_) | Self::Cjdns(_) | Self::Name(_) => self,
        }
    }

    /// Whether the host is this machine (127.0.0.0/8 or `::1`).
    pub const fn is_loopback(&self) -> bool {
        match self {
            Self::Ip(ip) => ip.is_loopback(),
            Self::Onion(_) | Self::I2p(_) | Self::Cjdns(_) | Self::Name(_) => false,
        }
    }
}

/// Few writes, because hosts are hashed often.
impl Hash for Host {
    #[inline]
    fn hash<H: Hasher>(&self, to: &mut H) {
        match self {
            Self::Ip(IpAddr::V4(ip)) => return to.write_u64(ip.to_bits().into()),
            Self::Ip(IpAddr::V6(ip)) | Self::Cjdns(ip) => to.write_u128(ip.to_bits()),
            Self::Onion(key) | Self::I2p(key) => to.write(key),
            Self::Name(name) => name.hash(to),
        }
        core::mem::discriminant(self).hash(to);
    }
}

impl From<IpAddr> for Host {
    /// Converts `::ffff:a.b.c.d` to `a.b.c.d`.
    fn from(ip: IpAddr) -> Self {
        Self::Ip(ip.to_canonical())
    }
}

impl From<Ipv4Addr> for Host {
    fn from(ip: Ipv4Addr) -> Self {
        Self::Ip(IpAddr::V4(ip))
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(ip) => ip.fmt(f),
            Self::Onion(key) => {
                base32::write(f, &onion_payload(key))?;
                f.write_str(ONION_SUFFIX)
            }
            Self::I2p(hash) => {
                base32::write(f, hash)?;
                f.write_str(I2P_SUFFIX)
            }
            Self::Cjdns(ip) => write!(f, "cjdns:{ip}"),
            Self::Name(name) => name.fmt(f),
        }
    }
}

impl FromStr for Host {
    type Err = HostError;

    /// Parses an IP address (IPv6 without brackets), `cjdns:fc…`, an onion v3 or I2P address, or a name.
    fn from_str(text: &str) -> Result<Self, HostError> {
        if let Ok(ip) = text.parse::<IpAddr>() {
            return Ok(Self::from(ip));
        }
        if let Some(ip) = text.strip_prefix("cjdns:") {
            let ip: Ipv6Addr = ip.parse().map_err(|_| HostError::BadCjdns)?;
            return if Self::is_cjdns_range(ip) { Ok(Self::Cjdns(ip)) } else { Err(HostError::BadCjdns) };
        }
        let lower = text.to_ascii_lowercase();
        if let Some(label) = lower.strip_suffix(ONION_SUFFIX) {
            return parse_onion(label).map(Self::Onion).ok_or(HostError::BadOnion);
        }
        if let Some(label) = lower.strip_suffix(I2P_SUFFIX) {
            return base32::read::<32>(label).map(Self::I2p).ok_or(HostError::BadI2p);
        }
        HostName::new(&lower).map(Self::Name)
    }
}

const ONION_SUFFIX: &str = ".onion";
const I2P_SUFFIX: &str = ".b32.i2p";
const ONION_VERSION: u8 = 3;

/// The bytes that an onion v3 address encodes: public key, two bytes of checksum, version.
fn onion_payload(key: &[u8; 32]) -> [u8; 35] {
    let mut payload = [0; 35];
    payload[..32].copy_from_slice(key);
    payload[32..34].copy_from_slice(&onion_checksum(key));
    payload[34] = ONION_VERSION;
    payload
}

fn parse_onion(label: &str) -> Option<[u8; 32]> {
    let payload = base32::read::<35>(label)?;
    let key: [u8; 32] = payload[..32].try_into().ok()?;
    (onion_payload(&key) == payload).then_some(key)
}

/// The first two bytes of SHA3-256 over ".onion checksum", key and version. The input fits one block.
fn onion_checksum(key: &[u8; 32]) -> [u8; 2] {
    const RATE: usize = 136;
    let mut block = [0u8; RATE];
    block[..15].copy_from_slice(b".onion checksum");
    block[15..47].copy_from_slice(key);
    block[47] = ONION_VERSION;
    block[48] = 0x06;
    block[RATE - 1] |= 0x80;
    let mut state = [0u64; 25];
    for (lane, bytes) in state.iter_mut().zip(block.chunks_exact(8)) {
        *lane = u64::from_le_bytes(bytes.try_into().expect("chunks of eight"));
    }
    keccak::Keccak::new().with_f1600(|f1600| f1600(&mut state));
    let first = state[0].to_le_bytes();
    [first[0], first[1]]
}

/// A host name: lower case, at most 253 bytes, labels of letters, digits, `-` and `_`.
///
/// A final dot is kept: it makes the name *absolute*, so that no resolver tries it in its search domains. `a.example` and
/// `a.example.` are different names. A name without a final dot is given to the resolver as written, for search domains are
/// how names work in many clusters. The names of seeds are always asked as absolute.
///
/// Names that end in `.onion` or `.b32.i2p` are refused: valid ones are a [`Host`] of their own, and no resolver may
/// learn of the others (RFC 7686 §2).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostName(Arc<str>);

impl HostName {
    /// The longest name in the DNS, as text without a final dot (RFC 1035 §3.1).
    pub const MAX_LEN: usize = 253;
    const MAX_LABEL: usize = 63;

    /// Checks a name and converts it to lower case.
    ///
    /// # Errors
    /// [`HostError::BadName`] if it is empty, too long, or has a character that host names do not have (a port, a
    /// slash); [`HostError::BadIpv4`], [`HostError::BadOnion`] and [`HostError::BadI2p`] if it ends like an address of
    /// these networks.
    pub fn new(text: &str) -> Result<Self, HostError> {
        let name = text.strip_suffix('.').unwrap_or(text);
        let label_is_good = |label: &str| {
            !label.is_empty()
                && label.len() <= Self::MAX_LABEL
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        };
        // A last label of digits alone is a mistyped IPv4 address (RFC 3696 §2).
        let mistyped_ip = name.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
        if name.len() > Self::MAX_LEN || !name.split('.').all(label_is_good) {
            return Err(HostError::BadName);
        }
        if mistyped_ip {
            return Err(HostError::BadIpv4);
        }
        let lower = text.to_ascii_lowercase();
        let name = lower.strip_suffix('.').unwrap_or(&lower);
        if name.ends_with(ONION_SUFFIX) {
            return Err(HostError::BadOnion);
        }
        if name.ends_with(I2P_SUFFIX) {
            return Err(HostError::BadI2p);
        }
        Ok(Self(lower.into()))
    }

    /// The name as text, with its final dot if it has one: what to ask a resolver for.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as text, without a final dot.
    pub fn as_relative(&self) -> &str {
        self.0.strip_suffix('.').unwrap_or(&self.0)
    }

    /// Whether it ends in a dot: it is never tried in a search domain.
    pub fn is_absolute(&self) -> bool {
        self.0.ends_with('.')
    }

    /// The same name, absolute.
    #[must_use]
    pub fn to_absolute(&self) -> Self {
        if self.is_absolute() { self.clone() } else { Self(alloc::format!("{}.", self.0).into()) }
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for HostName {
    type Err = HostError;

    fn from_str(text: &str) -> Result<Self, HostError> {
        Self::new(text)
    }
}

/// Why a text is not a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HostError {
    /// Not a host name: letters, digits, `-` and `_` in labels, at most 253 bytes.
    BadName,
    /// Ends in a number like an IPv4 address, but is none.
    BadIpv4,
    /// Ends in `.onion` but is not a version 3 address, or its checksum is wrong.
    BadOnion,
    /// Ends in `.b32.i2p` but does not have 52 characters of base 32 before that.
    BadI2p,
    /// Starts with `cjdns:` but is not followed by an address in `fc00::/8`.
    BadCjdns,
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BadName => "not a host name: letters, digits, '-' and '_' in labels, at most 253 bytes",
            Self::BadIpv4 => "not an IPv4 address: four numbers from 0 to 255, as in 1.2.3.4",
            Self::BadOnion => "not an onion address of version 3 (56 characters and '.onion', checksum right)",
            Self::BadI2p => "not an I2P address (52 characters and '.b32.i2p')",
            Self::BadCjdns => "not a CJDNS address ('cjdns:' and an address of fc00::/8)",
        })
    }
}

impl core::error::Error for HostError {}

mod base32 {
    //! RFC 4648 base 32 in lower case, without padding: the encoding of onion and I2P addresses.

    use core::fmt::{self, Write};

    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

    pub(super) fn write(out: &mut impl Write, bytes: &[u8]) -> fmt::Result {
        let (mut bits, mut held) = (0u32, 0u32);
        for byte in bytes {
            bits = (bits << 8) | u32::from(*byte);
            held += 8;
            while held >= 5 {
                held -= 5;
                out.write_char(char::from(ALPHABET[(bits >> held & 31) as usize]))?;
            }
            bits &= (1 << held) - 1;
        }
        if held > 0 {
            out.write_char(char::from(ALPHABET[(bits << (5 - held) & 31) as usize]))?;
        }
        Ok(())
    }

    /// Decodes exactly `N` bytes in canonical spelling; anything else is `None`.
    pub(super) fn read<const N: usize>(text: &str) -> Option<[u8; N]> {
        if text.len() != (N * 8).div_ceil(5) {
            return None;
        }
        let mut bytes = [0; N];
        let (mut bits, mut held, mut at) = (0u32, 0u32, 0);
        for letter in text.bytes() {
            let value = match letter {
                b'a'..=b'z' => letter - b'a',
                b'2'..=b'7' => letter - b'2' + 26,
                _ => return None,
            };
            bits = (bits << 5) | u32::from(value);
            held += 5;
            if held >= 8 {
                held -= 8;
                *bytes.get_mut(at)? = u8::try_from(bits >> held & 0xff).ok()?;
                at += 1;
            }
            bits &= (1 << held) - 1;
        }
        (at == N && bits == 0).then_some(bytes)
    }
}

#[cfg(feature = "serde")]
mod data {
    use super::{Host, HostName};
    crate::types::data::as_text!(Host);
    crate::types::data::as_text!(HostName);
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    /// The address of the Tor Project's own site, as published.
    const ONION: &str = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion";

    #[test]
    fn an_onion_address_reads_and_spells_the_same() {
        let host: Host = ONION.parse().expect("a real onion address");
        assert_eq!(host.network(), Some(NetworkKind::Onion));
        assert_eq!(host.to_string(), ONION);
    }

    #[test]
    fn an_onion_address_with_one_wrong_letter_is_refused() {
        assert_eq!(ONION.replacen('2', "3", 1).parse::<Host>(), Err(HostError::BadOnion));
    }

    #[test]
    fn an_i2p_address_reads_and_spells_the_same() {
        let text = "ukeu3k5oycgaauneqgtnvselmt4yemvoilkln7jpvamvfx7dnkdq.b32.i2p";
        assert_eq!(text.parse::<Host>().expect("a real I2P address").to_string(), text);
    }

    #[test]
    fn mapped_ipv4_is_folded() {
        assert_eq!("::ffff:1.2.3.4".parse::<Host>(), "1.2.3.4".parse::<Host>());
    }

    #[test]
    fn names_are_lower_case_and_checked() {
        assert_eq!("Seed.Example".parse::<Host>().expect("a name").to_string(), "seed.example");
        for bad in ["", "a..b", "a b", "a/b", "seed:8333", &"a".repeat(64)] {
            assert_eq!(bad.parse::<Host>(), Err(HostError::BadName), "{bad:?}");
        }
        for bad in ["1.2.3", "999.1.1.1", "1.2.3.4.5", "8333"] {
            assert_eq!(bad.parse::<Host>(), Err(HostError::BadIpv4), "{bad:?}");
        }
    }

    #[test]
    fn a_final_dot_is_kept_and_makes_a_name_absolute() {
        let (absolute, relative): (HostName, HostName) =
            ("Bootnode.Example.".parse().expect("a name"), "bootnode.example".parse().expect("a name"));
        assert_eq!((absolute.as_str(), absolute.as_relative()), ("bootnode.example.", "bootnode.example"));
        assert!(absolute.is_absolute() && !relative.is_absolute() && absolute != relative);
        assert_eq!((relative.to_absolute(), absolute.to_absolute()), (absolute.clone(), absolute));
        let longest =
            [&"a".repeat(63), &"b".repeat(63), &"c".repeat(63), &"d".repeat(61)].map(|s| s.as_str()).join(".");
        assert_eq!(longest.parse::<HostName>().expect("a name").to_absolute().as_str().len(), HostName::MAX_LEN + 1);
        for bad in [".", "a.."] {
            assert_eq!(bad.parse::<HostName>(), Err(HostError::BadName), "{bad}");
        }
        assert_eq!("1.2.3.4.".parse::<HostName>(), Err(HostError::BadIpv4));
    }

    #[test]
    fn an_address_of_an_overlay_is_never_a_name() {
        assert_eq!("nobody.onion".parse::<HostName>(), Err(HostError::BadOnion));
        assert_eq!("Nobody.B32.I2p".parse::<HostName>(), Err(HostError::BadI2p));
        assert_eq!(alloc::format!("{ONION}.").parse::<Host>(), Err(HostError::BadOnion));
    }

    #[test]
    fn cjdns_is_told_from_private_ipv6() {
        assert_eq!("cjdns:fc00::1".parse::<Host>().expect("cjdns").network(), Some(NetworkKind::Cjdns));
        assert_eq!("fc00::1".parse::<Host>().expect("ipv6").network(), Some(NetworkKind::Ipv6));
        assert_eq!("cjdns:fd00::1".parse::<Host>(), Err(HostError::BadCjdns));
    }
}
