//! The pool of a long run: it fills itself, and may dial the same addresses over and over.

use std::time::Duration;

use connmgr_core::{BookConfig, Config, DialConfig, GroupRule, Limits, Rate};

/// Keeps so many connections, of so many addresses on loopback. No rate, no rest and no pace holds it back: whatever was
/// ready counts as stable, however short its life.
pub(super) fn busy(count: u32, known: u32) -> Config {
    Config {
        limits: Limits { total: count, full: count, addr_fetch: 0, ..Limits::default() },
        loopback_is_public: true,
        stable_after: Duration::ZERO,
        dial: DialConfig {
            rate: Rate { burst: 1, interval: Duration::ZERO },
            spacing: Duration::ZERO,
            min_spacing: Duration::from_millis(1),
            ..DialConfig::default()
        },
        groups: GroupRule { max_per_group: None, ..GroupRule::default() },
        book: BookConfig { max_per_call: known, ..BookConfig::default() },
        ..Config::default()
    }
}
