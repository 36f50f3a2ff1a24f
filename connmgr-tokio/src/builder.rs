//! Builds and starts a pool.

use connmgr_core::Connected;
use connmgr_std::StartError;
use connmgr_std::adapter::{Guard, PoolConnection, Settings, open_pool};

use crate::Pool;
use crate::connection::Connection;
use crate::runtime::TokioRuntime;
use crate::wire::TokioStream;

/// Builds a [`Pool`].
#[derive(Debug)]
pub struct Builder {
    settings: Settings,
}

impl Builder {
    connmgr_std::builder_methods!();

    /// Opens the listeners and the state, and spawns the pool's task on the current runtime.
    ///
    /// # Errors
    /// [`StartError`] says what failed.
    ///
    /// # Panics
    /// Outside a tokio runtime, or in one without the `net` and `time` drivers.
    pub async fn start(self) -> Result<Pool, StartError> {
        let (pool, task) = open_pool(self.settings, TokioRuntime::new()).await?;
        tokio::spawn(task);
        Ok(pool)
    }
}

impl PoolConnection for Connection {
    type Wire = TokioStream;
    type Builder = Builder;

    fn builder(settings: Settings) -> Builder {
        Builder { settings }
    }

    fn open(info: Connected, guard: Guard<TokioStream>) -> Self {
        Self { info, guard }
    }
}

impl AsRef<Connected> for Connection {
    fn as_ref(&self) -> &Connected {
        &self.info
    }
}
