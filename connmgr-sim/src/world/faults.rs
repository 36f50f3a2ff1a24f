//! Faults: each begins and ends at its times, at the managers it affects.

use std::sync::Arc;
use std::time::Duration;

use connmgr_check::Violation;
use connmgr_core::{CloseCause, ConnId, Input, NetworkKind};

use super::happening::{Happening, SOON};
use super::node::{Ails, Saved};
use super::{Broken, Mark, World};
use crate::scenario::{FaultKind, FaultSpec, Monotonic, known};
use crate::types::{Dice, DrawPurpose, Instant, Share};
use crate::world::links::LinkId;
use crate::world::subject::{Onlooker, Subject};

impl<S: Subject> World<S> {
    pub(super) fn plan_faults(&mut self) {
        let plan = Arc::clone(&self.plan);
        for (number, spec) in (0u16..).zip(&plan.scenario.faults) {
            if !Dice::new(plan.seed, DrawPurpose::Swarm, number.into()).happens(spec.chance) {
                continue;
            }
            for (begins, ends) in spec.times(self.end()) {
                self.queue.push(begins, Happening::Begins { fault: number });
                if let Some(ends) = ends {
                    self.queue.push(ends, Happening::Ends { fault: number });
                }
            }
        }
        let Some(healed) = plan.scenario.healed_at() else { return };
        // What the last fault breaks is broken a moment after it.
        self.queue.push(healed.after(SOON * 2), Happening::Healed);
        if let Some(within) = plan.scenario.expect.full_within {
            self.queue.push(healed.after(within.0), Happening::MustBeFull);
        }
    }

    pub(super) fn begins(&mut self, fault: u16) {
        self.marks.push(Mark { at: self.now, fault, begins: true });
        let plan = Arc::clone(&self.plan);
        let spec = &plan.scenario.faults[usize::from(fault)];
        for node in self.struck(fault, spec) {
            self.strike(node, spec);
        }
    }

    pub(super) fn ends(&mut self, fault: u16) {
        self.marks.push(Mark { at: self.now, fault, begins: false });
        let plan = Arc::clone(&self.plan);
        let spec = &plan.scenario.faults[usize::from(fault)];
        for node in self.struck(fault, spec) {
            self.relieve(node, spec);
        }
    }

    /// The managers that a fault affects: the same each time it occurs.
    fn struck(&self, fault: u16, spec: &FaultSpec) -> Vec<u32> {
        let dice = Dice::new(self.plan.seed, DrawPurpose::Fault, fault.into());
        (0..self.plan.scenario.node.count).filter(|node| dice.part((*node).into()).happens(spec.share)).collect()
    }

    fn strike(&mut self, node: u32, spec: &FaultSpec) {
        let ails = &mut self.nodes[node as usize].ails;
        match &spec.fault {
            FaultKind::Interface => ails.interface += 1,
            FaultKind::Silent(networks) => each(&mut ails.silent, networks, |count| *count += 1),
            FaultKind::NoRoute(networks) => each(&mut ails.no_route, networks, |count| *count += 1),
            FaultKind::Reset(networks) => {
                each(&mut ails.reset, networks, |count| *count += 1);
                self.reset_open(node, |network| networks.contains(&network));
            }
            FaultKind::Partition(share) => ails.partition = *share,
            FaultKind::NatReset => self.reset_open(node, |_| true),
            FaultKind::OwnFailures(failures) => ails.own_failures.push(failures.clone()),
            FaultKind::Proxy(fault) => ails.proxy = Some(*fault),
            FaultKind::NamesHang => ails.names_hang += 1,
            FaultKind::NamesFail => ails.names_fail += 1,
            FaultKind::ClockForward(by) => self.step_clock(node, seconds(by.0)),
            FaultKind::ClockBack(by) => self.step_clock(node, -seconds(by.0)),
            FaultKind::Suspend(_) => self.suspend(node, spec),
            FaultKind::Crash => self.kill(node),
            FaultKind::CrashToOldState => self.crash_to_old_state(node),
            FaultKind::OutOfDescriptors => ails.out_of_descriptors += 1,
            FaultKind::LateResults => ails.late += 1,
            FaultKind::DoubledResults => ails.doubled += 1,
            FaultKind::MissingResults(share) => ails.missing = *share,
            FaultKind::HalfHanging(share) => self.hang(node, *share),
            FaultKind::Limits(limits) => self.set_limits(node, *limits),
            FaultKind::Inactive => self.set_active(node, false),
            FaultKind::NetworkChanged => self.tell(node, &Input::NetworkChanged),
            FaultKind::Restart => self.shut_down(node),
        }
        self.start_again_if_over(node, spec);
    }

