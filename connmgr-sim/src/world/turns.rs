//! One turn of a manager: it is told one thing, its actions are started, and its events are taken.

use std::sync::Arc;

use connmgr_core::driver::PoolEvent;
use connmgr_core::{AddressInfo, CloseCause, ConnId, Event, Input, Kind, PeerAddress, Services, Time};

use super::happening::Happening;
use super::{Broken, Scrutiny, World};
use crate::scenario::HostBehavior;
use crate::world::links::{LinkEnd, LinkId, LinkStage, WorldLink};
use crate::world::subject::{NetCall, Outbox, Subject};

impl<S: Subject> World<S> {
    /// Tells a manager something, if its process runs.
    pub(super) fn tell(&mut self, node: u32, input: &Input) {
        self.turn(node, |subject, now, outbox| {
            subject.apply(input, now, outbox);
        });
    }

    /// One turn of a manager, if its process runs. Reports a jump of the wall clock first, as adapters do.
    pub(super) fn turn<T>(&mut self, node: u32, act: impl FnOnce(&mut S, Time, &mut Outbox) -> T) -> Option<T> {
        let mut outbox = std::mem::take(&mut self.outbox);
        let world_now = self.now;
        let place = &mut self.nodes[node as usize];
        let now = place.clock.time(world_now);
        let Some(subject) = place.subject.as_mut() else {
            self.outbox = outbox;
            return None;
        };
        if std::mem::take(&mut place.clock.is_news) {
            subject.apply(&Input::Clock { unix: place.clock.unix(world_now) }, now, &mut outbox);
            self.judge(node, now);
        }
        let subject = self.nodes[node as usize].subject.as_mut()?;
        let answer = act(subject, now, &mut outbox);
        self.outbox = outbox;
        self.finish_turn(node, now);
        Some(answer)
    }

    /// Ends a turn: checks it, starts its actions and takes its events.
    pub(super) fn finish_turn(&mut self, node: u32, now: Time) {
        self.judge(node, now);
        let mut outbox = std::mem::take(&mut self.outbox);
        outbox.drain(..).for_each(|started| self.carry_out(node, started));
        self.outbox = outbox;
        self.hear(node);
        self.arm(node);
        self.note_full(node);
    }

    fn judge(&mut self, node: u32, now: Time) {
        let Scrutiny::Every(steps) = self.scrutiny else { return };
        let Some(subject) = self.nodes[node as usize].subject.as_mut() else { return };
        if let (Err(violation), None) = (subject.judge(now, self.steps % steps == 0), &self.broken) {
            self.broken = Some(Box::new(Broken { at: self.now, node, step: self.steps, violation }));
        }
    }

    /// The deadline is due, unless it was moved.
    pub(super) fn wake(&mut self, node: u32) {
        let place = &mut self.nodes[node as usize];
        if place.armed != self.now || self.is_postponed(node, Happening::Wake { node }) {
            return;
        }
        let place = &mut self.nodes[node as usize];
        place.armed = crate::types::Instant::MAX;
        let now = place.clock.time(self.now);
        let is_due = place.subject.as_ref().and_then(Subject::poll_timeout).is_some_and(|due| due <= now);
        if is_due { self.tell(node, &Input::Timeout) } else { self.arm(node) }
    }

    pub(super) fn arm(&mut self, node: u32) {
        let place = &mut self.nodes[node as usize];
        let Some(due) = place.subject.as_ref().and_then(Subject::poll_timeout) else { return };
        let at = place.clock.instant(due).max(self.now);
        if at < place.armed {
            place.armed = at;
            self.queue.push(at, Happening::Wake { node });
        }
    }

    /// Whether the machine sleeps: then the event is postponed until it wakes.
    pub(super) fn is_postponed(&mut self, node: u32, happening: Happening) -> bool {
        let place = &mut self.nodes[node as usize];
        let Some(until) = place.ails.asleep_until.filter(|until| *until > self.now) else { return false };
        if matches!(happening, Happening::Wake { .. }) {
            place.armed = until;
        }
        self.queue.push(until, happening);
        true
    }

    fn carry_out(&mut self, node: u32, started: NetCall) {
        match started {
            NetCall::Dial { conn, target, transport } => self.dial(node, conn, &target, transport),
            NetCall::Abort { conn } => self.abort(node, conn),
            NetCall::Close { conn } => self.close(node, conn),
            NetCall::Resolve { lookup, name, route, deadline } => self.resolve(node, lookup, &name, route, deadline),
            NetCall::PauseAccept { until } => {
                let place = &mut self.nodes[node as usize];
                place.accepts_after = place.clock.instant(until);
            }
            NetCall::Save => self.save(node),
        }
    }

    /// State is on its way to the disk. Only a process that starts after a crash reads it, for one that shuts down saves
    /// once more: without crashes it is not copied.
    fn save(&mut self, node: u32) {
        let place = &self.nodes[node as usize];
        let subject = place.subject.as_ref().filter(|_| self.plan.scenario.crashes());
        let (of, snapshot) = (place.run(), subject.map(|subject| Box::new(subject.snapshot())));
        self.later(self.plan.scenario.node.save_takes.0, Happening::Saved { of, snapshot });
    }

    fn abort(&mut self, node: u32, conn: ConnId) {
        let place = &self.nodes[node as usize];
        let Some(id) = place.links.get(&conn).copied() else { return };
        if place.ails.late > 0 {
            if let Some(link) = self.links.get_mut(id) {
                link.stage = LinkStage::GivenUp;
            }
        } else {
            self.remove(id);
        }
    }

