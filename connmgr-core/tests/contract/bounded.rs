//! Clause 9: every collection has a limit, and each call emits at most `max_actions_per_input` actions.

use connmgr_core::*;

use crate::chaos::{Mood, birth, configs};
use crate::support::*;

/// The checkers count the actions of each input; this test counts the collections.
#[test]
fn bounded() {
    crate::live(9, 1, Mood::Living, |manager, _, _, _, _| {
        let config = manager.config();
        assert!(manager.book().len() <= config.book.max_addresses as usize);
        assert!(manager.bans().len() <= config.max_bans as usize);
        // `set_limits` refuses a million, so there are no more peers than the random limits allow.
        assert!(manager.added_peers().len() <= config.limits.added.max(8) as usize);
    });
}

#[test]
fn a_flood_of_addresses_fills_the_book_and_no_more() {
    let mut config = Config::default();
    config.book.max_addresses = 50;
    let mut bench = Bench::new(config);
    bench.learn(&addresses(5000));
    assert!(bench.manager.book().len() <= 50);
}

/// Adding and removing a name again and again leaves no more lookups than peers.
#[test]
fn lookups_of_removed_peers_do_not_pile_up() {
    let mut bench = Bench::new(Config::default());
    let mut size = 0;
    for round in 0..200 {
        let (peer, _) = bench.add_peer("node.example:8333", Keep::Always);
        bench.tell(Input::RemovePeer { peer });
        let debug = format!("{:?}", bench.manager).len();
        if round == 20 {
            size = debug;
        }
        assert!(size == 0 || debug < size + 4096, "round {round}: {debug} instead of {size}");
    }
}

#[test]
fn a_shutdown_of_many_takes_many_bounded_calls() {
    let (_, config) = configs().remove(0);
    let limits = Limits { total: 1000, added: 1000, ..Limits::default() };
    let mut manager = birth(&Config { limits, ..config }, 9);
    for n in 0..1000_u32 {
        let address = addr(&format!("{}.{}.1.1:8333", 11 + n / 200, n % 200));
        manager.add_peer(AddedPeer::new(address), Time::ZERO).expect("room");
        crate::chaos::drain(&mut manager);
    }
    manager.shutdown(Time::from_secs(1)).expect("a shutdown is never refused");
    let mut calls = 0;
    while let Some(due) = manager.poll_timeout() {
        assert!(crate::chaos::drain(&mut manager).len() <= 256);
        manager.handle_timeout(due);
        calls += 1;
        assert!(calls < 1000, "never stopped");
    }
    assert!(manager.is_stopped() && calls > 3);
}
