//! Facts about connections, from the holders of their streams to the engine. Posting never waits and never fails.
//!
//! It is no queue: the facts of a connection are merged into one record, so that memory is bounded by the number of
//! connections, however late the engine drains it.

use std::fmt;
use std::sync::{Arc, Mutex};

use connmgr_core::{Activity, AddressInfo, CloseCause, ConnId, Input, PeerInfo, Penalty, Source};

use super::stream_end::ended;
use crate::id_map::IdMap;
use crate::sync::lock;

/// The most addresses that wait for one connection; any more are dropped. A Bitcoin peer may send 1000 in one message,
/// and the manager considers no more in one call.
pub(crate) const MAX_ADDRESSES: usize = 1000;

/// A fact about a connection, from the holder of its stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ConnFact {
    /// The handshake is done. Only the first counts.
    Ready(PeerInfo),
    /// The peer misbehaved. Penalties add up.
    Misbehaving(Penalty),
    /// What the connection was good for. Reports are merged.
    Activity(Activity),
    /// The peer sent addresses. They are collected, up to [`MAX_ADDRESSES`].
    Addresses(Vec<AddressInfo>),
    /// The application let go of the connection, having seen this end of it, or none. Only the first counts.
    Ended(Option<CloseCause>),
}

/// Collects facts about connections until it is drained. Clones share it.
#[derive(Clone)]
pub struct Mailbox(Arc<MailboxState>);

struct MailboxState {
    /// Locked only for one merge or one swap.
    posted: Mutex<Tray>,
    /// An empty tray for the next swap, to reuse its memory.
    spare: Mutex<Tray>,
    wake: Box<dyn Fn() + Send + Sync>,
}

/// The records in the order of their first fact, and the index of each connection's.
#[derive(Default)]
struct Tray {
    records: Vec<(ConnId, ConnRecord)>,
    place: IdMap<ConnId, usize>,
}

/// What was posted for one connection.
#[derive(Default)]
struct ConnRecord {
    ready: Option<PeerInfo>,
    addresses: Vec<AddressInfo>,
    activity: Option<Activity>,
    penalty: Option<Penalty>,
    ended: Option<Option<CloseCause>>,
}

impl Mailbox {
    /// An empty mailbox. A post into an empty mailbox calls `wake`, on the thread that posts. It must not block, and
    /// should lead to a call of [`Mailbox::drain`] soon.
    pub fn new(wake: impl Fn() + Send + Sync + 'static) -> Self {
        let (posted, spare) = Default::default();
        Self(Arc::new(MailboxState { posted, spare, wake: Box::new(wake) }))
    }

    /// Reports a fact.
    pub(crate) fn post(&self, conn: ConnId, fact: ConnFact) {
        let mut posted = lock(&self.0.posted);
        let was_empty = posted.records.is_empty();
        posted.record(conn).merge(fact);
        drop(posted);
        if was_empty {
            (self.0.wake)();
        }
    }

    /// Takes everything out as inputs for the manager: connections in the order of their first fact, and for each
    /// connection readiness first and its end last. Facts that are posted meanwhile stay for the next call.
    pub fn drain(&self, mut each: impl FnMut(Input)) {
        if lock(&self.0.posted).records.is_empty() {
            return;
        }
        let empty = std::mem::take(&mut *lock(&self.0.spare));
        let mut full = std::mem::replace(&mut *lock(&self.0.posted), empty);
        full.place.clear();
        for (conn, record) in full.records.drain(..) {
            record.tell(conn, &mut each);
        }
        *lock(&self.0.spare) = full;
    }
}

impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailbox").field("waiting", &lock(&self.0.posted).records.len()).finish_non_exhaustive()
    }
}

impl Tray {
    fn record(&mut self, conn: ConnId) -> &mut ConnRecord {
        let records = &mut self.records;
        let index = *self.place.entry(conn).or_insert_with(|| {
            records.push((conn, ConnRecord::default()));
            records.len() - 1
        });
        &mut records[index].1
    }
}

impl ConnRecord {
    fn merge(&mut self, fact: ConnFact) {
        match fact {
            ConnFact::Ready(info) => {
                self.ready.get_or_insert(info);
            }
            ConnFact::Misbehaving(penalty) => self.penalty = Some(self.penalty.unwrap_or_default().and(penalty)),
            ConnFact::Activity(activity) => self.activity = Some(self.activity.unwrap_or_default().and(activity)),
            ConnFact::Addresses(addresses) => {
                let room = MAX_ADDRESSES - self.addresses.len();
                self.addresses.extend(addresses.into_iter().take(room));
            }
            ConnFact::Ended(cause) => {
                self.ended.get_or_insert(cause);
            }
        }
    }

    fn tell(self, conn: ConnId, each: &mut impl FnMut(Input)) {
        let Self { ready, addresses, activity, penalty, ended: let_go } = self;
        if let Some(info) = ready {
            each(Input::Ready { conn, info });
        }
        if !addresses.is_empty() {
            each(Input::Addresses { source: Source::Peer(conn), addresses });
        }
        if let Some(activity) = activity {
            each(Input::Activity { conn, activity });
        }
        if let Some(penalty) = penalty {
            each(Input::Misbehavior { conn, penalty });
        }
        if let Some(cause) = let_go {
            each(ended(conn, cause));
        }
    }
}

#[cfg(test)]
mod tests;
