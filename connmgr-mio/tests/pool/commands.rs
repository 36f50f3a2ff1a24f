//! Commands, views and events, in any order.

use std::collections::BTreeMap;
use std::io::Read;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use connmgr_core::{
    AddedPeer, BanTarget, CommandError, ConnState, Event, Host, Input, PeerInfo, Penalty, Reply, Services,
};
use connmgr_mio::{NotACommand, PoolEvent, Unsent};
use mio::{Poll, Token, Waker};

use crate::support::{PATIENCE, World, builder, config, patient, peer};

#[test]
fn commands_of_other_threads_are_answered_by_ticket() {
    let (_listener, address) = peer();
    let mut world = World::start(builder(config()));
    let target = BanTarget::Host(Host::from(Ipv4Addr::new(192, 0, 2, 7)));
    let sent = thread::spawn({
        let (handle, target) = (world.pool.handle(), target.clone());
        move || {
            let added = handle.add_peer(AddedPeer::new(address.to_string().parse().unwrap())).unwrap();
            let unbanned = handle.unban(target.clone()).unwrap();
            let banned = handle.ban(target, Duration::from_secs(60)).unwrap();
            [added, unbanned, banned]
        }
    });
    let mut replies = BTreeMap::new();
    world.event("three answers", |event| {
        if let PoolEvent::Answered { ticket, reply } = event {
            assert!(replies.insert(ticket, reply).is_none());
        }
        (replies.len() == 3).then_some(())
    });
    let replies: Vec<Reply> = sent.join().unwrap().iter().map(|ticket| replies[ticket].clone()).collect();
    let peer = world.pool.added_peers()[0].peer;
    let expected = [Reply::Added(Ok(peer)), Reply::Done(Err(CommandError::NotBanned)), Reply::Done(Ok(()))];
    assert_eq!(replies, expected);
    assert_eq!(world.pool.bans()[0].target, target);
    let told = world.pool.explain(&"192.0.2.7:1".parse().unwrap());
    assert!(told.banned_until.is_some() && told.to_string().contains("its host is banned"), "{told}");
}

#[test]
fn a_command_may_be_given_as_data_and_nothing_else_may() {
    let mut world = World::start(builder(config()));
    let ticket = world.pool.handle().ask(Input::Shutdown).unwrap();
    let reply = world.event("an answer", |event| match event {
        PoolEvent::Answered { ticket: of, reply } => (of == ticket).then_some(reply),
        _ => None,
    });
    assert_eq!(reply, Reply::Done(Ok(())));
    assert_eq!(world.pool.ask(Input::Shutdown), Ok(Reply::Done(Ok(()))));
    assert_eq!(world.pool.handle().ask(Input::Timeout), Err(Unsent::NotACommand(NotACommand)));
    assert_eq!(world.pool.ask(Input::Timeout), Err(NotACommand));
}

#[test]
fn a_handle_reads_the_clock_of_its_pool() {
    let world = World::start(builder(config()));
    let times = [world.pool.now(), world.pool.handle().now(), world.pool.now()];
    assert!(times.is_sorted(), "{times:?}");
}

#[test]
fn a_command_wakes_a_loop_that_has_nothing_to_wait_for() {
    let mut world = World::start(builder(config()));
    while world.pool.next_event().is_some() {}
    let ticket = world.pool.handle().report_network_changed().unwrap();
    let start = Instant::now();
    assert!(world.pool.poll_timeout().is_none_or(|timeout| timeout > Duration::from_secs(5)));
    world.wait(PATIENCE);
    let next = world.pool.next_event();
    assert!(matches!(next, Some(PoolEvent::Answered { ticket: of, reply: Reply::Noted }) if of == ticket), "{next:?}");
    // At the next deadline, it would have been found all the same.
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
}

#[test]
fn an_application_with_a_waker_gives_its_own() {
    let poll = Poll::new().unwrap();
    let waker = Arc::new(Waker::new(poll.registry(), Token(1)).unwrap());
    let mut world = World::start_on(poll, builder(config()).waker(Arc::clone(&waker)));
    let handle = world.pool.handle();
    let answer = thread::spawn(move || handle.report_network_changed().unwrap());
    let ticket = world.event("an answer", |event| match event {
        PoolEvent::Answered { ticket, .. } => Some(ticket),
        _ => None,
    });
    assert_eq!(ticket, answer.join().unwrap());
}

#[test]
fn commands_that_nobody_takes_do_not_pile_up() {
    let world = World::start(builder(config()));
    let handle = world.pool.handle();
    let sent = (0..2000).take_while(|_| handle.report_network_changed().is_ok()).count();
    assert_eq!((sent, handle.report_network_changed()), (1024, Err(Unsent::Full)));
    drop(world);
    assert_eq!(handle.shutdown(), Err(Unsent::Gone));
}

#[test]
fn a_connection_that_was_never_taken_is_not_shown() {
    let (listener, address) = peer();
    let (other, other_address) = peer();
    let mut world = World::start(builder(config()));
    world.add(address);
    world.add(other_address);
    let mut theirs = [listener, other].map(|listener| patient(listener.accept().unwrap().0));
    // Both are connected by now, and one batch says so.
    world.wait(Duration::ZERO);
    let taken = world.connected().conn;
    let open = world.pool.connections();
    let waiting = open.iter().find(|view| view.conn != taken && view.state == ConnState::Handshaking).unwrap();
    assert!(world.pool.stream(waiting.conn).is_none());
    world.pool.disconnect(waiting.conn).unwrap();
    let address = waiting.address.as_ref().unwrap().to_string();
    let index = usize::from(address == other_address.to_string());
    assert_eq!(theirs[index].read(&mut [0; 8]).unwrap(), 0);
    while let Some(event) = world.pool.next_event() {
        assert!(!matches!(event, PoolEvent::Connected(_) | PoolEvent::Event(Event::Disconnected { .. })), "{event:?}");
    }
    assert_eq!(world.pool.stats().ignored_facts, 0);
}

#[test]
fn facts_reach_the_manager_from_here_and_from_elsewhere() {
    let (_listener, address) = peer();
    let mut world = World::start(builder(config()));
    world.add(address);
    let ours = world.connected().conn;
    world.pool.report_ready(ours, PeerInfo { services: Services::NETWORK, ..PeerInfo::default() });
    let view = &world.pool.connections()[0];
    assert_eq!((view.state, view.services), (ConnState::Ready, Services::NETWORK));
    let reporter = world.pool.reporter(ours);
    thread::spawn(move || reporter.report_misbehavior(Penalty { persistent: 60, transient: 0 }));
    let warned = world.said("ScoreWarning", |event| match event {
        Event::ScoreWarning { conn, score, .. } => Some((conn, score)),
        _ => None,
    });
    assert_eq!(warned, (ours, 60));
}
