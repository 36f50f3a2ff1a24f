//! Automatic dials keep to their rate, but for probes and for what is repeated as v1.

use connmgr_core::ConnManager;

use super::{Ledger, Property, Rule, Seen, Verdict, hold};
use crate::bucket::Bucket;

#[derive(Clone, Debug)]
pub(crate) struct DialRate {
    bucket: Bucket,
}

impl DialRate {
    pub(crate) fn new(_: &Ledger) -> Self {
        Self { bucket: Bucket::default() }
    }
}

impl Rule for DialRate {
    const PROPERTY: Property = Property::DialRate;

    fn after(&mut self, seen: Seen<'_>, _: &ConnManager) -> Verdict {
        let rate = &seen.ledger.config.dial.rate;
        for id in &seen.step.dials {
            let Some(conn) = seen.ledger.conn(*id).filter(|conn| !conn.is_probe) else { continue };
            let repeated = seen.ledger.unheard_address.is_some() && conn.address == seen.ledger.unheard_address;
            if !conn.kind.is_some_and(|kind| kind.takes_group()) || repeated {
                continue;
            }
            let in_time = self.bucket.take(rate, seen.now());
            hold(in_time, || format!("{id} is dialed at {}, faster than {rate:?} allows", seen.now()))?;
        }
        Ok(())
    }
}
