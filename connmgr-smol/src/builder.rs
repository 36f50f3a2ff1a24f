//! How a pool is put together and started.

use std::sync::Arc;
use std::time::Duration;

use async_io::Timer;
use connmgr_core::Connected;
use connmgr_std::StartError;
use connmgr_std::adapter::{Guard, PoolConnection, Settings, open_pool};
use futures_lite::future::poll_once;
use polling::Poller;

use crate::Pool;
use crate::connection::Connection;
use crate::runtime::SmolRuntime;
use crate::spawn::Spawn;
use crate::wire::SmolStream;

/// Puts a [`Pool`] together.
#[derive(Debug)]
pub struct Builder {
    settings: Settings,
}

impl Builder {
    connmgr_std::builder_methods!();

    /// Opens the listeners and the state, and has the driver's task run by `spawner`, as well as each dial.
    ///
    /// # Errors
    /// [`StartError`] says what failed, and on what.
    ///
    /// # Panics
    /// By async-io, at its first use in the process, when the system refuses it a thread.
    pub async fn start(self, spawner: impl Spawn) -> Result<Pool, StartError> {
        start_reactor().await?;
        let spawner: Arc<dyn Spawn> = Arc::new(spawner);
        let (pool, task) = open_pool(self.settings, SmolRuntime::new(Arc::clone(&spawner))).await?;
        spawner.spawn(Box::pin(task));
        Ok(pool)
    }
}

impl PoolConnection for Connection {
    type Wire = SmolStream;
    type Builder = Builder;

    fn builder(settings: Settings) -> Builder {
        Builder { settings }
    }

    fn open(info: Connected, guard: Guard<SmolStream>) -> Self {
        Self { info, guard }
    }
}

/// async-io has one reactor for the process, made at its first use, with a panic where the system has no descriptors for
/// it. So whether it has some is seen before, and the reactor made before anything else takes them.
async fn start_reactor() -> Result<(), StartError> {
    Poller::new().map_err(|error| StartError::System { what: "start async-io", error })?;
    poll_once(Timer::after(Duration::from_secs(1))).await;
    Ok(())
}
