//! Carries out what the driver asks of sockets, on the caller's poll.
//!
//! Every method only starts something or advances it. The result waits as a [`Job`] for the pool's turn, also an error
//! that is known at once.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use connmgr_core::socks::{Client, Outcome};
use connmgr_core::{ConnId, DialError, HostName, Isolation, ListenerId, LookupError, LookupId, Time};
use connmgr_std::adapter::{IdMap, Job, SocketHook, SocketTarget, Sockets, Unisolated};
use mio::net::TcpStream;
use mio::{Registry, Token};

use crate::attempt::{Attempt, AttemptError};
use crate::listener::{PolledListener, PolledListeners};
use crate::stream::Stream;
use crate::tokens::Tokens;

/// The result of an attempt.
pub(crate) type Done = Job<Stream>;

/// What a token of the pool stands for.
#[derive(Debug)]
pub(crate) enum TokenUse {
    /// The pool's own waker.
    Waker,
    /// A listener, by its index.
    Listener(usize),
    /// A connection that is being opened.
    Attempt(AttemptPurpose, Attempt),
}

/// What an attempt is for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum AttemptPurpose {
    /// A connection to a peer; `proxied`: by way of a proxy.
    Dial { conn: ConnId, proxied: bool },
    /// A lookup through a proxy.
    Lookup(LookupId),
}

/// How far an attempt has come at its start.
#[derive(Debug)]
enum AttemptStart {
    /// Events under its token advance it.
    UnderWay(Token),
    /// It has succeeded.
    Opened(Outcome, Stream, Unisolated),
}

/// The sockets of one pool.
#[derive(Debug)]
pub(crate) struct MioNet {
    pub(crate) registry: Arc<Registry>,
    pub(crate) tokens: Tokens<TokenUse>,
    pub(crate) listeners: PolledListeners,
    /// Results to be reported at the next turn.
    pub(crate) done: VecDeque<Done>,
    /// The streams lent to the application: from `Connected` until it takes `Disconnected` or releases the connection.
    pub(crate) streams: IdMap<ConnId, Stream>,
    /// Prepares the sockets of attempts.
    hook: Option<SocketHook>,
    dials: IdMap<ConnId, Token>,
    /// Lookups through proxies, with their deadlines, which are kept here. There are few at a time.
    lookups: Vec<(Time, Token)>,
}

impl MioNet {
    pub(crate) fn new(
        registry: Registry,
        tokens: Tokens<TokenUse>,
        listeners: PolledListeners,
        hook: Option<SocketHook>,
    ) -> Self {
        let (done, streams, dials, lookups) = Default::default();
        let registry = Arc::new(registry);
        Self { registry, tokens, listeners, done, streams, hook, dials, lookups }
    }

    /// Advances what the token stands for, as far as its socket is ready. A stale event, of a former use of the token,
    /// has no effect.
    pub(crate) fn note_event(&mut self, token: Token) {
        match self.tokens.get_mut(token) {
            Some(TokenUse::Listener(index)) => {
                if let Some(listening) = self.listeners.get_mut(*index) {
                    listening.note_event();
                }
            }
            Some(TokenUse::Attempt(_, attempt)) => {
                if let Some(result) = attempt.advance() {
                    self.end(token, result);
                }
            }
            Some(TokenUse::Waker) | None => {}
        }
    }

    /// Whether a connection may be accepted, or a result be reported, without an event.
    pub(crate) fn has_work(&self) -> bool {
        !self.done.is_empty() || self.listeners.open().any(PolledListener::is_ready)
    }

    /// Gives up the lookups that are past their deadline.
    fn expire(&mut self, now: Time) {
        while let Some(at) = self.lookups.iter().position(|(deadline, _)| *deadline <= now) {
            let (_, token) = self.lookups[at];
            if let Some((AttemptPurpose::Lookup(lookup), _)) = self.take(token) {
                self.done.push_back(Done::Looked(lookup, Err(LookupError::TimedOut), None));
            }
        }
    }

    /// Takes a stream back from the application.
    pub(crate) fn release(&mut self, conn: ConnId) -> Option<Stream> {
        let mut stream = self.streams.remove(&conn)?;
        stream.let_go();
        // It fails if the stream is not registered, which is as good.
        let _ = self.registry.deregister(&mut stream);
        Some(stream)
    }

    /// Takes every stream back, and drops it.
    pub(crate) fn release_all(&mut self) {
        for (_, mut stream) in self.streams.drain() {
            stream.let_go();
            let _ = self.registry.deregister(&mut stream);
        }
    }

    /// Starts an attempt. Returns its token, unless it has ended at once.
    fn start(&mut self, purpose: AttemptPurpose, address: SocketAddr, client: Option<Client>) -> Option<Token> {
        match self.try_start(purpose, address, client) {
            Ok(AttemptStart::UnderWay(token)) => Some(token),
            Ok(AttemptStart::Opened(outcome, stream, unisolated)) => {
                self.end_at_once(purpose, Ok((outcome, stream)), unisolated)
            }
            Err((failure, unisolated)) => self.end_at_once(purpose, Err(failure), unisolated),
        }
    }

    fn end_at_once(
        &mut self,
        purpose: AttemptPurpose,
        result: Result<(Outcome, Stream), AttemptError>,
        unisolated: Unisolated,
    ) -> Option<Token> {
        self.done.push_back(purpose.done(result, unisolated));
        None
    }

