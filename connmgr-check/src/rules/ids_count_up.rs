//! Ids of connections, peers and lookups count up and are never used again.

use connmgr_core::{Action, Event, Input, Reply};

use super::{Concern, Property, Rule, RuleContext, RuleResult, hold};

#[derive(Clone, Debug, Default)]
pub(crate) struct IdsCountUpRule {
    conn: u64,
    peer: u64,
    lookup: u64,
}

impl Rule for IdsCountUpRule {
    const PROPERTY: Property = Property::IdsCountUp;
    const INPUT: Concern = Concern::News;

    fn input(&mut self, _: RuleContext<'_>, _: &Input, reply: &Reply) -> RuleResult {
        match reply {
            Reply::Added(Ok(peer)) => rise("peer", &mut self.peer, peer.as_u64()),
            Reply::Accepted(Ok(conn)) => rise("connection", &mut self.conn, conn.as_u64()),
            Reply::Noted
            | Reply::Learnt(_)
            | Reply::Accepted(Err(_))
            | Reply::Added(Err(_))
            | Reply::Addresses(_)
            | Reply::Done(_) => Ok(()),
        }
    }

    fn action(&mut self, _: RuleContext<'_>, action: &Action) -> RuleResult {
        match action {
            Action::Dial { conn, .. } => rise("connection", &mut self.conn, conn.as_u64()),
            Action::ResolveSeed { lookup, .. } | Action::ResolveHost { lookup, .. } => {
                rise("lookup", &mut self.lookup, lookup.as_u64())
            }
            Action::Emit(Event::Connected(connected)) if connected.kind.is_inbound() => {
                let id = connected.conn.as_u64();
                hold(id <= self.conn, || format!("{} came in under an id that was never given", connected.conn))
            }
            Action::Close { .. }
            | Action::ScheduleRetry { .. }
            | Action::PauseAccept { .. }
            | Action::Save
            | Action::Emit(_) => Ok(()),
        }
    }
}

fn rise(what: &str, last: &mut u64, id: u64) -> RuleResult {
    let before = core::mem::replace(last, id);
    hold(id > before, || format!("{what} {id} follows {what} {before}"))
}
