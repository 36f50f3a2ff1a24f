//! Commands from other threads.
//!
//! A command waits until the pool's next turn. Its answer is an event of the pool. The loop that turns the pool needs
//! no handle: [`Pool`](crate::Pool) has the same commands, answered at once.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use connmgr_core::{
    AddedPeer, AddressInfo, Backoff, BanTarget, ConnId, Host, Input, Limits, NetworkKind, PeerAddress, PeerId, Source,
    Time,
};
use connmgr_std::NotACommand;
use connmgr_std::adapter::Clock;

use crate::bell::PollBell;

/// Commands that may wait for the pool's next turn. One more is refused.
const MAX_WAITING: usize = 1024;

/// The number of a command, which its answer repeats. Counts up, and is unique within a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(u64);

impl fmt::Display for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "command {}", self.0)
    }
}

/// Why a command was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unsent {
    /// 1024 commands wait already: the pool is not being turned.
    #[error("too many commands wait for the pool")]
    Full,
    /// The pool is gone.
    #[error("the pool is gone")]
    Gone,
    /// The input is not a command.
    #[error(transparent)]
    NotACommand(#[from] NotACommand),
}

/// A queue of commands, and the handle that sends to it.
pub(crate) fn channel(bell: PollBell, clock: Clock) -> (Handle, Receiver<(Ticket, Input)>) {
    let (commands, receiver) = sync_channel(MAX_WAITING);
    (Handle { commands, tickets: Arc::default(), bell, clock }, receiver)
}

/// Commands of a [`Pool`](crate::Pool), for any thread. Cheap to clone; it does not keep the pool alive, nor a
/// descriptor.
///
/// Nothing here waits. Each method only sends its command, and fails with [`Unsent`] when it can't. It returns a
/// [`Ticket`]; the answer is a later [`PoolEvent::Answered`](crate::PoolEvent::Answered) with that ticket, and has the
/// errors that the documentation of the method names.
#[derive(Clone, Debug)]
pub struct Handle {
    commands: SyncSender<(Ticket, Input)>,
    tickets: Arc<AtomicU64>,
    bell: PollBell,
    clock: Clock,
}

impl Handle {
    connmgr_std::command_methods!(queued Result<Ticket, Unsent>);

    /// Sends a command as data. Every other method that sends one is a shorthand for this.
    ///
    /// # Errors
    /// [`Unsent::NotACommand`] for an [`Input`] of which [`Input::is_command`] is false.
    pub fn ask(&self, command: Input) -> Result<Ticket, Unsent> {
        NotACommand::check(&command)?;
        self.send(command)
    }

    /// The pool's monotonic time, as [`Pool::now`](crate::Pool::now). It goes on when the pool is gone.
    pub fn now(&self) -> Time {
        self.clock.now()
    }

    fn send(&self, input: Input) -> Result<Ticket, Unsent> {
        let ticket = Ticket(self.tickets.fetch_add(1, Ordering::Relaxed));
        self.commands.try_send((ticket, input)).map_err(|refused| match refused {
            TrySendError::Full(_) => Unsent::Full,
            TrySendError::Disconnected(_) => Unsent::Gone,
        })?;
        self.bell.ring();
        Ok(ticket)
    }
}
