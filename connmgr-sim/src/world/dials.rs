//! The result of a dial: first by the faults on its way, then by the host it reaches.

use std::time::Duration;

use connmgr_core::{CloseCause, ConnId, DialError, Kind, NetworkKind, PeerAddress, Target, Transport};

use super::World;
use super::happening::{Happening, ProcessRun, SOON};
use crate::scenario::map::Who;
use crate::scenario::{HostBehavior, OwnError, OwnFailures, ProxyFault, ShareOf};
use crate::types::{Dice, DrawPurpose};
use crate::world::links::{LinkEnd, LinkId, LinkStage, WorldLink};
use crate::world::subject::Subject;

/// The result of a dial.
enum Fate {
    /// It is never answered.
    Silence,
    /// This result, after this time.
    Known(Duration, Result<(), DialError>),
    /// It reaches another manager after this time.
    Reaches(Duration),
}

/// How long a local failure takes.
const AT_ONCE: Duration = Duration::from_micros(30);

impl<S: Subject> World<S> {
    pub(super) fn dial(&mut self, node: u32, conn: ConnId, target: &Target, transport: Transport) {
        let (address, is_proxied) = match target {
            Target::Direct(addr) => (PeerAddress::from(*addr), false),
            Target::Proxied { address, .. } => (address.clone(), true),
        };
        let (end, network, dice) = self.other_end(node, &address);
        let round_trip = self.round_trip(end, &dice);
        let place = &mut self.nodes[node as usize];
        place.tally.dial(network, self.now);
        place.tally.dials_in_faults += u64::from(place.ails.hampers());
        let is_v2 = transport == Transport::V2;
        let link = WorldLink { is_v2, round_trip, ..WorldLink::new(node, conn, end, network, self.now, dice) };
        let fate = self.fate(&link, &address, is_proxied);
        let id = self.links.insert(link);
        self.nodes[node as usize].links.insert(conn, id);
        match fate {
            Fate::Silence => {}
            Fate::Known(wait, result) => self.later(wait, Happening::DialEnds { link: id, result }),
            Fate::Reaches(wait) => self.later(wait, Happening::Reaches { link: id }),
        }
    }

    fn other_end(&mut self, node: u32, address: &PeerAddress) -> (LinkEnd, NetworkKind, Dice) {
        let named = address.name().and_then(|name| self.plan.named(name)).map(|range| Who::Host(range.start));
        let who = self.plan.at(address).or(named);
        match who {
            Some(Who::Host(host)) => {
                let presence = &mut self.hosts[host as usize];
                presence.dials = presence.dials.wrapping_add(1);
                let dice = Dice::new(self.plan.seed, DrawPurpose::Dial, host.into()).part(presence.dials.into());
                let home = &self.plan.resident(host).address;
                (LinkEnd::Host(host), home.network().unwrap_or(NetworkKind::Ipv4), dice)
            }
            Some(Who::Node(other)) => {
                let dials = self.nodes[node as usize].tally.dials;
                let dice = self.dice(DrawPurpose::Session, node).part(dials);
                (LinkEnd::Node { node: other, link: None }, NetworkKind::Ipv4, dice)
            }
            None => {
                let network = address.network().unwrap_or(NetworkKind::Ipv4);
                (LinkEnd::Nobody, network, Dice::new(self.plan.seed, DrawPurpose::Dial, u64::MAX))
            }
        }
    }

    fn round_trip(&self, end: LinkEnd, dice: &Dice) -> Duration {
        match end {
            LinkEnd::Host(host) => self.plan.resident(host).round_trip,
            LinkEnd::Node { .. } => dice.part(0).between(Duration::from_millis(5), Duration::from_millis(200)),
            LinkEnd::Stranger { .. } | LinkEnd::Nobody => Duration::from_millis(100),
        }
    }

