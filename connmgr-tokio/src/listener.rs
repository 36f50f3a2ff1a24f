//! The sockets we listen on, polled by the driver's task alone.

use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};

use connmgr_core::ListenerId;
use connmgr_std::StartError;
use connmgr_std::adapter::{self, Settings};
use tokio::net::TcpListener;

use crate::wire::Stream;

/// All of them.
pub(crate) type Listeners = adapter::Listeners<TcpListener>;

/// A connection that came in, or why none could.
pub(crate) type Accepted = io::Result<(Stream, SocketAddr)>;

/// Opens all that the settings name; and where each came to be.
pub(crate) fn bind(settings: &Settings) -> Result<(Listeners, Vec<SocketAddr>), StartError> {
    let (mut listeners, mut local_addrs) = (Listeners::default(), Vec::new());
    for &(id, address) in &settings.listen {
        let failed = |error| StartError::Listen { address, error };
        let socket = adapter::bind(address).and_then(TcpListener::from_std).map_err(failed)?;
        local_addrs.push(socket.local_addr().map_err(failed)?);
        listeners.push(id, socket);
    }
    Ok((listeners, local_addrs))
}

/// The next connection, or error, on any listener that is not paused.
pub(crate) fn poll_accept(listeners: &mut Listeners, cx: &mut Context<'_>) -> Poll<(ListenerId, Accepted)> {
    listeners
        .poll(|socket| socket.poll_accept(cx).map(|accepted| accepted.map(|(stream, remote)| (Stream(stream), remote))))
}
