//! The configuration of the long run.

use std::time::Duration;

use connmgr_core::{BookConfig, Config, DialConfig, GroupRule, Limits, Ranges, Rate};

/// Keeps so many connections of so many addresses on loopback, which are dialed again and again. Rate, spacing and pace
/// of dials do not slow it down: a connection that was ready counts as stable, however short it was.
pub(super) fn busy(count: u32, known: u32) -> Config {
    Config {
        limits: Limits { total: count, full: count, addr_fetch: 0, ..Limits::default() },
        ranges: Ranges { loopback: true, ..Ranges::default() },
        stable_after: Duration::ZERO,
        dial: DialConfig {
            rate: Rate { burst: 1, interval: Duration::ZERO },
            spacing: Duration::from_millis(1),
            min_spacing: Duration::from_millis(1),
            ..DialConfig::default()
        },
        groups: GroupRule { max_per_group: None, ..GroupRule::default() },
        book: BookConfig { max_per_call: known, ..BookConfig::default() },
        ..Config::default()
    }
}
