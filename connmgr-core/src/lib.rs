//! A connection manager for peer-to-peer nodes, as a pure state machine.
//!
//! It decides which peers to dial, when and by which route, which connections to admit, which to close and which hosts
//! to ban. It opens no socket, reads no clock and has no source of randomness of its own: the caller reports what
//! happened and the time, and gets actions to carry out. So a node can run it on any runtime, and a simulator runs a
//! year of it in seconds.
//!
//! For a pool of live connections take an adapter crate (`connmgr-tokio`). This page is for authors of adapters,
//! simulators and nodes.
//!
//! # The pieces
//!
//! [`ConnManager`] is the state machine. It is **told** facts (`handle_*`) and **asked** commands (`accept`,
//! `add_peer`, `ban`, …), each with the time as last argument. It answers with a queue of [`Action`]s
//! ([`poll_action`](ConnManager::poll_action)) and one deadline ([`poll_timeout`](ConnManager::poll_timeout)). Its
//! state can be **read**: [`connections`](ConnManager::connections), [`added_peers`](ConnManager::added_peers),
//! [`bans`](ConnManager::bans), [`stats`](ConnManager::stats), [`book`](ConnManager::book).
//!
//! [`Input`] is the same facts and commands as plain data, for traces, fuzzers and simulators; [`ConnManager::apply`]
//! takes it. [`Config`] is everything an operator may choose. [`Snapshot`] is the state kept on disk.
//!
//! [`Driver`](driver::Driver) carries the actions out: it pairs streams with ids and calls [`Net`](driver::Net), the
//! few operations that an adapter starts. Every adapter is built on it.
//!
//! [`BanScore`], [`Backoff`] and the [SOCKS5 codec](socks) can be used on their own.
//!
//! # The run loop
//!
//! Report what happened, carry out every action, sleep until the deadline or the next fact. In this example the network
//! is one function: every dial succeeds at once, and the clock jumps.
//!
//! ```
//! use connmgr_core::*;
//!
//! let mut now = Time::ZERO; // monotonic, counted from the manager's birth
//! let unix = UnixTime::from_secs(1_767_225_600);
//! let rng_seed = [7; 32]; // fresh and secret in production
//! let mut manager = ConnManager::new(Birth { config: Config::default(), snapshot: None, rng_seed, unix, now })?;
//! manager.add_peer(AddedPeer::new("192.0.2.1:8333".parse()?), now)?;
//!
//! let mut ready = 0;
//! while ready == 0 {
//!     while let Some(action) = manager.poll_action() {
//!         match action {
//!             // A real driver starts the dial here, and tells the result when it comes.
//!             Action::Dial { conn, .. } => manager.handle_dial_result(conn, Ok(()), now),
//!             Action::Close { .. } => {} // shut the socket, or give up the dial
//!             Action::ResolveSeed { lookup, .. } | Action::ResolveHost { lookup, .. } => {
//!                 manager.handle_lookup_result(lookup, Err(LookupError::Failed), now);
//!             }
//!             Action::ScheduleRetry { .. } => {} // for information
//!             Action::PauseAccept { .. } => {}   // stop accepting until then
//!             Action::Save => {}                 // store `manager.snapshot()`
//!             // The application shakes hands and tells how that went.
//!             Action::Emit(Event::Connected(Connected { conn, .. })) => {
//!                 manager.handle_ready(conn, PeerInfo::default(), now);
//!                 ready += 1;
//!             }
//!             Action::Emit(_) => {}
//!         }
//!     }
//!     // Sleep until the next fact, but no longer than this. Round up, never down.
//!     if let Some(due) = manager.poll_timeout() {
//!         now = now.max(due);
//!         manager.handle_timeout(now);
//!     }
//! }
//! assert_eq!(manager.connections()[0].state, ConnState::Ready);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! With the [`Driver`](driver::Driver) the loop is shorter, and it hands the streams to the application:
//!
//! ```
//! use connmgr_core::driver::{Driver, Net, PoolEvent};
//! use connmgr_core::*;
//!
//! /// Starts what it is asked to start; here it only remembers the dials.
//! #[derive(Default)]
//! struct World {
//!     dials: Vec<ConnId>,
//! }
//!
//! impl Net for World {
//!     fn dial(&mut self, conn: ConnId, _: &Target, _: Transport, _: Time) {
//!         self.dials.push(conn);
//!     }
//!     fn abort(&mut self, _: ConnId) {}
//!     fn close(&mut self, _: ConnId, _: CloseReason) {}
//!     fn resolve(&mut self, _: LookupId, _: &HostName, _: Route, _: Time) {}
//!     fn pause_accept(&mut self, _: ListenerId, _: Time) {}
//!     fn save(&mut self, _: &ConnManager) {}
//! }
//!
//! let now = Time::ZERO;
//! let config = Config { mode: Mode::ConnectOnly, ..Config::default() };
//! let unix = UnixTime::from_secs(1_767_225_600);
//! let manager = ConnManager::new(Birth { config, snapshot: None, rng_seed: [7; 32], unix, now })?;
//! let (mut driver, mut world) = (Driver::new(manager), World::default());
//! driver.apply(&Input::AddPeer { peer: AddedPeer::new("192.0.2.1:8333".parse()?) }, now, &mut world);
//! for conn in std::mem::take(&mut world.dials) {
//!     driver.dialed(conn, Ok("a stream"), now, &mut world);
//! }
//! let Some(PoolEvent::Connected { info, stream }) = driver.poll_event() else { panic!("not connected") };
//! assert_eq!((info.kind, stream), (Kind::Added, "a stream"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The contract
//!
//! Each clause has a test of the same name in `tests/contract/`.
//!
//! 1. **Facts cannot fail** (`facts_cannot_fail`). No sequence of calls panics. A fact about an unknown or ended id, or
//!    a repeated one, is counted in [`Stats::ignored_facts`] and ignored. The last 1024 ended ids are remembered, so
//!    that a late penalty still reaches its host.
//! 2. **Time moves forward** (`time_moves_forward`). An earlier `now` counts as the latest one seen. No deadline
//!    overflows; [`Time::MAX`] never comes.
//! 3. **Early is free, late is safe** (`early_is_free_late_is_safe`). [`handle_timeout`](ConnManager::handle_timeout)
//!    before the deadline emits nothing and moves no deadline. Hours late, it does what is due once, and no more than
//!    one call on time could.
//! 4. **Progress** (`progress`). After a `handle_timeout(now)` that was due, the next deadline is at least 1 ms after
//!    `now`, or there is none. Due work beyond a call's limit waits until then. Nothing spins.
//! 5. **Drain when you like** (`drain_when_you_like`). Draining after every fact or after all of them gives the same
//!    actions in the same order, and moves no deadline.
//! 6. **Every dial ends once** (`every_dial_ends_once`): with the driver's result or our [`Close`](Action::Close),
//!    whichever comes first. A success without a slot, or after our `Close`, is closed next.
//! 7. **Every connection ends once** (`every_connection_ends_once`). [`Connected`](Event::Connected) comes before
//!    [`Disconnected`](Event::Disconnected), each once; nothing after. [`EndReason`] tells who ended it: the manager, the
//!    other end, or the application, which dropped its stream.
//! 8. **No dial breaks a rule** (`no_dial_breaks_a_rule`): none goes to a banned host, an address that is connected or
//!    being dialed, ourselves, a disabled network, or a taken group. The step that emits the dial takes slot, address
//!    and group.
//! 9. **Bounded** (`bounded`). Every collection has a limit, in [`Config`] or in a constant, whose documentation says
//!    what makes room. Each call does bounded work and emits at most [`Config::max_actions_per_input`] actions. The
//!    caller alone bounds the queue of actions, by draining it.
//! 10. **Same birth and inputs, same actions** (`same_birth_and_inputs_same_actions`), byte for byte, for the same
//!     version, on every platform and build. The birth is configuration, snapshot, rng seed and clocks. A release
//!     that decides differently raises [`TRACE_VERSION`].
//! 11. **Shut means shut** (`shut_means_shut`). After [`shutdown`](ConnManager::shutdown) every open id gets its
//!     `Close`, then [`Stopped`](Event::Stopped) is emitted, then nothing.
//!
//! # Layers
//!
//! A file imports only from its own layer and from those above it in the table.
//!
//! | layer | what it holds |
//! |---|---|
//! | types | plain data: time, ids, addresses, inputs, actions, events, errors |
//! | config | everything an operator may choose, with defaults |
//! | mechanisms | timers, bans, scores, health, pace, limiters, groups, seeds: each does one thing |
//! | book | the addresses we know |
//! | connections | a connection's states; the table, which keeps every count; the added peers |
//! | manager | the policy: facts and commands record, one planner decides |
//! | driver, [`socks`] | actions become calls of [`Net`](driver::Net); a SOCKS5 client without I/O |
//!
//! # Features
//!
//! - `serde`: [`Serialize` and `Deserialize`] for the plain data, as traces write it. Off by default.
//!
//! The crate is `no_std` and needs `alloc`.
//!
//! [`Serialize` and `Deserialize`]: https://serde.rs
#![no_std]

