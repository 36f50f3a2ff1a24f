//! Turns on a stream of smol, or of any other executor on async-io.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use smol::Timer;
use smol::future::FutureExt;
use smol::io::{AsyncRead, AsyncWrite};

use super::{PollStream, PollTimer, Polled};
use crate::pump::PumpTurn;

/// Takes turns until one is done, and waits between them. Cancel-safe if the turns are.
pub async fn drive<S, T>(
    stream: &mut S,
    turn: impl FnMut(&mut Polled<'_, '_, SmolPollStream<'_, S>>, Instant) -> PumpTurn<T>,
) -> T
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    super::drive(SmolPollStream(stream), SmolTimer { timer: Timer::never(), until: None }, turn).await
}

/// A stream of smol's traits.
#[derive(Debug)]
pub struct SmolPollStream<'a, S>(&'a mut S);

impl<S: AsyncRead + AsyncWrite + Unpin> PollStream for SmolPollStream<'_, S> {
    fn poll_read(&mut self, cx: &mut Context<'_>, space: &mut [u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.0).poll_read(cx, space)
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.0).poll_write(cx, bytes)
    }
}

struct SmolTimer {
    timer: Timer,
    until: Option<Instant>,
}

impl PollTimer for SmolTimer {
    fn poll_until(&mut self, until: Option<Instant>, cx: &mut Context<'_>) -> Poll<()> {
        if self.until != until {
            self.until = until;
            self.timer = until.map_or_else(Timer::never, Timer::at);
        }
        self.timer.poll(cx).map(drop)
    }
}
