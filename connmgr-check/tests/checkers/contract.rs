//! The contract, broken.

use connmgr_check::{Property, Suite};
use connmgr_core::*;

use crate::bench::*;

#[test]
fn a_connection_that_ends_twice() {
    let mut bench = full(&pool());
    let id = bench.in_state(ConnState::Ready)[0];
    bench.tell(Input::Closed { conn: id, cause: CloseCause::Eof }).expect("once is right");
    breaks(Property::ConnectionEndsOnce, bench.forge_actions(&[disconnected(id, CloseCause::Eof)]));
}

#[test]
fn a_connection_that_was_closed_and_is_not_said_to_have_ended() {
    let mut bench = full(&pool());
    bench.hidden = |action| matches!(action, Action::Emit(Event::Disconnected { .. }) | Action::Dial { .. });
    let id = bench.in_state(ConnState::Ready)[0];
    breaks(Property::ConnectionEndsOnce, bench.tell(Input::Closed { conn: id, cause: CloseCause::Eof }));
}

#[test]
fn a_drop_by_the_application_that_is_told_as_the_peers_end() {
    let mut bench = full(&pool());
    let id = bench.in_state(ConnState::Ready)[0];
    breaks(
        Property::ConnectionEndsOnce,
        bench.forge(Input::Dropped { conn: id }, Reply::Noted, &[disconnected(id, CloseCause::Eof)]),
    );
}

#[test]
fn a_drop_by_the_application_that_counts_against_the_address() {
    let mut bench = full(&pool());
    let id = bench.in_state(ConnState::Ready)[0];
    // The manager believes that the peer closed.
    let reply = bench.manager.apply(&Input::Closed { conn: id, cause: CloseCause::Eof }, bench.now);
    let as_dropped = |action| match action {
        Action::Emit(Event::Disconnected { conn, peer, tag, .. }) => {
            Action::Emit(Event::Disconnected { conn, peer, tag, reason: EndReason::Dropped })
        }
        other => other,
    };
    let actions: Vec<Action> = std::iter::from_fn(|| bench.manager.poll_action()).map(as_dropped).collect();
    breaks(Property::DropBlamesNobody, bench.forge(Input::Dropped { conn: id }, reply, &actions));
}

#[test]
fn a_success_that_leads_to_nothing() {
    let mut bench = dialing(&pool(), &pool());
    let id = bench.in_state(ConnState::Dialing)[0];
    let input = Input::DialResult { conn: id, result: Ok(()) };
    breaks(Property::DialEndsOnce, bench.forge(input, Reply::Noted, &[]));
}

#[test]
fn a_late_success_that_is_leaked() {
    let mut bench = dialing(&pool(), &pool());
    let id = bench.in_state(ConnState::Dialing)[0];
    bench.tell(Input::Disconnect { conn: id }).expect("nothing is broken yet");
    bench.hidden = |action| matches!(action, Action::Close { .. });
    breaks(Property::DialEndsOnce, bench.tell(Input::DialResult { conn: id, result: Ok(()) }));
}

#[test]
fn an_id_used_again() {
    let mut bench = dialing(&pool(), &pool());
    let now = bench.now;
    breaks(Property::IdsCountUp, bench.forge_actions(&[dial(3, "99.1.1.1:8333", now)]));
}

#[test]
fn an_early_timeout_that_acts() {
    let mut bench = full(&pool());
    breaks(Property::EarlyIsFree, bench.forge(Input::Timeout, Reply::Noted, &[Action::Save]));
}

#[test]
fn a_due_timeout_after_which_the_deadline_has_passed_still() {
    let mut bench = dialing(&pool(), &pool());
    bench.now = bench.manager.poll_timeout().expect("dials have deadlines");
    breaks(Property::Progress, bench.forge(Input::Timeout, Reply::Noted, &[]));
}

#[test]
fn a_pause_of_no_time_at_all() {
    let mut bench = full(&pool());
    let pause = Action::PauseAccept { listener: ListenerId(0), until: bench.now };
    breaks(Property::Progress, bench.forge(Input::AcceptError { listener: ListenerId(0) }, Reply::Noted, &[pause]));
}

#[test]
fn more_actions_than_an_input_may_cause() {
    let mut bench = full(&Config { max_actions_per_input: 16, ..pool() });
    bench.suite = Suite::new(&Config { max_actions_per_input: 15, ..pool() }, None, UNIX, Time::ZERO);
    // Events of no consequence, for which no other rule is broken.
    let warning = Action::Emit(Event::AddressesWanted { network: None, held_back: HeldBack::default() });
    bench.now = Time::from_secs(1);
    let judged = bench.forge(Input::Clock { unix: UNIX }, Reply::Noted, std::slice::from_ref(&warning));
    judged.expect("one is few");
    breaks(Property::ActionsBounded, bench.forge_actions(&vec![warning; 16]));
}

#[test]
fn after_shutdown_a_connection_stays() {
    let mut bench = full(&pool());
    breaks(Property::ShutMeansShut, bench.forge(Input::Shutdown, Reply::Done(Ok(())), &[]));
}

#[test]
fn an_action_after_stopped() {
    let mut bench = full(&pool());
    bench.tell(Input::Shutdown).expect("nothing is broken yet");
    breaks(Property::ShutMeansShut, bench.forge_actions(&[Action::Save]));
}

#[test]
fn at_rest_a_connection_stays() {
    let mut bench = full(&pool());
    breaks(Property::Resting, bench.forge(Input::SetActive { active: false }, Reply::Done(Ok(())), &[]));
}

/// A refusal of a stranger at an inactive pool.
fn refuse(bench: &mut Bench) -> Checked {
    let remote = "99.1.1.1:5000".parse().expect("an address");
    bench.tell(Input::Accept { remote, listener: ListenerId(0) })
}

fn inactive() -> Bench {
    let mut bench = Bench::new(&pool());
    bench.tell(Input::SetActive { active: false }).expect("nothing is broken yet");
    bench
}

fn refused(inactive: u32) -> Action {
    let mut counts = RefusalCounts::default();
    (0..inactive).for_each(|_| counts.count(Refusal::Inactive));
    Action::Emit(Event::Refused { counts })
}

#[test]
fn refusals_told_wrong() {
    let mut bench = inactive();
    refuse(&mut bench).expect("nothing is broken yet");
    bench.now = Time::from_secs(1);
    breaks(Property::RefusalsTold, bench.forge_actions(&[refused(2)]));
}

#[test]
fn refusals_told_twice_in_a_second() {
    let mut bench = inactive();
    bench.hidden = |action| matches!(action, Action::Emit(Event::Refused { .. }));
    refuse(&mut bench).expect("nothing is broken yet");
    bench.forge_actions(&[refused(1)]).expect("once is right");
    refuse(&mut bench).expect("nothing is broken yet");
    breaks(Property::RefusalsTold, bench.forge_actions(&[refused(1)]));
}

#[test]
fn refusals_that_are_never_told() {
    let mut bench = inactive();
    bench.hidden = |action| matches!(action, Action::Emit(Event::Refused { .. }));
    refuse(&mut bench).expect("nothing is broken yet");
    bench.pass(secs(2)).expect("no later deadline shows that anything is missing");
    refuse(&mut bench).expect("nothing is broken yet");
    breaks(Property::RefusalsTold, bench.pass(secs(2)));
    let mut bench = inactive();
    bench.hidden = |action| matches!(action, Action::Emit(Event::Refused { .. }));
    refuse(&mut bench).expect("nothing is broken yet");
    breaks(Property::RefusalsTold, bench.tell(Input::Shutdown));
}
