//! What peers tell of other addresses, asked or not.

use std::sync::Arc;
use std::time::Duration;

use connmgr_core::{AddressInfo, ConnId, Input, Kind, Source};

use super::World;
use super::happening::{Happening, SOON};
use crate::scenario::Gossip;
use crate::scenario::land::PORT;
use crate::scenario::map::USUAL_SERVICES;
use crate::types::Dice;
use crate::world::links::{LinkEnd, LinkId, LinkStage};
use crate::world::subject::Subject;

impl<S: Subject> World<S> {
    pub(super) fn begin_gossip(&mut self, id: LinkId, kind: Kind, gossip: &Gossip) {
        let asks = matches!(kind, Kind::Full | Kind::AddrFetch | Kind::Added);
        if asks && gossip.answer > 0 {
            let wait = self.links.get(id).map_or(SOON, |link| link.round_trip);
            self.later(wait, Happening::Gossip { link: id, asked: true });
        }
        if let (Some(every), true, Kind::Full | Kind::Added) = (gossip.every, gossip.unasked > 0, kind) {
            self.later(every.0, Happening::Gossip { link: id, asked: false });
        }
    }

    pub(super) fn gossip(&mut self, id: LinkId, asked: bool) {
        let Some(link) = self.links.get(id).filter(|link| link.stage == LinkStage::Ready) else { return };
        let (node, conn, end, dice) = (link.node, link.conn, link.end, link.dice);
        if self.is_postponed(node, Happening::Gossip { link: id, asked }) {
            return;
        }
        let plan = Arc::clone(&self.plan);
        let usual;
        let gossip = match end {
            LinkEnd::Host(host) => &plan.spec(host).gossip,
            LinkEnd::Node { .. } | LinkEnd::Stranger { .. } | LinkEnd::Nobody => {
                usual = Gossip::default();
                &usual
            }
        };
        if let (Some(every), false) = (gossip.every, asked) {
            self.later(every.0, Happening::Gossip { link: id, asked });
        }
        if self.is_alive(id) {
            let count = if asked { gossip.answer } else { gossip.unasked };
            self.tell_addresses(node, conn, gossip, count, dice.part(self.now.as_nanos()));
        }
    }

    pub(super) fn tell_addresses(&mut self, node: u32, conn: ConnId, gossip: &Gossip, count: u32, mut dice: Dice) {
        let plan = Arc::clone(&self.plan);
        let now = self.now;
        let unix = self.nodes[node as usize].clock.unix(now);
        let mut addresses = Vec::with_capacity(count as usize);
        for _ in 0..count {
            let (address, services) = if dice.happens(gossip.invented) {
                (invented(&mut dice), USUAL_SERVICES)
            } else {
                let Some((address, services)) = plan.draw(&gossip.about, now, &mut dice) else { continue };
                (address.clone(), services)
            };
            let age = Duration::from_secs(dice.below(10_800));
            addresses.push(AddressInfo::new(address).services(services).last_seen(unix.before(age)));
        }
        self.tell(node, &Input::Addresses { source: Source::Peer(conn), addresses });
    }
}

/// An address without a host, outside of all groups in use.
fn invented(dice: &mut Dice) -> connmgr_core::PeerAddress {
    let bits = u32::try_from(0xa000_0000 + dice.below(0x0700_0000)).expect("within IPv4");
    std::net::SocketAddr::new(std::net::Ipv4Addr::from_bits(bits).into(), PORT).into()
}
