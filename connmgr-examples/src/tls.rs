//! Nodes that speak TLS. A node is known by its key: its identity is the hash of the public key in its certificate, and
//! no authority signs anything. A new certificate of the same key is the same node.
//!
//! Both ends show a certificate. TLS proves that each has the key; whether it is the node that is wanted, the pool
//! decides: it closes a connection to another, and tries the peer's next address.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bitcoin::hashes::{Hash, sha256};
use connmgr_tokio::{
    AddPeerError, AddedPeer, Backoff, Config, Connection, Handle, Identity, Mode, PeerId, PeerInfo, Pool, PoolEvent,
};
use rcgen::{CertificateParams, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::{self, ClientConfig, ServerConfig, crypto};
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};

use self::any_key::AnyKey;

mod any_key;

/// A node: a pool whose connections are encrypted. It tells what happens on standard output.
pub struct Node {
    name: &'static str,
    identity: Identity,
    address: SocketAddr,
    pool: Handle,
    ready: watch::Sender<Vec<Identity>>,
    /// The task that takes the pool's events.
    events: JoinHandle<()>,
}

/// What every connection of a node needs.
#[derive(Clone)]
struct Tls {
    name: &'static str,
    acceptor: TlsAcceptor,
    connector: TlsConnector,
    /// The nodes that were reported ready, in order.
    ready: watch::Sender<Vec<Identity>>,
}

impl Node {
    /// Starts a node with this key, which makes itself a new certificate.
    ///
    /// # Errors
    /// What the certificate can't be made of, or the pool can't start without.
    pub async fn start(name: &'static str, key: &KeyPair, listen: SocketAddr) -> Result<Self, Box<dyn Error>> {
        let certificate = CertificateParams::new(vec![name.to_owned()])?.self_signed(key)?.der().clone();
        let identity = identity(&certificate)?;
        let ready = watch::Sender::default();
        let tls = Tls::new(name, key, certificate, ready.clone())?;
        let config = Config {
            mode: Mode::ConnectOnly,  // It dials the peers it is given, and looks for no others.
            identity: Some(identity), // Of two connections that two nodes make at once, both keep the same.
            retry: Backoff { base: Duration::from_millis(200), ..Backoff::default() },
            ..Config::default()
        };
        let pool = Pool::builder(config).listen(listen).start().await?;
        let (handle, address) = (pool.handle(), pool.local_addrs()[0]);
        let events = tokio::spawn(take_events(pool, tls));
        Ok(Self { name, identity, address, pool: handle, ready, events })
    }

    /// The hash of its public key.
    pub const fn identity(&self) -> Identity {
        self.identity
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The pool's commands and views.
    pub const fn pool(&self) -> &Handle {
        &self.pool
    }

    /// Keeps a connection to the node with this identity, at whichever of these addresses it is.
    ///
    /// # Errors
    /// [`AddPeerError`] says why it can't be kept.
    pub async fn keep(&self, identity: Identity, addresses: &[SocketAddr]) -> Result<PeerId, AddPeerError> {
        let (first, others) = addresses.split_first().ok_or(AddPeerError::NoAddress)?;
        let peer = AddedPeer::new((*first).into()).identity(identity);
        self.pool.add_peer(others.iter().fold(peer, |peer, address| peer.or((*address).into()))).await
    }

    /// Waits until this node has been ready so many times in all.
    pub async fn ready(&self, identity: Identity, times: usize) {
        let enough = |all: &Vec<Identity>| all.iter().filter(|one| **one == identity).count() >= times;
        self.ready.subscribe().wait_for(enough).await.expect("the node holds the sender");
    }

    /// Shuts down: every connection is closed when it returns.
    pub async fn stop(self) {
        // It fails only if the pool has ended already.
        let _ = self.pool.shutdown().await;
        self.events.await.expect("taking events does not panic");
    }
}

impl Tls {
    fn new(
        name: &'static str,
        key: &KeyPair,
        certificate: CertificateDer<'static>,
        ready: watch::Sender<Vec<Identity>>,
    ) -> Result<Self, rustls::Error> {
        let provider = Arc::new(crypto::ring::default_provider());
        let any_key = Arc::new(AnyKey(provider.signature_verification_algorithms));
        let (chain, key) = (vec![certificate], PrivatePkcs8KeyDer::from(key.serialize_der()));
        let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(Arc::clone(&any_key) as _)
            .with_single_cert(chain.clone(), key.clone_key().into())?;
        let client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous() // The certificate's name and issuer mean nothing here. Its key is what the pool looks at.
            .with_custom_certificate_verifier(any_key)
            .with_client_auth_cert(chain, key.into())?;
        let (acceptor, connector) = (TlsAcceptor::from(Arc::new(server)), TlsConnector::from(Arc::new(client)));
        Ok(Self { name, acceptor, connector, ready })
    }

    /// Talks on a connection until it ends.
    async fn talk(self, connection: Connection) -> io::Result<()> {
        // The TLS stream takes the connection, so what is reported later is reported by this.
        let reporter = connection.reporter();
        let mut stream: TlsStream<Connection> = if connection.kind().is_inbound() {
            self.acceptor.accept(connection).await?.into()
        } else {
            let unused = ServerName::try_from("node").expect("it is a name");
            self.connector.connect(unused, connection).await?.into()
        };
        // The dialer's handshake is done before its certificate was seen at the other end, which may refuse it. So it is
        // the first word that proves the connection.
        stream.write_all(b"hello").await?;
        stream.flush().await?;
        stream.read_exact(&mut [0; 5]).await?;
        let certificates = stream.get_ref().1.peer_certificates().unwrap_or_default();
        let identity = certificates.first().map(identity).transpose().map_err(io::Error::other)?;
        reporter.report_ready(PeerInfo { identity, ..PeerInfo::default() });
        println!("{}: shook hands on {}", self.name, reporter.id());
        self.ready.send_modify(|ready| ready.extend(identity));
        while stream.read(&mut [0; 64]).await? > 0 {}
        Ok(()) // Dropped, the stream drops the connection, and it is given back.
    }
}

/// Takes the pool's events until it has stopped.
async fn take_events(mut pool: Pool, tls: Tls) {
    while let Some(event) = pool.next().await {
        let name = tls.name;
        match event {
            PoolEvent::Connected(connection) => drop(tokio::spawn(tls.clone().talk(connection))),
            PoolEvent::RetryScheduled { at, .. } => println!("{name}: dials again in {:?}", at.since(pool.now())),
            other => println!("{name}: {other}"),
        }
    }
}

/// The identity of a certificate: the hash of its public key.
///
/// # Errors
/// If it is no certificate.
pub fn identity(certificate: &CertificateDer<'_>) -> Result<Identity, rustls::Error> {
    let key = ParsedCertificate::try_from(certificate)?.subject_public_key_info();
    Ok(Identity(sha256::Hash::hash(&key).to_byte_array()))
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node").field("name", &self.name).field("identity", &self.identity).finish_non_exhaustive()
    }
}
