//! How a pool is put together and started.

use std::sync::Arc;
use std::time::Duration;

use async_io::Timer;
use connmgr_core::Config;
use connmgr_std::{Settings, StartError, bear, kept};
use futures_lite::future::poll_once;
use polling::Poller;

use crate::jobs::Jobs;
use crate::listener::bind;
use crate::net::SmolNet;
use crate::pool::Pool;
use crate::spawn::Spawn;
use crate::task::Task;

/// Puts a [`Pool`] together.
#[derive(Debug)]
pub struct Builder {
    settings: Settings,
}

impl Builder {
    pub(crate) fn new(config: Config) -> Self {
        Self { settings: Settings::new(config) }
    }

    connmgr_std::builder_methods!();

    /// Opens the listeners and the state, and has the driver's task run by `spawner`, as well as each dial.
    ///
    /// # Errors
    /// [`StartError`] says what failed, and on what.
    ///
    /// # Panics
    /// By async-io, at its first use in the process, when the system refuses it a thread.
    pub async fn start(self, spawner: impl Spawn) -> Result<Pool, StartError> {
        self.settings.origin.check()?;
        start_reactor().await?;
        let (listeners, local_addrs) = bind(&self.settings)?;
        let (mut front, back) = kept::open(bear(self.settings.origin).await?, self.settings.resolver)?;
        let spawner: Arc<dyn Spawn> = Arc::new(spawner);
        let (jobs, finished) = Jobs::new(Arc::clone(&spawner));
        let clock = back.clock();
        let net = SmolNet::new(listeners, jobs, back.mailbox(), clock.clone());
        spawner.spawn(Box::pin(front.keep(Task::new(back, net, finished, clock).run())));
        Ok(Pool::new(front, local_addrs))
    }
}

/// async-io has one reactor for the process, made at its first use, with a panic where the system has no descriptors for
/// it. So whether it has some is seen before, and the reactor made before anything else takes them.
async fn start_reactor() -> Result<(), StartError> {
    Poller::new().map_err(|error| StartError::System { what: "start async-io", error })?;
    poll_once(Timer::after(Duration::from_secs(1))).await;
    Ok(())
}
