//! Facts about connections: merged into one record for each, in order.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use connmgr_core::{Activity, AddressInfo, CloseCause, ConnId, Input, PeerInfo, Penalty, Source, UnixTime};

use super::{ConnFact, MAX_ADDRESSES, Mailbox};

const A: ConnId = ConnId::from_u64(1);
const B: ConnId = ConnId::from_u64(2);

fn mailbox() -> (Mailbox, Arc<AtomicUsize>) {
    let woken = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&woken);
    let wake = move || {
        count.fetch_add(1, Ordering::Relaxed);
    };
    (Mailbox::new(wake), woken)
}

fn drained(mailbox: &Mailbox) -> Vec<Input> {
    let mut inputs = Vec::new();
    mailbox.drain(|input| inputs.push(input));
    inputs
}

fn address(n: u16) -> AddressInfo {
    let address = std::net::SocketAddr::from(([1, 2, 3, 4], n)).into();
    AddressInfo::new(address).last_seen(UnixTime::from_secs(1))
}

#[test]
fn facts_come_out_in_the_order_of_a_life() {
    let (mailbox, _) = mailbox();
    let penalty = Penalty { persistent: 1, transient: 2 };
    mailbox.post(A, ConnFact::Ended(Some(CloseCause::Eof)));
    mailbox.post(A, ConnFact::Misbehaving(penalty));
    mailbox.post(A, ConnFact::Activity(Activity::default()));
    mailbox.post(A, ConnFact::Addresses(vec![address(1)]));
    mailbox.post(A, ConnFact::Ready(PeerInfo::default()));
    assert_eq!(
        drained(&mailbox),
        [
            Input::Ready { conn: A, info: PeerInfo::default() },
            Input::Addresses { source: Source::Peer(A), addresses: vec![address(1)] },
            Input::Activity { conn: A, activity: Activity::default() },
            Input::Misbehavior { conn: A, penalty },
            Input::Closed { conn: A, cause: CloseCause::Eof },
        ]
    );
    assert_eq!(drained(&mailbox), []);
}

#[test]
fn connections_come_in_the_order_of_their_first_fact() {
    let (mailbox, _) = mailbox();
    for conn in [B, A, B] {
        mailbox.post(conn, ConnFact::Ended(Some(CloseCause::Eof)));
    }
    let closed = |conn| Input::Closed { conn, cause: CloseCause::Eof };
    assert_eq!(drained(&mailbox), [closed(B), closed(A)]);
}

#[test]
fn of_ready_and_closed_the_first_counts() {
    let (mailbox, _) = mailbox();
    let first = PeerInfo { nonce: Some(1), ..PeerInfo::default() };
    mailbox.post(A, ConnFact::Ready(first));
    mailbox.post(A, ConnFact::Ready(PeerInfo::default()));
    mailbox.post(A, ConnFact::Ended(Some(CloseCause::Eof)));
    mailbox.post(A, ConnFact::Ended(None));
    assert_eq!(
        drained(&mailbox),
        [Input::Ready { conn: A, info: first }, Input::Closed { conn: A, cause: CloseCause::Eof }]
    );
}

#[test]
fn penalties_add_up_without_overflow() {
    let (mailbox, _) = mailbox();
    mailbox.post(A, ConnFact::Misbehaving(Penalty { persistent: 3, transient: u32::MAX }));
    mailbox.post(A, ConnFact::Misbehaving(Penalty { persistent: 4, transient: 1 }));
    let penalty = Penalty { persistent: 7, transient: u32::MAX };
    assert_eq!(drained(&mailbox), [Input::Misbehavior { conn: A, penalty }]);
}

#[test]
fn activity_is_joined() {
    let (mailbox, _) = mailbox();
    let ping = |millis| Activity { ping: Some(Duration::from_millis(millis)), ..Activity::default() };
    mailbox.post(A, ConnFact::Activity(ping(30)));
    mailbox.post(A, ConnFact::Activity(ping(20)));
    mailbox.post(A, ConnFact::Activity(Activity { block: true, ..ping(40) }));
    assert_eq!(drained(&mailbox), [Input::Activity { conn: A, activity: Activity { block: true, ..ping(20) } }]);
}

#[test]
fn addresses_are_bounded_and_the_first_are_kept() {
    let (mailbox, _) = mailbox();
    mailbox.post(A, ConnFact::Addresses((0..600).map(address).collect()));
    mailbox.post(A, ConnFact::Addresses((600..1200).map(address).collect()));
    mailbox.post(A, ConnFact::Addresses((1200..1300).map(address).collect()));
    let [Input::Addresses { addresses, .. }] = &drained(&mailbox)[..] else { panic!("one list of addresses") };
    assert_eq!(addresses.len(), MAX_ADDRESSES);
    assert!(addresses.iter().zip(0..).all(|(info, n)| info.address.port() == n));
}

#[test]
fn the_driver_is_woken_once_until_it_looks() {
    let (mailbox, woken) = mailbox();
    mailbox.post(A, ConnFact::Activity(Activity::default()));
    mailbox.post(B, ConnFact::Activity(Activity::default()));
    assert_eq!(woken.load(Ordering::Relaxed), 1);
    drained(&mailbox);
    mailbox.post(A, ConnFact::Activity(Activity::default()));
    assert_eq!(woken.load(Ordering::Relaxed), 2);
}

#[test]
fn what_is_posted_while_it_is_emptied_waits_for_the_next_time() {
    let (mailbox, woken) = mailbox();
    let mut seen = 0;
    mailbox.post(A, ConnFact::Activity(Activity::default()));
    mailbox.drain(|_| {
        seen += 1;
        mailbox.post(A, ConnFact::Ended(Some(CloseCause::Eof)));
    });
    assert_eq!((seen, woken.load(Ordering::Relaxed)), (1, 2));
    assert_eq!(drained(&mailbox), [Input::Closed { conn: A, cause: CloseCause::Eof }]);
}

#[test]
fn facts_of_many_threads_all_arrive() {
    let (mailbox, _) = mailbox();
    std::thread::scope(|scope| {
        for n in 0..4 {
            let mailbox = mailbox.clone();
            scope.spawn(move || {
                for _ in 0..1000 {
                    let penalty = Penalty { persistent: 1, transient: 0 };
                    mailbox.post(ConnId::from_u64(n % 2), ConnFact::Misbehaving(penalty));
                }
            });
        }
    });
    let total = drained(&mailbox).iter().fold(0, |sum, input| match input {
        Input::Misbehavior { penalty, .. } => sum + penalty.persistent,
        other => panic!("{other}"),
    });
    assert_eq!(total, 4000);
}
