//! Uses of a stream by the application, and what the manager is told.

use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use connmgr_core::{CloseCause, ConnId, Input, Kind, Penalty};
use connmgr_std::adapter::{Mailbox, OpenSockets};
use futures_lite::future::{block_on, yield_now, zip};
use futures_lite::{AsyncReadExt, AsyncWriteExt, FutureExt};
use socket2::SockRef;

use super::*;

const CONN: ConnId = ConnId::from_u64(1);

/// A connection, the peer's end, and the mailbox of the connection.
async fn pair() -> (Connection, Async<TcpStream>, Mailbox) {
    let (ours, theirs, mailbox, _) = guarded_pair().await;
    (ours, theirs, mailbox)
}

/// The same, and what closes the connection.
async fn guarded_pair() -> (Connection, Async<TcpStream>, Mailbox, OpenSockets<SmolStream>) {
    let listener = Async::<TcpListener>::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let ours = Async::<TcpStream>::connect(listener.get_ref().local_addr().unwrap()).await.unwrap();
    let (theirs, _) = listener.accept().await.unwrap();
    let (conn, mailbox) = (CONN, Mailbox::new(|| ()));
    let open = OpenSockets::new(mailbox.clone());
    let guard = open.guard(conn, SmolStream(ours));
    (Connection { info: info(conn), guard }, theirs, mailbox, open)
}

fn info(conn: ConnId) -> Connected {
    Connected::new(conn, Kind::Full)
}

/// What dropping the connection reports.
fn told_by_drop(connection: Connection, mailbox: &Mailbox) -> Option<Input> {
    drop(connection);
    let mut told = told(mailbox);
    assert!(told.len() <= 1);
    told.pop()
}

/// What was reported.
fn told(mailbox: &Mailbox) -> Vec<Input> {
    let mut told = Vec::new();
    mailbox.drain(|input| told.push(input));
    told
}

#[test]
fn a_connection_that_is_dropped_says_so() {
    block_on(async {
        let (ours, _theirs, mailbox) = pair().await;
        assert_eq!(told_by_drop(ours, &mailbox), Some(Input::Dropped { conn: CONN }));
    });
}

#[test]
fn a_peer_that_closes_after_a_word_is_told_from_one_that_says_none() {
    block_on(async {
        for (word, cause) in [("hello", CloseCause::Eof), ("", CloseCause::Unheard)] {
            let (mut ours, mut theirs, mailbox) = pair().await;
            theirs.write_all(word.as_bytes()).await.unwrap();
            drop(theirs);
            let mut heard = String::new();
            ours.read_to_string(&mut heard).await.unwrap();
            assert_eq!(
                (heard.as_str(), told_by_drop(ours, &mailbox)),
                (word, Some(Input::Closed { conn: CONN, cause }))
            );
        }
    });
}

#[test]
fn a_peer_that_resets_is_seen_to() {
    block_on(async {
        let (mut ours, mut theirs, mailbox) = pair().await;
        theirs.write_all(b"hello").await.unwrap();
        ours.read_exact(&mut [0; 5]).await.unwrap();
        SockRef::from(&theirs).set_linger(Some(Duration::ZERO)).unwrap();
        drop(theirs);
        ours.read_exact(&mut [0]).await.unwrap_err();
        let cause = CloseCause::Reset;
        assert_eq!(told_by_drop(ours, &mailbox), Some(Input::Closed { conn: CONN, cause }));
    });
}

#[test]
fn a_reader_wakes_when_we_close() {
    block_on(async {
        let (mut ours, _theirs, mailbox, open) = guarded_pair().await;
        let id = ours.id();
        let close = async {
            yield_now().await;
            open.close(id);
        };
        let mut buffer = [0; 8];
        let (read, ()) = zip(ours.read(&mut buffer), close).await;
        assert_eq!((read.unwrap(), told_by_drop(ours, &mailbox)), (0, None));
    });
}

#[test]
fn what_a_peer_sent_before_we_closed_it_is_not_read() {
    block_on(async {
        let (mut ours, mut theirs, _mailbox, open) = guarded_pair().await;
        theirs.write_all(b"hello").await.unwrap();
        ours.guard.wire().0.readable().await.unwrap();
        open.close(ours.id());
        assert_eq!(ours.read(&mut [0; 8]).await.unwrap(), 0);
        ours.write_all(b"hello").await.unwrap_err();
    });
}

