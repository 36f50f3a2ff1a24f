//! tokio's TCP stream as the pool's dials and guards use it.

use std::io;
use std::mem::MaybeUninit;
use std::net::{Shutdown, SocketAddr};

use connmgr_std::adapter::Wire;
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// tokio's TCP stream.
#[derive(Debug)]
pub struct TokioStream(pub(crate) TcpStream);

impl Wire for TokioStream {
    async fn connect(address: SocketAddr) -> io::Result<Self> {
        TcpStream::connect(address).await.map(Self)
    }

    // As `TcpStream::connect` waits.
    async fn connecting(socket: std::net::TcpStream) -> io::Result<Self> {
        let stream = TcpStream::from_std(socket)?;
        stream.writable().await?;
        match stream.take_error()? {
            Some(error) => Err(error),
            None => Ok(Self(stream)),
        }
    }

    async fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf).await
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).await
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.peer_addr()
    }

    fn to_std(&self) -> io::Result<std::net::TcpStream> {
        SockRef::from(&self.0).try_clone().map(Into::into)
    }

    fn peek(&self) -> io::Result<usize> {
        let socket = SockRef::from(&self.0);
        socket.set_nonblocking(true)?;
        socket.peek(&mut [MaybeUninit::uninit()])
    }

    fn set_nodelay(&self) -> io::Result<()> {
        self.0.set_nodelay(true)
    }

    fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        SockRef::from(&self.0).shutdown(how)
    }
}
