//! What an application may say to a pool: the one list from which every adapter's methods are made.
//!
//! A new command is one entry here. It knows neither a runtime nor how a command travels.

use connmgr_core::{AddPeerError, AddressCounts, AddressInfo, CommandError, Input, PeerId, Reply};

/// One method for each command, and for each fact that an application may report, to be put into an `impl`. Names,
/// arguments and documentation are so the same in every adapter; the argument says how an answer comes back.
///
/// | argument | methods | the type has |
/// |---|---|---|
/// | `async` | `async fn(&self)`, which wait for the answer | `async fn apply(&self, Input) -> Reply` |
/// | `direct` | `fn(&mut self)`, which return the answer | `fn apply(&mut self, &Input) -> Reply` |
/// | `queued T` | `fn(&self) -> T`, which only send | `fn send(&self, Input) -> T` |
///
/// The types of the arguments and answers must be in scope.
#[macro_export]
macro_rules! command_methods {
    (async) => { $crate::command_methods! { @list [async] } };
    (direct) => { $crate::command_methods! { @list [direct] } };
    (queued $sent:ty) => { $crate::command_methods! { @list [queued $sent] } };

    (@list $how:tt) => { $crate::command_methods! { @methods $how
        /// Adds a peer, described or by its address alone, to be dialed as soon as the limits allow. Events of the
        /// peer may be taken before the answer; they carry its [`tag`](connmgr_core::AddedPeer::tag).
        ///
        /// # Errors
        /// [`AddPeerError`](connmgr_core::AddPeerError) says why the peer can't be added.
        add_peer(peer: impl Into<AddedPeer>) -> Result<PeerId, AddPeerError> = Input::AddPeer { peer: peer.into() };

        /// Removes an added peer for good, in whatever state it is, and closes its connection.
        ///
        /// # Errors
        /// `UnknownPeer` or `ShuttingDown` of [`CommandError`](connmgr_core::CommandError).
        remove_peer(peer: PeerId) -> Result<(), CommandError> = Input::RemovePeer { peer };

        /// Closes a connection. An added peer is dialed again after its back-off.
        ///
        /// # Errors
        /// `UnknownConnection` or `ShuttingDown` of [`CommandError`](connmgr_core::CommandError).
        disconnect(conn: ConnId) -> Result<(), CommandError> = Input::Disconnect { conn };

        /// Closes the connection of an added peer and dials it again at once.
        ///
        /// # Errors
        /// `UnknownConnection`, `NotAdded` or `ShuttingDown` of [`CommandError`](connmgr_core::CommandError).
        reconnect(conn: ConnId) -> Result<(), CommandError> = Input::Reconnect { conn };

        /// Dials an added peer now, without waiting for the end of its back-off.
        ///
        /// # Errors
        /// `UnknownPeer` or `ShuttingDown` of [`CommandError`](connmgr_core::CommandError).
        dial_now(peer: PeerId) -> Result<(), CommandError> = Input::DialNow { peer };

        /// Gives an added peer a back-off of its own, used from its next failure on. `None` restores that of the
        /// configuration.
        ///
        /// # Errors
        /// `UnknownPeer`, `BadBackoff` or `ShuttingDown` of [`CommandError`](connmgr_core::CommandError).
        set_retry(peer: PeerId, retry: Option<Backoff>) -> Result<(), CommandError> = Input::SetRetry { peer, retry };

        /// Bans a host or a subnet and closes its connections.
        ///
        /// # Errors
        /// `NotBannable` or `ShuttingDown` of [`CommandError`](connmgr_core::CommandError).
        ban(target: BanTarget, duration: Duration) -> Result<(), CommandError> = Input::Ban { target, duration };

        /// Lifts a ban.
        ///
        /// # Errors
        /// `NotBanned` or `ShuttingDown` of [`CommandError`](connmgr_core::CommandError).
        unban(target: BanTarget) -> Result<(), CommandError> = Input::Unban { target };

        /// Resets the misbehavior score of a host; its bans stay.
        ///
        /// # Errors
        /// `ShuttingDown` of [`CommandError`](connmgr_core::CommandError).
        reset_score(host: Host) -> Result<(), CommandError> = Input::ResetScore { host };

        /// Random addresses from the book, of one network or of all, each time others and with their dates: for the
        /// application itself (a peer is answered by `answer_getaddr`). At most `count`, at most 1000, and at most 23 % of
        /// what is known there, as in Bitcoin Core, so that no one peer learns the whole book; rounded up, so that a small
        /// network gossips, too: of one to four addresses one. Leaves out banned hosts and addresses that are probably
        /// gone.
        sample_addresses(network: Option<NetworkKind>, count: u32) -> Vec<AddressInfo> =
            Input::SampleAddresses { network, count };

        /// What to answer to a peer's `getaddr` on this inbound connection: at most 1000 addresses, and at most 23 % of what
        /// is known. All who ask on one listener and network get the same answer for about a day, with one date for all,
        /// 8 to 13 days ago, as in Bitcoin Core, so that nobody learns the whole book, or that two addresses of different
        /// networks are ours. Empty for a connection that we dialed, and for one that has ended. Answer once a connection.
        answer_getaddr(conn: ConnId) -> Vec<AddressInfo> = Input::AnswerGetaddr { conn };

        /// Stops all dialing and accepting and closes every connection, or resumes.
        ///
        /// # Errors
        /// `ShuttingDown` of [`CommandError`](connmgr_core::CommandError).
        set_active(active: bool) -> Result<(), CommandError> = Input::SetActive { active };

        /// Changes the limits; surplus connections are closed.
        ///
        /// # Errors
        /// `BadLimits` or `ShuttingDown` of [`CommandError`](connmgr_core::CommandError).
        set_limits(limits: Limits) -> Result<(), CommandError> = Input::SetLimits { limits };

        /// Begins to shut down: closes every connection and gives up every dial. The manager's last event is
        /// [`Event::Stopped`](connmgr_core::Event::Stopped). A second call does nothing.
        ///
        /// # Errors
        /// `ShuttingDown` of [`CommandError`](connmgr_core::CommandError), when the pool is gone already.
        shutdown() -> Result<(), CommandError> = Input::Shutdown;

        /// Gives the book addresses that the application knows from a store of its own. What a peer sent is reported on
        /// its connection. The answer counts what became of them, by reason: see
        /// [`AddressCounts`](connmgr_core::AddressCounts).
        learn_addresses(addresses: Vec<AddressInfo>) -> AddressCounts =
            Input::Addresses { source: Source::Application, addresses };

        /// Forgets that an address is our own, wherever that is known from: it may be dialed like any other.
        ///
        /// # Errors
        /// `NotOurs` or `ShuttingDown` of [`CommandError`](connmgr_core::CommandError).
        forget_own_address(address: PeerAddress) -> Result<(), CommandError> = Input::ForgetOwnAddress { address };

        /// Reports that the machine's network changed: the pool forgets what it learnt of outages.
        report_network_changed() -> () = Input::NetworkChanged;

        /// Gives an address of this node, which is never dialed.
        learn_own_address(address: PeerAddress) -> () = Input::OwnAddress { address };
    } };

    (@methods [async] $(
        $(#[$doc:meta])* $name:ident($($arg:ident: $type:ty),*) -> $answer:ty = $input:expr;
    )+) => { $(
        $(#[$doc])*
        pub async fn $name(&self, $($arg: $type),*) -> $answer {
            $crate::adapter::FromReply::from_reply(self.apply($input).await)
        }
    )+ };
    (@methods [direct] $(
        $(#[$doc:meta])* $name:ident($($arg:ident: $type:ty),*) -> $answer:ty = $input:expr;
    )+) => { $(
        $(#[$doc])*
        pub fn $name(&mut self, $($arg: $type),*) -> $answer {
            $crate::adapter::FromReply::from_reply(self.apply(&$input))
        }
    )+ };
    (@methods [queued $sent:ty] $(
        $(#[$doc:meta])* $name:ident($($arg:ident: $type:ty),*) -> $answer:ty = $input:expr;
    )+) => { $(
        $(#[$doc])*
        pub fn $name(&self, $($arg: $type),*) -> $sent {
            self.send($input)
        }
    )+ };
}

/// The answer to a command, out of the manager's [`Reply`].
pub trait FromReply {
    /// Unwraps the reply.
    ///
    /// # Panics
    /// When the reply is to a command of another kind.
    fn from_reply(reply: Reply) -> Self;
}

impl FromReply for Result<PeerId, AddPeerError> {
    fn from_reply(reply: Reply) -> Self {
        if let Reply::Added(added) = reply { added } else { mismatch(&reply) }
    }
}

impl FromReply for Result<(), CommandError> {
    fn from_reply(reply: Reply) -> Self {
        if let Reply::Done(done) = reply { done } else { mismatch(&reply) }
    }
}

impl FromReply for Vec<AddressInfo> {
    fn from_reply(reply: Reply) -> Self {
        if let Reply::Addresses(addresses) = reply { addresses } else { mismatch(&reply) }
    }
}

impl FromReply for AddressCounts {
    fn from_reply(reply: Reply) -> Self {
        if let Reply::Learnt(counts) = reply { counts } else { mismatch(&reply) }
    }
}

/// Of any other fact, which has no answer.
impl FromReply for () {
    fn from_reply(reply: Reply) -> Self {
        if reply != Reply::Noted {
            mismatch(&reply)
        }
    }
}

fn mismatch(reply: &Reply) -> ! {
    unreachable!("the manager answers each command in its own kind, not with {reply:?}")
}

/// What a pool that is gone answers.
pub(crate) fn refusal(input: &Input) -> Reply {
    match input {
        Input::AddPeer { .. } => Reply::Added(Err(AddPeerError::ShuttingDown)),
        Input::SampleAddresses { .. } | Input::AnswerGetaddr { .. } => Reply::Addresses(Vec::new()),
        Input::Addresses { addresses, .. } => {
            let unwanted = u32::try_from(addresses.len()).unwrap_or(u32::MAX);
            Reply::Learnt(AddressCounts { unwanted, ..AddressCounts::default() })
        }
        command if command.is_command() => Reply::Done(Err(CommandError::ShuttingDown)),
        _fact => Reply::Noted,
    }
}

/// An [`Input`] that was to be asked, but is no command: it reports what has happened, which only the pool knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a command: only the pool itself reports what has happened")]
pub struct NotACommand;

impl NotACommand {
    /// Refuses everything but commands.
    ///
    /// # Errors
    /// [`NotACommand`].
    pub const fn check(input: &Input) -> Result<(), Self> {
        if input.is_command() { Ok(()) } else { Err(Self) }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use connmgr_core::{AddedPeer, Backoff, BanTarget, ConnId, Host, Keep, Limits, NetworkKind, PeerAddress, Source};

    use super::*;

    /// A façade that sends what it is told back to its caller.
    struct Echo;

    #[allow(unreachable_pub, reason = "a method of every façade is public")]
    impl Echo {
        crate::command_methods!(queued Input);

        fn send(&self, input: Input) -> Input {
            input
        }
    }

    #[test]
    fn each_method_says_what_its_name_says() {
        let (conn, peer, duration) = (ConnId::from_u64(1), PeerId::from_u64(2), Duration::from_secs(3));
        let address: PeerAddress = "1.2.3.4:5".parse().unwrap();
        let host: Host = "1.2.3.4".parse().unwrap();
        let (target, retry) = (BanTarget::Host(host.clone()), Some(Backoff::default()));
        let network = Some(NetworkKind::Onion);
        let limits = Limits::default();
        for (said, expected) in [
            (
                Echo.add_peer(AddedPeer::new(address.clone()).keep(Keep::Once)),
                Input::AddPeer { peer: AddedPeer::new(address.clone()).keep(Keep::Once) },
            ),
            (Echo.remove_peer(peer), Input::RemovePeer { peer }),
            (Echo.disconnect(conn), Input::Disconnect { conn }),
            (Echo.reconnect(conn), Input::Reconnect { conn }),
            (Echo.dial_now(peer), Input::DialNow { peer }),
            (Echo.set_retry(peer, retry), Input::SetRetry { peer, retry }),
            (Echo.ban(target.clone(), duration), Input::Ban { target: target.clone(), duration }),
            (Echo.unban(target.clone()), Input::Unban { target }),
            (Echo.forget_own_address(address.clone()), Input::ForgetOwnAddress { address: address.clone() }),
            (Echo.reset_score(host.clone()), Input::ResetScore { host }),
            (Echo.sample_addresses(network, 7), Input::SampleAddresses { network, count: 7 }),
            (Echo.answer_getaddr(conn), Input::AnswerGetaddr { conn }),
            (Echo.set_active(false), Input::SetActive { active: false }),
            (Echo.set_limits(limits), Input::SetLimits { limits }),
            (Echo.shutdown(), Input::Shutdown),
            (Echo.learn_addresses(vec![]), Input::Addresses { source: Source::Application, addresses: vec![] }),
            (Echo.report_network_changed(), Input::NetworkChanged),
            (Echo.learn_own_address(address.clone()), Input::OwnAddress { address }),
        ] {
            assert_eq!(said, expected);
        }
    }

    #[test]
    fn what_has_happened_can_not_be_asked() {
        let conn = ConnId::from_u64(1);
        assert_eq!(NotACommand::check(&Input::Disconnect { conn }), Ok(()));
        assert_eq!(NotACommand::check(&Input::Misbehavior { conn, penalty: Default::default() }), Err(NotACommand));
    }
}
