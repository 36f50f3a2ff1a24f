//! How long things take on real networks: the default of a scenario.
//!
//! Direct TCP: a median of 80 ms, 99 of 100 within 1.5 s, a tail to the timeout of a dial. Tor and I2P: a median of 3
//! s, nine of ten within 8 s, a tail to a minute.

use connmgr_core::NetworkKind;

use super::{Span, TimeSpread};
use crate::types::Share;

/// How long a peer of a network takes to answer: a dial, a handshake, or with a close.
pub(crate) fn answer(network: NetworkKind) -> TimeSpread {
    match network {
        NetworkKind::Ipv4 | NetworkKind::Ipv6 | NetworkKind::Cjdns => {
            points(&[(0, 5), (50, 80), (90, 300), (99, 1_500), (100, 5_000)])
        }
        NetworkKind::Onion | NetworkKind::I2p => {
            points(&[(0, 500), (50, 3_000), (90, 8_000), (99, 30_000), (100, 60_000)])
        }
    }
}

fn points(points: &[(u32, u64)]) -> TimeSpread {
    let point = |(percent, millis): &(u32, u64)| (Share::percent(*percent), Span::millis(*millis));
    TimeSpread::Percentiles(points.iter().map(point).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_nowhere_is_as_published() {
        let text = |network| answer(network).to_string();
        assert_eq!(text(NetworkKind::Ipv4), "p0 5ms | p50 80ms | p90 300ms | p99 1s 500ms | p100 5s");
        assert_eq!(text(NetworkKind::Onion), "p0 500ms | p50 3s | p90 8s | p99 30s | p100 1m");
        assert_eq!(text(NetworkKind::Onion).parse(), Ok(answer(NetworkKind::I2p)));
    }
}