    fn fate(&mut self, link: &WorldLink, address: &PeerAddress, is_proxied: bool) -> Fate {
        let ails = &self.nodes[link.node as usize].ails;
        let at = link.network.index();
        if ails.out_of_descriptors > 0 {
            return Fate::Known(AT_ONCE, Err(DialError::OutOfResources));
        }
        if let Some(failures) = ails.own_failures.iter().find(|failures| self.strikes(failures, link, address)) {
            return Fate::Known(AT_ONCE, Err(own_error(failures.error)));
        }
        if is_proxied {
            if let Some(fault) = ails.proxy {
                return proxy_fate(fault);
            }
            // The proxy is on this machine; that the interface is pulled only it notices.
            if ails.interface > 0 {
                return Fate::Known(2 * SOON, Err(DialError::ProxyFailed));
            }
        } else if ails.interface > 0 || ails.no_route[at] > 0 {
            return Fate::Known(AT_ONCE, Err(DialError::NetworkUnreachable));
        }
        if ails.silent[at] > 0 || ails.no_route[at] > 0 {
            return Fate::Silence;
        }
        if ails.reset[at] > 0 {
            return Fate::Known(link.round_trip, Err(DialError::Reset));
        }
        let missing = ails.missing;
        if link.dice.part(1).happens(missing) {
            return Fate::Silence;
        }
        let adds = self.plan.scenario.proxy.filter(|_| is_proxied).map_or(Duration::ZERO, |proxy| proxy.adds.0);
        match self.fate_at(link) {
            Fate::Known(wait, result) => Fate::Known(wait + adds, result),
            other => other,
        }
    }

    /// Whether a dial fails on this machine.
    fn strikes(&self, failures: &OwnFailures, link: &WorldLink, address: &PeerAddress) -> bool {
        failures.networks.contains(&link.network)
            && match failures.of {
                ShareOf::Dials => link.dice.part(5).happens(failures.share),
                ShareOf::Addresses => failures.strike(self.plan.seed, address),
            }
    }

    /// What the other end does with it.
    fn fate_at(&mut self, link: &WorldLink) -> Fate {
        match link.end {
            LinkEnd::Nobody | LinkEnd::Stranger { .. } => Fate::Silence,
            LinkEnd::Node { node, .. } => self.fate_at_node(node, link),
            LinkEnd::Host(host) => self.fate_at_host(host, link),
        }
    }

    fn fate_at_node(&self, node: u32, link: &WorldLink) -> Fate {
        let other = &self.nodes[node as usize];
        if other.ails.is_cut_off(NetworkKind::Ipv4) {
            return Fate::Silence;
        }
        if other.subject.is_none() || !self.plan.scenario.node.listens {
            return Fate::Known(link.round_trip, Err(DialError::Refused));
        }
        Fate::Reaches(link.round_trip / 2)
    }

    fn fate_at_host(&mut self, host: u32, link: &WorldLink) -> Fate {
        let resident = self.plan.resident(host);
        if !resident.is_reachable || self.is_parted(link.node, host) || !self.is_up(host) {
            return Fate::Silence;
        }
        let now = self.now;
        let answer = self.plan.times(host).answer.draw(&mut link.dice.part(4));
        let good = Fate::Known(answer, Ok(()));
        let refused = Fate::Known(answer, Err(DialError::Refused));
        match self.plan.behavior(host, now) {
            HostBehavior::Refuse => refused,
            HostBehavior::BlackHole => Fate::Silence,
            HostBehavior::Unreachable => Fate::Known(answer, Err(DialError::HostUnreachable)),
            HostBehavior::Slow(extra) => Fate::Known(answer + extra.draw(&mut link.dice.part(2)), Ok(())),
            HostBehavior::Flaky(share) => {
                if link.dice.part(3).happens(*share) {
                    good
                } else {
                    refused
                }
            }
            HostBehavior::Windows { period, open } => match is_open(now, period.0, open.0) {
                true => good,
                false => Fate::Silence,
            },
            HostBehavior::Accept
            | HostBehavior::AcceptThenClose(_)
            | HostBehavior::ReadyThenClose(_)
            | HostBehavior::Mute
            | HostBehavior::SlowHandshake(_)
            | HostBehavior::Misbehave { .. }
            | HostBehavior::Useless
            | HostBehavior::Mirror => good,
        }
    }

    pub(super) fn dial_ends(&mut self, id: LinkId, result: Result<(), DialError>) {
        let Some(link) = self.links.get(id) else { return };
        let (node, conn) = (link.node, link.conn);
        if self.is_postponed(node, Happening::DialEnds { link: id, result }) {
            return;
        }
        // While it was under way the way may have been cut.
        if result.is_ok() && !self.is_alive(id) {
            return;
        }
        if result.is_err() {
            self.remove(id);
        }
        if self.nodes[node as usize].ails.doubled > 0 {
            let of = self.nodes[node as usize].run();
            self.later(SOON, Happening::DialEndsAgain { of, conn, result });
        }
        self.turn(node, |subject, now, outbox| subject.dialed(conn, result.map(|()| id), now, outbox));
        self.forget_if_dropped(id);
    }

