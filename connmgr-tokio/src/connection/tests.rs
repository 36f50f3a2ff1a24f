//! Uses of a stream by the application, and what the manager is told.

use std::net::Ipv4Addr;
use std::time::Duration;

use connmgr_core::{CloseCause, ConnId, Input, Kind, Penalty};
use connmgr_std::adapter::{Mailbox, OpenSockets};
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::timeout;

use super::*;

const CONN: ConnId = ConnId::from_u64(1);

/// A connection, the peer's end, and the mailbox of the connection.
async fn pair() -> (Connection, TcpStream, Mailbox) {
    let (ours, theirs, mailbox, _) = guarded_pair().await;
    (ours, theirs, mailbox)
}

/// The same, and what closes the connection.
async fn guarded_pair() -> (Connection, TcpStream, Mailbox, OpenSockets<TokioStream>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let ours = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (theirs, _) = listener.accept().await.unwrap();
    let (conn, mailbox) = (CONN, Mailbox::new(|| ()));
    let open = OpenSockets::new(mailbox.clone());
    let guard = open.guard(conn, TokioStream(ours));
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

#[tokio::test]
async fn a_connection_that_is_dropped_says_so() {
    let (ours, _theirs, mailbox) = pair().await;
    assert_eq!(told_by_drop(ours, &mailbox), Some(Input::Dropped { conn: CONN }));
}

#[tokio::test]
async fn a_peer_that_closes_after_a_word_is_told_from_one_that_says_none() {
    for (word, cause) in [("hello", CloseCause::Eof), ("", CloseCause::Unheard)] {
        let (mut ours, mut theirs, mailbox) = pair().await;
        theirs.write_all(word.as_bytes()).await.unwrap();
        drop(theirs);
        let mut heard = String::new();
        ours.read_to_string(&mut heard).await.unwrap();
        assert_eq!((heard.as_str(), told_by_drop(ours, &mailbox)), (word, Some(Input::Closed { conn: CONN, cause })));
    }
}

#[tokio::test]
async fn a_peer_that_resets_is_seen_to() {
    let (mut ours, mut theirs, mailbox) = pair().await;
    theirs.write_all(b"hello").await.unwrap();
    ours.read_exact(&mut [0; 5]).await.unwrap();
    SockRef::from(&theirs).set_linger(Some(Duration::ZERO)).unwrap();
    drop(theirs);
    ours.read_u8().await.unwrap_err();
    let cause = CloseCause::Reset;
    assert_eq!(told_by_drop(ours, &mailbox), Some(Input::Closed { conn: CONN, cause }));
}

#[tokio::test]
async fn a_reader_wakes_when_we_close() {
    let (mut ours, _theirs, mailbox, open) = guarded_pair().await;
    let id = ours.id();
    let close = async {
        tokio::task::yield_now().await;
        open.close(id);
    };
    let mut buffer = [0; 8];
    let (read, ()) = tokio::join!(ours.read(&mut buffer), close);
    assert_eq!((read.unwrap(), told_by_drop(ours, &mailbox)), (0, None));
}

#[tokio::test]
async fn what_a_peer_sent_before_we_closed_it_is_not_read() {
    let (mut ours, mut theirs, _mailbox, open) = guarded_pair().await;
    theirs.write_all(b"hello").await.unwrap();
    ours.guard.wire().0.readable().await.unwrap();
    open.close(ours.id());
    assert_eq!(ours.read(&mut [0; 8]).await.unwrap(), 0);
    ours.write_all(b"hello").await.unwrap_err();
}

#[tokio::test]
async fn shutting_our_half_leaves_theirs_open() {
    let (mut ours, mut theirs, _mailbox) = pair().await;
    ours.write_all(b"bye").await.unwrap();
    ours.shutdown().await.unwrap();
    let mut heard = String::new();
    theirs.read_to_string(&mut heard).await.unwrap();
    theirs.write_all(b"farewell").await.unwrap();
    let mut answer = [0; 8];
    ours.read_exact(&mut answer).await.unwrap();
    assert_eq!((heard.as_str(), &answer), ("bye", b"farewell"));
}

#[tokio::test]
async fn slices_are_written_in_one_go() {
    let (mut ours, mut theirs, _mailbox) = pair().await;
    let slices = [IoSlice::new(b"one "), IoSlice::new(b"two")];
    assert!(ours.is_write_vectored());
    assert_eq!(ours.write_vectored(&slices).await.unwrap(), 7);
    let mut heard = [0; 7];
    theirs.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"one two");
}

