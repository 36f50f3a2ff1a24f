//! Name servers, and a proxy that resolves.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use connmgr_core::{HostName, Input, LookupError, LookupId, Route, Time};

use super::World;
use super::happening::{Happening, ProcessRun, Server};
use crate::scenario::map::WorldMap;
use crate::scenario::{SeedBehavior, SeedSpec, TimeSpread};
use crate::types::{Dice, DrawPurpose, Instant};
use crate::world::subject::Subject;

/// How soon a lookup fails locally.
const AT_ONCE: Duration = Duration::from_millis(1);

/// Addresses that can't be reached: unspecified, loopback, link-local, multicast, documentation, broadcast.
const JUNK: [IpAddr; 8] = [
    IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    IpAddr::V4(Ipv4Addr::LOCALHOST),
    IpAddr::V4(Ipv4Addr::new(169, 254, 7, 7)),
    IpAddr::V4(Ipv4Addr::new(224, 0, 0, 251)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)),
    IpAddr::V4(Ipv4Addr::BROADCAST),
    IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 7)),
];

impl<S: Subject> World<S> {
    pub(super) fn resolve(&mut self, node: u32, lookup: LookupId, name: &HostName, route: Route, deadline: Time) {
        let plan = Arc::clone(&self.plan);
        let place = &mut self.nodes[node as usize];
        place.tally.lookups += 1;
        let of = place.run();
        let (ails, deadline) = (place.ails.clone(), place.clock.instant(deadline));
        let mut plan_answer = |at, from| self.queue.push(at, Happening::Answer { of, lookup, from });
        let soon = self.now.after(AT_ONCE);
        let is_proxied = matches!(route, Route::Proxy { .. });
        if ails.names_hang > 0 {
            return;
        }
        if is_proxied && ails.proxy.is_some() {
            return plan_answer(soon, Server::Proxy);
        }
        if ails.names_fail > 0 || ails.interface > 0 {
            return plan_answer(soon, Server::Failed);
        }
        let Some((server, behavior, latency)) = server(&plan, name, self.now) else {
            return plan_answer(self.now.after(AT_ONCE * 50), Server::NotFound);
        };
        let mut dice = Dice::new(plan.seed, DrawPurpose::Names, lookup.as_u64()).part(node.into());
        let at = self.now.after(latency.draw(&mut dice));
        match behavior {
            SeedBehavior::Answer => plan_answer(at, server),
            SeedBehavior::Empty => plan_answer(at, Server::Empty),
            SeedBehavior::Junk => plan_answer(at, Server::Junk),
            SeedBehavior::NotFound => plan_answer(at, Server::NotFound),
            SeedBehavior::Fail => plan_answer(at, Server::Failed),
            SeedBehavior::Hang => {}
            SeedBehavior::Late => plan_answer(deadline.after(AT_ONCE * 50), server),
            SeedBehavior::Twice => {
                plan_answer(at, server);
                plan_answer(at.after(AT_ONCE), server);
            }
        }
    }

    pub(super) fn answer(&mut self, of: ProcessRun, lookup: LookupId, from: Server) {
        if self.nodes[of.node as usize].run() != of {
            return;
        }
        if self.is_postponed(of.node, Happening::Answer { of, lookup, from }) {
            return;
        }
        let plan = Arc::clone(&self.plan);
        let mut dice = Dice::new(plan.seed, DrawPurpose::Names, lookup.as_u64()).part(1 + u64::from(of.node));
        let result: Result<Vec<IpAddr>, LookupError> = match from {
            Server::Seed(seed) => Ok(seed_answer(&plan, &plan.scenario.seeds[usize::from(seed)], self.now, &mut dice)),
            Server::Host(first) => Ok(host_answer(&plan, first)),
            Server::Empty => Ok(Vec::new()),
            Server::Junk => Ok(JUNK.to_vec()),
            Server::NotFound => Err(LookupError::NotFound),
            Server::Failed => Err(LookupError::Failed),
            Server::Proxy => Err(LookupError::Proxy),
        };
        let result = result.map(|ips| ips.into_iter().map(Into::into).collect());
        self.tell(of.node, &Input::LookupResult { lookup, result });
    }
}

/// Which server answers for a name, and how fast. A seed's name may have a service filter in front: `x9.`.
fn server<'a>(plan: &'a WorldMap, name: &HostName, now: Instant) -> Option<(Server, SeedBehavior, &'a TimeSpread)> {
    let whole = name.as_relative();
    let bare = whole.split_once('.').filter(|(label, _)| label.starts_with('x')).map_or("", |(_, rest)| rest);
    let seeds = (0..).zip(&plan.scenario.seeds);
    let seed = seeds.into_iter().find(|(_, seed)| seed.name == whole || seed.name == bare);
    if let Some((number, seed)) = seed {
        let by_services = seed.by_services.filter(|behavior| seed.name == bare && *behavior != SeedBehavior::Answer);
        let behavior = by_services.unwrap_or_else(|| seed.behavior(now));
        return Some((Server::Seed(number), behavior, &seed.latency));
    }
    let hosts = plan.named(name)?;
    let names = &plan.scenario.names;
    Some((Server::Host(hosts.start), names.behavior, &names.latency))
}

fn seed_answer(plan: &WorldMap, seed: &SeedSpec, now: Instant, dice: &mut Dice) -> Vec<IpAddr> {
    let drawn = (0..seed.answers).filter_map(|_| plan.draw(&seed.about, now, dice)?.0.host().ip());
    drawn.collect()
}

fn host_answer(plan: &WorldMap, first: u32) -> Vec<IpAddr> {
    let population = plan.resident(first).population;
    let hosts = (first..).map_while(|host| plan.residents.get(host as usize));
    let same = hosts.take_while(|resident| resident.population == population);
    same.take(plan.scenario.names.answers as usize).filter_map(|resident| resident.address.host().ip()).collect()
}
