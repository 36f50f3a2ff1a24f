//! Plain data: inputs, actions, events and the types in them. No file here imports another layer, and no two import
//! each other.

mod action;
mod address;
mod address_text;
mod backoff;
mod ban;
mod counts;
#[cfg(feature = "serde")]
pub(crate) mod data;
mod error;
mod event;
mod host;
mod id;
mod input;
mod kind;
mod limits;
mod more;
pub(crate) mod names;
mod network;
mod peer;
mod reason;
mod refused;
mod resolved;
mod route;
mod rule;
mod snapshot;
mod source;
mod time;
mod view;

pub use action::Action;
pub use address::{AddressInfo, PeerAddress, Services};
pub use address_text::AddressError;
pub use backoff::{Backoff, Growth};
pub use ban::{BanTarget, BanTargetError};
pub use counts::AddressCounts;
pub use error::{AddPeerError, CommandError, ConfigError, DialError, Fault, LookupError, NotDialable, Refusal};
pub use event::{Connected, Event};
pub use host::{Host, HostError, HostName};
pub use id::{ConnId, ListenerId, LookupId, PeerId};
pub use input::{Activity, Input, Penalty, Reply, Source};
pub use kind::Kind;
pub use limits::Limits;
pub use more::More;
pub use names::UnknownName;
pub use network::{NetworkKind, NetworkSet, UnknownNetwork};
pub use peer::{AddedPeer, Identity, IdentityError, Keep, PeerInfo, Permissions};
pub use reason::{CloseCause, CloseReason, DialFailure, EndReason};
pub use refused::RefusalCounts;
pub use resolved::ResolvedIp;
pub use route::{Isolation, IsolationToken, ProxyAddress, ProxyAddressError, Route, Target, Transport};
pub use rule::{DialRule, HeldBack, Hindrance};
pub use snapshot::{SavedAddress, SavedBan, Snapshot};
pub use source::{BookSecret, NewBuckets, Placement, SourceGroup};
pub(crate) use time::{SteadySecond, nanos};
pub use time::{Time, UnixTime};
pub use view::{BanView, ConnState, ConnView, Obstacle, PeerState, PeerView, Stats};
