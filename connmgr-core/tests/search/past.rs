//! What a world remembers of ended connections, to repeat facts about them. It checks nothing.

use std::collections::BTreeMap;

use connmgr_core::*;

/// How many ended connections are remembered.
const REMEMBERED: usize = 2;

/// The past, as far as later inputs depend on it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Past {
    /// The connections that ended last, the latest last.
    pub(crate) ended: Vec<ConnId>,
    /// Connections whose peer has reported its identity.
    known: BTreeMap<ConnId, Identity>,
    /// Connections to a peer that was also met at another address, by that address.
    met: BTreeMap<PeerAddress, ConnId>,
}

impl Past {
    /// Records a step: its input, the connections before, its actions, and the connections after.
    pub(crate) fn note(&mut self, input: &Input, before: &[ConnView], actions: &[Action], now: &[ConnView]) {
        if let Input::Ready { conn, info: PeerInfo { identity: Some(identity), .. } } = input {
            self.note_identity(*conn, *identity, before, actions);
        }
        let is_there = |conn: ConnId| now.iter().any(|view| view.conn == conn);
        for view in before.iter().filter(|view| !is_there(view.conn)) {
            if self.ended.len() == REMEMBERED {
                self.ended.remove(0);
            }
            self.ended.push(view.conn);
        }
    }

    /// A peer reported its identity. If it has another connection, one of the two is closed as a duplicate, and its
    /// address leads to the peer of the one that stays.
    fn note_identity(&mut self, newer: ConnId, identity: Identity, before: &[ConnView], actions: &[Action]) {
        let older = self.known.iter().find(|(_, known)| **known == identity).map(|(conn, _)| *conn);
        let loser = actions.iter().find_map(|action| match action {
            Action::Close { conn, reason: CloseReason::Duplicate } => Some(*conn),
            _ => None,
        });
        let winner = if loser == Some(newer) { older } else { Some(newer) };
        let dialed = before.iter().filter(|view| Some(view.conn) == loser && !view.kind.is_inbound());
        let address = dialed.filter_map(|view| view.address.clone()).next();
        if let (Some(address), Some(winner)) = (address, winner) {
            self.met.insert(address, winner);
        }
        if before.iter().any(|view| view.conn == newer) {
            self.known.insert(newer, identity);
        }
    }

    /// The connection to a peer that was met at another address as well, if there is one now.
    pub(crate) fn met_twice(&self, now: &[ConnView]) -> Option<ConnId> {
        self.met.values().find(|conn| now.iter().any(|view| view.conn == **conn)).copied()
    }
}