extern crate alloc;

// Each layer imports only from those above it here.
mod types;

mod config;

mod mechanisms;

mod book;

mod attempt;
mod conn;
mod peer;
mod peers;
mod table;

mod manager;

pub mod driver;
pub mod socks;

#[doc = include_str!("options.md")]
pub mod options {}

#[cfg(feature = "bench")]
#[doc(hidden)]
pub use book::BookBench;
pub use book::{AddressView, BookTable, BookView};
#[doc(hidden)]
pub use config::BookRule;
pub use config::{
    BookConfig, Chain, Config, DialConfig, GroupRule, HealthConfig, InboundConfig, IsolationMode, Listener, Mode,
    Patience, Proxies, Proxy, Ranges, Rate, RequiredServices, ScoreConfig, Seed, SeedConfig, Split,
};
pub use manager::{Birth, ConnManager, Explanation, TRACE_VERSION};
pub use mechanisms::groups::{Group, Groups};
pub use mechanisms::score::BanScore;
#[doc(hidden)]
pub use types::More;
pub use types::{
    Action, Activity, AddPeerError, AddedPeer, AddressCounts, AddressError, AddressInfo, Backoff, BanTarget,
    BanTargetError, BanView, BookSecret, CloseCause, CloseReason, CommandError, ConfigError, ConnId, ConnState,
    ConnView, Connected, DialError, DialFailure, DialRule, EndReason, Event, Fault, Growth, HeldBack, Hindrance, Host,
    HostError, HostName, Identity, IdentityError, Input, Isolation, IsolationToken, Keep, Kind, Limits, ListenerId,
    LookupError, LookupId, NetworkKind, NetworkSet, NewBuckets, NotDialable, Obstacle, PeerAddress, PeerId, PeerInfo,
    PeerState, PeerView, Penalty, Permissions, Placement, ProxyAddress, ProxyAddressError, Refusal, RefusalCounts,
    Reply, ResolvedIp, Route, SavedAddress, SavedBan, Services, Snapshot, Source, SourceGroup, Stats, Target, Time,
    Transport, UnixTime, UnknownName, UnknownNetwork,
};
