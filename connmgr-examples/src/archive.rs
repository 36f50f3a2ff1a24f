//! A protocol of its own, on smol: a network of archives. It has a service bit of its own, and its nodes find each other
//! by gossip from one address that they are born with.
//!
//! A message is a line of text:
//!
//! | line | |
//! |---|---|
//! | `hello SERVICES NONCE PORT` | first, from both: what the node offers, a number by which it would know itself, and the port on which it listens |
//! | `who` | asks for addresses |
//! | `known ADDRESS/SERVICES/DATE …` | the answer: where nodes are, what they offer, and when they were last seen |

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use connmgr_smol::{
    AddressInfo, BoxFuture, Config, ConnId, ConnState, ConnView, Connection, Event, GroupRule, Handle, Kind, Limits,
    PeerAddress, PeerInfo, Penalty, Permissions, Pool, PoolEvent, Ranges, Reporter, RequiredServices, SeedConfig,
    Services, StartError,
};
use smol::channel::{Receiver, Sender, bounded};
use smol::future::or;
use smol::io::{AsyncBufRead, AsyncWrite, AsyncWriteExt, BufReader, split};
use smol::{Task, Timer};

use self::lines::{Hello, WHO, broken, from_line, next_line, now, to_line};

mod lines;

/// A service of this network: the node keeps files. A network gives the bits the meaning that it likes.
pub const ARCHIVE: Services = Services::from_bits(1 << 40);

/// Another: the node reads files and keeps none. A node of which no service is known may be anything, and would be tried.
pub const READER: Services = Services::from_bits(1 << 41);

/// How many addresses answer a `who`.
const MAX_KNOWN: u32 = 500;

/// A node of the network. It tells what happens on standard output.
#[derive(Debug)]
pub struct Node {
    pool: Handle,
    address: SocketAddr,
    wanted: usize,
    /// The task that takes the pool's events.
    events: Task<()>,
}

/// What every connection of a node needs.
#[derive(Debug)]
struct Shared {
    name: &'static str,
    services: Services,
    port: u16,
    pool: Handle,
    /// The peers whose handshake is done.
    peers: Mutex<BTreeMap<ConnId, Peer>>,
}

/// A peer whose handshake is done.
#[derive(Debug)]
struct Peer {
    /// Takes the lines that are written to it.
    lines: Sender<String>,
    /// Where it listens, unless a proxy hides its host.
    listens: Option<AddressInfo>,
}

