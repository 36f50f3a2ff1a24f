//! A hidden field that lets a structure gain fields.

use core::fmt;

/// The last field of every structure that callers build with struct update syntax (`Limits { total: 8, ..Limits::default()
/// }`). Nobody can name it, so no literal and no pattern outside of this crate lists all fields, and a new one breaks
/// none. `#[non_exhaustive]` would forbid the update syntax itself.
///
/// ```
/// use connmgr_core::{Config, Limits, PeerInfo, Services};
///
/// let limits = Limits { total: 8, ..Limits::default() };
/// let config = Config { limits, ..Config::default() };
/// let Limits { total, full, .. } = config.limits;
/// let info = PeerInfo { services: Services::NETWORK, ..PeerInfo::default() };
/// # let _ = (total, full, info);
/// ```
///
/// ```compile_fail,E0063
/// use connmgr_core::Limits;
///
/// let limits = Limits { total: 8, full: 1, block_relay: 0, feeler: 0, addr_fetch: 1, added: 1 };
/// ```
///
/// ```compile_fail,E0027
/// use connmgr_core::Limits;
///
/// let Limits { total, full, block_relay, feeler, addr_fetch, added } = Limits::default();
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct More(pub(crate) ());

impl fmt::Debug for More {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}
