//! Where all parts of the node write what happens: the report, the summary, and who follows headers.
//!
//! One lock, held for one line. Nothing in here waits but [`Board::finish`] and
//! [`Board::wait`].

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use connmgr_core::{ConnId, Event};

use crate::handshake::Peer;
use crate::report::{Report, Summary, Target};

/// Sessions that follow their peer's headers at a time: one may lie or stall, and more would be waste.
const MAX_FOLLOWERS: u32 = 2;

/// What happens, written and counted. Cheap to clone: there is one behind all clones.
#[derive(Clone, Debug)]
pub struct Board {
    start: Instant,
    inside: Arc<Mutex<Inside>>,
}

#[derive(Debug)]
struct Inside {
    report: Report,
    summary: Summary,
    followers: u32,
}

impl Board {
    /// A board whose clock starts now, for a run that should reach so many connections.
    pub fn new(report: Report, target: Target) -> Self {
        let inside = Inside { report, summary: Summary::new(target), followers: 0 };
        Self { start: Instant::now(), inside: Arc::new(Mutex::new(inside)) }
    }

    /// How long it has been.
    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// The manager told this.
    pub fn event(&self, event: &Event) {
        let mut inside = self.inside();
        inside.summary.note(event);
        inside.report.event(self.elapsed(), event);
    }

    /// This happened on one connection.
    pub fn connection(&self, conn: ConnId, text: &str) {
        self.inside().report.connection(self.elapsed(), conn, text);
    }

    /// This is worth knowing.
    pub fn note(&self, text: &str) {
        self.inside().report.note(self.elapsed(), text);
    }

    /// A handshake is done.
    pub fn ready(&self, conn: ConnId, peer: &Peer) {
        let (mut inside, now) = (self.inside(), self.elapsed());
        let Peer { version, user_agent, start_height, .. } = peer;
        let text = format!("ready: {user_agent} version {version}, {start_height} blocks");
        inside.report.connection(now, conn, &text);
        if inside.summary.note_ready(conn, now) {
            let total = inside.summary.target.total();
            inside.report.note(now, &format!("target reached: {total} of {total} connections ready"));
        }
    }

    /// A peer's headers were followed up to this height, which is told if it is news.
    pub fn tip(&self, conn: ConnId, height: u32) {
        let mut inside = self.inside();
        if height > inside.summary.height {
            inside.summary.height = height;
            inside.report.connection(self.elapsed(), conn, &format!("headers up to {height}"));
        }
    }

    /// Whether one more session may follow headers. It must [`Board::unfollow`] then.
    pub fn follow(&self) -> bool {
        let mut inside = self.inside();
        let may_follow = inside.followers < MAX_FOLLOWERS;
        inside.followers += u32::from(may_follow);
        may_follow
    }

    /// A session that followed headers has ended.
    pub fn unfollow(&self) {
        let mut inside = self.inside();
        inside.followers = inside.followers.saturating_sub(1);
    }

    /// What happened so far.
    pub fn summary(&self) -> Summary {
        let mut summary = self.inside().summary.clone();
        summary.lasted = self.elapsed();
        summary
    }

    /// Tells what happened in all, and waits a little for a reader who is behind; whether all could be written.
    pub fn finish(&self, summary: &Summary) -> bool {
        self.inside().report.summary(self.elapsed(), summary)
    }

    /// Waits a little for a reader who is behind; whether all could be written.
    pub fn wait(&self) -> bool {
        self.inside().report.wait()
    }

    /// Whoever panicked while writing left nothing half done.
    fn inside(&self) -> MutexGuard<'_, Inside> {
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
        (Board::new(Report::new(pen, Format::Plain), Target::default()), paper)
    }

    #[test]
    fn only_two_follow_headers_at_a_time() {
        let (board, _) = board();
        assert!(board.follow() && board.follow() && !board.follow());
        board.unfollow();
        assert!(board.follow());
    }

    #[test]
    fn a_tip_is_told_once() {
        let (board, paper) = board();
        for height in [10, 10, 9, 12] {
            board.tip(ConnId::from_u64(1), height);
        }
        assert_eq!(board.summary().height, 12);
        assert!(board.finish(&board.summary()));
        assert_eq!(paper.text().matches("headers up to").count(), 2, "{}", paper.text());
    }
}