    /// The driver drops a stream that the manager does not want; the other end sees it close.
    fn forget_if_dropped(&mut self, id: LinkId) {
        if self.links.get(id).is_some_and(|link| matches!(link.stage, LinkStage::Dialing | LinkStage::GivenUp)) {
            if let Some(link) = self.remove(id) {
                self.tell_other_end(&link, CloseCause::Eof);
            }
        }
    }

    pub(super) fn dial_ends_again(&mut self, of: ProcessRun, conn: ConnId, result: Result<(), DialError>) {
        if self.nodes[of.node as usize].run() != of {
            return;
        }
        if self.is_postponed(of.node, Happening::DialEndsAgain { of, conn, result }) {
            return;
        }
        let nothing = LinkId::NONE;
        self.turn(of.node, |subject, now, outbox| subject.dialed(conn, result.map(|()| nothing), now, outbox));
    }

    /// A dial arrives at another manager. The kernel accepts it, whether the manager admits it or not.
    pub(super) fn reaches(&mut self, id: LinkId) {
        let Some(link) = self.links.get(id) else { return };
        let LinkEnd::Node { node: other, .. } = link.end else { return };
        let (node, round_trip, is_v2) = (link.node, link.round_trip, link.is_v2);
        if self.nodes[other as usize].ails.is_cut_off(NetworkKind::Ipv4) {
            return;
        }
        let result = self.let_in(other, node, id, round_trip, is_v2);
        self.later(round_trip / 2, Happening::DialEnds { link: id, result });
    }

    fn let_in(
        &mut self,
        other: u32,
        node: u32,
        id: LinkId,
        round_trip: Duration,
        is_v2: bool,
    ) -> Result<(), DialError> {
        let from = &self.plan.nodes[node as usize];
        let port = 10_000 + u16::try_from(self.nodes[node as usize].tally.dials % 50_000).expect("below 50 000");
        let Some(ip) = from.host().ip() else { return Err(DialError::Refused) };
        let dice = self.dice(DrawPurpose::Session, other).part(self.steps);
        let end = LinkEnd::Node { node, link: Some(id) };
        let theirs = WorldLink::new(other, ConnId::from_u64(0), end, NetworkKind::Ipv4, self.now, dice);
        let theirs = WorldLink { kind: Kind::Inbound, is_v2, round_trip, ..theirs };
        let theirs = self.links.insert(theirs);
        if self.accept(other, std::net::SocketAddr::new(ip, port), theirs) {
            if let Some(link) = self.links.get_mut(id) {
                link.end = LinkEnd::Node { node: other, link: Some(theirs) };
            }
        } else {
            // Refused after the kernel accepted: the dialer sees it open, and close.
            self.later(round_trip / 2 + SOON, Happening::Closes { link: id, cause: CloseCause::Unheard });
        }
        Ok(())
    }
}

const fn own_error(error: OwnError) -> DialError {
    match error {
        OwnError::NetworkUnreachable => DialError::NetworkUnreachable,
        OwnError::AddressFamilyUnsupported => DialError::AddressFamilyUnsupported,
        OwnError::OutOfResources => DialError::OutOfResources,
        OwnError::HostUnreachable => DialError::HostUnreachable,
        OwnError::Other => DialError::Other,
    }
}

fn proxy_fate(fault: ProxyFault) -> Fate {
    match fault {
        ProxyFault::Refused => Fate::Known(AT_ONCE, Err(DialError::ProxyUnreachable)),
        ProxyFault::Fails => Fate::Known(2 * SOON, Err(DialError::ProxyFailed)),
        ProxyFault::Silent => Fate::Silence,
        ProxyFault::Unreachable => Fate::Known(Duration::from_secs(2), Err(DialError::ServiceUnreachable)),
        ProxyFault::Auth => Fate::Known(SOON, Err(DialError::ProxyAuth)),
        ProxyFault::FailsLate => Fate::Known(Duration::from_secs(5), Err(DialError::ProxyFailed)),
        ProxyFault::HostUnreachable => Fate::Known(Duration::from_secs(10), Err(DialError::HostUnreachable)),
        ProxyFault::Garbage => Fate::Known(SOON, Err(DialError::ProxyProtocol)),
    }
}

/// Whether a window is open.
pub(super) fn is_open(now: crate::types::Instant, period: Duration, open: Duration) -> bool {
    let period = period.as_nanos().max(1);
    u128::from(now.as_nanos()) % period < open.as_nanos()
}