    // Advanced once before it is registered: a peer on this machine, such as a proxy, has accepted or refused by now.
    fn try_start(
        &mut self,
        purpose: AttemptPurpose,
        address: SocketAddr,
        client: Option<Client>,
    ) -> Result<AttemptStart, (AttemptError, Unisolated)> {
        let mut attempt = Attempt::start(address, client, self.hook.as_ref()).map_err(|error| (error, None))?;
        if let Some(result) = attempt.advance() {
            let unisolated = attempt.unisolated();
            let opened = |outcome| AttemptStart::Opened(outcome, Stream::new(attempt.into_socket()), unisolated);
            return result.map(opened).map_err(|error| (error, unisolated));
        }
        let token = self.tokens.insert(TokenUse::Attempt(purpose, attempt)).ok_or((AttemptError::NoToken, None))?;
        self.register(token).map_err(|error| {
            self.tokens.remove(token);
            (AttemptError::Unreachable(error), None)
        })?;
        Ok(AttemptStart::UnderWay(token))
    }

    fn register(&mut self, token: Token) -> io::Result<()> {
        match self.tokens.get_mut(token) {
            Some(TokenUse::Attempt(_, attempt)) => attempt.register(&self.registry, token),
            Some(TokenUse::Waker | TokenUse::Listener(_)) | None => Ok(()),
        }
    }

    fn end(&mut self, token: Token, result: Result<Outcome, AttemptError>) {
        let unisolated = match self.tokens.get_mut(token) {
            Some(TokenUse::Attempt(_, attempt)) => attempt.unisolated(),
            Some(TokenUse::Waker | TokenUse::Listener(_)) | None => None,
        };
        if let Some((purpose, socket)) = self.take(token) {
            let result = result.map(|outcome| (outcome, Stream::dialed(socket, Arc::clone(&self.registry))));
            self.done.push_back(purpose.done(result, unisolated));
        }
    }

    /// Takes an attempt out. Its socket stays registered until it is closed, or registered by the application. An event
    /// of it under this token is stale.
    fn take(&mut self, token: Token) -> Option<(AttemptPurpose, TcpStream)> {
        let TokenUse::Attempt(purpose, attempt) = self.tokens.remove(token)? else { return None };
        match purpose {
            AttemptPurpose::Dial { conn, .. } => {
                self.dials.remove(&conn);
            }
            AttemptPurpose::Lookup(_) => self.lookups.retain(|(_, of)| *of != token),
        }
        Some((purpose, attempt.into_socket()))
    }
}

impl AttemptPurpose {
    /// The result of the attempt, as a job.
    fn done(self, result: Result<(Outcome, Stream), AttemptError>, unisolated: Unisolated) -> Done {
        match self {
            Self::Dial { conn, proxied } => Done::Dialed(
                conn,
                match result {
                    Ok((Outcome::Connected, stream)) => Ok(stream),
                    Ok((Outcome::Resolved(_), _)) => Err(DialError::ProxyProtocol),
                    Err(failure) => Err(failure.dial_error(proxied)),
                },
                unisolated,
            ),
            Self::Lookup(lookup) => Done::Looked(
                lookup,
                match result {
                    Ok((Outcome::Resolved(ip), _)) => Ok(vec![ip.into()]),
                    Ok((Outcome::Connected, _)) => Err(LookupError::Proxy),
                    Err(failure) => Err(failure.lookup_error()),
                },
                unisolated,
            ),
        }
    }
}

impl Sockets for MioNet {
    fn dial(&mut self, conn: ConnId, target: SocketTarget) {
        let (address, client) = match target {
            SocketTarget::Direct(address) => (address, None),
            SocketTarget::Proxied { proxy, isolation, address } => (proxy, Some(Client::connect(&address, isolation))),
        };
        let purpose = AttemptPurpose::Dial { conn, proxied: client.is_some() };
        if let Some(token) = self.start(purpose, address, client) {
            self.dials.insert(conn, token);
        }
    }

    fn abort(&mut self, conn: ConnId) {
        if let Some(token) = self.dials.remove(&conn) {
            self.take(token);
        }
    }

    // The stream stays until the application takes the event of its end. Until then, reads return its end.
    fn close(&mut self, conn: ConnId) {
        if let Some(stream) = self.streams.get_mut(&conn) {
            stream.close();
        }
    }

    // Streams are lent: only the pool drops them.
    fn note_dropped(&mut self, _: ConnId) -> bool {
        true
    }

    fn take_heard(&mut self) -> Vec<ConnId> {
        let heard = self.streams.iter_mut().filter_map(|(conn, stream)| stream.take_heard().then_some(*conn));
        let mut heard: Vec<_> = heard.collect();
        heard.sort_unstable();
        heard
    }

    fn resolve(&mut self, lookup: LookupId, name: &HostName, proxy: SocketAddr, isolation: Isolation, deadline: Time) {
        let client = Client::resolve(name, isolation);
        if let Some(token) = self.start(AttemptPurpose::Lookup(lookup), proxy, Some(client)) {
            self.lookups.push((deadline, token));
        }
    }

    fn pause_accept(&mut self, listener: ListenerId, until: Time) {
        self.listeners.pause(listener, until);
    }

    fn handle_timeout(&mut self, now: Time) {
        self.listeners.resume(now);
        self.expire(now);
    }

    fn poll_timeout(&self) -> Option<Time> {
        let expiry = self.lookups.iter().map(|(deadline, _)| *deadline).min();
        [self.listeners.next_resume(PolledListener::is_ready), expiry].into_iter().flatten().min()
    }

    fn stop(&mut self) {
        for listener in self.listeners.drain() {
            listener.close(&self.registry);
        }
        for slot in self.tokens.drain() {
            if let TokenUse::Attempt(_, mut attempt) = slot {
                attempt.deregister(&self.registry);
            }
        }
        self.dials.clear();
        self.lookups.clear();
        self.done.clear();
    }
}
