//! A thread that writes lines, so that a stalled reader (Ctrl-S, a full pipe) does not stall the node.
//!
//! The caller of [`Pen::offer`] is told whether there was room for a line, and counts those that were dropped. The writer of
//! `tracing-appender` tells neither that nor why a line could not be written, so it does not do.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// The most lines that wait. A quiet node writes a few per second, the busiest first second a few hundred.
pub const MAX_WAITING: usize = 1024;

/// Hands lines to the thread that writes them. When dropped, the thread ends after writing what waits.
#[derive(Debug)]
pub struct Pen {
    shared: Arc<SharedLines>,
}

#[derive(Debug, Default)]
struct SharedLines {
    queue: Mutex<LineQueue>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct LineQueue {
    lines: VecDeque<String>,
    /// A line is being written.
    is_writing: bool,
    /// A line was dropped, and the reader has not caught up yet.
    is_behind: bool,
    /// No more lines come.
    is_closed: bool,
    /// Why a line could not be written, the first time.
    error: Option<io::Error>,
}

impl Pen {
    /// Writes to `out`, on a thread of its own.
    ///
    /// # Errors
    /// The system starts no thread.
    pub fn new(out: impl Write + Send + 'static) -> io::Result<Self> {
        let shared = Arc::<SharedLines>::default();
        let theirs = Arc::clone(&shared);
        thread::Builder::new().name("report".into()).spawn(move || theirs.write_all(out))?;
        Ok(Self { shared })
    }

    /// Queues a line if there is room, and returns whether there was. Never waits. After a line was dropped there is no room
    /// until half of the queue is written, so that dropped lines form one gap.
    #[must_use]
    pub fn offer(&self, line: String) -> bool {
        let mut queue = self.shared.lock();
        let limit = if queue.is_behind { MAX_WAITING / 2 } else { MAX_WAITING };
        queue.is_behind = queue.lines.len() >= limit;
        if queue.is_behind {
            return false;
        }
        self.shared.push(queue, line);
        true
    }

    /// Queues a line even without room: for the few at the end.
    pub fn insist(&self, line: String) {
        self.shared.push(self.shared.lock(), line);
    }

    /// Waits until all is written, at most this long. Returns whether it is.
    pub fn wait(&self, at_most: Duration) -> bool {
        let is_busy = |queue: &mut LineQueue| queue.is_writing || !queue.lines.is_empty();
        let waited = self.shared.changed.wait_timeout_while(self.shared.lock(), at_most, is_busy);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// Why a line could not be written, the first time; only once.
    pub fn take_error(&self) -> Option<io::Error> {
        self.shared.lock().error.take()
    }
}

impl Drop for Pen {
    fn drop(&mut self) {
        self.shared.lock().is_closed = true;
        self.shared.changed.notify_all();
    }
}

impl SharedLines {
    fn lock(&self) -> MutexGuard<'_, LineQueue> {
        // No code panics between two changes of the queue, so it is consistent.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, mut queue: MutexGuard<'_, LineQueue>, line: String) {
        queue.lines.push_back(line);
        self.changed.notify_all();
    }

    fn write_all(&self, mut out: impl Write) {
        while let Some(line) = self.next() {
            // The node goes on when the reader goes away (`| head`) or the disk is full.
            if let Err(error) = writeln!(out, "{line}").and_then(|()| out.flush()) {
                self.lock().error.get_or_insert(error);
            }
        }
    }

    /// Waits for the next line; none when no more come.
    fn next(&self) -> Option<String> {
        let mut queue = self.lock();
        queue.is_writing = false;
        self.changed.notify_all();
        let is_idle = |queue: &mut LineQueue| queue.lines.is_empty() && !queue.is_closed;
        queue = self.changed.wait_while(queue, is_idle).unwrap_or_else(PoisonError::into_inner);
        let line = queue.lines.pop_front()?;
        queue.is_writing = true;
        Some(line)
    }
}

/// For tests: a writer whose text can be read, and one that stalls.
#[cfg(test)]
pub(crate) mod paper {
    use super::*;
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

    #[derive(Clone, Debug, Default)]
    pub(crate) struct Paper(Arc<Mutex<Vec<u8>>>);

    impl Paper {
        pub(crate) fn text(&self) -> String {
            String::from_utf8(self.0.lock().expect("no panic").clone()).expect("text")
        }
    }

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no panic").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Takes a line only when it gets leave.
    pub(crate) struct Stalled {
        paper: Paper,
        leave: Receiver<()>,
    }

    impl Write for Stalled {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.paper.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            // Once the other end is dropped, all lines are taken.
            let _ = self.leave.recv();
            Ok(())
        }
    }

    /// A pen with a stalled reader, the text written so far, and the sender that gives leave for one line.
    pub(crate) fn stalled() -> (Pen, Paper, SyncSender<()>) {
        let (paper, (go_on, leave)) = (Paper::default(), sync_channel(0));
        (Pen::new(Stalled { paper: paper.clone(), leave }).expect("a thread"), paper, go_on)
    }
}

#[cfg(test)]
mod tests {
    use super::paper::{Paper, stalled};
    use super::*;

    const SOON: Duration = Duration::from_secs(10);

    #[test]
    fn lines_are_written_in_order() {
        let paper = Paper::default();
        let pen = Pen::new(paper.clone()).expect("a thread");
        assert!(pen.offer("one".into()) && pen.offer("two".into()));
        assert!(pen.wait(SOON));
        assert_eq!(paper.text(), "one\ntwo\n");
    }

    #[test]
    fn who_offers_more_than_is_read_is_refused_and_never_waits() {
        let (pen, _paper, _go_on) = stalled();
        let taken = (0..10 * MAX_WAITING).filter(|number| pen.offer(number.to_string())).count();
        assert!((MAX_WAITING..=MAX_WAITING + 1).contains(&taken), "{taken}");
        assert!(!pen.wait(Duration::ZERO));
    }

    #[test]
    fn after_a_gap_there_is_room_when_half_is_read() {
        let (pen, _paper, go_on) = stalled();
        while pen.offer("waits".into()) {}
        go_on.send(()).expect("it writes");
        assert!(!pen.offer("too early".into()));
        (0..=MAX_WAITING / 2).for_each(|_| go_on.send(()).expect("it writes"));
        assert!(pen.offer("in time".into()));
    }

    #[test]
    fn the_last_lines_are_written_however_full_it_is() {
        let (pen, paper, go_on) = stalled();
        while pen.offer("waits".into()) {}
        pen.insist("the end".into());
        drop(go_on);
        assert!(pen.wait(SOON));
        assert!(paper.text().ends_with("waits\nthe end\n"));
    }
}
