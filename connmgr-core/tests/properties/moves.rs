//! Random moves: inputs that mean something whatever the state is.
//!
//! A move names its object by a number, which is read as an index into what there is when the move is made. So every
//! sequence of moves makes sense, and so does every part of it that shrinking leaves.

use std::time::Duration;

use connmgr_core::*;
use proptest::prelude::*;

use crate::support::{Bench, UNIX, addr, millis, secs};

/// One move.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Move {
    Pass(Duration),
    NextDeadline,
    Dialed(usize, Result<(), DialError>),
    Ready(usize, Option<u8>),
    Closed(usize, CloseCause),
    Dropped(usize),
    Misbehaves(usize),
    Stranger(u8),
    Add(u8, Keep),
    Remove(usize),
    DialNow(usize),
    Disconnect(usize),
    Reconnect(usize),
    Ban(u8),
    Unban(usize),
    Limits(Limits),
    Active(bool),
    Learn(u8),
    Own(u8),
    NetworkChanged,
    LookedUp(u64, bool),
    /// A result for any id: late, doubled, unknown.
    Stray(u64, bool),
}

/// How many addresses there are, two in each group; beyond them are names.
const ADDRESSES: u8 = 24;

/// The address with this number.
pub(crate) fn address(number: u8) -> PeerAddress {
    match number % (ADDRESSES + 2) {
        n @ 0..ADDRESSES => addr(&format!("{}.{}.0.{}:8333", 20 + n / 2, n / 2, 1 + n % 2)),
        n => addr(&format!("name{n}.example:8333")),
    }
}

fn any_error() -> impl Strategy<Value = DialError> {
    prop_oneof![
        Just(DialError::Refused),
        Just(DialError::TimedOut),
        Just(DialError::NetworkUnreachable),
        Just(DialError::Cancelled),
    ]
}

pub(crate) fn any_limits() -> impl Strategy<Value = Limits> {
    (0..12u32, 0..6u32, 0..3u32, 0..5u32).prop_map(|(total, full, block_relay, added)| Limits {
        total,
        full,
        block_relay,
        feeler: 0,
        addr_fetch: 2,
        added,
        ..Limits::default()
    })
}

pub(crate) fn any_move() -> impl Strategy<Value = Move> {
    let index = || any::<usize>();
    let cause = prop_oneof![Just(CloseCause::Eof), Just(CloseCause::Unheard)];
    let keep = prop_oneof![Just(Keep::Always), Just(Keep::Once)];
    prop_oneof![
        4 => (1..60_000u64).prop_map(|wait| Move::Pass(millis(wait))),
        6 => Just(Move::NextDeadline),
        8 => index().prop_map(|n| Move::Dialed(n, Ok(()))),
        4 => (index(), any_error()).prop_map(|(n, error)| Move::Dialed(n, Err(error))),
        6 => (index(), prop::option::weighted(0.3, 0..4u8)).prop_map(|(n, identity)| Move::Ready(n, identity)),
        3 => (index(), cause).prop_map(|(n, cause)| Move::Closed(n, cause)),
        1 => index().prop_map(Move::Dropped),
        1 => index().prop_map(Move::Misbehaves),
        3 => any::<u8>().prop_map(Move::Stranger),
        4 => (any::<u8>(), keep).prop_map(|(n, keep)| Move::Add(n, keep)),
        2 => index().prop_map(Move::Remove),
        1 => index().prop_map(Move::DialNow),
        1 => index().prop_map(Move::Disconnect),
        1 => index().prop_map(Move::Reconnect),
        1 => any::<u8>().prop_map(Move::Ban),
        1 => index().prop_map(Move::Unban),
        1 => any_limits().prop_map(Move::Limits),
        1 => prop::bool::weighted(0.7).prop_map(Move::Active),
        2 => any::<u8>().prop_map(Move::Learn),
        1 => (0..200u8).prop_map(Move::Own),
        1 => Just(Move::NetworkChanged),
        2 => (0..20u64, any::<bool>()).prop_map(|(n, found)| Move::LookedUp(n, found)),
        1 => (0..40u64, any::<bool>()).prop_map(|(n, success)| Move::Stray(n, success)),
    ]
}

