//! A connection manager for peer-to-peer nodes, as a pure state machine.
#![no_std]

extern crate alloc;

// ── words
mod action;
mod address;
mod backoff;
mod config;
#[cfg(feature = "serde")]
mod data;
mod error;
mod event;
mod host;
mod id;
mod input;
mod network;
mod rng;
mod snapshot;
mod time;
mod view;

// ── mechanisms
mod bans;
mod book;
mod groups;
mod hasher;
mod health;
mod limiter;
mod lru;
mod nets;
mod score;
mod seeds;
pub mod socks;
mod timers;

// ── connections
mod conn;
mod peers;
mod table;

// ── manager
mod manager;

// ── driver
pub mod driver;

pub use action::{Action, CloseReason, Isolation, IsolationToken, Route, Target, Transport};
pub use address::{AddressError, AddressInfo, PeerAddress, Services};
pub use backoff::{Backoff, Growth};
pub use book::{AddressView, BookView};
pub use config::{
    BookConfig, Chain, Config, DialConfig, GroupRule, HealthConfig, InboundConfig, Limits, Listener, Mode, Patience,
    Permissions, Proxies, Proxy, Rate, RequiredServices, ScoreConfig, Seed, SeedConfig, Split,
};
pub use error::{AddPeerError, CommandError, ConfigError, DialError, Fault, LookupError, Refusal};
pub use event::{Connected, DialFailure, EndReason, Event, Kind};
pub use groups::Group;
pub use host::{Host, HostError, HostName};
pub use id::{ConnId, ListenerId, LookupId, PeerId};
pub use input::{Activity, BanTarget, CloseCause, Identity, Input, Keep, PeerInfo, Penalty, Reply, Source};
pub use manager::{ConnManager, TRACE_VERSION};
pub use network::{NetworkKind, NetworkSet, UnknownNetwork};
pub use score::BanScore;
pub use snapshot::{SavedAddress, SavedBan, Snapshot};
pub use time::{Time, UnixTime};
pub use view::{BanView, ConnState, ConnView, Obstacle, PeerState, PeerView, Stats};
