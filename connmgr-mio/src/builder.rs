//! Builds and starts a pool.

use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;

use connmgr_core::Config;
use connmgr_std::StartError;
use connmgr_std::adapter::{Engine, Settings};
use mio::net::TcpListener;
use mio::{Interest, Registry, Waker};

use crate::bell::PollBell;
use crate::handle;
use crate::listener::{PolledListener, PolledListeners};
use crate::net::{MioNet, TokenUse};
use crate::pool::{Commands, Pool};
use crate::tokens::Tokens;

/// Builds a [`Pool`].
#[derive(Debug)]
pub struct Builder {
    settings: Settings,
    waker: Option<Arc<Waker>>,
}

impl Pool {
    /// Begins to build a pool.
    pub fn builder(config: Config) -> Builder {
        Builder { settings: Settings::new(config), waker: None }
    }
}

impl Builder {
    connmgr_std::builder_methods!();

    /// Wakes the poll by this waker, which must be of the same poll. A poll may have only one waker, so an application
    /// that has one must give it; otherwise the pool creates its own.
    #[must_use]
    pub fn waker(mut self, waker: Arc<Waker>) -> Self {
        self.waker = Some(waker);
        self
    }

    /// How many tokens the pool needs at least: one for each listener, one for its waker if none was given, and two for
    /// each connection that `limits.total` allows and for each seed that a proxy looks up. Two, because all may be
    /// dials that end in one round of the loop and are followed by others, while a token is not reused before the
    /// round's end.
    pub fn tokens_needed(&self) -> usize {
        let Config { limits, proxies, seeds, .. } = &self.settings.startup.config;
        let lookups = if proxies.all.as_ref().is_some_and(|proxy| proxy.resolves) { seeds.names.len() } else { 0 };
        let attempts = usize::try_from(limits.total).unwrap_or(usize::MAX).saturating_add(lookups);
        let listeners = self.settings.listen.len();
        attempts.saturating_mul(2).saturating_add(listeners).saturating_add(usize::from(self.waker.is_none()))
    }

    /// Opens the listeners and the state. Blocks on the disk: to be called before the loop starts.
    ///
    /// The pool registers with this registry (it keeps a clone: one descriptor) under these tokens and no others. It
    /// needs [`Builder::tokens_needed`] of them. Open connections use none, and neither does a dial that ends at once.
    /// A dial without a free token fails with [`DialError::OutOfResources`](connmgr_core::DialError::OutOfResources).
    /// That happens only if [`Pool::set_limits`] raises the limits beyond the range, or if more peers are added and
    /// removed in one round than the limits allow. Unused tokens cost nothing, so give plenty if the limits may be
    /// raised later.
    ///
    /// # Errors
    /// [`StartError`] says what failed. A range that is too short is refused with the number it needs.
    ///
    /// # Panics
    /// In mio, with debug assertions, if the poll has or ever had a waker that was not given. So a second pool on the
    /// same poll needs the application's waker.
    pub fn start(self, registry: &Registry, tokens: Range<usize>) -> Result<Pool, StartError> {
        let needed = self.tokens_needed();
        let Self { mut settings, waker } = self;
        settings.startup.check()?;
        if tokens.len() < needed {
            return Err(too_few_tokens(tokens.len(), needed));
        }
        let registry = registry.try_clone().map_err(system("clone the registry"))?;
        let mut tokens = Tokens::new(tokens);
        let (listeners, local_addrs) = bind(&mut settings, &registry, &mut tokens)?;
        settings.startup.add_own(&local_addrs);
        let started = settings.startup.start()?;
        // A poll can have one waker in its life, so it is created after everything that may fail and be tried again.
        let waker = waker.map_or_else(|| make_waker(&registry, &mut tokens), Ok)?;
        let bell = PollBell::new(waker);
        let ring = bell.clone();
        let engine = Engine::start(started, settings.resolver, move || ring.ring())?;
        let net = MioNet::new(registry, tokens, listeners, settings.hook);
        let (handle, commands) = handle::channel(bell.clone(), engine.clock().clone());
        Ok(Pool::new(engine, net, Commands { commands, handle, bell }, local_addrs))
    }
}

/// Registers each listener under a token of its own.
fn bind(
    settings: &mut Settings,
    registry: &Registry,
    tokens: &mut Tokens<TokenUse>,
) -> Result<(PolledListeners, Vec<SocketAddr>), StartError> {
    let mut places = 0..;
    PolledListeners::bind(settings, |socket| {
        let (mut socket, place) = (TcpListener::from_std(socket), places.next().expect("it has no end"));
        let token = tokens.insert(TokenUse::Listener(place)).expect("they were counted");
        registry.register(&mut socket, token, Interest::READABLE)?;
        Ok(PolledListener::new(socket))
    })
}

fn make_waker(registry: &Registry, tokens: &mut Tokens<TokenUse>) -> Result<Arc<Waker>, StartError> {
    let token = tokens.insert(TokenUse::Waker).expect("they were counted");
    Waker::new(registry, token).map(Arc::new).map_err(system("make a waker"))
}

fn too_few_tokens(given: usize, needed: usize) -> StartError {
    let error = io::Error::other(format!("it has {given}, and {needed} are needed"));
    StartError::System { what: "do with the range of tokens", error }
}

fn system(what: &'static str) -> impl Fn(io::Error) -> StartError {
    move |error| StartError::System { what, error }
}
