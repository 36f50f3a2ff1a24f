//! Inbound connections from outside the world: when they arrive, and how their peers behave.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use connmgr_core::{CloseCause, ConnId, Input, Kind, NetworkKind};

use super::World;
use super::happening::{Happening, SOON};
use super::subject::Subject;
use crate::scenario::config::LISTENER;
use crate::scenario::{Gossip, InboundSpec};
use crate::types::{Dice, DrawPurpose, Instant, Share};
use crate::world::links::{LinkEnd, LinkId, WorldLink};

impl<S: Subject> World<S> {
    pub(super) fn plan_arrivals(&mut self) {
        let plan = Arc::clone(&self.plan);
        for (sort, spec) in (0..).zip(&plan.scenario.inbound) {
            for node in 0..plan.scenario.node.count {
                let wait = spec.every.draw(&mut arrival_dice(plan.seed, sort, node));
                self.queue.push(Instant::ZERO.after(spec.from.0).after(wait), Happening::Arrives { sort, node });
            }
        }
    }

    pub(super) fn arrives(&mut self, sort: u16, node: u32) {
        let plan = Arc::clone(&self.plan);
        let spec = &plan.scenario.inbound[usize::from(sort)];
        if spec.until.is_some_and(|until| self.now > Instant::ZERO.after(until.0)) {
            return;
        }
        let place = &mut self.nodes[node as usize];
        place.arrivals += 1;
        let mut dice = arrival_dice(plan.seed, sort, node).part(place.arrivals);
        let wait = spec.every.draw(&mut dice).max(Duration::from_micros(1));
        self.later(wait, Happening::Arrives { sort, node });
        self.knock(sort, node, remote(spec, sort, &mut dice), dice);
    }

    fn knock(&mut self, sort: u16, node: u32, remote: SocketAddr, dice: Dice) {
        let place = &mut self.nodes[node as usize];
        // A peer that can't reach us, or waits in the backlog for long, goes away.
        if place.ails.is_cut_off(NetworkKind::Ipv4) || place.subject.is_none() || place.accepts_after > self.now {
            return;
        }
        place.tally.arrivals += 1;
        if place.ails.out_of_descriptors > 0 {
            return self.tell(node, &Input::AcceptError { listener: LISTENER });
        }
        let round_trip = dice.part(1).between(Duration::from_millis(5), Duration::from_millis(300));
        let end = LinkEnd::Stranger { sort };
        let link = WorldLink::new(node, ConnId::from_u64(0), end, NetworkKind::Ipv4, self.now, dice);
        let link = WorldLink { kind: Kind::Inbound, round_trip, ..link };
        let id = self.links.insert(link);
        self.accept(node, remote, id);
    }

    /// Asks a manager whether an inbound connection may stay; removes the link if not.
    pub(super) fn accept(&mut self, node: u32, remote: SocketAddr, id: LinkId) -> bool {
        let mut admitted = None;
        // The id must be known before the manager's events are heard.
        let mut outbox = std::mem::take(&mut self.outbox);
        let now = self.nodes[node as usize].clock.time(self.now);
        if let Some(subject) = self.nodes[node as usize].subject.as_mut() {
            admitted = subject.accept(remote, id, now, &mut outbox).ok();
        }
        if let (Some(conn), Some(link)) = (admitted, self.links.get_mut(id)) {
            link.conn = conn;
            self.nodes[node as usize].links.insert(conn, id);
            self.nodes[node as usize].tally.accepted += 1;
        } else {
            self.links.remove(id);
        }
        self.outbox = outbox;
        self.finish_turn(node, now);
        admitted.is_some()
    }

    pub(super) fn open_to_stranger(&mut self, id: LinkId, sort: u16) {
        let Some(dice) = self.links.get(id).map(|link| link.dice) else { return };
        let plan = Arc::clone(&self.plan);
        if let Some(handshake) = &plan.scenario.inbound[usize::from(sort)].handshake {
            self.later(handshake.draw(&mut dice.part(10)), Happening::Handshake { link: id });
        }
    }

    pub(super) fn stranger_is_ready(&mut self, id: LinkId, sort: u16) {
        let Some(link) = self.links.get(id) else { return };
        let (node, conn, dice) = (link.node, link.conn, link.dice);
        let plan = Arc::clone(&self.plan);
        let spec = &plan.scenario.inbound[usize::from(sort)];
        if let Some(stays) = &spec.stays {
            let cause = CloseCause::Eof;
            self.later(stays.draw(&mut dice.part(11)), Happening::Closes { link: id, cause });
        }
        if dice.part(12).happens(spec.misbehaves) {
            self.later(SOON, Happening::Misbehaves { link: id });
        }
        if spec.tells > 0 {
            let gossip = Gossip {
                about: spec.tells_about.iter().cloned().collect(),
                invented: if spec.tells_about.is_some() { Share::NONE } else { Share::ALL },
                ..Gossip::default()
            };
            self.tell_addresses(node, conn, &gossip, spec.tells, dice.part(13));
        }
    }
}

fn arrival_dice(seed: u64, sort: u16, node: u32) -> Dice {
    Dice::new(seed, DrawPurpose::Arrival, u64::from(sort) << 32 | u64::from(node))
}

/// Where an inbound connection comes from.
fn remote(spec: &InboundSpec, sort: u16, dice: &mut Dice) -> SocketAddr {
    let host = u32::try_from(dice.below(spec.hosts.into())).expect("below a u32");
    let port = 1024 + u16::try_from(dice.below(60_000)).expect("below 60 000");
    SocketAddr::new(spec.home(sort, host), port)
}
