//! Dials over time, as bars. Where every dial is known by its time, bars are as narrow as the part that is shown asks
//! for; else they are as wide as the diary's.

use std::collections::BTreeMap;
use std::time::Duration;

use super::log_scale::LOG_UNIT;
use super::time_axis::round_step;
use super::window::Windows;
use crate::types::Instant;
use crate::watch::diary::{Diary, Lane, LaneEnding};

/// Bars in the part that is shown, at most.
const MOST: u64 = 120;

/// Dials by the number of their bar.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct DialBars {
    pub(super) width: Duration,
    /// Begun and failed.
    pub(super) bars: BTreeMap<u64, (u64, u64)>,
}

impl DialBars {
    pub(super) fn of(diary: &Diary, windows: &Windows) -> Self {
        let is_known = diary.lanes.iter().count() as u64 == diary.lanes.total();
        let shown = windows.opening().to.since(windows.opening().from);
        // On a logarithmic scale a bar that is narrow later is a broad block at the beginning.
        let width = if windows.is_log { LOG_UNIT } else { round_step(shown, MOST) };
        if is_known { Self::counted(diary.lanes.iter(), width) } else { Self::kept(diary) }
    }

    fn counted<'a>(lanes: impl Iterator<Item = &'a Lane>, width: Duration) -> Self {
        let mut bars: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
        let place = |at: Instant| at.as_nanos() / u64::try_from(width.as_nanos()).unwrap_or(u64::MAX).max(1);
        for lane in lanes.filter(|lane| !lane.kind.is_some_and(connmgr_core::Kind::is_inbound)) {
            bars.entry(place(lane.begun)).or_default().0 += 1;
            if let Some((at, LaneEnding::Failed(_))) = lane.ended {
                bars.entry(place(at)).or_default().1 += 1;
            }
        }
        Self { width, bars }
    }

    fn kept(diary: &Diary) -> Self {
        let bars = diary.bars.iter().filter(|(_, bar)| bar.dials + bar.failed > 0);
        Self { width: diary.bars.width(), bars: bars.map(|(place, bar)| (place, (bar.dials, bar.failed))).collect() }
    }

    pub(super) fn begun(&self) -> u64 {
        self.bars.values().map(|(begun, _)| begun).sum()
    }

    pub(super) fn failed(&self) -> u64 {
        self.bars.values().map(|(_, failed)| failed).sum()
    }
}

#[cfg(test)]
mod tests {
    use connmgr_core::{ConnId, DialError, DialFailure};

    use super::*;

    #[test]
    fn bars_count_dials_where_they_begin_and_failures_where_they_end() {
        let lane = |number, begun| Lane::new(ConnId::from_u64(number), 1, None, Instant::from_secs(begun));
        let failure = LaneEnding::Failed(DialFailure::Failed(DialError::Refused));
        let failed = Lane { ended: Some((Instant::from_secs(11), failure)), ..lane(2, 4) };
        let bars = DialBars::counted([lane(1, 0), failed].iter(), Duration::from_secs(5));
        assert_eq!(bars.bars, BTreeMap::from([(0, (2, 0)), (2, (0, 1))]));
        assert_eq!((bars.begun(), bars.failed()), (2, 1));
    }
}
