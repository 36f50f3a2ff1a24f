//! One connection or dial, as the actions tell.

use std::net::{IpAddr, SocketAddr};

use connmgr_core::{
    Connected, Host, Identity, Isolation, Kind, ListenerId, NetworkKind, PeerAddress, PeerId, Permissions,
    ProxyAddress, Ranges, Target, Time, Transport,
};

/// How far a connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ConnLife {
    /// Dialed, no result.
    Dialing,
    /// Open, its handshake not done.
    Open,
    /// Ready.
    Ready,
}

/// One connection or dial.
#[derive(Clone, Debug)]
pub(crate) struct KnownConn {
    pub(crate) life: ConnLife,
    /// None for a dial until the end of its step: the action does not tell it, the view does.
    pub(crate) kind: Option<Kind>,
    /// The other end, if known. Until the end of its step, a dialed address in `fc00::/8` may be IPv6 or CJDNS.
    pub(crate) address: Option<PeerAddress>,
    /// The proxy it was dialed by.
    pub(crate) via: Option<(ProxyAddress, Isolation)>,
    pub(crate) was_dialed: bool,
    pub(crate) peer: Option<PeerId>,
    pub(crate) listener: Option<ListenerId>,
    pub(crate) permissions: Permissions,
    pub(crate) transport: Transport,
    /// 0 until it is open.
    pub(crate) nonce: u64,
    /// Since when its `life` is what it is.
    pub(crate) since: Time,
    pub(crate) identity: Option<Identity>,
    /// It was dialed into a network that was down.
    pub(crate) is_probe: bool,
    /// It holds one of its kind's slots.
    pub(crate) has_slot: bool,
    /// It was automatic, and an added peer adopted it.
    pub(crate) was_adopted: bool,
    /// The misbehavior of its added peer bans no host.
    pub(crate) is_spared: bool,
}

impl KnownConn {
    /// A dial.
    pub(crate) fn dialed(target: &Target, transport: Transport, now: Time) -> Self {
        let via = match target {
            Target::Direct(_) => None,
            Target::Proxied { proxy, isolation, .. } => Some((proxy.clone(), *isolation)),
        };
        Self {
            life: ConnLife::Dialing,
            kind: None,
            address: Some(dialed_address(target)),
            via,
            was_dialed: true,
            peer: None,
            listener: None,
            permissions: Permissions::default(),
            transport,
            nonce: 0,
            since: now,
            identity: None,
            is_probe: false,
            has_slot: true,
            was_adopted: false,
            is_spared: false,
        }
    }

    /// An inbound connection.
    pub(crate) fn accepted(connected: &Connected, permissions: Permissions, now: Time) -> Self {
        Self {
            life: ConnLife::Open,
            kind: Some(Kind::Inbound),
            address: connected.address.clone(),
            via: None,
            was_dialed: false,
            peer: None,
            listener: connected.listener,
            permissions,
            transport: connected.transport,
            nonce: connected.nonce,
            since: now,
            identity: None,
            is_probe: false,
            has_slot: true,
            was_adopted: false,
            is_spared: false,
        }
    }

    /// The host of the other end, if known.
    pub(crate) fn host(&self) -> Option<&Host> {
        self.address.as_ref().map(PeerAddress::host)
    }

    /// Whether its misbehavior closes it and bans no host.
    pub(crate) fn is_spared(&self) -> bool {
        self.is_spared || self.permissions.no_ban
    }

    pub(crate) fn is_inbound(&self) -> bool {
        !self.was_dialed
    }

    /// Whether it may be repeated as v1 if it ends before its peer sends anything.
    pub(crate) fn died_unheard(&self) -> bool {
        self.life == ConnLife::Open && self.was_dialed && self.transport == Transport::V2
    }

    /// Its network, if it is automatic.
    pub(crate) fn automatic_network(&self) -> Option<NetworkKind> {
        let is_automatic = self.kind.is_some_and(Kind::takes_group);
        self.address.as_ref().filter(|_| is_automatic).and_then(PeerAddress::network)
    }

    /// Whether it was `Connected`.
    pub(crate) fn is_open(&self) -> bool {
        self.life != ConnLife::Dialing
    }
}

/// The address a dial goes to.
pub(crate) fn dialed_address(target: &Target) -> PeerAddress {
    match target {
        Target::Direct(addr) => direct(*addr),
        Target::Proxied { address, .. } => address.clone(),
    }
}

/// The address of a direct dial. A CJDNS address is dialed as an IPv6 one; `fc00::/8` is taken for CJDNS here.
fn direct(addr: SocketAddr) -> PeerAddress {
    match addr.ip() {
        IpAddr::V6(ip) if ip.octets()[0] == 0xfc => PeerAddress::new(Host::Cjdns(ip), addr.port()),
        IpAddr::V4(_) | IpAddr::V6(_) => PeerAddress::from(addr),
    }
}

/// Whether a direct dial does not tell the network of this address: IPv6 or CJDNS.
pub(crate) fn is_ambiguous(address: &PeerAddress) -> bool {
    match address.host() {
        Host::Cjdns(_) => true,
        Host::Ip(IpAddr::V6(ip)) => ip.octets()[0] == 0xfc,
        Host::Ip(IpAddr::V4(_)) | Host::Onion(_) | Host::I2p(_) | Host::Name(_) => false,
    }
}

/// The network whose health a dial to this address tells something about (see [`super::routable`]).
pub(crate) fn health_network(address: &PeerAddress, ranges: &Ranges) -> Option<NetworkKind> {
    address.network().filter(|_| super::routable::tells_of_network(address.host(), ranges))
}
