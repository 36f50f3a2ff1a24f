//! Target `inputs`: a sequence of inputs, each with its time, for a manager.
//!
//! `connmgr-check` checks every step. At the end a second manager that gets the same inputs and is drained only once must
//! have done the same, and a shutdown must end everything in bounded time.

use std::time::Duration;

use connmgr_check::Watcher;
use connmgr_core::{Action, ConnManager, Input, Reply, Time};

use crate::bytes::Bytes;
use crate::configs::{birth, config, watcher};
use crate::script::ByteScript;

/// More than any shutdown needs: each deadline closes at least one connection.
const LAST_DEADLINES: u32 = 1000;

/// How long a manager is left alone. It may wake without any action a few times, and once for each connection and peer; a
/// busy loop would wake a hundred times.
const A_WHILE: Duration = Duration::from_millis(100);
const IDLE_WAKE_UPS: usize = 20;

/// The inputs of a run, with their replies and actions.
#[derive(Default)]
struct FuzzRun {
    inputs: Vec<(Time, Input)>,
    replies: Vec<Reply>,
    actions: Vec<Action>,
}

/// The first byte chooses the configuration, the second the rng seed; the rest are the inputs.
///
/// # Panics
/// When a property is broken.
pub fn inputs(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let config = config(bytes.byte());
    let mut manager = birth(config.clone(), None, bytes.byte());
    let mut twin = manager.clone();
    let mut watcher = watcher("inputs", &config, None);
    let mut script = ByteScript::new(bytes);
    let mut run = FuzzRun::default();
    while let Some((now, input)) = script.next(&manager) {
        let (reply, actions) = watcher.step(&mut manager, now, &input);
        script.see(&actions);
        run.inputs.push((now, input));
        run.replies.push(reply);
        run.actions.extend(actions);
    }
    watcher.audit(&manager);
    repeat(&mut twin, &run);
    assert_eq!(twin, manager, "5, 10: the same inputs led elsewhere");
    leave_alone(&mut watcher, &mut manager);
    shut_down(&mut watcher, &mut manager);
}

/// Clauses 5 and 10: the second manager, drained only at the end, does the same.
fn repeat(twin: &mut ConnManager, run: &FuzzRun) {
    for ((now, input), reply) in run.inputs.iter().zip(&run.replies) {
        assert_eq!(twin.apply(input, *now), *reply, "5, 10: another reply to {input:?} at {now}");
    }
    for action in &run.actions {
        assert_eq!(twin.poll_action().as_ref(), Some(action), "5, 10: another action");
    }
    assert_eq!(twin.poll_action(), None, "5, 10: one action more");
}

/// Clause 4: with no inputs but timeouts, it does not wake again and again without any action.
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

/// Clause 11: a shutdown ends everything.
fn shut_down(watcher: &mut Watcher, manager: &mut ConnManager) {
    // A time that goes back counts as the latest one.
    watcher.step(manager, Time::ZERO, &Input::Shutdown);
    for _ in 0..LAST_DEADLINES {
        let Some(due) = manager.poll_timeout() else { break };
        watcher.step(manager, due, &Input::Timeout);
    }
    assert!(manager.is_stopped() || manager.poll_timeout().is_none(), "11: no end of the shutdown");
    watcher.audit(manager);
}
