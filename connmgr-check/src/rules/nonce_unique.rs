//! No two `Connected` carry the same nonce.

use std::collections::VecDeque;

use connmgr_core::{Action, Event};
use rustc_hash::FxHashSet;

use super::{Property, Rule, RuleContext, RuleResult, hold};

/// How many nonces are remembered.
const REMEMBERED: usize = 4096;

#[derive(Clone, Debug, Default)]
pub(crate) struct NonceUniqueRule {
    lately: VecDeque<u64>,
    known: FxHashSet<u64>,
}

impl Rule for NonceUniqueRule {
    const PROPERTY: Property = Property::NonceUnique;

    fn action(&mut self, _: RuleContext<'_>, action: &Action) -> RuleResult {
        let Action::Emit(Event::Connected(connected)) = action else { return Ok(()) };
        if self.lately.len() == REMEMBERED {
            let oldest = self.lately.pop_front().expect("it is full");
            self.known.remove(&oldest);
        }
        self.lately.push_back(connected.nonce);
        let is_new = self.known.insert(connected.nonce);
        hold(is_new, || format!("{} has the nonce {}, which another had", connected.conn, connected.nonce))
    }
}
