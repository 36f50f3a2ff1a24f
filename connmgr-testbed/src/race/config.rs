//! The pools that are raced: as fast as they can be.

use std::time::Duration;

use connmgr_core::{BookConfig, Config, DialConfig, GroupRule, Limits, Mode, Rate};

/// Keeps so many connections on loopback. What would hold it back on purpose is off: the rate of dials, the one
/// connection a group, and the rest of an address does not come to bear, for the book is large.
pub(super) fn filled_to(count: u32) -> Config {
    Config {
        limits: Limits { total: count, full: count, addr_fetch: 0, ..Limits::default() },
        loopback_is_public: true,
        dial: DialConfig { rate: Rate { burst: 1, interval: Duration::ZERO }, ..DialConfig::default() },
        groups: GroupRule { max_per_group: None, ..GroupRule::default() },
        book: BookConfig { max_per_call: super::KNOWN, ..BookConfig::default() },
        ..Config::default()
    }
}

/// Keeps so many added peers, and looks for nobody else.
pub(super) fn added(count: u32) -> Config {
    let limits = Limits { total: count, added: count, ..Limits::default() };
    Config { mode: Mode::ConnectOnly, limits, ..filled_to(0) }
}
