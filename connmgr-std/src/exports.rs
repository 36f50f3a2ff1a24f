//! What every adapter re-exports at its root, so that an application needs no other crate of the project.
//!
//! In an application these names come from its adapter: `use connmgr_tokio::{Config, AddedPeer}`. What only adapters,
//! simulators and tests use (`ConnManager`, `Action`, the driver) is in [`connmgr_core`].

// What is configured.
pub use connmgr_core::{
    Backoff, BookConfig, Chain, Config, ConfigError, DialConfig, GroupRule, Growth, HealthConfig, Identity,
    InboundConfig, IsolationMode, Limits, Listener, ListenerId, Mode, NetworkKind, NetworkSet, Patience, Permissions,
    Proxies, Proxy, ProxyAddress, ProxyAddressError, Ranges, Rate, RequiredServices, ScoreConfig, Seed, SeedConfig,
    Services, Split, Transport, UnknownName, UnknownNetwork,
};

// Where peers are, and what is known of them.
pub use connmgr_core::{
    AddedPeer, AddressCounts, AddressError, AddressInfo, AddressView, BanScore, BanTarget, BanTargetError, Group,
    Groups, Host, HostError, HostName, IdentityError, Keep, NotDialable, PeerAddress, PeerInfo, Penalty, ResolvedIp,
    Source, Time, UnixTime,
};

// What is asked and reported, and what is told.
pub use connmgr_core::{
    Activity, AddPeerError, BanView, CloseCause, CloseReason, CommandError, ConnId, ConnState, ConnView, Connected,
    DialError, DialFailure, DialRule, EndReason, Event, Explanation, Fault, HeldBack, Hindrance, Input, Kind,
    LookupError, Obstacle, PeerId, PeerState, PeerView, Refusal, RefusalCounts, Reply, Stats,
};

pub use crate::{
    ConnectError, Damage, DamageCause, DialSocket, NotACommand, Problem, Reporter, Resolve, SaveError, StartError,
    StateError, SystemResolver, TraceError, parse_address, with_causes,
};
