//! What dials to a host can lead to, whenever they are made.

use std::time::Duration;

use connmgr_core::{Config, Services, Transport};

use super::times::is_hidden;
use crate::scenario::map::{HostTimes, WorldMap};
use crate::scenario::{HostBehavior, HostSpec, TimeSpread};
use crate::types::Share;

/// What dials to a host can lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Prospect {
    /// Never a connection that is ready for as long as `stable_after`.
    Never,
    /// Perhaps such a connection, at some time.
    Perhaps,
    /// At least nine of ten dials become a connection that stays, at any time.
    Good,
}

/// What dials to the reachable and not full hosts of a population can lead to.
pub(super) fn of(plan: &WorldMap, number: usize, config: &Config) -> Prospect {
    let scenario = &plan.scenario;
    let (spec, times) = (&scenario.hosts[number], plan.times_of(number));
    let hidden = is_hidden(spec.network);
    let dialed = config.networks.contains(spec.network) && (scenario.proxy.is_some() || !hidden);
    if !dialed || !offers_enough(spec.services, config) {
        return Prospect::Never;
    }
    let is_proxied = scenario.proxy.is_some_and(|proxy| proxy.for_all || hidden);
    let (patience, adds) = match scenario.proxy.filter(|_| is_proxied) {
        Some(proxy) => (config.dial.proxied.timeout, proxy.adds.0),
        None => (config.dial.direct.timeout, Duration::ZERO),
    };
    let way = DialWay { spec, times, config, ours: &scenario.node.handshake, patience: patience.saturating_sub(adds) };
    let Some(turn) = &spec.turns else { return way.prospect(&spec.behavior) };
    let both = [way.prospect(&spec.behavior), way.prospect(&turn.into)];
    match (both.iter().min(), both.iter().max()) {
        (_, Some(Prospect::Never)) => Prospect::Never,
        (Some(Prospect::Good), _) if !turn.hang_up => Prospect::Good,
        _ => Prospect::Perhaps,
    }
}

fn offers_enough(services: u64, config: &Config) -> bool {
    Services::from_bits(services).has(config.required.full | config.required.block_relay)
}

/// What dials to the hosts of a population meet.
struct DialWay<'a> {
    spec: &'a HostSpec,
    times: &'a HostTimes,
    config: &'a Config,
    /// How long our own side takes for a handshake.
    ours: &'a TimeSpread,
    /// How long a dial may take, without what the proxy adds.
    patience: Duration,
}

impl DialWay<'_> {
    fn prospect(&self, behavior: &HostBehavior) -> Prospect {
        let spec = self.spec;
        let redialed = spec.v1_only && self.config.transport == Transport::V2;
        let unsteady = spec.churn.is_some() || spec.session.is_some() || redialed || spec.addresses.is_some();
        let at_best = if unsteady { Prospect::Perhaps } else { Prospect::Good };
        let is_brief = |life: &TimeSpread| life.most() < self.config.stable_after;
        if spec.session.as_ref().is_some_and(is_brief) {
            return Prospect::Never;
        }
        let never = Prospect::Never;
        match behavior {
            HostBehavior::Refuse
            | HostBehavior::BlackHole
            | HostBehavior::Unreachable
            | HostBehavior::AcceptThenClose(_)
            | HostBehavior::Mute
            | HostBehavior::Mirror => never,
            HostBehavior::ReadyThenClose(life) if is_brief(life) => never,
            HostBehavior::Flaky(Share::NONE) => never,
            HostBehavior::Useless if !offers_enough(0, self.config) => never,
            HostBehavior::Accept | HostBehavior::Useless => self.in_time(None, None).min(at_best),
            HostBehavior::Slow(extra) => self.in_time(Some(extra), None).min(at_best),
            HostBehavior::SlowHandshake(extra) => self.in_time(None, Some(extra)).min(at_best),
            HostBehavior::ReadyThenClose(_)
            | HostBehavior::Flaky(_)
            | HostBehavior::Misbehave { .. }
            | HostBehavior::Windows { .. } => self.in_time(None, None).min(Prospect::Perhaps),
        }
    }

    /// Whether dials and handshakes come to their end before their deadlines.
    fn in_time(&self, slower: Option<&TimeSpread>, longer: Option<&TimeSpread>) -> Prospect {
        let dial = within(&[Some(&self.times.answer), slower], self.patience);
        let handshake = within(&[Some(&self.times.handshake), Some(self.ours), longer], self.config.handshake_timeout);
        dial.min(handshake)
    }
}

/// Whether a sum of times stays below a limit. Where it is in doubt, each must stay below its part of the limit.
fn within(times: &[Option<&TimeSpread>], limit: Duration) -> Prospect {
    let times = || times.iter().copied().flatten();
    if times().map(TimeSpread::least).sum::<Duration>() >= limit {
        return Prospect::Never;
    }
    let part = limit / u32::try_from(times().count()).expect("a handful");
    let surely = times().map(TimeSpread::most).sum::<Duration>() < limit;
    let mostly = times().all(|time| time.share_within(part) >= Share::percent(95));
    if surely || mostly { Prospect::Good } else { Prospect::Perhaps }
}
