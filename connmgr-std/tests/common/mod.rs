//! Shared by several tests.
#![allow(dead_code, unreachable_pub, reason = "each test uses a part of it")]

use std::time::Duration;

use connmgr_core::{BanTarget, Placement, SavedAddress, SavedBan, Services, Snapshot, SourceGroup, UnixTime};

/// Longer than anything takes.
pub const LONG: Duration = Duration::from_secs(30);

/// One address of each network, an anchor, and one ban of each type.
pub fn snapshot() -> Snapshot {
    let addresses = [
        "1.2.3.4:8333",
        "[2001:db8::1]:8333",
        "cjdns:[fc00::1]:8333",
        "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion:8333",
        "ukeu3k5oycgaauneqgtnvselmt4yemvoilkln7jpvamvfx7dnkdq.b32.i2p:0",
    ];
    Snapshot {
        addresses: addresses.iter().map(|text| address(text)).collect(),
        book_secret: None,
        anchors: vec!["5.6.7.8:8333".parse().unwrap()],
        bans: vec![
            ban(BanTarget::Subnet("10.0.0.0/8".parse().unwrap())),
            ban(BanTarget::Host("9.9.9.9".parse().unwrap())),
            ban(BanTarget::Host("node.example".parse().unwrap())),
        ],
    }
}

pub fn address(text: &str) -> SavedAddress {
    SavedAddress {
        address: text.parse().unwrap(),
        services: Services::from_bits(u64::MAX),
        last_seen: UnixTime::from_secs(1_700_000_000),
        last_try: UnixTime::from_secs(0),
        last_success: UnixTime::from_secs(u64::MAX),
        failures: 3,
        v1_only: true,
        source: SourceGroup::UNKNOWN,
        placement: Placement::Anew,
    }
}

pub fn ban(target: BanTarget) -> SavedBan {
    SavedBan {
        target,
        since: UnixTime::from_secs(1_700_000_000),
        until: UnixTime::from_secs(1_700_086_400),
        exceptions: Vec::new(),
    }
}
