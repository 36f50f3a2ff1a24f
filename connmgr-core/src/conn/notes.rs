//! What is noted of a connection, and counted nowhere.

use crate::book::AddressId;
use crate::mechanisms::limiter::Bucket;
use crate::mechanisms::score::BanScore;
use crate::mechanisms::timers::TimerId;
use crate::types::{Activity, NetworkKind, Services, Time};

/// The parts of a connection that no count depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notes {
    /// The connection's timer.
    pub(crate) timer: Option<TimerId>,
    /// The deadline of the dial, and then of the handshake.
    pub(crate) deadline: Time,
    /// A trial: hedging does not take its slot before it ends.
    pub(crate) is_trial: bool,
    /// Which address of its added peer it was dialed for.
    pub(crate) of: usize,
    /// The tag of its added peer.
    pub(crate) tag: Option<u64>,
    /// Its added peer's misbehavior bans no host.
    pub(crate) is_spared: bool,
    /// The number of the dialed address, if the book knew it.
    pub(crate) address_id: Option<AddressId>,
    /// The network whose health it tells of, if its address tells of one.
    pub(crate) tells_of: Option<NetworkKind>,
    /// The nonce of our version message, by which we recognise ourselves.
    pub(crate) nonce: u64,
    /// The services of the peer, once ready.
    pub(crate) services: Services,
    /// What it was recently useful for.
    pub(crate) activity: Activity,
    /// When it last showed life; [`Time::ZERO`] if it has not.
    pub(crate) heard: Time,
    /// The score of misbehavior that no host can be held to.
    pub(crate) score: BanScore,
    /// How many addresses the peer may still tell us.
    pub(crate) gossip: Bucket,
}

impl Notes {
    pub(crate) fn new(nonce: u64, deadline: Time) -> Self {
        Self {
            timer: None,
            deadline,
            is_trial: false,
            of: 0,
            tag: None,
            is_spared: false,
            address_id: None,
            tells_of: None,
            nonce,
            services: Services::NONE,
            activity: Activity::default(),
            heard: Time::ZERO,
            score: BanScore::default(),
            gossip: Bucket::default(),
        }
    }
}
