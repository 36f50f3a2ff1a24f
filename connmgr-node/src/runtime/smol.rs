//! The node on smol: one thread, a task for each connection.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use connmgr_core::{
    AddPeerError, AddedPeer, AddressInfo, BanView, Config, Explanation, Keep, PeerAddress, PeerId, Stats, Time,
};
use connmgr_smol::{BoxFuture, Connection, Handle, Pool, PoolEvent};
use connmgr_std::{Problem, StartError};
use smol::future::FutureExt;
use smol::{Executor, Timer};

use super::{Runtime, RuntimeEvent, builder};
use crate::cli::Options;
use crate::drive::smol::drive;
use crate::link::{LinkFactory, Order, PeerLink};
use crate::stop::Stop;

/// A pool on smol.
#[derive(Debug)]
pub struct Smol {
    pool: Pool,
    handle: Handle,
    links: LinkFactory,
    stop: Stop,
    executor: Arc<Executor<'static>>,
}

impl Runtime for Smol {
    fn start(options: &Options, config: Config, links: LinkFactory, stop: Stop) -> Result<Self, StartError> {
        let executor = Arc::new(Executor::new());
        let theirs = Arc::clone(&executor);
        let spawn = move |task: BoxFuture| theirs.spawn(task).detach();
        // smol's own `block_on` panics where async-io can't start; the pool's start returns an error.
        let pool = smol::future::block_on(executor.run(builder!(Pool, options, config).start(spawn)))?;
        Ok(Self { handle: pool.handle(), pool, links, stop, executor })
    }

    fn local_addrs(&self) -> Vec<SocketAddr> {
        self.pool.local_addrs().to_vec()
    }

    fn now(&self) -> Time {
        self.pool.now()
    }

    fn add_peer(&mut self, address: PeerAddress, keep: Keep) -> Result<PeerId, AddPeerError> {
        smol::block_on(self.executor.run(self.handle.add_peer(AddedPeer::new(address).keep(keep))))
    }

    fn learn_addresses(&mut self, addresses: Vec<AddressInfo>) {
        smol::block_on(self.executor.run(self.handle.learn_addresses(addresses)));
    }

    fn bans(&mut self) -> Vec<BanView> {
        smol::block_on(self.executor.run(self.handle.bans()))
    }

    fn explain(&mut self, address: &PeerAddress) -> Option<Explanation> {
        smol::block_on(self.executor.run(self.handle.explain(address.clone())))
    }

    fn stats(&mut self) -> Stats {
        smol::block_on(self.executor.run(self.handle.stats()))
    }

    fn next(&mut self, until: Option<Instant>) -> io::Result<RuntimeEvent> {
        let Self { pool, handle, links, stop, executor } = self;
        let executor = &*executor;
        let mut time_up = until.map_or_else(Timer::never, Timer::at);
        smol::block_on(executor.run(async {
            loop {
                let stopped = async {
                    poll_fn(|cx| stop.poll(cx.waker())).await;
                    Waited::Woken
                };
                let time_up = async {
                    (&mut time_up).await;
                    Waited::Woken
                };
                let event = match stopped.or(time_up).or(async { Waited::Pool(pool.next().await) }).await {
                    Waited::Pool(Some(event)) => event,
                    Waited::Pool(None) => return Ok(RuntimeEvent::Over),
                    Waited::Woken => return Ok(RuntimeEvent::Woken),
                };
                let meet = |connection: Connection| {
                    let link = links.open(connection.info());
                    executor.spawn(talk(connection, link, handle.clone())).detach();
                };
                if let Some(next) = RuntimeEvent::of(event, meet) {
                    return Ok(next);
                }
            }
        }))
    }

    fn shutdown(self) -> Vec<Problem> {
        smol::block_on(self.executor.run(self.pool.shutdown()))
    }
}

/// What ended a wait.
enum Waited {
    Woken,
    Pool(Option<PoolEvent>),
}

/// Runs the link of a connection until it ends.
async fn talk(mut connection: Connection, mut link: PeerLink, handle: Handle) {
    let reporter = connection.reporter();
    loop {
        match drive(&mut connection, |stream, now| link.turn(stream, now)).await {
            Order::Report(report) => report.send(&reporter),
            Order::AnswerGetaddr => link.tell_addresses(&handle.answer_getaddr(connection.id()).await),
            Order::Close => return,
        }
    }
}
