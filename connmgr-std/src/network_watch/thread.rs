//! The thread that waits for the kernel's messages, and tells of a burst of them once.

use std::io::{self, ErrorKind, Read};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::kernel::{Announcements, Questions};
use super::scene::NetworkScene;
use crate::errors::is_out_of_resources;

/// A burst is over when nothing was announced for this long: a link that comes up has its addresses and its default route
/// moments later, and dials before that are in vain.
const QUIET: Duration = Duration::from_secs(1);

/// A burst that goes on is told of after this long.
const LONGEST: Duration = Duration::from_secs(5);

/// Starts the thread. It ends when the result is dropped.
pub(super) fn start(
    on_change: impl FnMut() + Send + 'static,
    on_end: impl FnOnce(io::Error) + Send + 'static,
) -> io::Result<UnixStream> {
    let (ours, theirs) = UnixStream::pair()?;
    // Listens before it looks, so that no change between the two is missed.
    let announcements = Announcements::listen()?;
    let mut questions = Questions::open()?;
    let scene = questions.look()?;
    theirs.set_nonblocking(true)?;
    let mut watcher = Watcher { announcements, questions, closed: theirs, scene, on_change };
    let work = move || {
        if let Err(error) = watcher.work() {
            on_end(error);
        }
    };
    thread::Builder::new().name("connmgr-network".into()).spawn(work)?;
    Ok(ours)
}

struct Watcher<F> {
    announcements: Announcements,
    questions: Questions,
    /// Readable once the pool is gone.
    closed: UnixStream,
    /// The network as it was told of last.
    scene: NetworkScene,
    on_change: F,
}

/// Why a wait is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WaitEnd {
    Announced,
    TimeUp,
    Closed,
}

impl<F: FnMut()> Watcher<F> {
    fn work(&mut self) -> io::Result<()> {
        while self.wait(None)? != WaitEnd::Closed {
            if self.announcements.take()? && self.find_out()? == WaitEnd::Closed {
                break;
            }
        }
        Ok(())
    }

    /// Tells of a change, if there is one, once the burst of announcements is over.
    fn find_out(&mut self) -> io::Result<WaitEnd> {
        loop {
            if self.sit_out()? == WaitEnd::Closed {
                return Ok(WaitEnd::Closed);
            }
            match self.questions.look() {
                Ok(now) => {
                    if self.scene.changes_to(&now) {
                        (self.on_change)();
                    }
                    self.scene = now;
                    return Ok(WaitEnd::TimeUp);
                }
                Err(error) if is_out_of_resources(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Waits until the burst is over.
    fn sit_out(&mut self) -> io::Result<WaitEnd> {
        let start = Instant::now();
        let mut quiet_from = start;
        loop {
            let until = (quiet_from + QUIET).min(start + LONGEST);
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(WaitEnd::TimeUp);
            }
            match self.wait(Some(left))? {
                WaitEnd::Announced => {
                    if self.announcements.take()? {
                        quiet_from = Instant::now();
                    }
                }
                end @ (WaitEnd::TimeUp | WaitEnd::Closed) => return Ok(end),
            }
        }
    }

    /// Waits for an announcement, or so long.
    fn wait(&self, time: Option<Duration>) -> io::Result<WaitEnd> {
        let closed = PollFd::from_borrowed_fd(self.closed.as_fd(), PollFlags::IN);
        let announced = PollFd::from_borrowed_fd(self.announcements.as_fd(), PollFlags::IN);
        let mut sources = [closed, announced];
        let time = time.map(Timespec::try_from).transpose().map_err(|_| ErrorKind::InvalidInput)?;
        match poll(&mut sources, time.as_ref()) {
            Ok(0) => Ok(WaitEnd::TimeUp),
            Ok(_) if sources[0].revents().is_empty() => Ok(WaitEnd::Announced),
            Ok(_) => Ok(WaitEnd::Closed),
            // `take` finds nothing, then.
            Err(Errno::INTR) => Ok(WaitEnd::Announced),
            // `RLIMIT_NOFILE` is less than two, or there is no memory.
            Err(Errno::INVAL | Errno::NOMEM) => Ok(self.wait_blindly()),
            Err(error) => Err(error.into()),
        }
    }

    /// Where the system refuses to wait for two sources, looks after them now and then.
    fn wait_blindly(&self) -> WaitEnd {
        thread::sleep(QUIET);
        let is_closed = matches!((&self.closed).read(&mut [0]), Ok(0));
        if is_closed { WaitEnd::Closed } else { WaitEnd::Announced }
    }
}
