//! How a stream ended, as its reader and writer saw it.

use std::io::{self, ErrorKind};

use connmgr_core::{CloseCause, ConnId, Input};

use crate::errors::end_cause;

/// What reads and writes have shown of a stream so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamEnd {
    /// At least one byte of the peer has arrived.
    heard: bool,
    /// How it ended. The first cause counts.
    end: Option<CloseCause>,
}

impl StreamEnd {
    /// Notes the result of a read into a buffer of at least one byte. Not to be called once we have closed the stream.
    pub fn note_read(&mut self, read: &io::Result<usize>) {
        match read {
            Ok(0) => self.note(None),
            Ok(_) => self.heard = true,
            Err(error) => self.note(Some(error)),
        }
    }

    /// Notes the result of a write. Not to be called once we have closed the stream.
    pub fn note_write(&mut self, written: &io::Result<usize>) {
        if let Err(error) = written {
            self.note(Some(error));
        }
    }

    /// Why it ended; none if no end was seen.
    pub const fn cause(&self) -> Option<CloseCause> {
        self.end
    }

    /// What the manager is told when whoever reads and writes lets go of it. If no end was seen, it was dropped.
    pub fn input(&self, conn: ConnId) -> Input {
        self.end.map_or(Input::Dropped { conn }, |cause| Input::Closed { conn, cause })
    }

    fn note(&mut self, error: Option<&io::Error>) {
        let goes_on = |error: &io::Error| matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted);
        if !error.is_some_and(goes_on) {
            self.end.get_or_insert(end_cause(error, self.heard));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(reads: &[io::Result<usize>]) -> Option<CloseCause> {
        let mut ending = StreamEnd::default();
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
        let (conn, mut end) = (ConnId::from_u64(1), StreamEnd::default());
        assert_eq!(end.input(conn), Input::Dropped { conn });
        end.note_read(&Ok(0));
        assert_eq!(end.input(conn), Input::Closed { conn, cause: CloseCause::Unheard });
    }
}
