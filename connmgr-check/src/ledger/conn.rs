//! What the actions told of one connection.

use std::net::{IpAddr, SocketAddr};

use connmgr_core::{
    Connected, Host, Identity, Isolation, Kind, ListenerId, NetworkKind, PeerAddress, PeerId, Permissions, Target,
    Time, Transport,
};

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    /// Dialed, no result.
    Dialing,
    /// Open, its handshake not done.
    Open,
    /// Ready.
    Ready,
}

/// One connection or dial, as far as the actions told.
#[derive(Clone, Debug)]
pub(crate) struct Conn {
    pub(crate) life: Life,
    /// None for a dial until its step is over: the action does not say it, the view does.
    pub(crate) kind: Option<Kind>,
    /// The other end, if it can be seen. A dialed address of `fc00::/8` may be IPv6 or CJDNS until its step is over.
    pub(crate) address: Option<PeerAddress>,
    /// The proxy it was dialed by.
    pub(crate) via: Option<(SocketAddr, Isolation)>,
    pub(crate) was_dialed: bool,
    pub(crate) peer: Option<PeerId>,
    pub(crate) listener: Option<ListenerId>,
    pub(crate) permissions: Permissions,
    pub(crate) transport: Transport,
    /// 0 until it is open.
    pub(crate) nonce: u64,
    /// Since when it lives the life it lives.
    pub(crate) since: Time,
    pub(crate) identity: Option<Identity>,
    /// It was dialed into a network that was suspected down.
    pub(crate) is_probe: bool,
    /// It holds one of its kind's slots.
    pub(crate) has_slot: bool,
    /// It was chosen from the book, and an added peer took it over.
    pub(crate) was_adopted: bool,
}

impl Conn {
    /// A dial.
    pub(crate) fn dialed(target: &Target, transport: Transport, now: Time) -> Self {
        let via = match target {
            Target::Direct(_) => None,
            Target::Proxied { proxy, isolation, .. } => Some((*proxy, *isolation)),
        };
        Self {
            life: Life::Dialing,
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
        }
    }

    /// One that came in.
    pub(crate) fn accepted(connected: &Connected, permissions: Permissions, now: Time) -> Self {
        Self {
            life: Life::Open,
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
        }
    }

    /// The host that answers for it.
    pub(crate) fn host(&self) -> Option<&Host> {
        self.address.as_ref().map(PeerAddress::host)
    }

    pub(crate) fn is_inbound(&self) -> bool {
        !self.was_dialed
    }

    /// Whether, if it ends now without a word, it may be repeated as v1.
    pub(crate) fn died_unheard(&self) -> bool {
        self.life == Life::Open && self.was_dialed && self.transport == Transport::V2
    }

    /// The network of a dial or connection that was chosen from the book.
    pub(crate) fn automatic_network(&self) -> Option<NetworkKind> {
        let is_automatic = self.kind.is_some_and(Kind::takes_group);
        self.address.as_ref().filter(|_| is_automatic).and_then(PeerAddress::network)
    }

    /// Whether the application was told of it.
    pub(crate) fn is_open(&self) -> bool {
        self.life != Life::Dialing
    }
}

/// Whom a dial goes to.
pub(crate) fn dialed_address(target: &Target) -> PeerAddress {
    match target {
        Target::Direct(addr) => direct(*addr),
        Target::Proxied { address, .. } => address.clone(),
    }
}

/// What a direct dial is for: CJDNS is dialed as the IPv6 that it looks like.
fn direct(addr: SocketAddr) -> PeerAddress {
    match addr.ip() {
        IpAddr::V6(ip) if ip.octets()[0] == 0xfc => PeerAddress::new(Host::Cjdns(ip), addr.port()),
        IpAddr::V4(_) | IpAddr::V6(_) => PeerAddress::from(addr),
    }
}

/// Whether a direct dial to this address looks like one to another network.
pub(crate) fn is_ambiguous(address: &PeerAddress) -> bool {
    match address.host() {
        Host::Cjdns(_) => true,
        Host::Ip(IpAddr::V6(ip)) => ip.octets()[0] == 0xfc,
        Host::Ip(IpAddr::V4(_)) | Host::Onion(_) | Host::I2p(_) | Host::Name(_) => false,
    }
}

/// The network of a dialed address whose health a dial says something of (see [`super::routable`]).
pub(crate) fn judged_network(address: &PeerAddress, loopback_is_public: bool) -> Option<NetworkKind> {
    address.network().filter(|_| super::routable::is_routable(address.host(), loopback_is_public))
}