    fn relieve(&mut self, node: u32, spec: &FaultSpec) {
        let Ails { interface, silent, no_route, reset, .. } = &mut self.nodes[node as usize].ails;
        let down = |count: &mut u32| *count = count.saturating_sub(1);
        match &spec.fault {
            FaultKind::Interface => down(interface),
            FaultKind::Silent(networks) => each(silent, networks, down),
            FaultKind::NoRoute(networks) => each(no_route, networks, down),
            FaultKind::Reset(networks) => each(reset, networks, down),
            FaultKind::Partition(_) => self.nodes[node as usize].ails.partition = Share::NONE,
            FaultKind::OwnFailures(failures) => {
                let own_failures = &mut self.nodes[node as usize].ails.own_failures;
                if let Some(at) = own_failures.iter().position(|other| other == failures) {
                    own_failures.remove(at);
                }
            }
            FaultKind::Proxy(_) => self.nodes[node as usize].ails.proxy = None,
            FaultKind::NamesHang => down(&mut self.nodes[node as usize].ails.names_hang),
            FaultKind::NamesFail => down(&mut self.nodes[node as usize].ails.names_fail),
            FaultKind::ClockForward(by) => self.step_clock(node, -seconds(by.0)),
            FaultKind::ClockBack(by) => self.step_clock(node, seconds(by.0)),
            FaultKind::Suspend(monotonic) => self.resume(node, *monotonic, spec),
            FaultKind::Crash | FaultKind::CrashToOldState | FaultKind::Restart => self.start(node),
            FaultKind::OutOfDescriptors => down(&mut self.nodes[node as usize].ails.out_of_descriptors),
            FaultKind::LateResults => down(&mut self.nodes[node as usize].ails.late),
            FaultKind::DoubledResults => down(&mut self.nodes[node as usize].ails.doubled),
            FaultKind::MissingResults(_) => self.nodes[node as usize].ails.missing = Share::NONE,
            FaultKind::Limits(_) => self.set_limits(node, self.config.limits),
            FaultKind::Inactive => self.set_active(node, true),
            FaultKind::NatReset | FaultKind::HalfHanging(_) | FaultKind::NetworkChanged => {}
        }
    }

    /// A process that ended starts again at once if the fault does not say when.
    fn start_again_if_over(&mut self, node: u32, spec: &FaultSpec) {
        if spec.fault.ends_processes() && spec.lasts.is_none() {
            self.later(SOON, Happening::Start { node });
        }
    }

    fn reset_open(&mut self, node: u32, is_hit: impl Fn(NetworkKind) -> bool) {
        for (_, id) in self.links_of(node) {
            if self.links.get(id).is_some_and(|link| is_hit(link.network)) {
                self.later(SOON, Happening::Closes { link: id, cause: CloseCause::Reset });
            }
        }
    }

    fn hang(&mut self, node: u32, share: Share) {
        for (_, id) in self.links_of(node) {
            if let Some(link) = self.links.get_mut(id) {
                link.is_hung |= link.dice.part(20).happens(share);
            }
        }
    }

