//! Names looked up on threads of our own.
//!
//! `getaddrinfo` can't be cancelled, and may hang for minutes. So it never runs where somebody must wait for it: its
//! threads are detached, and whoever drops the pool goes on at once.
//!
//! There are never more than [`MAX_THREADS`], those that hang included, for one that hangs can't be had back. No name
//! is looked up by two of them at a time, so it takes as many names that hang to hold the others up, and then only
//! until one of them comes back.
//!
//! This file knows no DNS: what is asked, and by which route, is the manager's decision.

mod queue;
#[cfg(test)]
mod tests;
mod threads;

use std::fmt;
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Instant;

use connmgr_core::{HostName, LookupError, LookupId};

use self::queue::QueuedLookup;
use self::threads::ResolverThreads;
use crate::sync::lock;

/// Threads of a pool at a time, those included that hang past their deadline.
pub const MAX_THREADS: usize = 4;

/// Lookups that may wait for a thread; one more fails at once.
pub(crate) const MAX_QUEUED: usize = 256;

/// Addresses kept of one answer; the rest is dropped. The manager keeps fewer still of a seed's.
pub(crate) const MAX_ANSWERS: usize = 256;

/// Looks names up. May block for as long as it likes.
pub trait Resolve: Send + Sync + 'static {
    /// Every address of a name, in order of preference. No address is the same as [`LookupError::NotFound`].
    ///
    /// # Errors
    /// [`LookupError::NotFound`] when the name has none, [`LookupError::Failed`] when that can't be found out.
    fn resolve(&self, name: &HostName) -> Result<Vec<IpAddr>, LookupError>;
}

/// The operating system's resolver: `getaddrinfo`, with its hosts file and all that it is configured to do.
///
/// It is never asked for names of overlays (`.onion`, `.i2p`), which are [`LookupError::NotFound`].
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

/// The last labels of names that have no meaning in the DNS: to look one up would only tell the DNS's operators who
/// wants to reach what (RFC 7686 §2). The manager knows complete onion and I2P addresses by themselves; what may come
/// here is what was mistyped, or stands in I2P's address book.
pub(crate) const OVERLAYS: [&str; 2] = ["onion", "i2p"];

impl Resolve for SystemResolver {
    fn resolve(&self, name: &HostName) -> Result<Vec<IpAddr>, LookupError> {
        if name.as_str().rsplit('.').next().is_some_and(|last| OVERLAYS.contains(&last)) {
            return Err(LookupError::NotFound);
        }
        // `std` does not tell a name that does not exist from a resolver that failed.
        let found = (name.as_str(), 0).to_socket_addrs().map_err(|_| LookupError::Failed)?;
        Ok(found.map(|addr| addr.ip()).collect())
    }
}

/// Threads that look names up. Dropping it waits for nobody; what is still being looked up then has no answer.
pub(crate) struct ResolverPool {
    shared: Arc<ResolverThreads>,
}

impl ResolverPool {
    /// A pool without a thread; they are started when there is work, and leave after 10 s without.
    ///
    /// `on_answer` is called at most once for each lookup, on any thread, at times from within
    /// [`ResolverPool::resolve`]; it must not block.
    pub(crate) fn new(
        resolver: Arc<dyn Resolve>,
        on_answer: impl Fn(LookupId, Result<Vec<IpAddr>, LookupError>) + Send + Sync + 'static,
    ) -> Self {
        Self { shared: Arc::new(ResolverThreads::new(resolver, Box::new(on_answer))) }
    }

    /// Looks a name up. Never blocks.
    ///
    /// After the deadline the answer is [`LookupError::TimedOut`]. No clock is kept for that: it comes when the resolver
    /// returns, or with the next lookup, or never, for the manager keeps its own deadline. The answer is
    /// [`LookupError::Failed`] at once when [`MAX_QUEUED`] lookups wait already, or the system refuses the only thread.
    pub(crate) fn resolve(&self, lookup: LookupId, name: HostName, deadline: Instant) {
        self.shared.ask(QueuedLookup { lookup, name, deadline });
    }
}

impl Drop for ResolverPool {
    fn drop(&mut self) {
        self.shared.close();
    }
}

impl fmt::Debug for ResolverPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResolverPool").field("queue", &*lock(&self.shared.queue)).finish_non_exhaustive()
    }
}
