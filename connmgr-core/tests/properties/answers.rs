//! A pool fills, whatever time each peer takes to open and to shake hands, as long as it does.

use std::collections::BTreeMap;
use std::time::Duration;

use connmgr_core::*;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::cases;
use crate::support::{Bench, addresses, closes, dials, millis, secs};

/// How long a peer takes to open, and then to be ready.
type Answer = (Duration, Duration);

/// Mostly around the times at which somebody's patience ends: a second to give a slot away, five to give a dial up.
fn any_answer() -> impl Strategy<Value = Answer> {
    let opens = prop_oneof![0..4900u64, 900..1100u64, 4000..4999u64];
    let shakes = prop_oneof![0..59_000u64, 0..3000u64, 900..1100u64];
    (opens, shakes).prop_map(|(opens, shakes)| (millis(opens), millis(shakes)))
}

/// What is told when, and in which order.
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

/// A pool in a world of such answers, each dial's own.
struct Pool {
    bench: Bench,
    answers: Vec<Answer>,
    letters: Letters,
    dials: usize,
    target: u32,
}

impl Pool {
    fn new(target: u32, max_hedged: Option<u32>, answers: Vec<Answer>) -> Self {
        let mut config = Config::default();
        config.limits.full = target;
        config.dial.max_hedged = max_hedged;
        let mut pool = Self { bench: Bench::new(config), answers, letters: Letters::default(), dials: 0, target };
        let actions = pool.bench.learn(&addresses(400));
        pool.answer(&actions);
        pool
    }

    fn answer(&mut self, actions: &[Action]) {
        for conn in dials(actions) {
            let (opens, shakes) = self.answers[self.dials % self.answers.len()];
            self.dials += 1;
            let (opens, now) = (opens, self.bench.now);
            self.letters.post(now.after(opens), Input::DialResult { conn, result: Ok(()) });
            let info = PeerInfo { services: Services::NETWORK | Services::WITNESS, ..PeerInfo::default() };
            self.letters.post(now.after(opens).after(shakes), Input::Ready { conn, info });
        }
    }

    /// Lets happen what happens next. Returns false if nothing does before this.
    fn step(&mut self, end: Time) -> Result<bool, TestCaseError> {
        let (due, next) = (self.bench.manager.poll_timeout().unwrap_or(Time::MAX), self.letters.next_at());
        if due.min(next) > end {
            return Ok(false);
        }
        self.bench.now = self.bench.now.max(due.min(next));
        let letter = if next <= due { self.letters.posted.pop_first() } else { None };
        let input = letter.map_or(Input::Timeout, |(_, input)| input);
        let before = self.bench.manager.connections();
        let actions = self.bench.tell(input);
        self.answer(&actions);
        self.check(&before, &actions)?;
        Ok(true)
    }

    /// Slots are never too many; nobody who is ready goes; who is thrown away found every slot taken by one as far.
    fn check(&self, before: &[ConnView], actions: &[Action]) -> Result<(), TestCaseError> {
        let count =
            |views: &[ConnView], what: &dyn Fn(&ConnView) -> bool| views.iter().filter(|view| what(view)).count();
        let after = self.bench.manager.connections();
        let (held, slots) = (count(&after, &|view| view.state.holds_slot()), self.target as usize);
        prop_assert!(held <= slots, "{held} slots of {slots}");
        let is_ready = |view: &ConnView| view.state == ConnState::Ready;
        prop_assert!(count(&after, &is_ready) >= count(before, &is_ready), "one that is ready goes");
        for (conn, _) in closes(actions).into_iter().filter(|(_, reason)| *reason == CloseReason::Surplus) {
            let was_open = before.iter().any(|view| view.conn == conn && view.state.is_open());
            let as_far = |view: &ConnView| is_ready(view) || (!was_open && view.state == ConnState::Handshaking);
            prop_assert_eq!(count(before, &as_far), slots, "{} is thrown away, and others are behind", conn);
        }
        Ok(())
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
        prop_assert_eq!(pool.bench.count(ConnState::Ready), target as usize, "not full within {:?}", slowest);
        let dials = pool.dials;
        prop_assert!(dials <= 8 * target as usize, "{dials} dials for {target}");
        let end = end.after(secs(120));
        while pool.step(end)? {}
        prop_assert_eq!((pool.bench.count(ConnState::Ready), pool.dials), (target as usize, dials), "it does not stay");
    }
}
