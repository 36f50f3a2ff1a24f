//! The operator bans subnets, lets parts of them in, and lifts bans.

use std::sync::Arc;

use connmgr_core::{BanTarget, Input};

use super::World;
use super::happening::Happening;
use super::subject::Subject;
use crate::scenario::BannedSubnet;
use crate::types::Instant;

impl<S: Subject> World<S> {
    pub(super) fn plan_bans(&mut self) {
        let plan = Arc::clone(&self.plan);
        for (number, spec) in (0u16..).zip(&plan.scenario.bans) {
            for node in 0..plan.scenario.node.count {
                self.queue.push(Instant::ZERO.after(spec.at.0), Happening::Bans { spec: number, node });
                if let Some(at) = spec.lifted_at {
                    self.queue.push(Instant::ZERO.after(at.0), Happening::Lifts { spec: number, node });
                }
            }
        }
    }

    /// The operator bans once: where no process runs then, nothing is banned.
    pub(super) fn bans(&mut self, spec: u16, node: u32) {
        if self.is_postponed(node, Happening::Bans { spec, node }) {
            return;
        }
        let plan = Arc::clone(&self.plan);
        let spec = &plan.scenario.bans[usize::from(spec)];
        let Some(banned) = BannedSubnet::of(&plan, spec) else { return };
        self.tell(node, &Input::Ban { target: BanTarget::Subnet(banned.subnet), duration: spec.lasts.0 });
        for ip in banned.let_in {
            self.tell(node, &Input::Unban { target: BanTarget::from(ip) });
        }
    }

    pub(super) fn lifts(&mut self, spec: u16, node: u32) {
        if self.is_postponed(node, Happening::Lifts { spec, node }) {
            return;
        }
        let plan = Arc::clone(&self.plan);
        if let Some(banned) = BannedSubnet::of(&plan, &plan.scenario.bans[usize::from(spec)]) {
            self.tell(node, &Input::Unban { target: BanTarget::Subnet(banned.subnet) });
        }
    }
}
