//! Target `inputs`: a sequence of inputs, each with its time, told to a manager.
//!
//! Every step is judged by the checkers of `connmgr-check`. At the end a twin that hears the same and is drained only once must have done the same, and
//! a shutdown must end everything in bounded time.

use std::time::Duration;

use connmgr_check::Watcher;
use connmgr_core::{Action, ConnManager, Input, Reply, Time};

use crate::bytes::Bytes;
use crate::configs::{birth, config, watcher};
use crate::story::Story;

/// More than any shutdown needs: each deadline closes at least one connection.
const LAST_DEADLINES: u32 = 1000;

/// In this time a manager wakes for nothing a few times at most, and once for each connection and peer; one that
/// looks every tick would a hundred times.
const A_WHILE: Duration = Duration::from_millis(100);
const IDLE_WAKE_UPS: usize = 20;

/// What was told, and what came of it.
#[derive(Default)]
struct Record {
    inputs: Vec<(Time, Input)>,
    replies: Vec<Reply>,
    actions: Vec<Action>,
}

/// The first byte chooses the configuration, the second the rng seed; the rest is the story.
///
/// # Panics
/// When a property is broken.
pub fn inputs(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let config = config(bytes.byte());
    let mut manager = birth(config.clone(), None, bytes.byte());
    let mut twin = manager.clone();
    let mut watcher = watcher("inputs", &config, None);
    let mut story = Story::new(bytes);
    let mut record = Record::default();
    while let Some((now, input)) = story.next(&manager) {
        let (reply, actions) = watcher.step(&mut manager, now, &input);
        story.see(&actions);
        record.inputs.push((now, input));
        record.replies.push(reply);
        record.actions.extend(actions);
    }
    watcher.audit(&manager);
    hear_again(&mut twin, &record);
    assert_eq!(twin, manager, "5, 10: the same inputs led elsewhere");
    leave_alone(&mut watcher, &mut manager);
    shut_down(&mut watcher, &mut manager);
}

/// Clauses 5 and 10: drained only at the end, the twin says the same.
fn hear_again(twin: &mut ConnManager, record: &Record) {
    for ((now, input), reply) in record.inputs.iter().zip(&record.replies) {
        assert_eq!(twin.apply(input, *now), *reply, "5, 10: another reply to {input:?} at {now}");
    }
    for action in &record.actions {
        assert_eq!(twin.poll_action().as_ref(), Some(action), "5, 10: another action");
    }
    assert_eq!(twin.poll_action(), None, "5, 10: one action more");
}

/// Clause 4: told nothing but the time, it does not wake again and again for nothing.
fn leave_alone(watcher: &mut Watcher, manager: &mut ConnManager) {
    let things = manager.connections().len() + manager.added_peers().len();
    let Some(end) = manager.poll_timeout().map(|due| due.after(A_WHILE)) else { return };
    let mut idle = 0;
    while let Some(due) = manager.poll_timeout().filter(|due| *due < end) {
        let (_, actions) = watcher.step(manager, due, &Input::Timeout);
        idle += usize::from(actions.is_empty());
        assert!(idle <= IDLE_WAKE_UPS + things, "4: {idle} wake-ups in {A_WHILE:?} led to nothing");
    }
}

/// Clause 11.
fn shut_down(watcher: &mut Watcher, manager: &mut ConnManager) {
    // The manager goes by the latest time it was told.
    watcher.step(manager, Time::ZERO, &Input::Shutdown);
    for _ in 0..LAST_DEADLINES {
        let Some(due) = manager.poll_timeout() else { break };
        watcher.step(manager, due, &Input::Timeout);
    }
    assert!(manager.is_stopped() || manager.poll_timeout().is_none(), "11: no end of the shutdown");
    watcher.audit(manager);
}
