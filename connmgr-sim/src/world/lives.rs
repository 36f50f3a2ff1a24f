//! Managers' processes start and end; hosts come and go.

use std::sync::Arc;
use std::time::Duration;

use connmgr_core::{
    AddedPeer, Birth, CloseCause, ConnId, Identity, Input, Keep, PeerAddress, Permissions, Reply, Snapshot,
};

use super::happening::{Happening, ProcessRun, SOON};
use super::identity::{identity, identity_of_peer};
use super::node::{Saved, ScriptedPeer, WorldNode};
use super::{Scrutiny, World};
use crate::scenario::map::{NODES, Who, WorldMap, name_of};
use crate::scenario::{HostBehavior, PeerSpec, known};
use crate::types::{Dice, DrawPurpose, Instant};
use crate::world::links::{LinkEnd, LinkId};
use crate::world::subject::{Onlooker, Subject};

/// Whether a host is up, computed when needed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Presence {
    /// Until when this state holds.
    until: Instant,
    is_away: bool,
    turns: u32,
    /// How often it was dialed.
    pub(super) dials: u32,
}

impl<S: Subject> World<S> {
    /// A process starts, with what was saved.
    pub(super) fn start(&mut self, node: u32) {
        if self.is_postponed(node, Happening::Start { node }) {
            return;
        }
        let (now, plan) = (self.now, Arc::clone(&self.plan));
        let place = &mut self.nodes[node as usize];
        if place.subject.is_some() {
            return;
        }
        place.start += 1;
        place.tally.starts += 1;
        place.clock.restart(now);
        place.armed = Instant::MAX;
        place.accepts_after = now;
        place.set_limits(self.config.limits);
        let mut config = (*self.config).clone();
        if plan.scenario.node.listens {
            config.own_addresses.push(plan.nodes[node as usize].clone());
        }
        if plan.scenario.node.has_identity {
            config.identity = Some(connmgr_core::Identity(identity(node)));
        }
        let birth = Birth {
            config,
            snapshot: match &place.saved {
                Saved::BeforeTheWorld => known::saved_before(&plan, node),
                Saved::Here(snapshot) => Some(Snapshot::clone(snapshot)),
            },
            rng_seed: rng_seed(&plan, node, self.birth, place.start),
            unix: place.clock.unix(now),
            now: place.clock.time(now),
        };
        let mut watch = if node == self.watched { self.watch.next_run(now) } else { S::Watch::default() };
        watch.born(&birth, self.scrutiny != Scrutiny::None);
        let subject = S::born(&birth, watch).expect("the configuration was checked when the world was made");
        self.nodes[node as usize].subject = Some(subject);
        self.arm(node);
        for (number, spec) in (0..).zip(&plan.scenario.peers) {
            let wait = Instant::ZERO.after(spec.at.0).since(now);
            self.nodes[node as usize].adding += u32::from(wait.is_zero());
            self.later(wait, Happening::Adds { spec: number, node });
        }
        if self.nodes[node as usize].ails.inactive {
            self.tell(node, &Input::SetActive { active: false });
        }
    }

    /// A process dies, and its connections with it.
    pub(super) fn kill(&mut self, node: u32) {
        let place = &mut self.nodes[node as usize];
        place.keep_probes();
        let Some(mut subject) = place.subject.take() else { return };
        place.past = digest_of(place.past, &subject);
        if node == self.watched {
            self.watch.run_ended(self.now, std::mem::take(subject.watch_mut()));
        }
        place.forget_peers();
        let mut links: Vec<(ConnId, LinkId)> = place.links.iter().map(|(conn, link)| (*conn, *link)).collect();
        links.sort_unstable_by_key(|(conn, _)| *conn);
        for (_, id) in links {
            if let Some(link) = self.remove(id) {
                self.tell_other_end(&link, CloseCause::Reset);
            }
        }
        self.note_full(node);
    }

