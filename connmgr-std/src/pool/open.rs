//! How a pool and its task come to be.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::thread;

use super::handle::Handle;
use super::requests::Requests;
use super::shared::Shared;
use super::task::PoolTask;
use super::{Pool, PoolConnection};
use crate::adapter::engine::Engine;
use crate::adapter::guard::Guard;
use crate::answer::{Teller, answer};
use crate::bell::Bell;
use crate::resolver::Resolve;
use crate::startup::settings::Settings;
use crate::startup::{StartError, Started};

/// The task of a pool of such connections.
pub(super) type TaskOf<C> = PoolTask<Guard<<C as PoolConnection>::Wire>>;

/// A pool, its task, and what tells the pool of the task's end.
pub(super) type Parts<C> = (Pool<C>, TaskOf<C>, Teller<thread::Result<()>>);

/// Starts a manager: the pool that its application has, and the task that keeps it, for a runtime to run. `run` makes
/// the body of that task. A task that its runtime drops has ended, which is no fault; a panic of it goes on to whoever
/// waits for the pool's events or its end.
///
/// `local_addrs` are the adapter's listeners, in the order of the settings.
///
/// # Errors
/// [`StartError`] says what failed, and on what.
pub async fn open_pool<C, F>(
    settings: Settings,
    local_addrs: Vec<SocketAddr>,
    run: impl FnOnce(TaskOf<C>) -> F,
) -> Result<(Pool<C>, impl Future<Output = ()> + Send), StartError>
where
    C: PoolConnection,
    F: Future<Output = ()> + Send,
{
    let started = settings.startup.start_off_executor().await?;
    let (pool, task, ending) = parts(started, settings.resolver, local_addrs)?;
    Ok((pool, keep(run(task), ending)))
}

/// Puts a manager to work. The end of the task is yet to be told.
pub(super) fn parts<C: PoolConnection>(
    started: Started,
    resolver: Arc<dyn Resolve>,
    local_addrs: Vec<SocketAddr>,
) -> Result<Parts<C>, StartError> {
    let bell = Bell::default();
    let ring = bell.clone();
    let engine = Engine::start(started, resolver, move || ring.ring())?;
    let requests = Requests::new(bell.clone());
    let handle = Handle::new(requests.clone(), engine.clock().clone());
    let shared = Arc::new(Shared::new(engine));
    let (ending, ended) = answer();
    let pool = Pool { shared: Arc::clone(&shared), handle, local_addrs, ended: Some(ended) };
    Ok((pool, PoolTask::new(shared, requests, bell), ending))
}

/// Runs the task, and tells of its end. Its panic is caught: it goes on to whoever waits for the end, where nothing half
/// done can be seen but through locks.
pub(super) async fn keep(task: impl Future<Output = ()>, ending: Teller<thread::Result<()>>) {
    let mut task = pin!(task);
    let ended = poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| task.as_mut().poll(cx))) {
        Ok(Poll::Ready(())) => Poll::Ready(Ok(())),
        Ok(Poll::Pending) => Poll::Pending,
        Err(panic) => Poll::Ready(Err(panic)),
    })
    .await;
    ending.tell(ended);
}
