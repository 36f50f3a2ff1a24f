//! How a pool is put together and started.

use connmgr_core::Config;
use connmgr_std::{Settings, StartError, bear, kept};

use crate::listener::bind;
use crate::net::TokioNet;
use crate::pool::Pool;
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

    /// Opens the listeners and the state, and starts the driver's task on the current runtime.
    ///
    /// # Errors
    /// [`StartError`] says what failed, and on what.
    ///
    /// # Panics
    /// Outside a tokio runtime, or in one without its `net` and `time` drivers.
    pub async fn start(self) -> Result<Pool, StartError> {
        self.settings.origin.check()?;
        let (listeners, local_addrs) = bind(&self.settings)?;
        let (mut front, back) = kept::open(bear(self.settings.origin).await?, self.settings.resolver)?;
        let clock = back.clock();
        let net = TokioNet::new(listeners, back.mailbox(), clock.clone());
        tokio::spawn(front.keep(Task::new(back, net, clock).run()));
        Ok(Pool::new(front, local_addrs))
    }
}
