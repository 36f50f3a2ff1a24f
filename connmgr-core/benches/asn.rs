//! Look-ups in a table of autonomous systems as large as the internet's: random addresses, each looked up once, so that the
//! processor's caches help as little as in a node.
//!
//! `ASMAP=FILE` takes Bitcoin Core's file instead of a table by chance.

#![allow(missing_docs, reason = "criterion's macros make public functions")]

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use connmgr_core::{AsnTable, Config, Groups, Host};
use criterion::{Criterion, criterion_group, criterion_main};
use ipnet::IpNet;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// Prefixes that are announced: about as many as on the internet, each with a neighbour of another system.
const PREFIXES: u32 = 240_000;
/// More than the caches hold.
const ADDRESSES: usize = 1 << 20;

fn v4(rng: &mut ChaCha8Rng) -> IpAddr {
    Ipv4Addr::from_bits(rng.next_u32()).into()
}

/// In `2a00::/12`, where most prefixes are of 32 bits or more.
fn v6(rng: &mut ChaCha8Rng) -> IpAddr {
    let (high, low) = (rng.next_u64(), rng.next_u64());
    Ipv6Addr::from_bits(0x2a00 << 112 | (u128::from(high) << 64 | u128::from(low)) >> 12).into()
}

fn table(rng: &mut ChaCha8Rng) -> AsnTable {
    if let Ok(path) = std::env::var("ASMAP") {
        return AsnTable::from_asmap(&std::fs::read(path).expect("it can be read")).expect("an asmap");
    }
    let mut prefix = |number: u32| {
        let net = if number % 4 == 0 { IpNet::new(v6(rng), 40) } else { IpNet::new(v4(rng), 22) };
        (net.expect("no longer than an address"), number % 80_000)
    };
    AsnTable::new((0..PREFIXES).map(&mut prefix)).expect("few ranges")
}

fn look_ups(criterion: &mut Criterion) {
    let mut rng = ChaCha8Rng::from_seed([7; 32]);
    let mut config = Config::default();
    config.groups.asn = Some(table(&mut rng));
    println!("{}", config.groups.asn.as_ref().expect("just set"));
    let groups = Groups::new(&config);
    for (name, address) in [("v4", v4 as fn(&mut ChaCha8Rng) -> IpAddr), ("v6", v6)] {
        let hosts: Vec<Host> = (0..ADDRESSES).map(|_| Host::Ip(address(&mut rng))).collect();
        let mut next = hosts.iter().cycle();
        criterion.bench_function(&format!("group by system, {name}"), |bench| {
            bench.iter(|| groups.of(black_box(next.next().expect("a cycle has no end"))));
        });
    }
}

criterion_group!(benches, look_ups);
criterion_main!(benches);