#[tokio::test]
async fn facts_are_told_beside_a_busy_stream() {
    let (ours, _theirs, mailbox) = pair().await;
    let reporter = ours.reporter();
    let (_reading, _writing) = tokio::io::split(ours);
    let penalty = Penalty { persistent: 1, transient: 2 };
    reporter.report_misbehavior(penalty);
    let mut told = Vec::new();
    mailbox.drain(|input| told.push(input));
    assert_eq!(told, [Input::Misbehavior { conn: CONN, penalty }]);
}

#[tokio::test]
async fn two_halves_read_and_write_at_a_time_and_the_last_gives_the_connection_back() {
    let (ours, mut theirs, mailbox) = pair().await;
    let (mut reading, mut writing) = ours.into_split();
    let reader = tokio::spawn(async move {
        let mut heard = [0; 5];
        reading.read_exact(&mut heard).await.unwrap();
        (heard, reading)
    });
    writing.write_all(b"ping").await.unwrap();
    theirs.read_exact(&mut [0; 4]).await.unwrap();
    theirs.write_all(b"hello").await.unwrap();
    let (heard, reading) = reader.await.unwrap();
    assert_eq!(&heard, b"hello");
    assert_eq!(reading.connection().id(), writing.connection().id());
    drop(reading);
    assert_eq!(told(&mailbox), [], "the other half is in use");
    writing.write_all(b"more").await.unwrap();
    drop(writing);
    assert_eq!(told(&mailbox), [Input::Dropped { conn: CONN }]);
}

#[tokio::test]
async fn a_writing_half_that_is_dropped_closes_our_half_alone() {
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
}

#[tokio::test]
async fn both_halves_end_when_we_close() {
    let (ours, _theirs, mailbox, open) = guarded_pair().await;
    let (mut reading, mut writing) = ours.into_split();
    let reader = tokio::spawn(async move { reading.read(&mut [0; 8]).await.unwrap() });
    tokio::task::yield_now().await;
    open.close(CONN);
    assert_eq!(reader.await.unwrap(), 0);
    writing.write_all(b"too late").await.unwrap_err();
    drop(writing);
    assert_eq!(told(&mailbox), []);
}

#[tokio::test]
async fn a_stream_that_was_taken_out_runs_on_the_same_runtime_and_is_shut_with_its_watch() {
    let (ours, mut theirs, mailbox) = pair().await;
    let (stream, watch) = ours.into_std().unwrap();
    let mut stream = TcpStream::from_std(stream).unwrap();
    let reader = tokio::spawn(async move {
        let mut heard = [0; 5];
        stream.read_exact(&mut heard).await.unwrap();
        (heard, stream)
    });
    tokio::task::yield_now().await;
    theirs.write_all(b"hello").await.unwrap();
    let (heard, mut stream) = reader.await.unwrap();
    assert_eq!((&heard, watch.is_closed()), (b"hello", false));
    drop(watch);
    assert_eq!(told(&mailbox), [Input::Dropped { conn: CONN }]);
    for end in [&mut stream, &mut theirs] {
        let read = timeout(Duration::from_secs(10), end.read_u8()).await.expect("its end comes");
        assert_eq!(read.unwrap_err().kind(), ErrorKind::UnexpectedEof);
    }
}
