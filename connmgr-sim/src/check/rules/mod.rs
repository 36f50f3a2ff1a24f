//! The rules, one property a file.

mod actions_bounded;
mod address_in_use;
mod connection_ends_once;
mod dial_ends_once;
mod early_is_free;
mod ids_count_up;
mod progress;

pub(crate) use actions_bounded::ActionsBounded;
pub(crate) use address_in_use::AddressInUse;
pub(crate) use connection_ends_once::ConnectionEndsOnce;
pub(crate) use dial_ends_once::DialEndsOnce;
pub(crate) use early_is_free::EarlyIsFree;
pub(crate) use ids_count_up::IdsCountUp;
pub(crate) use progress::Progress;