    /// A process shuts down: everything is closed, and the state saved.
    pub(super) fn shut_down(&mut self, node: u32) {
        self.tell(node, &Input::Shutdown);
        let place = &mut self.nodes[node as usize];
        if let Some(subject) = &place.subject {
            place.saved = Saved::Here(Arc::new(subject.snapshot()));
        }
        self.kill(node);
    }

    pub(super) fn saved(&mut self, of: ProcessRun, snapshot: Option<Box<Snapshot>>) {
        let place = &mut self.nodes[of.node as usize];
        if let (Some(snapshot), true) = (snapshot, place.run() == of && place.subject.is_some()) {
            place.saved = Saved::Here(Arc::from(snapshot));
        }
    }

    pub(super) fn adds(&mut self, spec: u16, node: u32) {
        let plan = Arc::clone(&self.plan);
        let peers = &plan.scenario.peers[usize::from(spec)];
        for number in 0..peers.count {
            let Some(added) = peer_to_add(&plan, peers, node, number) else { continue };
            // Where several of its addresses are good, none of them needs to be the one that is connected.
            let mut good = added.addresses.iter().filter_map(|address| good(&plan, address));
            let good = good.next().filter(|_| good.next().is_none() && !peers.once && !peers.identified);
            let input = Input::AddPeer { peer: added };
            let reply = self.turn(node, |subject, now, outbox| subject.apply(&input, now, outbox));
            if let Some(Reply::Added(Ok(peer))) = reply {
                self.nodes[node as usize].add_peer(ScriptedPeer { spec, peer, good });
            }
        }
        let place = &mut self.nodes[node as usize];
        place.adding = place.adding.saturating_sub(1);
        if let Some(at) = peers.removed_at {
            let wait = Instant::ZERO.after(at.0).since(self.now);
            self.later(wait, Happening::Removes { spec, node });
        }
        self.note_full(node);
    }

    pub(super) fn removes(&mut self, spec: u16, node: u32) {
        for ScriptedPeer { peer, .. } in self.nodes[node as usize].take_peers(spec) {
            self.tell(node, &Input::RemovePeer { peer });
        }
    }

    /// A population changes its behavior, and closes its connections if the scenario says so.
    pub(super) fn turns(&mut self, population: u16) {
        let plan = Arc::clone(&self.plan);
        let hangs_up = plan.scenario.hosts[usize::from(population)].turns.as_ref().is_some_and(|turn| turn.hang_up);
        let misbehaves = |host| matches!(plan.behavior(host, self.now), HostBehavior::Misbehave { .. });
        let theirs = |end| matches!(end, LinkEnd::Host(host) if plan.resident(host).population == population);
        let links: Vec<(LinkId, bool)> = (self.links.iter())
            .filter_map(|(id, link)| match link.end {
                LinkEnd::Host(host) if theirs(link.end) => Some((id, misbehaves(host))),
                LinkEnd::Host(_) | LinkEnd::Node { .. } | LinkEnd::Stranger { .. } | LinkEnd::Nobody => None,
            })
            .collect();
        for (link, misbehaves) in links {
            if hangs_up {
                self.later(SOON, Happening::Closes { link, cause: CloseCause::Reset });
            } else if misbehaves {
                self.later(SOON, Happening::Misbehaves { link });
            }
        }
    }

    /// Whether a host is up now.
    pub(super) fn is_up(&mut self, host: u32) -> bool {
        self.follow(host);
        self.plan.resident(host).stay.contains(&self.now) && !self.hosts[host as usize].is_away
    }

    /// Until when a host that is up stays up; `None` if it always does.
    pub(super) fn up_until(&mut self, host: u32) -> Option<Instant> {
        self.plan.spec(host).churn.as_ref()?;
        self.follow(host);
        Some(self.hosts[host as usize].until.min(self.plan.resident(host).stay.end))
    }

