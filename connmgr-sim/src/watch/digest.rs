//! A digest of what one manager was told and did.

use connmgr_core::{Action, Event, Input, Reply, Time};

use crate::types::text_key;

/// A digest over times, kinds and ids of inputs and actions. Addresses are left out: ids
/// stand for them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Digest(u64);

impl Digest {
    pub(super) const fn number(self) -> u64 {
        self.0
    }

    fn fold(&mut self, tag: u64, value: u64) {
        self.0 = (self.0.rotate_left(5) ^ value ^ (tag << 56)).wrapping_mul(0x517c_c1b7_2722_0a95);
    }

    pub(super) fn input(&mut self, now: Time, input: &Input, reply: &Reply) {
        let (tag, id) = match input {
            Input::Timeout => (1, 0),
            Input::Clock { unix } => (2, unix.as_secs()),
            Input::DialResult { conn, result } => (3 + u64::from(result.is_err()), conn.as_u64()),
            Input::Ready { conn, .. } => (5, conn.as_u64()),
            Input::Closed { conn, .. } | Input::Dropped { conn } => (6, conn.as_u64()),
            Input::Addresses { addresses, .. } => (7, addresses.len() as u64),
            Input::LookupResult { lookup, result } => (8 + u64::from(result.is_err()), lookup.as_u64()),
            Input::Misbehavior { conn, .. } => (10, conn.as_u64()),
            Input::Activity { conn, .. } => (11, conn.as_u64()),
            Input::AcceptError { .. } => (12, 0),
            Input::NetworkChanged => (13, 0),
            Input::Accept { .. } => (15, u64::from(matches!(reply, Reply::Accepted(Ok(_))))),
            Input::AddPeer { .. } => (16, 0),
            Input::RemovePeer { peer } => (17, peer.as_u64()),
            Input::SetActive { active } => (26, u64::from(*active)),
            Input::SetLimits { .. } => (27, 0),
            Input::Shutdown => (28, 0),
            // What no world says is told apart by its text, so that new inputs need no number here.
            other => (29, text_key(&other.to_string())),
        };
        self.fold(tag, now.as_nanos());
        self.fold(tag, id);
    }

    pub(super) fn action(&mut self, action: &Action) {
        let (tag, id) = match action {
            Action::Dial { conn, deadline, .. } => (40, conn.as_u64() ^ deadline.as_nanos()),
            Action::Close { conn, reason } => (41, conn.as_u64() << 8 | *reason as u64),
            Action::ResolveSeed { lookup, .. } => (42, lookup.as_u64()),
            Action::ResolveHost { lookup, .. } => (43, lookup.as_u64()),
            Action::ScheduleRetry { peer, at, .. } => (44, peer.as_u64() ^ at.as_nanos()),
            Action::PauseAccept { until, .. } => (45, until.as_nanos()),
            Action::Save => (46, 0),
            Action::Emit(Event::Connected(connected)) => (47, connected.nonce),
            Action::Emit(Event::Disconnected { conn, .. }) => (48, conn.as_u64()),
            Action::Emit(Event::DialFailed { conn, .. }) => (49, conn.as_u64()),
            Action::Emit(_) => (50, 0),
        };
        self.fold(tag, id);
    }
}
