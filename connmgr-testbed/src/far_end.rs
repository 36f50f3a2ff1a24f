//! The peer of every connection: a process of its own, so that its CPU and descriptors are not counted with the pool's.
//!
//! It is the same program, started again with a variable in its environment: a `main` that uses it calls
//! [`serve_if_asked`] first. It listens on one port of all of 127.0.0.0/8, accepts everything, sends nothing, and ends
//! connections by a reset (linger 0), so that no address is left in `TIME_WAIT`.

use std::collections::VecDeque;
use std::env;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::ops::RangeInclusive;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use connmgr_core::PeerAddress;
use socket2::{Domain, SockAddr, SockRef, Socket, Type};

/// Set in a process that is a far end: how many connections it keeps.
const KEEPS: &str = "CONNMGR_FAR_END_KEEPS";

/// Connections that may wait to be accepted. The system allows at most `net.core.somaxconn`.
const BACKLOG: i32 = 4096;

/// The ports to choose from. Like those of real nodes they are not ephemeral (on Linux, from 32768 on): a dial to an
/// ephemeral port costs a check whether it connected to itself.
const PORTS: RangeInclusive<u16> = 18_333..=18_432;

/// How often the far end accepts.
const LOOKS_EVERY: Duration = Duration::from_millis(1);

/// The far end's process. Dropping it ends the process.
#[derive(Debug)]
pub struct FarEnd {
    process: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    port: u16,
}

impl FarEnd {
    /// Starts one that keeps so many connections: the oldest is reset when one more comes.
    ///
    /// # Errors
    /// What the operating system reports.
    pub fn start(keeps: usize) -> io::Result<Self> {
        let mut command = Command::new(env::current_exe()?);
        let command = command.env(KEEPS, keeps.to_string()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn()?;
        let orders = process.stdin.take();
        let answers = BufReader::new(process.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?);
        let mut far_end = Self { process, orders, answers, port: 0 };
        far_end.port = far_end.answer()?;
        Ok(far_end)
    }

    /// The port at which it listens.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Resets every connection. Returns how many were accepted since the start.
    ///
    /// # Errors
    /// The process is gone.
    pub fn hang_up(&mut self) -> io::Result<u64> {
        if let Some(orders) = &mut self.orders {
            writeln!(orders)?;
        }
        self.answer()
    }

    fn answer<T: std::str::FromStr>(&mut self) -> io::Result<T> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        line.trim().parse().map_err(|_| io::ErrorKind::UnexpectedEof.into())
    }
}

impl Drop for FarEnd {
    fn drop(&mut self) {
        self.orders = None;
        // The process ends when its standard input closes.
        let _ = self.process.wait();
    }
}

/// So many addresses of loopback with this port, spread over its /16 groups.
pub fn addresses(count: u32, port: u16) -> Vec<PeerAddress> {
    // Without 127.0.0.0/16: 127.0.0.1 is the address that dials come from.
    let octet = |number: u32| u8::try_from(number % 256).expect("less than 256");
    let ip = |n: u32| Ipv4Addr::new(127, 1 + octet(n % 255), octet(n / 255 / 255), 1 + octet(n / 255 % 255));
    (0..count).map(|n| PeerAddress::new(std::net::IpAddr::from(ip(n)).into(), port)).collect()
}

/// A port that refuses connections, and that no other process gets.
#[derive(Debug)]
pub struct ClosedPort {
    port: u16,
    /// Bound, and not listening.
    _socket: Socket,
}

impl ClosedPort {
    /// Reserves one.
    ///
    /// # Errors
    /// What the operating system reports.
    pub fn reserve() -> io::Result<Self> {
        let (socket, port) = bind()?;
        Ok(Self { port, _socket: socket })
    }

    /// The port.
    pub const fn port(&self) -> u16 {
        self.port
    }
}

/// A socket at the first port that is free, and the port.
fn bind() -> io::Result<(Socket, u16)> {
    let bind = |port: u16| {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.bind(&SockAddr::from(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port))))?;
        Ok((socket, port))
    };
    let is_taken = |bound: &io::Result<_>| bound.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::AddrInUse);
    PORTS.map(bind).find(|bound| !is_taken(bound)).unwrap_or_else(|| Err(io::ErrorKind::AddrInUse.into()))
}

/// If this process was started as a far end, serves until its parent drops it, and then exits.
///
/// # Panics
/// When the operating system gives it no port.
pub fn serve_if_asked() {
    let Some(keeps) = env::var(KEEPS).ok().and_then(|keeps| keeps.parse().ok()) else { return };
    serve(keeps).expect("a port of loopback, and an open standard output");
    std::process::exit(0);
}

fn serve(keeps: usize) -> io::Result<()> {
    let (socket, port) = bind()?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    let listener = TcpListener::from(socket);
    println!("{port}");
    let kept = Arc::new(Mutex::new(Kept::default()));
    let accepting = Arc::clone(&kept);
    thread::spawn(move || accept_all(&listener, keeps, &accepting));
    for order in io::stdin().lines() {
        order?;
        println!("{}", hang_up(&kept));
    }
    Ok(())
}

#[derive(Default)]
struct Kept {
    streams: VecDeque<TcpStream>,
    accepted: u64,
}

// It polls instead of waiting, because to wake it would cost the dialer CPU, and the more often the slower it dials.
fn accept_all(listener: &TcpListener, keeps: usize, kept: &Mutex<Kept>) {
    loop {
        // An error means that no connection waits, or that there are no descriptors until some are freed.
        while let Ok((stream, _)) = listener.accept() {
            lock(kept).keep(stream, keeps);
        }
        thread::sleep(LOOKS_EVERY);
    }
}

impl Kept {
    fn keep(&mut self, stream: TcpStream, at_most: usize) {
        // It fails only if the dialer has reset the connection, which is as good.
        let _ = SockRef::from(&stream).set_linger(Some(Duration::ZERO));
        self.accepted += 1;
        self.streams.push_back(stream);
        if self.streams.len() > at_most {
            self.streams.pop_front();
        }
    }
}

/// Waits until no connection has come for a while, then resets all. Returns how many came since the start.
fn hang_up(kept: &Mutex<Kept>) -> u64 {
    let mut before = None;
    loop {
        let now = lock(kept).accepted;
        if before == Some(now) {
            lock(kept).streams.clear();
            return now;
        }
        before = Some(now);
        thread::sleep(20 * LOOKS_EVERY);
    }
}

fn lock(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}
