//! When an added peer is dialed again, whatever became of the attempts before.

use std::time::Duration;

use connmgr_core::*;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::cases;
use crate::support::{Bench, dials, millis, retries};

/// What becomes of an attempt.
#[derive(Clone, Copy, Debug)]
enum Attempt {
    Fails(DialError),
    /// It opens, and is closed after a while without having become ready.
    Opens(Duration),
    /// It becomes ready, and is closed after a while.
    Ready(Duration),
    /// The operator closes it.
    Disconnected,
}

const STABLE_AFTER: Duration = Duration::from_secs(60);

fn any_attempt() -> impl Strategy<Value = Attempt> {
    prop_oneof![
        prop_oneof![Just(DialError::Refused), Just(DialError::TimedOut), Just(DialError::HostUnreachable)]
            .prop_map(Attempt::Fails),
        (0..59_000u64).prop_map(|wait| Attempt::Opens(millis(wait))),
        prop_oneof![0..60_000u64, Just(59_999u64), Just(60_000u64), 60_000..9_999_999u64]
            .prop_map(|wait| Attempt::Ready(millis(wait))),
        Just(Attempt::Disconnected),
    ]
}

fn any_backoff() -> impl Strategy<Value = Backoff> {
    let growth = prop_oneof![Just(Growth::Linear), Just(Growth::Exponential)];
    (growth, 1..60_000u64, 1..600_000u64, any::<bool>()).prop_map(|(growth, base, cap, jitter)| Backoff {
        growth,
        base: millis(base),
        cap: millis(cap),
        jitter,
        ..Backoff::default()
    })
}

/// Lets an attempt run its course. Returns what followed its end, and whether the connection was stable.
fn run(bench: &mut Bench, conn: ConnId, attempt: Attempt) -> (Vec<Action>, bool) {
    match attempt {
        Attempt::Fails(error) => (bench.fail(conn, error), false),
        Attempt::Disconnected => (bench.tell(Input::Disconnect { conn }), false),
        Attempt::Opens(wait) => {
            bench.connect(conn);
            bench.pass(wait);
            (bench.close(conn), false)
        }
        Attempt::Ready(wait) => {
            bench.connect(conn);
            bench.ready(conn);
            bench.pass(wait);
            (bench.close(conn), wait >= STABLE_AFTER)
        }
    }
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn every_wait_is_as_long_as_the_failures_in_a_row_say(backoff in any_backoff(), attempts in vec(any_attempt(), 1..40)) {
        // A configuration's cap is never below its base; a peer's own may be.
        let backoff = Backoff { cap: backoff.cap.max(backoff.base), ..backoff };
        let mut bench = Bench::new(Config { retry: backoff, mode: Mode::ConnectOnly, stable_after: STABLE_AFTER, ..Config::default() });
        let (peer, actions) = bench.add_peer("1.2.3.4:8333", Keep::Always);
        let (mut conn, mut failures) = (dials(&actions)[0], 0);
        for attempt in attempts {
            let (actions, was_stable) = run(&mut bench, conn, attempt);
            failures = if was_stable { 1 } else { failures + 1 };
            let [(whose, at, told)] = retries(&actions)[..] else { panic!("not one retry: {actions:?}") };
            prop_assert_eq!((whose, told), (peer, failures));
            let (wait, plain) = (at.since(bench.now), backoff.wait(failures));
            let least = if backoff.jitter { plain / 2 } else { plain };
            prop_assert!(wait >= least && wait <= plain.max(millis(1)), "{wait:?} instead of {plain:?}");
            prop_assert!(dials(&bench.pass(wait - Duration::from_nanos(1))).is_empty(), "dialed early");
            let again = dials(&bench.pass(Duration::from_nanos(1)));
            prop_assert_eq!(again.len(), 1, "not dialed on time");
            conn = again[0];
        }
    }

    #[test]
    fn waits_grow_from_base_to_cap(backoff in any_backoff(), failures in 1..100u32) {
        let (wait, next) = (backoff.wait(failures), backoff.wait(failures + 1));
        prop_assert_eq!(backoff.wait(1), backoff.base.min(backoff.cap));
        prop_assert!(wait <= next && next <= backoff.cap);
        prop_assert!(next > wait || wait == backoff.cap);
    }
}
