//! Runs a manager with its checkers in a test. A violation is a panic that shows the last steps. The caller decides what
//! happens next.

use std::collections::VecDeque;
use std::fmt::Write as _;

use connmgr_core::{Action, ConnManager, Input, Reply, Time};

use super::{Suite, Violation};

/// How many steps a panic shows.
const REMEMBERED: usize = 12;

/// One step, to be shown if a later one fails.
#[derive(Clone, Debug)]
struct Past {
    now: Time,
    due_before: Option<Time>,
    input: Input,
    actions: Vec<Action>,
}

/// Feeds inputs to a manager, has a [`Suite`] check each step, and panics on a violation.
///
/// The panic names the property, the step and the caller's description of the run, and shows the last twelve steps and
/// the connections.
#[derive(Clone, Debug)]
pub struct Watcher {
    suite: Suite,
    /// What is run, and how to repeat it.
    story: String,
    audit_every: u64,
    steps: u64,
    lately: VecDeque<Past>,
}

impl Watcher {
    /// `suite` is that of a manager that had no input yet. [`Suite::audit`] runs every `audit_every` steps; 0: never.
    pub fn new(story: impl Into<String>, suite: Suite, audit_every: u64) -> Self {
        Self { suite, story: story.into(), audit_every, steps: 0, lately: VecDeque::new() }
    }

    /// Feeds an input to the manager, drains its actions, and checks the step. Returns the reply and the actions.
    ///
    /// # Panics
    /// On a violation.
    #[track_caller]
    pub fn step(&mut self, manager: &mut ConnManager, now: Time, input: &Input) -> (Reply, Vec<Action>) {
        self.steps += 1;
        let due_before = manager.poll_timeout();
        let (reply, actions, checked) = self.suite.step(manager, now, input);
        if self.lately.len() == REMEMBERED {
            self.lately.pop_front();
        }
        self.lately.push_back(Past { now, due_before, input: input.clone(), actions: actions.clone() });
        let is_audited = self.steps.checked_rem(self.audit_every) == Some(0);
        let checked = if is_audited { checked.and_then(|()| self.suite.audit(now, manager)) } else { checked };
        if let Err(violation) = checked {
            self.fail(&violation, manager, &reply);
        }
        (reply, actions)
    }

    /// Runs [`Suite::audit`], right after a step.
    ///
    /// # Panics
    /// On a violation.
    #[track_caller]
    pub fn audit(&mut self, manager: &ConnManager) {
        let now = self.lately.back().map_or(Time::ZERO, |past| past.now);
        if let Err(violation) = self.suite.audit(now, manager) {
            panic!("{violation}\nin {}, after step {}\n{}", self.story, self.steps, connections(manager));
        }
    }

    #[track_caller]
    fn fail(&self, violation: &Violation, manager: &ConnManager, reply: &Reply) -> ! {
        let mut tale = String::new();
        for (Past { now, due_before, input, actions }, ago) in
            self.lately.iter().zip((0..self.lately.len() as u64).rev())
        {
            let number = self.steps - ago;
            writeln!(tale, "{number}: {} ns (due {due_before:?}) {input:?}", now.as_nanos())
                .expect("a String takes all");
            for action in actions {
                writeln!(tale, "    {action:?}").expect("a String takes all");
            }
        }
        panic!(
            "{violation}\nin {}, step {}\n{tale}reply {reply:?}, due {:?}\n{}",
            self.story,
            self.steps,
            manager.poll_timeout(),
            connections(manager)
        )
    }
}

/// All connections, one per line.
fn connections(manager: &ConnManager) -> String {
    let lines: Vec<String> = manager.connections().iter().map(|view| format!("{view:?}\n")).collect();
    lines.concat()
}
