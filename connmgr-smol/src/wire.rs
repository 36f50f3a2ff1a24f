//! A TCP stream on async-io, as the pool's dials and guards use it.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpStream};

use async_io::Async;
use connmgr_std::adapter::Wire;
use futures_lite::{AsyncReadExt, AsyncWriteExt};

/// async-io's TCP stream.
#[derive(Debug)]
pub struct SmolStream(pub(crate) Async<TcpStream>);

impl Wire for SmolStream {
    async fn connect(address: SocketAddr) -> io::Result<Self> {
        Async::<TcpStream>::connect(address).await.map(Self)
    }

    // As `Async::<TcpStream>::connect` waits.
    async fn connecting(socket: TcpStream) -> io::Result<Self> {
        let stream = Async::new_nonblocking(socket)?;
        stream.writable().await?;
        match stream.get_ref().take_error()? {
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
        self.0.get_ref().local_addr()
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.get_ref().peer_addr()
    }

    fn to_std(&self) -> io::Result<TcpStream> {
        self.0.get_ref().try_clone()
    }

    fn peek(&self) -> io::Result<usize> {
        self.0.get_ref().set_nonblocking(true)?;
        self.0.get_ref().peek(&mut [0])
    }

    fn set_nodelay(&self) -> io::Result<()> {
        self.0.get_ref().set_nodelay(true)
    }

    fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.0.get_ref().shutdown(how)
    }
}
