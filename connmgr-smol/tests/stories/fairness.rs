//! A pool and other tasks on one thread.

use connmgr_smol::BoxFuture;
use connmgr_testbed::insatiable::Insatiable;
use futures_lite::future::{block_on, or};

use super::support::{builder, config, yield_now};

/// Many times as many as a pool carries out without yielding.
const COMMANDS: usize = 100_000;

/// How often other tasks must run meanwhile.
const TURNS: usize = 5;

#[test]
fn a_pool_that_always_has_work_lets_others_run() {
    let (spawned, tasks) = async_channel::unbounded::<BoxFuture>();
    let turns = block_on(async {
        let pool = builder(config()).start(move |task| spawned.try_send(task).unwrap()).await.unwrap();
        let handle = pool.handle();
        let asks = Insatiable::ask(COMMANDS, move || {
            let handle = handle.clone();
            async move { handle.report_network_changed().await }
        });
        let others = async {
            let mut turns = 0;
            while !asks.is_done() {
                turns += 1;
                yield_now().await;
            }
            turns
        };
        or(others, async { unreachable!("the pool lives: {:?}", tasks.try_recv().unwrap().await) }).await
    });
    assert!(turns >= TURNS, "{turns} turns");
}
