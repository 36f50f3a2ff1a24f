//! Takes the turns of a conversation on an asynchronous stream. Knows streams and timers, and no pool.

pub mod smol;
pub mod tokio;

use std::future::poll_fn;
use std::io::{self, ErrorKind, Read, Write};
use std::task::{Context, Poll, ready};
use std::time::Instant;

use crate::pump::PumpTurn;

/// The stream of a runtime.
pub trait PollStream {
    /// Reads what has arrived, or has the task woken when something has.
    fn poll_read(&mut self, cx: &mut Context<'_>, space: &mut [u8]) -> Poll<io::Result<usize>>;

    /// Writes what fits, or has the task woken when something does.
    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>>;
}

/// The timer of a runtime.
trait PollTimer {
    /// Ready at this time; never if there is none.
    fn poll_until(&mut self, until: Option<Instant>, cx: &mut Context<'_>) -> Poll<()>;
}

/// Takes turns until one is done, and waits between them. Cancel-safe if the turns are.
async fn drive<S: PollStream, T>(
    mut stream: S,
    mut timer: impl PollTimer,
    mut turn: impl FnMut(&mut Polled<'_, '_, S>, Instant) -> PumpTurn<T>,
) -> T {
    poll_fn(|cx| {
        loop {
            match turn(&mut Polled { stream: &mut stream, cx }, Instant::now()) {
                PumpTurn::Done(done) => return Poll::Ready(done),
                PumpTurn::Again => {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                PumpTurn::Wait(until) => ready!(timer.poll_until(until, cx)),
            }
        }
    })
    .await
}

/// A stream in a turn. It never blocks: where it is not ready it says `WouldBlock`, and the task is woken when it is.
#[derive(Debug)]
pub struct Polled<'a, 'b, S> {
    stream: &'a mut S,
    cx: &'a mut Context<'b>,
}

fn or_would_block(polled: Poll<io::Result<usize>>) -> io::Result<usize> {
    match polled {
        Poll::Ready(result) => result,
        Poll::Pending => Err(ErrorKind::WouldBlock.into()),
    }
}

impl<S: PollStream> Read for Polled<'_, '_, S> {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        or_would_block(self.stream.poll_read(self.cx, space))
    }
}

impl<S: PollStream> Write for Polled<'_, '_, S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        or_would_block(self.stream.poll_write(self.cx, bytes))
    }

    /// Nothing is buffered here.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
