//! The sockets we listen on, polled by the driver's task alone.

use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};

use connmgr_core::ListenerId;
use tokio::net::TcpListener;

use crate::wire::Stream;

/// All of them.
pub(crate) type Listeners = connmgr_std::adapter::Listeners<TcpListener>;

/// A connection that came in, or why none could.
pub(crate) type Accepted = io::Result<(Stream, SocketAddr)>;

/// The next connection, or error, on any listener that is not paused.
pub(crate) fn poll_accept(listeners: &mut Listeners, cx: &mut Context<'_>) -> Poll<(ListenerId, Accepted)> {
    listeners
        .poll(|socket| socket.poll_accept(cx).map(|accepted| accepted.map(|(stream, remote)| (Stream(stream), remote))))
}
