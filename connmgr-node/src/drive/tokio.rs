//! Turns on a stream of tokio's.

use std::future::poll_fn;
use std::io::{self, ErrorKind, Read, Write};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::sleep;

use crate::pump::Turn;

/// Takes turns until one of them comes to something, and waits between them. Cancel-safe if the turns are.
pub async fn drive<S, T>(stream: &mut S, mut turn: impl FnMut(&mut TokioPolled<'_, '_, S>, Instant) -> Turn<T>) -> T
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut alarm = pin!(sleep(Duration::ZERO));
    poll_fn(|cx| {
        loop {
            match turn(&mut TokioPolled { stream, cx }, Instant::now()) {
                Turn::Done(done) => return Poll::Ready(done),
                Turn::Again => {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Turn::Wait(None) => return Poll::Pending,
                Turn::Wait(Some(until)) => {
                    alarm.as_mut().reset(until.into());
                    ready!(alarm.as_mut().poll(cx));
                }
            }
        }
    })
    .await
}

/// A stream as a turn sees it: what is not ready would block, and wakes the task when it is.
#[derive(Debug)]
pub struct TokioPolled<'a, 'b, S> {
    stream: &'a mut S,
    cx: &'a mut Context<'b>,
}

impl<S: AsyncRead + Unpin> Read for TokioPolled<'_, '_, S> {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        let mut space = ReadBuf::new(space);
        match Pin::new(&mut *self.stream).poll_read(self.cx, &mut space) {
            Poll::Ready(read) => read.map(|()| space.filled().len()),
            Poll::Pending => Err(ErrorKind::WouldBlock.into()),
        }
    }
}

impl<S: AsyncWrite + Unpin> Write for TokioPolled<'_, '_, S> {
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
