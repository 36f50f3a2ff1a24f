//! Turns on a stream of smol's, or of any other executor on async-io.

use std::future::poll_fn;
use std::io::{self, ErrorKind, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use smol::Timer;
use smol::future::FutureExt;
use smol::io::{AsyncRead, AsyncWrite};

use crate::pump::Turn;

/// Takes turns until one of them comes to something, and waits between them. Cancel-safe if the turns are.
pub async fn drive<S, T>(stream: &mut S, mut turn: impl FnMut(&mut SmolPolled<'_, '_, S>, Instant) -> Turn<T>) -> T
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut alarm = Timer::never();
    let mut armed = None;
    poll_fn(|cx| {
        loop {
            match turn(&mut SmolPolled { stream, cx }, Instant::now()) {
                Turn::Done(done) => return Poll::Ready(done),
                Turn::Again => {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Turn::Wait(until) => {
                    if armed != until {
                        armed = until;
                        alarm = until.map_or_else(Timer::never, Timer::at);
                    }
                    ready!(alarm.poll(cx));
                }
            }
        }
    })
    .await
}

/// A stream as a turn sees it: what is not ready would block, and wakes the task when it is.
#[derive(Debug)]
pub struct SmolPolled<'a, 'b, S> {
    stream: &'a mut S,
    cx: &'a mut Context<'b>,
}

impl<S: AsyncRead + Unpin> Read for SmolPolled<'_, '_, S> {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        match Pin::new(&mut *self.stream).poll_read(self.cx, space) {
            Poll::Ready(read) => read,
            Poll::Pending => Err(ErrorKind::WouldBlock.into()),
        }
    }
}

impl<S: AsyncWrite + Unpin> Write for SmolPolled<'_, '_, S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match Pin::new(&mut *self.stream).poll_write(self.cx, bytes) {
            Poll::Ready(written) => written,
            Poll::Pending => Err(ErrorKind::WouldBlock.into()),
        }
    }

    /// Nothing is kept back here.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