impl Node {
    /// Starts a node on loopback, which keeps connections to `wanted` archives. It knows `seed` and what it finds in
    /// `state`.
    ///
    /// # Errors
    /// [`StartError`] says what failed.
    pub async fn start(
        name: &'static str,
        services: Services,
        wanted: u8,
        seed: Option<SocketAddr>,
        state: &Path,
    ) -> Result<Self, StartError> {
        let config = Config {
            limits: Limits { full: wanted.into(), ..Limits::default() },
            required: RequiredServices { full: ARCHIVE, ..RequiredServices::default() },
            seeds: SeedConfig { fixed: seed.into_iter().map(PeerAddress::from).collect(), ..SeedConfig::default() },
            // The whole network is on this machine, in one neighbourhood.
            ranges: Ranges { public: false, loopback: true, ..Ranges::default() },
            groups: GroupRule { max_per_group: None, ..GroupRule::default() },
            ..Config::default()
        };
        let (any_port, unlimited) =
            (SocketAddr::from(([127, 0, 0, 1], 0)), Permissions { no_limit: true, ..Permissions::NONE });
        let builder = Pool::builder(config).state_dir(state).listen_with(any_port, None, unlimited);
        let pool = builder.start(|task: BoxFuture| smol::spawn(task).detach()).await?;
        let (handle, address) = (pool.handle(), pool.local_addrs()[0]);
        let shared = Shared { name, services, port: address.port(), pool: handle.clone(), peers: Mutex::default() };
        Ok(Self {
            pool: handle,
            address,
            wanted: wanted.into(),
            events: smol::spawn(take_events(pool, Arc::new(shared))),
        })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The pool's commands and views.
    pub const fn pool(&self) -> &Handle {
        &self.pool
    }

    /// The addresses of the archives that it has dialed and that are ready.
    pub async fn archives(&self) -> BTreeSet<PeerAddress> {
        let ready = |conn: &ConnView| conn.kind == Kind::Full && conn.state == ConnState::Ready;
        self.pool.connections().await.into_iter().filter(ready).filter_map(|conn| conn.address).collect()
    }

    /// Waits until it has as many archives as it wants.
    pub async fn is_full(&self) {
        while self.archives().await.len() < self.wanted {
            Timer::after(Duration::from_millis(10)).await;
        }
    }

    /// Shuts down: every connection is closed and the address book is saved when it returns.
    pub async fn stop(self) {
        // It fails only if the pool has ended already.
        let _ = self.pool.shutdown().await;
        self.events.await;
    }
}

/// Takes the pool's events until it has stopped.
async fn take_events(mut pool: Pool, shared: Arc<Shared>) {
    while let Some(event) = pool.next().await {
        let name = shared.name;
        match event {
            PoolEvent::Connected(connection) => smol::spawn(serve(connection, Arc::clone(&shared))).detach(),
            // The pool has nobody left to dial: every peer is asked whom it knows.
            PoolEvent::Event(Event::AddressesWanted { .. }) => shared.ask_all(),
            other => println!("{name}: {other}"),
        }
    }
}

/// Serves a connection until it ends. A peer that breaks the protocol is penalized.
async fn serve(connection: Connection, shared: Arc<Shared>) {
    let reporter = connection.reporter();
    match talk(connection, &shared).await {
        Err(error) if error.kind() == ErrorKind::InvalidData => {
            println!("{}: {} breaks the protocol: {error}", shared.name, reporter.id());
            reporter.report_misbehavior(Penalty { persistent: 20, transient: 0 });
        }
        Ok(()) | Err(_) => {}
    }
    // The two halves of the connection are dropped by now, so it was given back.
}

async fn talk(connection: Connection, shared: &Shared) -> io::Result<()> {
    let (reporter, remote, nonce) = (connection.reporter(), remote_ip(&connection), connection.nonce());
    let (reader, mut writer) = split(connection);
    let mut reader = BufReader::new(reader);
    let hello = Hello { services: shared.services, nonce, port: shared.port };
    writer.write_all(hello.to_string().as_bytes()).await?;
    let Hello { services, nonce, port } = next_line(&mut reader).await?.parse()?;
    println!("{}: {} is ready, services {:#x}", shared.name, reporter.id(), services.bits());
    reporter.report_ready(PeerInfo { services, nonce: Some(nonce), ..PeerInfo::default() });
    // If it called us, its own port is of the moment. Where it listens, it has just said.
    let listens =
        remote.map(|ip| AddressInfo::new(SocketAddr::new(ip, port).into()).services(services).last_seen(now()));
    reporter.report_addresses(listens.iter().cloned().collect());

    let (lines, to_write) = bounded(4);
    lines.try_send(WHO.to_owned()).expect("it has room for four");
    shared.peers().insert(reporter.id(), Peer { lines: lines.clone(), listens });
    let end = or(write(to_write, writer), answer(reader, &reporter, &lines, shared)).await;
    shared.peers().remove(&reporter.id());
    end
}

/// Writes the lines that are sent to the channel.
async fn write(lines: Receiver<String>, mut to: impl AsyncWrite + Unpin) -> io::Result<()> {
    while let Ok(line) = lines.recv().await {
        to.write_all(line.as_bytes()).await?;
    }
    Ok(())
}

/// Reads until the end, answers questions, and reports the addresses that are answers to ours.
async fn answer(
    mut from: impl AsyncBufRead + Unpin,
    reporter: &Reporter,
    lines: &Sender<String>,
    shared: &Shared,
) -> io::Result<()> {
    loop {
        let line = next_line(&mut from).await?;
        if line == "who" {
            let known = shared.known().await;
            // It fails only if the connection ends, which the next line shows.
            let _ = lines.send(to_line(&known)).await;
        } else if let Some(addresses) = line.strip_prefix("known") {
            reporter.report_addresses(from_line(addresses)?);
        } else {
            return Err(broken("no such message"));
        }
    }
}

impl Shared {
    fn peers(&self) -> MutexGuard<'_, BTreeMap<ConnId, Peer>> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks every peer for addresses.
    fn ask_all(&self) {
        for peer in self.peers().values() {
            // One that has no room has questions enough.
            let _ = peer.lines.try_send(WHO.to_owned());
        }
    }

    /// The addresses to tell: those of the peers, and a sample of the book. Of a small book the sample is nothing,
    /// because it is never more than a share of the book.
    async fn known(&self) -> Vec<AddressInfo> {
        let mut known: Vec<_> = self.peers().values().filter_map(|peer| peer.listens.clone()).collect();
        known.extend(self.pool.sample_addresses(None, MAX_KNOWN).await);
        known
    }
}

/// The host at the other end, unless a proxy hides it.
fn remote_ip(connection: &Connection) -> Option<IpAddr> {
    Some(connection.address()?.socket_addr()?.ip())
}
