//! Shared by all parts of the node: the report, the summary, and the number of sessions that follow headers.
//!
//! One lock, held for one line. Only [`Board::finish`] and [`Board::wait`] wait.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use connmgr_core::{ConnId, Connected, Event, PeerAddress, PeerId};

use crate::handshake::PeerHello;
use crate::report::{Report, ReportEnd};
use crate::summary::{ConnectionTarget, Summary};

/// How many sessions follow headers at a time: one may lie or stall, and more than two would be a waste.
const MAX_FOLLOWERS: usize = 2;

/// How many of our nonces are remembered: more than handshakes are under way.
const MAX_NONCES: usize = 1024;

/// How much a session deserves to follow headers; the greater the more. Peers that answer come before those that do not,
/// then those that we chose before strangers that came to us: otherwise two silent strangers could hold both places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FollowRank {
    /// No request for headers has been unanswered for long.
    pub answers: bool,
    /// We dialed it.
    pub is_outbound: bool,
}

/// Reports and counts what happens. Clones share one state and are cheap.
#[derive(Clone, Debug)]
pub struct Board {
    start: Instant,
    inside: Arc<Mutex<Inside>>,
}

#[derive(Debug)]
struct Inside {
    report: Report,
    summary: Summary,
    followers: BTreeMap<ConnId, FollowRank>,
    /// The latest nonces that we sent.
    nonces: VecDeque<u64>,
    /// Where each added peer was connected last.
    met: BTreeMap<PeerId, PeerAddress>,
}

impl Board {
    /// A board whose clock starts now, for a run with this target.
    pub fn new(report: Report, target: ConnectionTarget) -> Self {
        let (summary, followers, nonces, met) =
            (Summary::new(target), BTreeMap::new(), VecDeque::new(), BTreeMap::new());
        let inside = Inside { report, summary, followers, nonces, met };
        Self { start: Instant::now(), inside: Arc::new(Mutex::new(inside)) }
    }

    /// The time since the start.
    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// Reports and counts an event of the manager.
    pub fn event(&self, event: &Event) {
        let mut inside = self.inside();
        inside.summary.note(event);
        if let Event::Connected(Connected { nonce, .. }) = event {
            inside.nonces.truncate(MAX_NONCES - 1);
            inside.nonces.push_front(*nonce);
        }
        if let Event::Connected(Connected { peer: Some(peer), address: Some(address), .. }) = event {
            inside.met.insert(*peer, address.clone());
        }
        inside.report.event(self.elapsed(), event);
    }

    /// Where an added peer was connected last.
    pub fn met(&self, peer: PeerId) -> Option<PeerAddress> {
        self.inside().met.get(&peer).cloned()
    }

    /// Reports something about one connection.
    pub fn connection(&self, conn: ConnId, text: &str) {
        self.inside().report.connection(self.elapsed(), conn, text);
    }

    /// Reports anything else.
    pub fn note(&self, text: &str) {
        self.inside().report.note(self.elapsed(), text);
    }

    /// Reports and counts a finished handshake. One with ourselves does not count: the manager closes it.
    pub fn ready(&self, conn: ConnId, peer: &PeerHello) {
        let (mut inside, now) = (self.inside(), self.elapsed());
        if peer.info.nonce.is_some_and(|nonce| inside.nonces.contains(&nonce)) {
            return inside.report.connection(now, conn, "reached ourselves");
        }
        let PeerHello { version, user_agent, start_height, .. } = peer;
        let text = format!("ready: {user_agent} version {version}, {start_height} blocks");
        inside.report.connection(now, conn, &text);
        if inside.summary.note_ready(conn, now) {
            let total = inside.summary.target.total();
            inside.report.note(now, &format!("target reached: {total} of {total} connections ready"));
        }
    }

    /// A peer's headers were followed up to this height. Reported if it is the highest so far.
    pub fn tip(&self, conn: ConnId, height: u32) {
        let mut inside = self.inside();
        if height > inside.summary.height {
            inside.summary.height = height;
            inside.report.connection(self.elapsed(), conn, &format!("headers up to {height}"));
        }
    }

    /// Whether this session may follow headers, now or still. It asks again from time to time: it may have lost its place
    /// to one of a better rank, or get one that has become free. It calls [`Board::unfollow`] at its end.
    pub fn follow(&self, conn: ConnId, rank: FollowRank) -> bool {
        let mut inside = self.inside();
        let followers = &mut inside.followers;
        if !followers.contains_key(&conn) && followers.len() == MAX_FOLLOWERS {
            let worst = followers.iter().min_by_key(|(_, rank)| **rank).map(|(conn, rank)| (*conn, *rank));
            let Some((worst, _)) = worst.filter(|(_, worst)| *worst < rank) else { return false };
            followers.remove(&worst);
        }
        followers.insert(conn, rank);
        true
    }

    /// A session has ended.
    pub fn unfollow(&self, conn: ConnId) {
        self.inside().followers.remove(&conn);
    }

    /// The summary so far.
    pub fn summary(&self) -> Summary {
        let mut summary = self.inside().summary.clone();
        summary.lasted = self.elapsed();
        summary
    }

    /// Writes the summary, and waits up to 3 s for a slow reader. Returns what became of the report.
    pub fn finish(&self, summary: &Summary) -> ReportEnd {
        self.inside().report.summary(self.elapsed(), summary)
    }

    /// Waits up to 3 s for a slow reader. Returns whether all was written.
    pub fn wait(&self) -> bool {
        self.inside().report.wait()
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        // A panic may have left a line unwritten; the rest is consistent.
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pen::Pen;
    use crate::pen::paper::Paper;
    use crate::report::Format;

    fn board() -> (Board, Paper) {
        let paper = Paper::default();
        let pen = Pen::new(paper.clone()).expect("a thread");
        (Board::new(Report::new(pen, Format::Plain), ConnectionTarget::default()), paper)
    }

    #[test]
    fn only_two_follow_headers_at_a_time() {
        let (board, _) = board();
        let follow = |conn| board.follow(ConnId::from_u64(conn), INBOUND);
        assert!(follow(1) && follow(2) && !follow(3) && follow(1), "and those that do stay");
        board.unfollow(ConnId::from_u64(1));
        assert!(follow(3) && !follow(1));
    }

    const INBOUND: FollowRank = FollowRank { answers: true, is_outbound: false };

    #[test]
    fn a_place_goes_to_one_of_a_better_rank() {
        let (board, _) = board();
        let follow =
            |conn, answers, is_outbound| board.follow(ConnId::from_u64(conn), FollowRank { answers, is_outbound });
        assert!(follow(1, true, false) && follow(2, true, false));
        assert!(follow(3, true, true) && follow(4, true, true), "outbound peers take the places of strangers");
        assert!(!follow(1, true, false) && !follow(5, true, true));
        assert!(follow(3, false, true), "a silent one stays while nobody better comes");
        assert!(follow(1, true, false) && !follow(3, false, true) && follow(4, true, true));
    }

    #[test]
    fn a_tip_is_told_once() {
        let (board, paper) = board();
        for height in [10, 10, 9, 12] {
            board.tip(ConnId::from_u64(1), height);
        }
        assert_eq!(board.summary().height, 12);
        assert!(matches!(board.finish(&board.summary()), ReportEnd::Written));
        assert_eq!(paper.text().matches("headers up to").count(), 2, "{}", paper.text());
    }
}
