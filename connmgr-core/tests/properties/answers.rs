//! A pool fills, however long each peer takes to open and to shake hands, as long as it does in time.

use std::collections::BTreeMap;
use std::time::Duration;

use connmgr_core::*;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::cases;
use crate::support::{addresses, dials, millis, secs};
use crate::watched::Watched;

/// How long a peer takes to open, and then to be ready.
type Answer = (Duration, Duration);

/// Mostly around the limits: a dial loses its slot after a second, and is given up after five.
fn any_answer() -> impl Strategy<Value = Answer> {
    let opens = prop_oneof![0..4900u64, 900..1100u64, 4000..4999u64];
    let shakes = prop_oneof![0..59_000u64, 0..3000u64, 900..1100u64];
    (opens, shakes).prop_map(|(opens, shakes)| (millis(opens), millis(shakes)))
}

/// Inputs to come, in order of time.
#[derive(Default)]
struct Letters {
    posted: BTreeMap<(Time, usize), Input>,
    count: usize,
}

impl Letters {
    fn post(&mut self, at: Time, input: Input) {
        self.count += 1;
        self.posted.insert((at, self.count), input);
    }

    fn next_at(&self) -> Time {
        self.posted.first_key_value().map_or(Time::MAX, |((at, _), _)| *at)
    }
}

/// A pool in a world that answers its dials so, one after the other.
struct Pool {
    watched: Watched,
    answers: Vec<Answer>,
    letters: Letters,
    dials: usize,
}

impl Pool {
    fn new(target: u32, max_hedged: Option<u32>, answers: Vec<Answer>) -> Self {
        let mut config = Config::default();
        config.limits.full = target;
        config.dial.max_hedged = max_hedged;
        let mut pool = Self { watched: Watched::new(config), answers, letters: Letters::default(), dials: 0 };
        let actions = pool.watched.learn(Services::NETWORK | Services::WITNESS, addresses(400));
        pool.answer(&actions);
        pool
    }

    fn answer(&mut self, actions: &[Action]) {
        for conn in dials(actions) {
            let (opens, shakes) = self.answers[self.dials % self.answers.len()];
            self.dials += 1;
            let (opens, now) = (opens, self.watched.bench.now);
            self.letters.post(now.after(opens), Input::DialResult { conn, result: Ok(()) });
            let info = PeerInfo { services: Services::NETWORK | Services::WITNESS, ..PeerInfo::default() };
            self.letters.post(now.after(opens).after(shakes), Input::Ready { conn, info });
        }
    }

    fn ready(&self) -> usize {
        self.watched.bench.count(ConnState::Ready)
    }

    /// Lets the next thing happen, if it happens by `end`; else returns false.
    fn step(&mut self, end: Time) -> Result<bool, TestCaseError> {
        let (due, next) = (self.watched.bench.manager.poll_timeout().unwrap_or(Time::MAX), self.letters.next_at());
        if due.min(next) > end {
            return Ok(false);
        }
        self.watched.bench.now = self.watched.bench.now.max(due.min(next));
        let letter = if next <= due { self.letters.posted.pop_first() } else { None };
        let input = letter.map_or(Input::Timeout, |(_, input)| input);
        let before = self.ready();
        let actions = self.watched.tell(&input);
        self.answer(&actions);
        prop_assert!(self.ready() >= before, "a ready connection is closed");
        Ok(true)
    }
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn a_pool_fills_whatever_time_each_of_its_peers_takes(
        target in 1..20u32,
        max_hedged in prop_oneof![3 => Just(None), 1 => (0..4u32).prop_map(Some)],
        answers in vec(any_answer(), 1..40),
    ) {
        let mut pool = Pool::new(target, max_hedged, answers.clone());
        let slowest = answers.iter().map(|(opens, shakes)| *opens + *shakes).max().unwrap_or_default();
        let end = Time::ZERO.after(3 * slowest + secs(1));
        while pool.step(end)? {}
        prop_assert_eq!(pool.ready(), target as usize, "not full within {:?}", slowest);
        let dials = pool.dials;
        prop_assert!(dials <= 8 * target as usize, "{dials} dials for {target}");
        let end = end.after(secs(120));
        while pool.step(end)? {}
        prop_assert_eq!((pool.ready(), pool.dials), (target as usize, dials), "it does not stay");
    }
}
