//! Resolves names on detached threads.
//!
//! `getaddrinfo` can't be cancelled, and may hang for minutes. So it runs on threads that nobody joins, and dropping
//! the pool waits for none of them.
//!
//! There are at most [`MAX_RESOLVER_THREADS`], those that hang included. No name is looked up by two of them at a time,
//! so only as many names that hang can delay the others, until one of them returns.

mod queue;
#[cfg(test)]
mod tests;
mod threads;

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use connmgr_core::{HostName, LookupError, LookupId, ResolvedIp};
use dns_lookup::{AddrInfoHints, LookupErrorKind, SockType, getaddrinfo};

use self::queue::QueuedLookup;
use self::threads::ResolverThreads;
use crate::sync::lock;

/// The most threads of a pool that resolve names, including those that hang past their deadline.
pub const MAX_RESOLVER_THREADS: usize = 4;

/// Lookups that may wait for a thread. One more fails at once.
pub(crate) const MAX_QUEUED: usize = 256;

/// Addresses kept of one answer; the rest is dropped. Of a seed's answer the manager keeps fewer still.
pub(crate) const MAX_ANSWERS: usize = 256;

/// Resolves names. It may block for any time.
pub trait Resolve: Send + Sync + 'static {
    /// Every address of a name, in order of preference, each made of an `IpAddr`, or of a `SocketAddr` to keep the zone
    /// of a link-local one (`scope_id`), without which it can't be dialed. An empty answer counts as [`LookupError::NotFound`].
    ///
    /// # Errors
    /// [`LookupError::NotFound`] if the name has no address, [`LookupError::Failed`] if the resolver failed.
    fn resolve(&self, name: &HostName) -> Result<Vec<ResolvedIp>, LookupError>;
}

/// The operating system's resolver: `getaddrinfo`, with the hosts file and its configuration.
///
/// A name that ends in a dot is absolute. Another may be tried in the system's search domains. "No such name" is told apart
/// from a failure of the resolver itself (`EAI_NONAME` and `EAI_NODATA` from every other error).
///
/// A link-local answer (of mDNS, or the hosts file) keeps the interface it belongs to.
///
/// It is never asked for names of overlay networks (`.onion`, `.i2p`): they are [`LookupError::NotFound`].
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

/// Top-level labels that are not in the DNS. To look such a name up would only reveal it to DNS operators (RFC 7686
/// §2). The manager recognizes complete onion and I2P addresses; what gets here was mistyped, or is from I2P's address
/// book.
pub(crate) const OVERLAYS: [&str; 2] = ["onion", "i2p"];

impl Resolve for SystemResolver {
    fn resolve(&self, name: &HostName) -> Result<Vec<ResolvedIp>, LookupError> {
        if name.as_relative().rsplit('.').next().is_some_and(|last| OVERLAYS.contains(&last)) {
            return Err(LookupError::NotFound);
        }
        let hints = AddrInfoHints { socktype: SockType::Stream.into(), ..AddrInfoHints::default() };
        // `std` does not distinguish a name that does not exist from a resolver that failed.
        let found = getaddrinfo(Some(name.as_str()), None, Some(hints)).map_err(|error| meaning(error.kind()))?;
        Ok(found.flatten().map(|info| ResolvedIp::from(info.sockaddr)).collect())
    }
}

/// What `getaddrinfo` means: only two of its errors say that the name is at fault. Any other may hold for all names.
const fn meaning(error: LookupErrorKind) -> LookupError {
    match error {
        LookupErrorKind::NoName | LookupErrorKind::NoData => LookupError::NotFound,
        LookupErrorKind::Again
        | LookupErrorKind::Badflags
        | LookupErrorKind::Fail
        | LookupErrorKind::Family
        | LookupErrorKind::Socktype
        | LookupErrorKind::Service
        | LookupErrorKind::Memory
        | LookupErrorKind::System
        | LookupErrorKind::Unknown
        | LookupErrorKind::IO => LookupError::Failed,
    }
}

/// Threads that resolve names. Dropping it waits for none of them; lookups under way then have no answer.
pub(crate) struct ResolverPool {
    shared: Arc<ResolverThreads>,
}

impl ResolverPool {
    /// Threads are started when there is work, and end after 10 s without.
    ///
    /// `on_answer` is called at most once for each lookup, on any thread, sometimes from within
    /// [`ResolverPool::resolve`]. It must not block.
    pub(crate) fn new(
        resolver: Arc<dyn Resolve>,
        on_answer: impl Fn(LookupId, Result<Vec<ResolvedIp>, LookupError>) + Send + Sync + 'static,
    ) -> Self {
        Self { shared: Arc::new(ResolverThreads::new(resolver, Box::new(on_answer))) }
    }

    /// Begins to resolve a name. Never blocks.
    ///
    /// After the deadline the answer is [`LookupError::TimedOut`]. No timer is kept for it: the answer comes when the
    /// resolver returns, or with the next lookup, or never, because the manager keeps a deadline of its own. It is
    /// [`LookupError::Failed`] at once if [`MAX_QUEUED`] lookups wait already, or the system refuses the only thread.
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