    /// We close; the other end learns of it half a round trip later.
    fn close(&mut self, node: u32, conn: ConnId) {
        let Some(id) = self.nodes[node as usize].links.get(&conn).copied() else { return };
        if let Some(link) = self.remove(id) {
            self.tell_other_end(&link, CloseCause::Eof);
        }
    }

    /// Removes a link, also from the counters.
    pub(super) fn remove(&mut self, id: LinkId) -> Option<WorldLink> {
        let link = self.links.remove(id)?;
        let place = &mut self.nodes[link.node as usize];
        if place.links.get(&link.conn) == Some(&id) {
            place.links.remove(&link.conn);
        }
        if link.stage == LinkStage::Ready {
            place.tally.now_ready[link.kind.index()] -= 1;
            place.tally.traffic[link.network.index()].stable +=
                u64::from(link.is_stable(self.config.stable_after, self.now));
        }
        Some(link)
    }

    fn hear(&mut self, node: u32) {
        while let Some(event) = self.nodes[node as usize].subject.as_mut().and_then(Subject::poll_event) {
            match event {
                PoolEvent::Connected { info, stream } => self.open(node, &info, stream),
                PoolEvent::RetryScheduled { .. } => {}
                PoolEvent::Event(event) => self.event(node, &event),
            }
        }
    }

    fn event(&mut self, node: u32, event: &Event) {
        let tally = &mut self.nodes[node as usize].tally;
        match event {
            Event::Disconnected { .. } => tally.disconnected += 1,
            Event::Banned { .. } => tally.bans += 1,
            Event::NetworkDown { .. } => tally.outages += 1,
            Event::Adopted { conn, .. } => self.adopted(node, *conn),
            Event::AddressesWanted { .. } if self.plan.scenario.book.application_tells > 0 => {
                self.later(std::time::Duration::from_millis(1), Happening::Tells { node });
            }
            // The others change nothing in the world.
            _ => {}
        }
    }

    fn adopted(&mut self, node: u32, conn: ConnId) {
        let Some(id) = self.nodes[node as usize].links.get(&conn).copied() else { return };
        let Some(link) = self.links.get_mut(id) else { return };
        let before = std::mem::replace(&mut link.kind, Kind::Added);
        if link.stage == LinkStage::Ready {
            let tally = &mut self.nodes[node as usize].tally;
            tally.now_ready[before.index()] -= 1;
            tally.now_ready[Kind::Added.index()] += 1;
        }
    }

    pub(super) fn note_full(&mut self, node: u32) {
        let now = self.now;
        let place = &mut self.nodes[node as usize];
        let is_full = place.look_whether_full(place.tally.automatic(), place.tally.added());
        if is_full != place.now_full {
            place.now_full = is_full;
            place.tally.note_full(is_full, now);
        }
        if self.healed && is_full && place.tally.full_after_healing.is_none() && self.is_full_of_good(node) {
            self.nodes[node as usize].tally.full_after_healing = Some(now);
        }
    }

    /// Whether a pool is full, not counting connections that are dead or lead to hosts that turned bad.
    fn is_full_of_good(&self, node: u32) -> bool {
        let place = &self.nodes[node as usize];
        let good = |kind: Kind| {
            let good = place.links.values().filter(|id| {
                let link = self.links.get(**id).filter(|link| link.kind == kind && link.stage == LinkStage::Ready);
                link.is_some_and(|link| self.is_alive(**id) && self.means_well(link.end))
            });
            u32::try_from(good.count()).unwrap_or(u32::MAX)
        };
        place.look_whether_full(good(Kind::Full) + good(Kind::BlockRelay), good(Kind::Added))
    }

    /// Whether the other end has not turned bad.
    fn means_well(&self, end: LinkEnd) -> bool {
        let LinkEnd::Host(host) = end else { return true };
        let Some(into) = self.plan.turned(host, self.now) else { return true };
        match into {
            HostBehavior::Accept
            | HostBehavior::Slow(_)
            | HostBehavior::SlowHandshake(_)
            | HostBehavior::Flaky(_)
            | HostBehavior::Windows { .. }
            | HostBehavior::Useless => true,
            HostBehavior::Refuse
            | HostBehavior::BlackHole
            | HostBehavior::Unreachable
            | HostBehavior::AcceptThenClose(_)
            | HostBehavior::ReadyThenClose(_)
            | HostBehavior::Mute
            | HostBehavior::Mirror
            | HostBehavior::Misbehave { .. } => false,
        }
    }

    /// The application adds addresses, as the manager asked for some.
    pub(super) fn tells(&mut self, node: u32) {
        let plan = Arc::clone(&self.plan);
        let count = plan.scenario.book.application_tells;
        let place = &self.nodes[node as usize];
        let mut dice = self.dice(crate::types::DrawPurpose::Acquaintance, node).part(place.tally.dials);
        let unix = place.clock.unix(self.now);
        let known = (0..count).filter_map(|_| plan.draw(&[], self.now, &mut dice));
        let info = |(address, services): (&PeerAddress, Services)| AddressInfo::new(address.clone()).services(services);
        let addresses = known.map(|told| info(told).last_seen(unix)).collect();
        self.tell(node, &Input::Addresses { source: connmgr_core::Source::Application, addresses });
    }
}
