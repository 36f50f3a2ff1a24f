//! The node on tokio: one thread, a task for each connection.

use std::future::{pending, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Instant;

use connmgr_core::{
    AddPeerError, AddedPeer, AddressInfo, BanView, Config, Explanation, Keep, PeerAddress, PeerId, Stats, Time,
};
use connmgr_std::{Problem, StartError};
use connmgr_tokio::{Connection, Handle, Pool};
use tokio::time::sleep_until;

use super::{Runtime, RuntimeEvent, builder, system};
use crate::cli::Options;
use crate::drive::tokio::drive;
use crate::link::{LinkFactory, Order, PeerLink};
use crate::stop::Stop;

/// A pool on tokio. (Fields are dropped in order; the runtime must be the last.)
#[derive(Debug)]
pub struct Tokio {
    pool: Pool,
    handle: Handle,
    links: LinkFactory,
    stop: Stop,
    runtime: tokio::runtime::Runtime,
}

impl Runtime for Tokio {
    fn start(options: &Options, config: Config, links: LinkFactory, stop: Stop) -> Result<Self, StartError> {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_io().enable_time().build().map_err(system("start tokio"))?;
        let pool = runtime.block_on(builder!(Pool, options, config).start())?;
        Ok(Self { handle: pool.handle(), pool, links, stop, runtime })
    }

    fn local_addrs(&self) -> Vec<SocketAddr> {
        self.pool.local_addrs().to_vec()
    }

    fn now(&self) -> Time {
        self.pool.now()
    }

    fn add_peer(&mut self, address: PeerAddress, keep: Keep) -> Result<PeerId, AddPeerError> {
        self.runtime.block_on(self.handle.add_peer(AddedPeer::new(address).keep(keep)))
    }

    fn learn_addresses(&mut self, addresses: Vec<AddressInfo>) {
        self.runtime.block_on(self.handle.learn_addresses(addresses));
    }

    fn bans(&mut self) -> Vec<BanView> {
        self.runtime.block_on(self.handle.bans())
    }

    fn explain(&mut self, address: &PeerAddress) -> Option<Explanation> {
        self.runtime.block_on(self.handle.explain(address.clone()))
    }

    fn stats(&mut self) -> Stats {
        self.runtime.block_on(self.handle.stats())
    }

    fn next(&mut self, until: Option<Instant>) -> io::Result<RuntimeEvent> {
        let Self { pool, handle, links, stop, runtime } = self;
        runtime.block_on(async {
            let mut time_up = pin!(when(until));
            loop {
                let event = tokio::select! {
                    biased;
                    () = poll_fn(|cx| stop.poll(cx.waker())) => return Ok(RuntimeEvent::Woken),
                    () = &mut time_up => return Ok(RuntimeEvent::Woken),
                    event = pool.next() => event,
                };
                let meet = |connection: Connection| {
                    let link = links.open(connection.info());
                    tokio::spawn(talk(connection, link, handle.clone()));
                };
                match event.map(|event| RuntimeEvent::of(event, meet)) {
                    Some(Some(next)) => return Ok(next),
                    Some(None) => {}
                    None => return Ok(RuntimeEvent::Over),
                }
            }
        })
    }

    fn shutdown(self) -> Vec<Problem> {
        self.runtime.block_on(self.pool.shutdown())
    }
}

async fn when(until: Option<Instant>) {
    match until {
        Some(until) => sleep_until(until.into()).await,
        None => pending().await,
    }
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
