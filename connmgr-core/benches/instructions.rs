//! Instruction counts, to compare commits: each case is a thousand rounds, or five hundred where dials are made. Needs
//! valgrind and gungraun's runner.

#![allow(missing_docs, reason = "gungraun's macros make public functions")]

mod cases;

use std::hint::black_box;

use cases::Node;
use gungraun::{library_benchmark, library_benchmark_group, main};

fn thousand(mut node: Node, round: impl Fn(&mut Node)) -> Node {
    (0..1000).for_each(|_| round(black_box(&mut node)));
    node
}

/// Half as many: after 640 dials in vain, dials into the network slow down, and a round makes none.
fn five_hundred(mut node: Node, round: impl Fn(&mut Node)) -> Node {
    (0..500).for_each(|_| round(black_box(&mut node)));
    assert!(node.has_dialed(), "every round has made a dial");
    node
}

/// A node after some warm-up rounds.
fn warm(mut node: Node, round: impl Fn(&mut Node)) -> Node {
    (0..10).for_each(|_| round(&mut node));
    node
}

#[library_benchmark]
#[bench::known_1000(warm(Node::dialing(1000), Node::fail))]
#[bench::known_80000(warm(Node::dialing(80_000), Node::fail))]
fn dial_outcome(node: Node) -> Node {
    five_hundred(node, Node::fail)
}

#[library_benchmark]
#[bench::added(warm(Node::with_peer(), Node::retry))]
fn retry(node: Node) -> Node {
    thousand(node, Node::retry)
}

#[library_benchmark]
#[bench::automatic(warm(Node::connected(80_000), Node::replace))]
fn replace(node: Node) -> Node {
    five_hundred(node, Node::replace)
}

#[library_benchmark]
#[bench::of_1(Node::banning(1))]
#[bench::of_100000(Node::banning(100_000))]
fn accept_banned(node: Node) -> Node {
    thousand(node, |node| _ = black_box(node.accept(0)))
}

#[library_benchmark]
#[bench::stranger(warm(Node::connected(1000), |node| node.visit(77)))]
fn visit(node: Node) -> Node {
    thousand(node, |node| node.visit(77))
}

#[library_benchmark]
#[bench::of_one_host(warm(Node::connected(1000), Node::misbehave))]
fn score(node: Node) -> Node {
    thousand(node, Node::misbehave)
}

#[library_benchmark]
#[bench::nothing_due(warm(Node::connected(1000), Node::tick))]
fn tick(node: Node) -> Node {
    thousand(node, Node::tick)
}

#[library_benchmark]
#[bench::nothing_to_do(warm(Node::connected(1000), Node::stray))]
fn plan(node: Node) -> Node {
    thousand(node, Node::stray)
}

library_benchmark_group!(
    name = all,
    benchmarks = [dial_outcome, retry, replace, accept_banned, visit, score, tick, plan]
);
main!(library_benchmark_groups = all);