impl Move {
    /// The input that the move is now; none if it has no object.
    pub(crate) fn input(self, bench: &mut Bench) -> Option<Input> {
        let conn = |number, wanted: &[ConnState]| {
            let conns = bench.manager.connections();
            let fitting: Vec<ConnId> =
                conns.iter().filter(|conn| wanted.contains(&conn.state)).map(|conn| conn.conn).collect();
            pick(&fitting, number)
        };
        let peer = |number| {
            let peers: Vec<PeerId> = bench.manager.added_peers().iter().map(|peer| peer.peer).collect();
            pick(&peers, number)
        };
        const DIALS: [ConnState; 2] = [ConnState::Dialing, ConnState::Silent];
        const OPEN: [ConnState; 3] = [ConnState::Handshaking, ConnState::Stalled, ConnState::Ready];
        Some(match self {
            Self::Pass(wait) => {
                bench.now = bench.now.after(wait);
                Input::Timeout
            }
            Self::NextDeadline => {
                bench.now = bench.manager.poll_timeout()?.max(bench.now);
                Input::Timeout
            }
            Self::Dialed(n, result) => Input::DialResult { conn: conn(n, &DIALS)?, result },
            Self::Ready(n, identity) => {
                Input::Ready { conn: conn(n, &[ConnState::Handshaking, ConnState::Stalled])?, info: info(identity) }
            }
            Self::Closed(n, cause) => Input::Closed { conn: conn(n, &OPEN)?, cause },
            Self::Dropped(n) => Input::Dropped { conn: conn(n, &OPEN)? },
            Self::Misbehaves(n) => {
                let penalty = Penalty { persistent: 60, transient: 0 };
                Input::Misbehavior { conn: conn(n, &OPEN)?, penalty }
            }
            Self::Stranger(n) => {
                let remote = address(n % ADDRESSES).socket_addr()?;
                Input::Accept { remote, listener: ListenerId(0) }
            }
            Self::Add(n, keep) => Input::AddPeer { peer: AddedPeer::new(address(n)).keep(keep) },
            Self::Remove(n) => Input::RemovePeer { peer: peer(n)? },
            Self::DialNow(n) => Input::DialNow { peer: peer(n)? },
            Self::Disconnect(n) => Input::Disconnect { conn: conn(n, &ConnState::ALL)? },
            Self::Reconnect(n) => Input::Reconnect { conn: conn(n, &ConnState::ALL)? },
            Self::Ban(n) => Input::Ban { target: BanTarget::Host(address(n).host().clone()), duration: secs(100) },
            Self::Unban(n) => {
                let bans: Vec<BanTarget> = bench.manager.bans().into_iter().map(|ban| ban.target).collect();
                Input::Unban { target: bans.get(n.checked_rem(bans.len())?)?.clone() }
            }
            Self::Limits(limits) => Input::SetLimits { limits },
            Self::Active(active) => Input::SetActive { active },
            Self::Learn(n) => Input::Addresses { source: Source::Application, addresses: vec![known(n), known(n / 2)] },
            Self::Own(n) => Input::OwnAddress { address: (n < ADDRESSES).then(|| address(n))? },
            Self::NetworkChanged => Input::NetworkChanged,
            Self::LookedUp(n, found) => {
                let ips = [0, 1, 2].map(|i| address(u8::try_from(n).expect("small") + i).host().ip());
                let result = if found {
                    Ok(ips.into_iter().flatten().map(Into::into).collect())
                } else {
                    Err(LookupError::NotFound)
                };
                Input::LookupResult { lookup: LookupId::from_u64(n), result }
            }
            Self::Stray(n, success) => {
                let result = if success { Ok(()) } else { Err(DialError::Refused) };
                Input::DialResult { conn: ConnId::from_u64(n), result }
            }
        })
    }
}

fn pick<T: Copy>(from: &[T], number: usize) -> Option<T> {
    from.get(number.checked_rem(from.len())?).copied()
}

fn info(identity: Option<u8>) -> PeerInfo {
    let identity = identity.map(|n| Identity([n; 32]));
    PeerInfo { services: Services::NETWORK, nonce: None, identity, ..PeerInfo::default() }
}

fn known(number: u8) -> AddressInfo {
    AddressInfo::new(address(number % ADDRESSES)).services(Services::NETWORK).last_seen(UNIX)
}
