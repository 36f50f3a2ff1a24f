//! The configurations of the race: as fast as possible.

use std::time::Duration;

use connmgr_core::{BookConfig, Config, DialConfig, GroupRule, Limits, Mode, Ranges, Rate};

/// Keeps so many connections on loopback. The limits on the rate of dials and on connections in one group are off. The
/// book is so large that no address is dialed twice.
pub(super) fn filled_to(count: u32) -> Config {
    Config {
        limits: Limits { total: count, full: count, addr_fetch: 0, ..Limits::default() },
        ranges: Ranges { loopback: true, ..Ranges::default() },
        // Connections that are ready at once restore full speed at once.
        stable_after: Duration::ZERO,
        dial: DialConfig { rate: Rate { burst: 1, interval: Duration::ZERO }, ..DialConfig::default() },
        groups: GroupRule { max_per_group: None, ..GroupRule::default() },
        book: BookConfig { max_per_call: super::KNOWN, ..BookConfig::default() },
        ..Config::default()
    }
}

/// Dials so many added peers, at most so many at a time, and no others.
pub(super) fn added(peers: u32, at_a_time: u32) -> Config {
    let limits = Limits { total: at_a_time, added: peers, ..Limits::default() };
    Config { mode: Mode::ConnectOnly, limits, ..filled_to(0) }
}
