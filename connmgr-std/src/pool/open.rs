//! Starts a pool and its task.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::thread;

use futures_channel::oneshot;

use super::handle::Handle;
use super::requests::Requests;
use super::run::PoolLoop;
use super::shared::SharedEngine;
use super::task::PoolTask;
use super::{Pool, PoolConnection};
use crate::adapter::engine::Engine;
use crate::adapter::guard::Guard;
use crate::adapter::listeners::Listeners;
use crate::adapter::runtime::PoolRuntime;
use crate::bell::WakeBell;
use crate::resolver::Resolve;
use crate::startup::settings::Settings;
use crate::startup::{StartError, Started};

/// The task of a pool of such connections.
pub(super) type TaskOf<C> = PoolTask<Guard<<C as PoolConnection>::Wire>>;

/// A pool, its task, and what reports the task's end to the pool.
pub(super) type PoolParts<C> = (Pool<C>, TaskOf<C>, oneshot::Sender<thread::Result<()>>);

/// Opens the listeners, the state and the trace, and starts a manager: the pool for the application, and its task for
/// the runtime to run. A task that the runtime drops has ended, which is no fault. A panic of the task is passed on to
/// the caller that waits for the pool's events or its end.
///
/// # Errors
/// [`StartError`] says what failed.
pub async fn open_pool<C, R>(
    mut settings: Settings,
    runtime: R,
) -> Result<(Pool<C>, impl Future<Output = ()> + Send), StartError>
where
    C: PoolConnection,
    R: PoolRuntime<Wire = C::Wire>,
{
    settings.startup.check()?;
    let (listeners, local_addrs) = Listeners::bind(&mut settings, R::listen)?;
    settings.startup.add_own(&local_addrs);
    let started = settings.startup.start_off_executor().await?;
    let (pool, task, ending) = parts::<C>(started, settings.resolver, local_addrs)?;
    Ok((pool, keep(PoolLoop::new(task, runtime, listeners, settings.hook).run(), ending)))
}

/// Puts a manager to work. The task's end is reported by [`keep`].
pub(super) fn parts<C: PoolConnection>(
    started: Started,
    resolver: Arc<dyn Resolve>,
    local_addrs: Vec<SocketAddr>,
) -> Result<PoolParts<C>, StartError> {
    let bell = WakeBell::default();
    let ring = bell.clone();
    let engine = Engine::start(started, resolver, move || ring.ring())?;
    let requests = Requests::new(bell.clone());
    let handle = Handle::new(requests.clone(), engine.clock().clone());
    let shared = Arc::new(SharedEngine::new(engine));
    let (ending, ended) = oneshot::channel();
    let pool = Pool { shared: Arc::clone(&shared), handle, local_addrs, ended: Some(ended) };
    Ok((pool, PoolTask::new(shared, requests, bell), ending))
}

/// Runs the task and reports its end. A panic is caught and passed on: only locks lead to what it left half done.
pub(super) async fn keep(task: impl Future<Output = ()>, ending: oneshot::Sender<thread::Result<()>>) {
    let mut task = pin!(task);
    let ended = poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| task.as_mut().poll(cx))) {
        Ok(Poll::Ready(())) => Poll::Ready(Ok(())),
        Ok(Poll::Pending) => Poll::Pending,
        Err(panic) => Poll::Ready(Err(panic)),
    })
    .await;
    // Without a pool, nobody waits for the end.
    drop(ending.send(ended));
}
