//! How a pool is put together and started.

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

/// Puts a [`Pool`] together.
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

    /// Wakes the poll by this, which must be of the same poll. To be given where the application has a waker, for a
    /// poll may have only one; otherwise the pool makes its own. The pool does not keep it alive by its threads.
    #[must_use]
    pub fn waker(mut self, waker: Arc<Waker>) -> Self {
        self.waker = Some(waker);
        self
    }

    /// How many tokens it needs at least: one for each listener, one for its waker if none was given, and two for each
    /// connection that `limits.total` allows and each seed that a proxy looks up. All of these may be dials at a time,
    /// and all may end in one round of the loop and be followed by others, while their own tokens rest until its end.
    pub fn tokens_needed(&self) -> usize {
        let Config { limits, proxies, seeds, .. } = &self.settings.startup.config;
        let lookups = if proxies.all.is_some_and(|proxy| proxy.resolves) { seeds.names.len() } else { 0 };
        let attempts = usize::try_from(limits.total).unwrap_or(usize::MAX).saturating_add(lookups);
        let listeners = self.settings.listen.len();
        attempts.saturating_mul(2).saturating_add(listeners).saturating_add(usize::from(self.waker.is_none()))
    }

    /// Opens the listeners and the state. Blocks on the disk: to be called before the loop begins.
    ///
    /// The pool registers with this registry (of which it keeps a clone: one descriptor), under these tokens and no
    /// others; it needs [`Builder::tokens_needed`] of them. Connections that are open have none, nor does a dial that
    /// ends at once. A dial for which none is left fails with
    /// [`DialError::OutOfResources`](connmgr_core::DialError::OutOfResources): that happens only where
    /// [`Pool::set_limits`] raises the limits beyond what the range was made for, or where more peers are added and
    /// removed in one round than the limits allow. Whoever may raise them later gives it plenty from the start: what is
    /// not used costs nothing.
    ///
    /// # Errors
    /// [`StartError`] says what failed, and on what. A range that is too short is refused with the number that it needs.
    ///
    /// # Panics
    /// In a build with debug assertions, by mio, if the poll has, or ever had, a waker that was not given: the next
    /// pool on the same poll needs one of the application's.
    pub fn start(self, registry: &Registry, tokens: Range<usize>) -> Result<Pool, StartError> {
        let needed = self.tokens_needed();
        let Self { settings, waker } = self;
        settings.startup.check()?;
        if tokens.len() < needed {
            return Err(too_few_tokens(tokens.len(), needed));
        }
        let registry = registry.try_clone().map_err(system("clone the registry"))?;
        let mut tokens = Tokens::new(tokens);
        let (listeners, local_addrs) = bind(&settings, &registry, &mut tokens)?;
        let started = settings.startup.start()?;
        // After all that may be put right and tried again: a poll can have one waker in its life.
        let waker = waker.map_or_else(|| make_waker(&registry, &mut tokens), Ok)?;
        let bell = PollBell::new(waker);
        let ring = bell.clone();
        let engine = Engine::start(started, settings.resolver, move || ring.ring())?;
        let net = MioNet::new(registry, tokens, listeners);
        let (handle, commands) = handle::channel(bell.clone(), engine.clock().clone());
        Ok(Pool::new(engine, net, Commands { commands, handle, bell }, local_addrs))
    }
}

/// Registers each listener under a token of its own.
fn bind(
    settings: &Settings,
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
