//! Scores, bans, admission and what is saved of them.

use std::time::Duration;

use connmgr_check::{Probe, Property};
use connmgr_core::driver::Observer;
use connmgr_core::*;

use crate::bench::*;

#[test]
fn a_ban_below_the_threshold() {
    let mut strict = pool();
    strict.score.threshold = 50;
    let mut bench = full(&pool());
    bench.manager = dialing(&strict, &strict).manager;
    let id = bench.in_state(ConnState::Dialing)[0];
    let penalty = Penalty { persistent: 60, transient: 0 };
    breaks(Property::ScoreArithmetic, bench.tell(Input::Misbehavior { conn: id, penalty }));
}

#[test]
fn a_score_that_does_not_fade() {
    let mut bench = full(&pool());
    let id = bench.in_state(ConnState::Ready)[0];
    let penalty = Penalty { persistent: 0, transient: 80 };
    let misbehavior = Input::Misbehavior { conn: id, penalty };
    bench.tell(misbehavior.clone()).expect("nothing is broken yet");
    bench.pass(secs(120)).expect("nothing is broken yet");
    let host = bench.manager.connections()[0].address.as_ref().map(|address| address.host().clone());
    let warning = Action::Emit(Event::ScoreWarning { conn: id, host, score: 99 });
    breaks(Property::ScoreArithmetic, bench.forge(misbehavior, Reply::Noted, &[warning]));
}

#[test]
fn a_ban_that_leaves_a_connection() {
    let mut bench = full(&pool());
    let host = bench.manager.connections()[0].address.clone().expect("we dialed it").host().clone();
    let target = BanTarget::Host(host);
    let banned = Action::Emit(Event::Banned { target: target.clone(), until: UNIX.after(secs(61)) });
    let ban = Input::Ban { target, duration: secs(60) };
    breaks(Property::BanCloses, bench.forge(ban, Reply::Done(Ok(())), &[banned]));
}

#[test]
fn a_ban_that_tells_an_earlier_end_than_was_asked_for() {
    let mut bench = full(&pool());
    let target = BanTarget::Host("99.1.1.1".parse().expect("a host"));
    let ban = |duration| Input::Ban { target: target.clone(), duration };
    let reply = bench.manager.apply(&ban(secs(60)), bench.now);
    bench.suite.input(bench.now, &ban(secs(600)), &reply);
    bench.drain();
    breaks(Property::BanEnds, bench.suite.after(bench.now, &bench.manager));
}

#[test]
fn a_ban_that_does_not_end() {
    let mut bench = full(&pool());
    bench.hidden = |action| matches!(action, Action::Emit(Event::Unbanned { .. }));
    let target = BanTarget::Host("99.1.1.1".parse().expect("a host"));
    bench.tell(Input::Ban { target, duration: secs(60) }).expect("nothing is broken yet");
    bench.add_peer("98.1.1.1:8333", Keep::Always).expect("nothing is broken yet");
    breaks(Property::BanEnds, bench.pass(secs(100)));
}

#[test]
fn a_ban_that_is_over_and_holds_a_peer_up() {
    let mut bench = full(&pool());
    bench.add_peer("99.1.1.1:8333", Keep::Always).expect("nothing is broken yet");
    let target = BanTarget::Host("99.1.1.1".parse().expect("a host"));
    bench.tell(Input::Ban { target: target.clone(), duration: secs(600) }).expect("nothing is broken yet");
    let unbanned = Action::Emit(Event::Unbanned { target: target.clone() });
    bench.forge(Input::Unban { target }, Reply::Done(Ok(())), &[unbanned]).expect("it may go on in a moment");
    bench.add_peer("98.1.1.1:8333", Keep::Always).and_then(|()| bench.pass(secs(10))).expect("nobody looked yet");
    bench.forge_actions(&[]).expect("nobody looked yet");
    breaks(Property::BanEnds, bench.audit());
}

#[test]
fn a_saved_ban_that_is_lost_in_a_crash() {
    let mut bench = full(&pool());
    let target = BanTarget::Host("99.1.1.1".parse().expect("a host"));
    bench.tell(Input::Ban { target, duration: secs(600) }).and_then(|()| bench.pass(secs(10))).expect("not yet");
    let (kept, lost) = (bench.manager.snapshot(), Snapshot::default());
    let mut other = bench.suite.clone();
    let unix = UNIX.after(secs(20));
    other.restarted(&pool(), Some(&kept), unix, Time::ZERO).expect("the ban is in the snapshot");
    assert_eq!(other.probes().count(Probe::Restarted), 1);
    breaks(Property::BansSurvive, bench.suite.restarted(&pool(), Some(&lost), unix, Time::ZERO));
}

#[test]
fn a_stranger_let_in_who_is_one_too_many() {
    let mut strict = pool();
    strict.inbound.per_host = 1;
    let mut bench = Bench::mismatched(&pool(), &strict);
    bench.accept("99.1.1.1:1000").expect("nothing is broken yet");
    breaks(Property::InboundAdmission, bench.accept("99.1.1.1:1001"));
}

#[test]
fn a_stranger_turned_away_for_no_reason() {
    let mut lax = pool();
    lax.inbound.rate.burst = 10;
    let mut bench = Bench::mismatched(&pool(), &lax);
    let judged = (0..5).try_for_each(|n| bench.accept(&format!("99.1.1.{n}:1000")));
    breaks(Property::InboundAdmission, judged);
}

#[test]
fn a_pause_longer_than_the_longest() {
    let mut hasty = pool();
    hasty.inbound.max_pause = Duration::from_millis(100);
    let mut bench = Bench::mismatched(&pool(), &hasty);
    let judged = (0..5).try_for_each(|_| bench.tell(Input::AcceptError { listener: ListenerId(0) }));
    breaks(Property::AcceptPause, judged);
}

#[test]
fn accepting_that_fails_and_does_not_pause() {
    let mut bench = Bench::new(&pool());
    let judged = bench.forge(Input::AcceptError { listener: ListenerId(0) }, Reply::Noted, &[]);
    breaks(Property::AcceptPause, judged);
}

#[test]
fn state_saved_for_no_reason() {
    let mut bench = full(&pool());
    breaks(Property::SaveSpacing, bench.forge_actions(&[Action::Save]));
}

#[test]
fn a_book_saved_too_often() {
    let mut bench = full(&pool());
    bench.pass(secs(100)).expect("once is right");
    assert!(bench.manager.saves_book());
    breaks(Property::SaveSpacing, bench.forge_actions(&[Action::Save]));
}

#[test]
fn a_book_that_is_not_saved() {
    let mut bench = full(&pool());
    bench.hidden = |action| matches!(action, Action::Save);
    // A peer that is not there keeps the manager awake.
    let added = bench.add_peer("98.1.1.1:8333", Keep::Always);
    breaks(Property::SaveSpacing, added.and_then(|()| bench.pass(secs(1000))));
}

#[test]
fn bans_that_are_not_saved() {
    let mut bench = full(&pool());
    bench.hidden = |action| matches!(action, Action::Save);
    let target = BanTarget::Host("99.1.1.1".parse().expect("a host"));
    bench.tell(Input::Ban { target, duration: secs(600) }).expect("nothing is broken yet");
    breaks(Property::SaveSpacing, bench.pass(secs(10)));
}