    /// A manager's links, by their ids.
    fn links_of(&self, node: u32) -> Vec<(ConnId, LinkId)> {
        let links = self.nodes[node as usize].links.iter();
        let mut links: Vec<(ConnId, LinkId)> = links.map(|(conn, link)| (*conn, *link)).collect();
        links.sort_unstable_by_key(|(conn, _)| *conn);
        links
    }

    fn step_clock(&mut self, node: u32, seconds: i64) {
        self.nodes[node as usize].clock.step(seconds);
        // The adapter finds out when it next wakes; it looks once a second at the latest.
        self.later(Duration::from_secs(1), Happening::Wake { node });
        self.nodes[node as usize].armed = self.now.after(Duration::from_secs(1));
    }

    fn suspend(&mut self, node: u32, spec: &FaultSpec) {
        let until = self.now.after(spec.lasts.map_or(Duration::ZERO, |lasts| lasts.0));
        self.nodes[node as usize].ails.asleep_until = Some(until);
    }

    /// A machine wakes up: unless it slept briefly, its open connections are gone.
    fn resume(&mut self, node: u32, monotonic: Monotonic, spec: &FaultSpec) {
        let slept = spec.lasts.map_or(Duration::ZERO, |lasts| lasts.0);
        let place = &mut self.nodes[node as usize];
        place.ails.asleep_until = None;
        if monotonic == Monotonic::Stops {
            place.clock.stand_still(slept);
            if let Some(subject) = &mut place.subject {
                subject.watch_mut().stood_still(slept);
            }
        }
        place.armed = Instant::MAX;
        self.arm(node);
        if slept > Duration::from_secs(120) {
            self.reset_open(node, |_| true);
        }
    }

    fn crash_to_old_state(&mut self, node: u32) {
        let place = &mut self.nodes[node as usize];
        // Where nothing was saved yet, the next crash finds the old state.
        let has_saved = match &place.saved {
            Saved::BeforeTheWorld => known::saved_before(&self.plan, node).is_some(),
            Saved::Here(_) => true,
        };
        if has_saved {
            place.saved = place.first_saved.get_or_insert_with(|| place.saved.clone()).clone();
        }
        self.kill(node);
    }

    fn set_limits(&mut self, node: u32, limits: connmgr_core::Limits) {
        self.nodes[node as usize].set_limits(limits);
        self.tell(node, &Input::SetLimits { limits });
        self.note_full(node);
    }

    fn set_active(&mut self, node: u32, active: bool) {
        self.nodes[node as usize].ails.inactive = !active;
        self.tell(node, &Input::SetActive { active });
    }

    /// Whether a partition separates a host from a manager.
    pub(super) fn is_parted(&self, node: u32, host: u32) -> bool {
        let share = self.nodes[node as usize].ails.partition;
        share > Share::NONE && Dice::new(self.plan.seed, DrawPurpose::Fault, u64::from(host) << 16).happens(share)
    }

    pub(super) fn heal(&mut self) {
        self.healed = true;
        (0..self.plan.scenario.node.count).for_each(|node| self.note_full(node));
    }

    /// The bounded recovery that the scenario promises.
    pub(super) fn must_be_full(&mut self) {
        let late = self.nodes.iter().find(|node| node.tally.full_after_healing.is_none());
        let (Some(node), None) = (late, &self.broken) else { return };
        let (automatic, added) = (node.tally.automatic(), node.tally.added());
        let what = format!(
            "the pool has not been full since the world was healed: {automatic} automatic and {added} added connections are ready"
        );
        let violation = Violation { property: connmgr_check::Property::Recovery, at: node.now(self.now), what };
        let (at, number, step) = (self.now, node.number, self.steps);
        self.broken = Some(Box::new(Broken { at, node: number, step, violation }));
    }
}

fn each(counts: &mut [u32; NetworkKind::ALL.len()], networks: &[NetworkKind], change: impl Fn(&mut u32)) {
    networks.iter().for_each(|network| change(&mut counts[network.index()]));
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}
