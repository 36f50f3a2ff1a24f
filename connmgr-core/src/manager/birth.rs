//! What a manager starts from.

use crate::config::Config;
use crate::types::{Snapshot, Time, UnixTime};

/// What a manager starts from: the arguments of [`ConnManager::new`](crate::ConnManager::new). With the inputs that follow
/// it decides every action, so it is the first line of a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Birth {
    /// The configuration.
    pub config: Config,
    /// What an earlier life saved, if anything. What is wrong in it is left out.
    pub snapshot: Option<Snapshot>,
    /// Where all chance comes from. It must be secret and fresh in production: who knows it can tell what the manager
    /// will do. As data it is 64 hexadecimal digits.
    #[cfg_attr(feature = "serde", serde(with = "crate::types::data::hex_32"))]
    pub rng_seed: [u8; 32],
    /// The monotonic time; usually [`Time::ZERO`].
    pub now: Time,
    /// The wall-clock time of `now`.
    pub unix: UnixTime,
}
