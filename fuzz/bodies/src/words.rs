//! Makes hosts, addresses, penalties, limits and so on from bytes. There are few of each, so that they repeat.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use connmgr_core::{
    Activity, AddressInfo, Backoff, BanTarget, CloseCause, DialError, Growth, Host, HostName, Identity, Limits,
    ListenerId, LookupError, PeerAddress, PeerInfo, Penalty, Services, UnixTime,
};

use crate::bytes::Bytes;
use crate::configs::UNIX;

impl Bytes<'_> {
    pub(crate) fn ip(&mut self) -> IpAddr {
        let [a, b] = [self.below(16), self.below(4)];
        match a {
            12 => Ipv4Addr::new(127, 0, b & 1, b).into(),
            13 => Ipv4Addr::new(192, 168, 0, b).into(),
            14 => Ipv4Addr::new(9, 9, 9, 9).to_ipv6_mapped().into(),
            15 if b == 3 => Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 1).into(),
            15 => Ipv6Addr::new(0x2a01, b.into(), 0, 0, 0, 0, 0, 1).into(),
            a => Ipv4Addr::new(11 + a, 1, 2, b).into(),
        }
    }

    pub(crate) fn host(&mut self) -> Host {
        let number = self.below(16);
        match number {
            0..=3 => Host::Onion([number; 32]),
            4 | 5 => Host::I2p([number; 32]),
            6 => Host::Cjdns(Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 1)),
            7 | 8 => Host::Name(HostName::new(&format!("node{number}.example")).expect("a name")),
            _ => self.ip().into(),
        }
    }

    pub(crate) fn address(&mut self) -> PeerAddress {
        let host = self.host();
        PeerAddress::new(host, self.pick(&[8333, 8333, 8333, 1024, 0]))
    }

    pub(crate) fn remote(&mut self) -> SocketAddr {
        SocketAddr::new(self.ip(), self.pick(&[8333, 1024, 1025, 1026]))
    }

    pub(crate) fn info(&mut self) -> AddressInfo {
        let last_seen = UnixTime::from_secs(self.pick(&[UNIX, UNIX - 100_000, 0, u64::MAX]));
        AddressInfo::new(self.address()).services(self.services()).last_seen(last_seen)
    }

    pub(crate) fn services(&mut self) -> Services {
        let useful = Services::NETWORK | Services::WITNESS;
        self.pick(&[useful, useful, useful | Services::P2P_V2, Services::NONE])
    }

    /// What a peer announces; it may send back a nonce of ours.
    pub(crate) fn peer_info(&mut self, nonces: &[u64]) -> PeerInfo {
        let number = self.below(16);
        let identity = (number < 5).then_some(Identity([number; 32]));
        let nonce = match self.byte() {
            which @ 240.. => nonces.get(usize::from(which - 240)).copied().or(Some(0)),
            _ => None,
        };
        PeerInfo { services: self.services(), nonce, identity, ..PeerInfo::default() }
    }

    pub(crate) fn listener(&mut self) -> ListenerId {
        ListenerId(self.pick(&[0, 0, 1, 2, 9]))
    }

    pub(crate) fn dial_error(&mut self) -> DialError {
        self.pick(&[
            DialError::Refused,
            DialError::TimedOut,
            DialError::Reset,
            DialError::HostUnreachable,
            DialError::ServiceUnreachable,
            DialError::ProxyUnreachable,
            DialError::ProxyMethod,
            DialError::NetworkUnreachable,
            DialError::OutOfResources,
            DialError::Cancelled,
        ])
    }

    pub(crate) fn lookup_error(&mut self) -> LookupError {
        self.pick(&[LookupError::NotFound, LookupError::Failed, LookupError::TimedOut, LookupError::ProxyUnsupported])
    }

    /// Why a connection ended; none: the application dropped it.
    pub(crate) fn cause(&mut self) -> Option<CloseCause> {
        self.pick(&[Some(CloseCause::Eof), Some(CloseCause::Unheard), Some(CloseCause::Reset), None])
    }

    pub(crate) fn penalty(&mut self) -> Penalty {
        let points = [0, 1, 30, 60, 101, u32::MAX];
        Penalty { persistent: self.pick(&points), transient: self.pick(&points) }
    }

    pub(crate) fn activity(&mut self) -> Activity {
        let ping = self.pick(&[None, Some(Duration::ZERO), Some(Duration::MAX)]);
        Activity { ping, block: self.flag(), transaction: self.flag(), ..Activity::default() }
    }

    pub(crate) fn ban_target(&mut self) -> BanTarget {
        let subnets = ["0.0.0.0/0", "::/0", "127.0.0.0/8", "11.0.0.0/8", "12.1.2.0/30", "2a01::/16"];
        match self.below(16) {
            0..=8 => BanTarget::Host(self.host()),
            which => BanTarget::Subnet(subnets[usize::from(which - 9) % 6].parse().expect("a subnet")),
        }
    }

    pub(crate) fn duration(&mut self) -> Duration {
        let secs = Duration::from_secs;
        self.pick(&[secs(60), secs(1), secs(86_400), Duration::from_nanos(1), Duration::ZERO, Duration::MAX])
    }

    pub(crate) fn backoff(&mut self) -> Backoff {
        let growth = self.pick(&[Growth::Exponential, Growth::Linear]);
        Backoff { growth, base: self.duration(), cap: self.duration(), jitter: self.flag(), ..Backoff::default() }
    }

    pub(crate) fn limits(&mut self) -> Limits {
        let few = [0, 1, 2, 3, 8];
        Limits {
            total: self.pick(&[125, 20, 10, 4, 1, 0, 1_000_001]),
            full: self.pick(&few),
            block_relay: self.pick(&few),
            feeler: self.pick(&few),
            addr_fetch: self.pick(&few),
            added: self.pick(&[8, 2, 0]),
            ..Limits::default()
        }
    }
}
