//! In which order connections are listed: by their use. Those that served the pool come first, and of each kind those that
//! served longest; failed dials come last.

use std::time::Duration;

use connmgr_core::Kind;

use crate::types::Instant;
use crate::watch::diary::Lane;

/// What a connection was good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum LaneUse {
    /// A failure names it.
    Concerned,
    /// A full outbound connection.
    Full,
    /// Block-relay-only.
    BlockRelay,
    /// To an added peer.
    Added,
    /// From outside.
    Inbound,
    /// A feeler or an address fetch.
    Visit,
    /// It was never ready.
    Unready,
    /// It was dialed, and never open.
    Undone,
}

impl LaneUse {
    pub(super) fn of(lane: &Lane, is_concerned: bool) -> Self {
        match (is_concerned, lane.ready, lane.connected, lane.kind) {
            (true, ..) => Self::Concerned,
            (false, None, None, _) => Self::Undone,
            (false, None, Some(_), _) => Self::Unready,
            (false, Some(_), _, Some(Kind::Full) | None) => Self::Full,
            (false, Some(_), _, Some(Kind::BlockRelay)) => Self::BlockRelay,
            (false, Some(_), _, Some(Kind::Added)) => Self::Added,
            (false, Some(_), _, Some(Kind::Inbound)) => Self::Inbound,
            (false, Some(_), _, Some(Kind::Feeler | Kind::AddrFetch)) => Self::Visit,
        }
    }

    /// The heading of its group.
    pub(super) const fn heading(self) -> &'static str {
        match self {
            Self::Concerned => "Named by the failure",
            Self::Full => "Full-relay connections",
            Self::BlockRelay => "Block-relay-only connections",
            Self::Added => "Connections to added peers",
            Self::Inbound => "Inbound connections",
            Self::Visit => "Short visits: feelers and address fetches",
            Self::Unready => "Connected, but never ready",
            Self::Undone => "Dials without a connection",
        }
    }
}

/// Groups lanes by their use; in each, those that were ready for longest come first, then the oldest.
pub(super) fn sorted<'a>(
    lanes: impl IntoIterator<Item = &'a Lane>,
    is_concerned: impl Fn(&Lane) -> bool,
    end: Instant,
) -> Vec<(LaneUse, &'a Lane)> {
    let mut all: Vec<(LaneUse, &Lane)> =
        lanes.into_iter().map(|lane| (LaneUse::of(lane, is_concerned(lane)), lane)).collect();
    all.sort_by_key(|(used, lane)| (*used, std::cmp::Reverse(ready_for(lane, end)), lane.begun, lane.start, lane.conn));
    all
}

fn ready_for(lane: &Lane, end: Instant) -> Duration {
    lane.ready.map_or(Duration::ZERO, |ready| lane.ended.map_or(end, |(at, _)| at).since(ready))
}

#[cfg(test)]
mod tests {
    use connmgr_core::{CloseCause, ConnId, EndReason};

    use super::*;
    use crate::watch::diary::LaneEnding;

    /// A lane of a kind, dialed at its number of seconds, with the times it was connected, ready and ended.
    fn lane(number: u64, kind: Kind, [connected, ready, ended]: [Option<u64>; 3]) -> Lane {
        let at = |secs: Option<u64>| secs.map(Instant::from_secs);
        let ending = LaneEnding::Ended(EndReason::Theirs(CloseCause::Eof));
        Lane {
            kind: Some(kind),
            connected: at(connected),
            ready: at(ready),
            ended: at(ended).map(|at| (at, ending)),
            ..Lane::new(ConnId::from_u64(number), 1, None, Instant::from_secs(number))
        }
    }

    #[test]
    fn what_served_the_pool_longest_comes_first_and_failed_dials_last() {
        let lanes = [
            lane(1, Kind::Full, [None, None, Some(6)]),
            lane(2, Kind::Full, [Some(3), Some(4), Some(50)]),
            lane(3, Kind::BlockRelay, [Some(4), Some(5), None]),
            lane(4, Kind::Full, [Some(5), Some(6), None]),
            lane(5, Kind::Feeler, [Some(6), Some(7), Some(8)]),
            lane(6, Kind::Full, [Some(7), None, Some(8)]),
            lane(7, Kind::Added, [Some(8), Some(9), None]),
            lane(8, Kind::Full, [Some(9), Some(10), None]),
        ];
        let order = |concerned: u64| -> Vec<u64> {
            let sorted = sorted(&lanes, |lane| lane.conn.as_u64() == concerned, Instant::from_secs(100));
            sorted.into_iter().map(|(_, lane)| lane.conn.as_u64()).collect()
        };
        assert_eq!(order(0), [4, 8, 2, 3, 7, 5, 6, 1]);
        assert_eq!(order(6), [6, 4, 8, 2, 3, 7, 5, 1], "what a failure names comes before all");
    }
}
