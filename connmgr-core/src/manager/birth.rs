//! The initial state of a manager. It is no plain type of the lowest layer, because it contains the configuration.

use crate::config::Config;
use crate::types::{Snapshot, Time, UnixTime};

/// The initial state of a manager: the argument of [`ConnManager::new`](crate::ConnManager::new). Together with the
/// inputs it determines every action, so it is the first line of a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Birth {
    /// The configuration.
    pub config: Config,
    /// What an earlier run saved, if anything. Invalid or useless entries are skipped.
    pub snapshot: Option<Snapshot>,
    /// The seed of all randomness. In production it must be secret and fresh: with it, the manager can be predicted.
    /// Serialized as 64 hexadecimal digits.
    #[cfg_attr(feature = "serde", serde(with = "crate::types::data::hex_32"))]
    pub rng_seed: [u8; 32],
    /// The monotonic time at birth; usually [`Time::ZERO`].
    pub now: Time,
    /// The wall-clock time at `now`.
    pub unix: UnixTime,
}
