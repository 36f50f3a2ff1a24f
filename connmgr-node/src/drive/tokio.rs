//! Turns on a stream of tokio.

use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::{PollStream, PollTimer, Polled};
use crate::pump::PumpTurn;

/// Takes turns until one is done, and waits between them. Cancel-safe if the turns are.
pub async fn drive<S, T>(
    stream: &mut S,
    turn: impl FnMut(&mut Polled<'_, '_, TokioPollStream<'_, S>>, Instant) -> PumpTurn<T>,
) -> T
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    super::drive(TokioPollStream(stream), pin!(sleep(Duration::ZERO)), turn).await
}

/// A stream of tokio's traits.
#[derive(Debug)]
pub struct TokioPollStream<'a, S>(&'a mut S);

impl<S: AsyncRead + AsyncWrite + Unpin> PollStream for TokioPollStream<'_, S> {
    fn poll_read(&mut self, cx: &mut Context<'_>, space: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut space = ReadBuf::new(space);
        Pin::new(&mut *self.0).poll_read(cx, &mut space).map_ok(|()| space.filled().len())
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.0).poll_write(cx, bytes)
    }
}

impl PollTimer for Pin<&mut Sleep> {
    fn poll_until(&mut self, until: Option<Instant>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(until) = until else { return Poll::Pending };
        self.as_mut().reset(until.into());
        self.as_mut().poll(cx)
    }
}
