//! A pool and other tasks on a runtime of one thread.

use connmgr_testbed::insatiable::Insatiable;
use tokio::task::yield_now;

use crate::support::{builder, config, start};

/// Many times as many as a pool carries out without yielding.
const COMMANDS: usize = 100_000;

/// How often other tasks must run meanwhile.
const TURNS: usize = 5;

#[tokio::test]
async fn a_pool_that_always_has_work_lets_others_run() {
    let pool = start(builder(config())).await;
    let handle = pool.handle();
    let asks = Insatiable::ask(COMMANDS, move || {
        let handle = handle.clone();
        async move { handle.report_network_changed().await }
    });
    let mut turns = 0;
    while !asks.is_done() {
        turns += 1;
        yield_now().await;
    }
    assert!(turns >= TURNS, "{turns} turns");
}
