//! How a stream ended, as its reader and writer saw it.

use std::io::{self, ErrorKind};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use connmgr_core::{CloseCause, ConnId, Input};

use crate::errors::end_cause;

/// What reads and writes have shown of a stream so far. A reader and a writer may share it.
#[derive(Debug, Default)]
pub struct StreamEnd {
    /// At least one byte of the peer has arrived.
    heard: AtomicBool,
    /// How it ended. The first cause counts.
    end: OnceLock<CloseCause>,
}

impl StreamEnd {
    /// Notes the result of a read into a buffer of at least one byte. Not to be called once we have closed the stream.
    pub fn note_read(&self, read: &io::Result<usize>) {
        match read {
            Ok(0) => self.note(None),
            Ok(_) => self.assume_heard(),
            Err(error) => self.note(Some(error)),
        }
    }

    /// Notes the result of a write. Not to be called once we have closed the stream.
    pub fn note_write(&self, written: &io::Result<usize>) {
        if let Err(error) = written {
            self.note(Some(error));
        }
    }

    /// Bytes of the peer may have been read by somebody who does not note it.
    pub fn assume_heard(&self) {
        // Most reads find it set, and a load is cheaper than a store.
        if !self.heard.load(Ordering::Relaxed) {
            self.heard.store(true, Ordering::Relaxed);
        }
    }

    /// Why it ended; none if no end was seen.
    pub fn cause(&self) -> Option<CloseCause> {
        self.end.get().copied()
    }

    /// What the manager is told when reader and writer let go of it. If no end was seen, it was dropped.
    pub fn input(&self, conn: ConnId) -> Input {
        ended(conn, self.cause())
    }

    fn note(&self, error: Option<&io::Error>) {
        let goes_on = |error: &io::Error| matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted);
        if !error.is_some_and(goes_on) {
            self.end.get_or_init(|| end_cause(error, self.heard.load(Ordering::Relaxed)));
        }
    }
}

/// The end of a connection, as the manager is told; without a cause, the application dropped it.
pub(crate) fn ended(conn: ConnId, cause: Option<CloseCause>) -> Input {
    cause.map_or(Input::Dropped { conn }, |cause| Input::Closed { conn, cause })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(reads: &[io::Result<usize>]) -> Option<CloseCause> {
        let ending = StreamEnd::default();
        reads.iter().for_each(|read| ending.note_read(read));
        ending.cause()
    }

    #[test]
    fn an_end_without_a_word_is_told_from_one_after_words() {
        assert_eq!(after(&[Ok(0)]), Some(CloseCause::Unheard));
        assert_eq!(after(&[Ok(5), Ok(0)]), Some(CloseCause::Eof));
        assert_eq!(after(&[Ok(5)]), None);
    }

    #[test]
    fn the_first_end_counts_and_to_wait_is_none() {
        let again = || Err(ErrorKind::WouldBlock.into());
        assert_eq!(after(&[again(), Ok(5)]), None);
        assert_eq!(after(&[Ok(5), Err(ErrorKind::ConnectionReset.into()), Ok(0)]), Some(CloseCause::Reset));
    }

    #[test]
    fn one_of_which_no_end_was_seen_is_said_to_be_dropped() {
        let (conn, end) = (ConnId::from_u64(1), StreamEnd::default());
        assert_eq!(end.input(conn), Input::Dropped { conn });
        end.note_read(&Ok(0));
        assert_eq!(end.input(conn), Input::Closed { conn, cause: CloseCause::Unheard });
    }
}