#[test]
fn shutting_our_half_leaves_theirs_open() {
    block_on(async {
        let (mut ours, mut theirs, _mailbox) = pair().await;
        ours.write_all(b"bye").await.unwrap();
        ours.close().await.unwrap();
        let mut heard = String::new();
        theirs.read_to_string(&mut heard).await.unwrap();
        theirs.write_all(b"farewell").await.unwrap();
        let mut answer = [0; 8];
        ours.read_exact(&mut answer).await.unwrap();
        assert_eq!((heard.as_str(), &answer), ("bye", b"farewell"));
    });
}

#[test]
fn slices_are_written_in_one_go() {
    block_on(async {
        let (mut ours, mut theirs, _mailbox) = pair().await;
        let slices = [IoSlice::new(b"one "), IoSlice::new(b"two")];
        assert_eq!(ours.write_vectored(&slices).await.unwrap(), 7);
        let mut heard = [0; 7];
        theirs.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"one two");
    });
}

#[test]
fn facts_are_told_beside_a_busy_stream() {
    block_on(async {
        let (ours, _theirs, mailbox) = pair().await;
        let reporter = ours.reporter();
        let (_reading, _writing) = futures_lite::io::split(ours);
        let penalty = Penalty { persistent: 1, transient: 2 };
        reporter.report_misbehavior(penalty);
        let mut told = Vec::new();
        mailbox.drain(|input| told.push(input));
        assert_eq!(told, [Input::Misbehavior { conn: CONN, penalty }]);
    });
}

#[test]
fn two_halves_read_and_write_at_a_time_and_the_last_gives_the_connection_back() {
    block_on(async {
        let (ours, mut theirs, mailbox) = pair().await;
        let (mut reading, mut writing) = ours.into_split();
        let mut heard = [0; 5];
        let answer = async {
            writing.write_all(b"ping").await.unwrap();
            theirs.read_exact(&mut [0; 4]).await.unwrap();
            theirs.write_all(b"hello").await.unwrap();
        };
        let (read, ()) = zip(reading.read_exact(&mut heard), answer).await;
        read.unwrap();
        assert_eq!(&heard, b"hello");
        assert_eq!(reading.connection().id(), writing.connection().id());
        drop(reading);
        assert_eq!(told(&mailbox), [], "the other half is in use");
        writing.write_all(b"more").await.unwrap();
        drop(writing);
        assert_eq!(told(&mailbox), [Input::Dropped { conn: CONN }]);
    });
}

#[test]
fn a_writing_half_that_is_dropped_closes_our_half_alone() {
    block_on(async {
        let (ours, mut theirs, mailbox) = pair().await;
        let (mut reading, mut writing) = ours.into_split();
        writing.write_all(b"bye").await.unwrap();
        drop(writing);
        let mut heard = String::new();
        theirs.read_to_string(&mut heard).await.unwrap();
        theirs.write_all(b"and you").await.unwrap();
        drop(theirs);
        let mut answer = String::new();
        reading.read_to_string(&mut answer).await.unwrap();
        assert_eq!((heard.as_str(), answer.as_str()), ("bye", "and you"));
        drop(reading);
        assert_eq!(told(&mailbox), [Input::Closed { conn: CONN, cause: CloseCause::Eof }]);
    });
}

#[test]
fn both_halves_end_when_we_close() {
    block_on(async {
        let (ours, _theirs, mailbox, open) = guarded_pair().await;
        let (mut reading, mut writing) = ours.into_split();
        let close = async {
            yield_now().await;
            open.close(CONN);
        };
        let mut buffer = [0; 8];
        let (read, ()) = zip(reading.read(&mut buffer), close).await;
        assert_eq!(read.unwrap(), 0);
        writing.write_all(b"too late").await.unwrap_err();
        drop((reading, writing));
        assert_eq!(told(&mailbox), []);
    });
}

#[test]
fn a_stream_that_was_taken_out_runs_on_async_io_too_and_is_shut_with_its_watch() {
    block_on(async {
        let (ours, mut theirs, mailbox) = pair().await;
        let (stream, watch) = ours.into_std().unwrap();
        let mut stream = Async::new_nonblocking(stream).unwrap();
        let mut heard = [0; 5];
        let say = async {
            yield_now().await;
            theirs.write_all(b"hello").await.unwrap();
        };
        let (read, ()) = zip(stream.read_exact(&mut heard), say).await;
        read.unwrap();
        assert_eq!((&heard, watch.is_closed()), (b"hello", false));
        drop(watch);
        assert_eq!(told(&mailbox), [Input::Dropped { conn: CONN }]);
        for end in [&mut stream, &mut theirs] {
            let too_late = async {
                async_io::Timer::after(Duration::from_secs(10)).await;
                panic!("its end does not come")
            };
            assert_eq!(end.read(&mut heard).or(too_late).await.unwrap(), 0);
        }
    });
}
