//! Run times. `README.md` beside this file has the figures.

#![allow(missing_docs, reason = "criterion's macros make public functions")]

mod cases;

use std::hint::black_box;
use std::time::{Duration, Instant};

use cases::Node;
use criterion::{Criterion, criterion_group, criterion_main};

/// Rounds before a node is made anew: few enough that failures do not pile up in the book.
const ROUNDS: u64 = 500;

/// Times rounds on copies of a node.
fn rounds(c: &mut Criterion, name: &str, node: &Node, round: impl Fn(&mut Node)) {
    c.bench_function(name, |bencher| {
        bencher.iter_custom(|mut left| {
            let mut took = Duration::ZERO;
            while left > 0 {
                let mut node = node.clone();
                (0..10).for_each(|_| round(&mut node));
                let rounds = left.min(ROUNDS);
                let start = Instant::now();
                (0..rounds).for_each(|_| round(black_box(&mut node)));
                took += start.elapsed();
                left -= rounds;
            }
            took
        });
    });
}

fn benches(c: &mut Criterion) {
    for known in [1000, 80_000] {
        rounds(c, &format!("dial outcome, {known} known"), &Node::dialing(known), Node::fail);
    }
    rounds(c, "added: lost, retried, connected", &Node::with_peer(), Node::retry);
    rounds(c, "automatic: lost, replaced, connected", &Node::connected(80_000), Node::replace);
    for bans in [1, 100_000] {
        rounds(c, &format!("accept, banned, of {bans}"), &Node::banning(bans), |node| _ = black_box(node.accept(0)));
    }
    rounds(c, "accept and close", &Node::connected(1000), |node| node.visit(77));
    rounds(c, "score increase", &Node::connected(1000), Node::misbehave);
    rounds(c, "activity", &Node::connected(1000), Node::activity);
    rounds(c, "tick, nothing due", &Node::connected(1000), Node::tick);
    rounds(c, "plan, nothing to do", &Node::connected(1000), Node::stray);
}

criterion_group! {
    name = all;
    config = Criterion::default().warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    targets = benches
}
criterion_main!(all);
