//! Every `Connected` carries a nonce of its own.

use std::collections::VecDeque;

use connmgr_core::{Action, Event};
use rustc_hash::FxHashSet;

use super::{Ledger, Property, Rule, Seen, Verdict, hold};

/// How many nonces are remembered.
const REMEMBERED: usize = 4096;

#[derive(Clone, Debug)]
pub(crate) struct NonceUnique {
    lately: VecDeque<u64>,
    known: FxHashSet<u64>,
}

impl NonceUnique {
    pub(crate) fn new(_: &Ledger) -> Self {
        Self { lately: VecDeque::new(), known: FxHashSet::default() }
    }
}

impl Rule for NonceUnique {
    const PROPERTY: Property = Property::NonceUnique;

    fn action(&mut self, _: Seen<'_>, action: &Action) -> Verdict {
        let Action::Emit(Event::Connected(connected)) = action else { return Ok(()) };
        if self.lately.len() == REMEMBERED {
            self.lately.pop_front().iter().for_each(|oldest| _ = self.known.remove(oldest));
        }
        self.lately.push_back(connected.nonce);
        let is_new = self.known.insert(connected.nonce);
        hold(is_new, || format!("{} has the nonce {}, which another had", connected.conn, connected.nonce))
    }
}
