//! Values of labels for the core's enums: short, of `[a-z_]` only, and never from a stranger.

use connmgr_core::{
    BookTable, CloseCause, CloseReason, ConnState, DialError, DialFailure, EndReason, Kind, LookupError, NetworkKind,
    Refusal, Route,
};

/// A value for a label.
pub(super) trait Label {
    /// The text.
    fn label(self) -> &'static str;
}

/// Implements [`Label`] for an enum of unit variants.
macro_rules! label {
    ($name:ident { $($variant:ident => $word:literal,)+ }) => {
        impl Label for $name {
            fn label(self) -> &'static str {
                // Of a variant that a later version of the core adds.
                #[allow(unreachable_patterns, reason = "some enums are exhaustive")]
                match self { $(Self::$variant => $word,)+ _ => "other" }
            }
        }
    };
}

label!(Kind {
    Full => "full",
    BlockRelay => "block_relay",
    Feeler => "feeler",
    AddrFetch => "addr_fetch",
    Added => "added",
    Inbound => "inbound",
});

label!(ConnState {
    Dialing => "dialing",
    Silent => "silent",
    Handshaking => "handshaking",
    Stalled => "stalled",
    Ready => "ready",
});

label!(NetworkKind {
    Ipv4 => "ipv4",
    Ipv6 => "ipv6",
    Onion => "onion",
    I2p => "i2p",
    Cjdns => "cjdns",
});

label!(BookTable {
    New => "new",
    Tried => "tried",
});

label!(DialError {
    Refused => "refused",
    Reset => "reset",
    TimedOut => "timed_out",
    HostUnreachable => "host_unreachable",
    ServiceUnreachable => "service_unreachable",
    ProxyUnreachable => "proxy_unreachable",
    ProxyNotFound => "proxy_not_found",
    ProxyMethod => "proxy_method",
    ProxyAuth => "proxy_auth",
    ProxyFailed => "proxy_failed",
    ProxyProtocol => "proxy_protocol",
    NetworkUnreachable => "network_unreachable",
    AddressFamilyUnsupported => "address_family_unsupported",
    OutOfResources => "out_of_resources",
    SocketHook => "socket_hook",
    Cancelled => "cancelled",
    Other => "other",
});

label!(CloseReason {
    DialTimeout => "dial_timeout",
    HandshakeTimeout => "handshake_timeout",
    Surplus => "surplus",
    Late => "late",
    Banned => "banned",
    Misbehaved => "misbehaved",
    OwnAddress => "own_address",
    Duplicate => "duplicate",
    WrongIdentity => "wrong_identity",
    Superseded => "superseded",
    MissingServices => "missing_services",
    Done => "done",
    Evicted => "evicted",
    LimitLowered => "limit_lowered",
    MadeRoom => "made_room",
    Requested => "requested",
    PeerRemoved => "peer_removed",
    Inactive => "inactive",
    Shutdown => "shutdown",
});

label!(CloseCause {
    Eof => "eof",
    Reset => "reset",
    Unheard => "unheard",
    Error => "error",
});

label!(LookupError {
    NotFound => "not_found",
    NoneInRange => "none_in_range",
    Failed => "failed",
    TimedOut => "timed_out",
    Proxy => "proxy",
    ProxyUnreachable => "proxy_unreachable",
    ProxyNotFound => "proxy_not_found",
    ProxyAuth => "proxy_auth",
    ProxyUnsupported => "proxy_unsupported",
    Cancelled => "cancelled",
});

label!(Refusal {
    Inactive => "inactive",
    UnknownListener => "unknown_listener",
    Banned => "banned",
    Full => "full",
    HostLimit => "host_limit",
    HalfOpenLimit => "half_open_limit",
    RateLimit => "rate_limit",
});

impl Label for &Route {
    fn label(self) -> &'static str {
        match self {
            Route::Direct => "direct",
            Route::Proxy { .. } => "proxy",
        }
    }
}

impl Label for DialFailure {
    fn label(self) -> &'static str {
        match self {
            Self::Failed(error) => error.label(),
            Self::GivenUp(reason) => reason.label(),
            _ => "other",
        }
    }
}

/// The labels `by` and `reason` of the end of a connection.
pub(super) fn end(reason: EndReason) -> (&'static str, &'static str) {
    match reason {
        EndReason::Ours(reason) => ("us", reason.label()),
        EndReason::Theirs(cause) => ("them", cause.label()),
        EndReason::Dropped => ("application", "dropped"),
        _ => ("other", "other"),
    }
}
