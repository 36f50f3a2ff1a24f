//! Why an address is dialed or not: asks the rules, the planner and the book what they would decide.
//!
//! It decides nothing itself. Each answer comes from the very function that the planner asks.

use alloc::vec::Vec;

use crate::config::Split;
use crate::types::{DialRule, Hindrance, Kind, NetworkKind, Obstacle, PeerAddress, PeerState, Time};

use super::explanation::Explanation;
use super::plan::Vacancy;
use super::{ConnManager, Phase};

impl ConnManager {
    /// What is known of an address, whether it may be dialed at `now`, and if not, which rules forbid it and until when.
    /// Changes nothing; an earlier `now` than that of the last input counts as that.
    ///
    /// ```
    /// # use connmgr_core::*;
    /// # let (now, unix) = (Time::ZERO, UnixTime::from_secs(1_767_225_600));
    /// let mut manager = ConnManager::new(Birth { config: Config::default(), snapshot: None, rng_seed: [7; 32], unix, now })?;
    /// manager.ban(&BanTarget::Host("192.0.2.1".parse()?), std::time::Duration::from_secs(60), now)?;
    /// let explanation = manager.explain(&"192.0.2.1:8333".parse()?, now);
    /// assert_eq!(explanation.full[0].rule, DialRule::Obstacle(Obstacle::Banned));
    /// assert_eq!(explanation.full[0].until, Some(Time::from_secs(60)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn explain(&self, address: &PeerAddress, now: Time) -> Explanation {
        let (address, at) = (self.settled(address.clone()), now.max(self.now()));
        let has_it = |conn: &&crate::conn::Conn| conn.address().as_ref() == Some(&address);
        let mut connections: Vec<_> = self.table.iter().filter(has_it).map(crate::conn::Conn::view).collect();
        connections.sort_unstable_by_key(|conn| conn.conn);
        let banned_until = self.bans.until(address.host(), at).filter(|_| self.rules_at(at).is_banned(address.host()));
        Explanation {
            at,
            known: self.book.get(&address, self.clocks.unix_at(at), at),
            connections,
            connected_elsewhere: self.aliases.connection(&address).filter(|conn| self.table.get(*conn).is_some()),
            peer: self.peers.with_address(&address).and_then(|peer| self.added_peer(peer)),
            score: self.scores.value(address.host(), at),
            banned_until: banned_until.map(|until| self.clocks.unix_at(until)),
            full: self.automatic_hindrances(Kind::Full, &address, at),
            block_relay: self.automatic_hindrances(Kind::BlockRelay, &address, at),
            added: self.added_hindrances(&address, at),
            address,
        }
    }

    /// What forbids an automatic dial: rules of the pool as a whole, then of the address, then of the moment.
    fn automatic_hindrances(&self, kind: Kind, address: &PeerAddress, now: Time) -> Vec<Hindrance> {
        let split = self.split();
        let vacancy = self.vacancy(kind, &split);
        let is_redial = self.redials.iter().any(|redial| redial.kind == kind && redial.address == *address);
        let mut all: Vec<Hindrance> = Vec::new();
        all.extend(self.phase_rule().map(for_good));
        all.extend(self.idle_rule(kind, &split).map(for_good));
        let of_address = self.address_hindrance(kind, address, now);
        all.extend(of_address.filter(|found| !is_redial || found.rule != DialRule::Resting));
        // Once what comes first has ended, this still holds.
        let unknown =
            self.unknown_rule(address).filter(|unknown| of_address.is_none_or(|found| found.rule != *unknown));
        all.extend(unknown.map(for_good));
        all.extend(vacancy.is_none().then(|| self.full_rule(kind, &split)).map(for_good));
        let is_down = all.iter().any(|found| found.rule == DialRule::Obstacle(Obstacle::NetworkDown));
        if is_down {
            all.extend(self.probe_rest(kind, address, now));
        } else {
            let only_proven = matches!(vacancy, Some(Vacancy::TakenFrom(_)));
            let network = address.network();
            let unproven = network.is_some_and(|network| only_proven && !self.is_proven(network));
            all.extend(unproven.then_some(DialRule::SlotsTaken).map(for_good));
            if !is_redial {
                all.extend(network.and_then(|network| self.network_rule(network, now)));
                all.extend(self.looks_again_at(kind, now).map(|at| until(DialRule::LooksAgain, at)));
            }
            all.extend(self.waits_for_rate(kind, now).map(|at| until(DialRule::Rate, at)));
        }
        all.extend(self.pause_rule(now));
        all
    }

    /// The rest of an address in a network that is down. Probes keep a pace of their own, and those of addresses that
    /// answered before need no rest.
    fn probe_rest(&self, kind: Kind, address: &PeerAddress, now: Time) -> Option<Hindrance> {
        let answered = |network: NetworkKind| self.health[network.index()].answered(0).any(|other| other == address);
        self.book_rule(kind, address, now).filter(|_| !address.network().is_some_and(answered))
    }

    /// Why no slot of a kind can be had.
    fn full_rule(&self, kind: Kind, split: &Split) -> DialRule {
        self.slot_rule(kind, split).unwrap_or(DialRule::SlotsTaken)
    }

    /// Why an address is not in the book, if it is not.
    fn unknown_rule(&self, address: &PeerAddress) -> Option<DialRule> {
        (!self.book.contains(address)).then(|| self.why_not_kept(address))
    }

    /// What forbids an automatic dial to this address in particular: the rule that comes first.
    pub(super) fn address_hindrance(&self, kind: Kind, address: &PeerAddress, now: Time) -> Option<Hindrance> {
        if let Err(rule) = self.rules_at(now).automatic_rule(kind, address, |rules, address| rules.obstacle(address)) {
            return Some(self.with_end(rule, address, now));
        }
        match self.unknown_rule(address) {
            Some(unknown) => Some(for_good(unknown)),
            None => self.book_rule(kind, address, now),
        }
    }

    /// Whether the pool dials at all.
    const fn phase_rule(&self) -> Option<DialRule> {
        match self.phase {
            Phase::Active => None,
            Phase::Inactive => Some(DialRule::Inactive),
            Phase::Stopping | Phase::Stopped => Some(DialRule::ShuttingDown),
        }
    }

    /// What forbids a dial for an added peer with this address.
    fn added_hindrances(&self, address: &PeerAddress, now: Time) -> Vec<Hindrance> {
        let mut all: Vec<Hindrance> = Vec::new();
        all.extend(self.phase_rule().map(for_good));
        let obstacle = self.rules_at(now).obstacle(address).map(DialRule::Obstacle);
        let obstacle = obstacle.map(|rule| self.with_end(rule, address, now));
        let Some(peer) = self.peers.with_address(address).and_then(|peer| self.peers.get(peer)) else {
            all.push(for_good(DialRule::NotAdded));
            all.extend(obstacle);
            return all;
        };
        all.extend(obstacle);
        let waits = peer.timer().map(|timer| self.timers.at(timer));
        match peer.state() {
            PeerState::Waiting => {
                let probe = address
                    .network()
                    .filter(|_| peer.is_held_up())
                    .and_then(|network| self.next_probe_at(network, now));
                let at = waits.into_iter().chain(probe).min();
                all.push(Hindrance { rule: DialRule::BackOff, until: at.map(|at| at.max(now)) });
            }
            // The obstacle of the address itself may be another by now, or none: the peer looks again.
            PeerState::Blocked(blocked) if obstacle.is_none() => {
                all.push(Hindrance { rule: DialRule::Obstacle(blocked), until: waits });
            }
            PeerState::Blocked(_) => {}
            PeerState::Queued => all.extend(self.slot_rule(Kind::Added, &self.split()).map(for_good)),
            PeerState::Resolving | PeerState::Dialing(_) if obstacle.is_none() => {
                all.push(for_good(DialRule::OtherAddressFirst));
            }
            PeerState::Connected(_) if obstacle.is_none() => all.push(for_good(DialRule::ConnectedElsewhere)),
            PeerState::Resolving | PeerState::Dialing(_) | PeerState::Connected(_) => {}
        }
        all.extend(self.pause_rule(now));
        all
    }

    /// When a rule about an address ends by itself, if it does.
    fn with_end(&self, rule: DialRule, address: &PeerAddress, now: Time) -> Hindrance {
        let DialRule::Obstacle(obstacle) = rule else { return for_good(rule) };
        let end = match obstacle {
            Obstacle::Banned => self.bans.until(address.host(), now),
            Obstacle::OwnAddress => self.own.until(address),
            Obstacle::NetworkDown => address.network().and_then(|network| self.next_probe_at(network, now)),
            Obstacle::AddressInUse | Obstacle::AlreadyConnected | Obstacle::NotDialable(_) | Obstacle::Unreachable => {
                None
            }
        };
        Hindrance { rule, until: end }
    }

    /// When a network that is down may be probed next.
    fn next_probe_at(&self, network: NetworkKind, now: Time) -> Option<Time> {
        let health = &self.health[network.index()];
        let timer = self.single.probes[network.index()].map(|timer| self.timers.at(timer));
        health.is_down().then(|| if health.owed_probe().is_some() { now } else { timer.unwrap_or(now).max(now) })
    }
}

const fn for_good(rule: DialRule) -> Hindrance {
    Hindrance { rule, until: None }
}

const fn until(rule: DialRule, at: Time) -> Hindrance {
    Hindrance { rule, until: Some(at) }
}
