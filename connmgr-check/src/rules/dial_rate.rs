//! Automatic dials stay within `dial.rate`. Probes are exempt.

use connmgr_core::ConnManager;

use super::{Property, Rule, RuleContext, RuleResult, hold};
use crate::bucket::TokenBucket;

#[derive(Clone, Debug, Default)]
pub(crate) struct DialRateRule {
    bucket: TokenBucket,
}

impl Rule for DialRateRule {
    const PROPERTY: Property = Property::DialRate;

    fn after(&mut self, seen: RuleContext<'_>, _: &ConnManager) -> RuleResult {
        let rate = &seen.ledger.config.dial.rate;
        for id in &seen.step.dials {
            let Some(conn) = seen.ledger.conn(*id).filter(|conn| !conn.is_probe) else { continue };
            if !conn.kind.is_some_and(|kind| kind.takes_group()) {
                continue;
            }
            let in_time = self.bucket.take(rate, seen.now());
            hold(in_time, || format!("{id} is dialed at {}, faster than {rate:?} allows", seen.now()))?;
        }
        Ok(())
    }
}
