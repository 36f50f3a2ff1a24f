//! Commands from other threads.
//!
//! A command waits until the pool takes its next turn; its answer is an event of the pool, not of the handle. Whoever
//! turns the pool needs no handle: [`Pool`](crate::Pool) has the same commands, answered at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use connmgr_core::{
    AddressInfo, Backoff, BanTarget, ConnId, Host, Input, Keep, Limits, NetworkKind, PeerAddress, PeerId, Source, Time,
};
use connmgr_std::adapter::Clock;

use crate::bell::Bell;

/// Commands that may wait for the pool's next turn; one more is refused.
const MAX_WAITING: usize = 1024;

/// What a command is known by, until it is answered. Counts up, and is the same for no two commands of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(u64);

/// Why a command was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsent {
    /// 1024 commands wait already: the pool is not turned.
    #[error("too many commands wait for the pool")]
    Full,
    /// The pool is gone.
    #[error("the pool is gone")]
    Gone,
}

/// A queue of commands.
pub(crate) fn channel(bell: Bell, clock: Clock) -> (Handle, Receiver<(Ticket, Input)>) {
    let (commands, receiver) = sync_channel(MAX_WAITING);
    (Handle { commands, tickets: Arc::default(), bell, clock }, receiver)
}

/// Commands of a [`Pool`](crate::Pool), for any thread. Cheap to clone; it does not keep the pool alive, nor a
/// descriptor.
///
/// Nothing here waits. Each command gives a [`Ticket`]; the answer is a
/// [`PoolEvent::Answered`](crate::PoolEvent::Answered) with that ticket. Each fails with [`Unsent`] and in no other
/// way; what the manager refuses is said in the answer.
#[derive(Clone, Debug)]
pub struct Handle {
    commands: SyncSender<(Ticket, Input)>,
    tickets: Arc<AtomicU64>,
    bell: Bell,
    clock: Clock,
}

#[allow(clippy::missing_errors_doc, reason = "said once, at the type")]
impl Handle {
    /// [`Pool::add_peer`](crate::Pool::add_peer)
    pub fn add_peer(&self, address: PeerAddress, keep: Keep) -> Result<Ticket, Unsent> {
        self.send(Input::AddPeer { address, keep })
    }

    /// [`Pool::remove_peer`](crate::Pool::remove_peer)
    pub fn remove_peer(&self, peer: PeerId) -> Result<Ticket, Unsent> {
        self.send(Input::RemovePeer { peer })
    }

    /// [`Pool::disconnect`](crate::Pool::disconnect)
    pub fn disconnect(&self, conn: ConnId) -> Result<Ticket, Unsent> {
        self.send(Input::Disconnect { conn })
    }

    /// [`Pool::reconnect`](crate::Pool::reconnect)
    pub fn reconnect(&self, conn: ConnId) -> Result<Ticket, Unsent> {
        self.send(Input::Reconnect { conn })
    }

    /// [`Pool::dial_now`](crate::Pool::dial_now)
    pub fn dial_now(&self, peer: PeerId) -> Result<Ticket, Unsent> {
        self.send(Input::DialNow { peer })
    }

    /// [`Pool::set_retry`](crate::Pool::set_retry)
    pub fn set_retry(&self, peer: PeerId, retry: Option<Backoff>) -> Result<Ticket, Unsent> {
        self.send(Input::SetRetry { peer, retry })
    }

    /// [`Pool::ban`](crate::Pool::ban)
    pub fn ban(&self, target: BanTarget, duration: Duration) -> Result<Ticket, Unsent> {
        self.send(Input::Ban { target, duration })
    }

    /// [`Pool::unban`](crate::Pool::unban)
    pub fn unban(&self, target: BanTarget) -> Result<Ticket, Unsent> {
        self.send(Input::Unban { target })
    }

    /// [`Pool::reset_score`](crate::Pool::reset_score)
    pub fn reset_score(&self, host: Host) -> Result<Ticket, Unsent> {
        self.send(Input::ResetScore { host })
    }

    /// [`Pool::sample_addresses`](crate::Pool::sample_addresses)
    pub fn sample_addresses(&self, network: Option<NetworkKind>, count: u32) -> Result<Ticket, Unsent> {
        self.send(Input::SampleAddresses { network, count })
    }

    /// [`Pool::set_active`](crate::Pool::set_active)
    pub fn set_active(&self, active: bool) -> Result<Ticket, Unsent> {
        self.send(Input::SetActive { active })
    }

    /// [`Pool::set_limits`](crate::Pool::set_limits)
    pub fn set_limits(&self, limits: Limits) -> Result<Ticket, Unsent> {
        self.send(Input::SetLimits { limits })
    }

    /// [`Pool::shutdown`](crate::Pool::shutdown)
    pub fn shutdown(&self) -> Result<Ticket, Unsent> {
        self.send(Input::Shutdown)
    }

    /// [`Pool::addresses`](crate::Pool::addresses)
    pub fn addresses(&self, addresses: Vec<AddressInfo>) -> Result<Ticket, Unsent> {
        self.send(Input::Addresses { source: Source::Application, addresses })
    }

    /// [`Pool::network_changed`](crate::Pool::network_changed)
    pub fn network_changed(&self) -> Result<Ticket, Unsent> {
        self.send(Input::NetworkChanged)
    }

    /// [`Pool::own_address`](crate::Pool::own_address)
    pub fn own_address(&self, address: PeerAddress) -> Result<Ticket, Unsent> {
        self.send(Input::OwnAddress { address })
    }

    /// [`Pool::now`](crate::Pool::now), at once; it goes on when the pool is gone.
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
