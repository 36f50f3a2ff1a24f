//! Builds and starts a pool.

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

/// Builds a [`Pool`].
#[derive(Debug)]
pub struct Builder {
    settings: Settings,
}

impl Builder {
    connmgr_std::builder_methods!();

    /// Opens the listeners and the state, and has `spawner` run the pool's task and each dial.
    ///
    /// # Errors
    /// [`StartError`] says what failed.
    ///
    /// # Panics
    /// In async-io, at its first use in the process, if the system refuses it a thread.
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

/// Starts async-io's reactor. There is one for the process, created at its first use, which panics without descriptors.
/// So they are tried first, and the reactor takes its own before the pool takes any.
async fn start_reactor() -> Result<(), StartError> {
    Poller::new().map_err(|error| StartError::System { what: "start async-io", error })?;
    poll_once(Timer::after(Duration::from_secs(1))).await;
    Ok(())
}

impl AsRef<Connected> for Connection {
    fn as_ref(&self) -> &Connected {
        &self.info
    }
}