    /// Advances a host's churn to the present.
    fn follow(&mut self, host: u32) {
        let plan = Arc::clone(&self.plan);
        let Some(churn) = &plan.spec(host).churn else { return };
        let dice = Dice::new(plan.seed, DrawPurpose::Churn, host.into());
        let presence = &mut self.hosts[host as usize];
        while presence.until <= self.now {
            presence.turns += 1;
            let mut chance = dice.part(presence.turns.into());
            // At the beginning of the world each is there or not, as often as it is over time.
            presence.is_away = match presence.turns {
                1 => {
                    let (up, down) = (churn.up.draw(&mut chance), churn.down.draw(&mut chance));
                    chance.between(Duration::ZERO, up + down) > up
                }
                _ => !presence.is_away,
            };
            let spread = if presence.is_away { &churn.down } else { &churn.up };
            presence.until = presence.until.after(spread.draw(&mut chance).max(SOON));
        }
    }
}

/// Who is at the address, if it accepts every dial while the world is healthy.
fn good(plan: &WorldMap, address: &PeerAddress) -> Option<Who> {
    let named = || address.name().and_then(|name| plan.named(name)).map(|range| Who::Host(range.start));
    plan.at(address).or_else(named).filter(|who| match *who {
        Who::Node(_) => plan.scenario.node.listens,
        Who::Host(host) => {
            let (resident, spec) = (plan.resident(host), plan.spec(host));
            let accepts =
                matches!(spec.behavior, HostBehavior::Accept | HostBehavior::SlowHandshake(_) | HostBehavior::Slow(_));
            resident.is_reachable && !resident.is_full && accepts && spec.churn.is_none() && spec.turns.is_none()
        }
    })
}

/// The `number`-th peer that a manager adds.
fn peer_to_add(plan: &WorldMap, spec: &PeerSpec, node: u32, number: u32) -> Option<AddedPeer> {
    let keep = if spec.once { Keep::Once } else { Keep::Always };
    let peer = AddedPeer::new(peer_address(plan, spec, node, number)?).keep(keep);
    let peer = if spec.bannable { peer.permissions(Permissions::default()) } else { peer };
    let others = spec.or.iter().filter_map(|of| plan.address(of, number).cloned());
    let peer = others.fold(peer, AddedPeer::or);
    let host = plan.population(&spec.of).nth(number as usize);
    match host.filter(|_| spec.identified).and_then(|host| plan.peer_of(host)) {
        Some(who) => Some(peer.identity(Identity(identity_of_peer(&spec.of, who)))),
        None => Some(peer),
    }
}

/// The first address of the `number`-th peer that a manager adds. For `nodes`, each manager adds those that follow it.
fn peer_address(plan: &WorldMap, spec: &PeerSpec, node: u32, number: u32) -> Option<PeerAddress> {
    if spec.of == NODES {
        let count = plan.scenario.node.count;
        return plan.address(NODES, (node + 1 + number) % count.max(1)).cloned();
    }
    if spec.by_name {
        let name = name_of(&spec.of, number).ok()?;
        return Some(PeerAddress::new(connmgr_core::Host::Name(name), crate::scenario::map::PORT));
    }
    plan.address(&spec.of, number).cloned()
}

fn rng_seed(plan: &WorldMap, node: u32, birth: u32, start: u32) -> [u8; 32] {
    let part = u64::from(birth) << 32 | u64::from(start);
    let mut dice = Dice::new(plan.seed, DrawPurpose::Birth, node.into()).part(part);
    let mut seed = [0; 32];
    seed.chunks_exact_mut(8).for_each(|chunk| chunk.copy_from_slice(&dice.next_u64().to_le_bytes()));
    seed
}

/// A digest of all inputs and actions of a manager, over all runs of its process.
pub(super) fn digest<S: Subject>(node: &WorldNode<S>) -> u64 {
    node.subject.as_ref().map_or(node.past, |subject| digest_of(node.past, subject))
}

fn digest_of<S: Subject>(past: u64, subject: &S) -> u64 {
    (past.rotate_left(7) ^ subject.watch().digest()).wrapping_mul(0x517c_c1b7_2722_0a95)
}
