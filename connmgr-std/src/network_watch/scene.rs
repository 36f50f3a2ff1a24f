//! What of a machine's network matters: its addresses and its default routes. Knows no socket.
//!
//! Messages are filtered by what they leave behind, not by what they say: a lease that is renewed is announced as a new
//! address, and the routes that go with a link's end are not announced at all.

use std::collections::BTreeSet;
use std::net::IpAddr;

use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::address::{AddressAttribute, AddressHeaderFlags, AddressMessage, AddressScope};
use netlink_packet_route::route::{RouteAddress, RouteAttribute, RouteFlags, RouteMessage, RouteType};

/// The addresses and default routes of a machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct NetworkScene {
    /// With the index of their link.
    addresses: BTreeSet<(u32, IpAddr)>,
    routes: BTreeSet<DefaultRoute>,
}

/// A route to everywhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct DefaultRoute {
    family: u8,
    table: u32,
    gateway: Option<IpAddr>,
    link: Option<u32>,
    priority: u32,
}

impl NetworkScene {
    /// Adds what a message of a dump says.
    pub(super) fn add(&mut self, message: &RouteNetlinkMessage) {
        match message {
            RouteNetlinkMessage::NewAddress(address) => self.addresses.extend(usable_address(address)),
            RouteNetlinkMessage::NewRoute(route) => self.routes.extend(default_route(route)),
            _ => {}
        }
    }

    /// Whether the change from `self` to `next` is worth telling: something has come, or something has gone while there is
    /// still a way out. A machine that has lost its last way out can reach nobody, and another change will follow.
    pub(super) fn changes_to(&self, next: &Self) -> bool {
        let has_come = !next.addresses.is_subset(&self.addresses) || !next.routes.is_subset(&self.routes);
        has_come || (self != next && next.has_a_way_out())
    }

    fn has_a_way_out(&self) -> bool {
        !self.routes.is_empty()
    }
}

/// Whether the scene may differ after this message. Routes to other places come and go by the thousand on a router.
pub(super) fn may_matter(message: &RouteNetlinkMessage) -> bool {
    match message {
        RouteNetlinkMessage::NewRoute(route) | RouteNetlinkMessage::DelRoute(route) => {
            route.header.destination_prefix_length == 0
        }
        // The routes of a link go with it, without a message of their own.
        RouteNetlinkMessage::NewLink(_)
        | RouteNetlinkMessage::DelLink(_)
        | RouteNetlinkMessage::NewAddress(_)
        | RouteNetlinkMessage::DelAddress(_) => true,
        _ => false,
    }
}

/// An address by which others may be reached. Not one that is for this link or this host only, and not yet one of which
/// the kernel is still finding out whether another machine has it.
fn usable_address(message: &AddressMessage) -> Option<(u32, IpAddr)> {
    let is_wide = matches!(message.header.scope, AddressScope::Universe | AddressScope::Site);
    let unusable = AddressHeaderFlags::Tentative | AddressHeaderFlags::Dadfailed;
    if !is_wide || message.header.flags.intersects(unusable) {
        return None;
    }
    let local = |attribute: &AddressAttribute| match attribute {
        AddressAttribute::Local(ip) => Some(*ip),
        _ => None,
    };
    let address = |attribute: &AddressAttribute| match attribute {
        AddressAttribute::Address(ip) => Some(*ip),
        _ => None,
    };
    let attributes = &message.attributes;
    // On a point-to-point link `Address` is the other end's.
    let ip = attributes.iter().find_map(local).or_else(|| attributes.iter().find_map(address))?;
    Some((message.header.index, ip))
}

/// A default route that leads somewhere.
fn default_route(message: &RouteMessage) -> Option<DefaultRoute> {
    let header = &message.header;
    let is_dead = header.flags.intersects(RouteFlags::Dead | RouteFlags::Linkdown);
    if header.destination_prefix_length != 0 || header.kind != RouteType::Unicast || is_dead {
        return None;
    }
    let family = header.address_family.into();
    let mut route = DefaultRoute { family, table: header.table.into(), ..DefaultRoute::default() };
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Gateway(RouteAddress::Inet(ip)) => route.gateway = Some((*ip).into()),
            RouteAttribute::Gateway(RouteAddress::Inet6(ip)) => route.gateway = Some((*ip).into()),
            RouteAttribute::Oif(link) => route.link = Some(*link),
            RouteAttribute::Priority(priority) => route.priority = *priority,
            RouteAttribute::Table(table) => route.table = *table,
            _ => {}
        }
    }
    Some(route)
}

#[cfg(test)]
mod tests {
    use netlink_packet_route::AddressFamily;

    use super::*;

    fn address(text: &str) -> AddressMessage {
        let mut message = AddressMessage::default();
        message.header.index = 2;
        message.attributes.push(AddressAttribute::Address(text.parse().unwrap()));
        message
    }

    fn route(gateway: [u8; 4]) -> RouteMessage {
        let mut message = RouteMessage::default();
        (message.header.address_family, message.header.kind) = (AddressFamily::Inet, RouteType::Unicast);
        let gateway = RouteAddress::Inet(gateway.into());
        message.attributes.extend([RouteAttribute::Gateway(gateway), RouteAttribute::Oif(2)]);
        message
    }

    fn scene(addresses: &[AddressMessage], routes: &[RouteMessage]) -> NetworkScene {
        let mut scene = NetworkScene::default();
        addresses.iter().for_each(|address| scene.add(&RouteNetlinkMessage::NewAddress(address.clone())));
        routes.iter().for_each(|route| scene.add(&RouteNetlinkMessage::NewRoute(route.clone())));
        scene
    }

    #[test]
    fn what_comes_is_told_and_what_goes_while_there_is_a_way_out() {
        let (a, b) = (address("192.0.2.1"), address("2001:db8::1"));
        let (one, two) = (route([192, 0, 2, 254]), route([192, 0, 2, 253]));
        let none = scene(&[], &[]);
        let first = scene(std::slice::from_ref(&a), std::slice::from_ref(&one));
        let both = scene(&[a.clone(), b], &[one, two.clone()]);
        let other = scene(&[a], &[two]);
        for (before, after, is_told) in [
            (&none, &first, true),
            (&first, &both, true),
            (&both, &first, true),
            (&first, &other, true),
            (&first, &first, false),
            (&first, &none, false),
        ] {
            assert_eq!(before.changes_to(after), is_told, "{before:?} {after:?}");
        }
    }

    #[test]
    fn addresses_of_this_link_or_host_and_those_in_doubt_do_not_matter() {
        let mut of_link = address("fe80::1");
        of_link.header.scope = AddressScope::Link;
        let mut of_host = address("127.0.0.1");
        of_host.header.scope = AddressScope::Host;
        let mut in_doubt = address("2001:db8::1");
        in_doubt.header.flags = AddressHeaderFlags::Tentative;
        assert_eq!(scene(&[of_link, of_host, in_doubt], &[]), NetworkScene::default());
    }

    #[test]
    fn an_address_that_is_announced_again_with_a_new_lease_is_the_same() {
        let mut renewed = address("192.0.2.1");
        renewed.attributes.push(AddressAttribute::Label("eth0".into()));
        assert_eq!(scene(&[address("192.0.2.1")], &[]), scene(&[renewed], &[]));
    }

    #[test]
    fn a_route_that_leads_nowhere_is_none() {
        let mut dead = route([192, 0, 2, 254]);
        dead.header.flags = RouteFlags::Linkdown;
        let mut unreachable = route([192, 0, 2, 254]);
        unreachable.header.kind = RouteType::Unreachable;
        let mut part = route([192, 0, 2, 254]);
        part.header.destination_prefix_length = 8;
        assert_eq!(scene(&[], &[dead, unreachable, part]), NetworkScene::default());
    }

    #[test]
    fn routes_to_other_places_are_not_looked_after() {
        let mut part = route([192, 0, 2, 254]);
        part.header.destination_prefix_length = 24;
        assert!(!may_matter(&RouteNetlinkMessage::NewRoute(part)));
        assert!(may_matter(&RouteNetlinkMessage::DelRoute(route([192, 0, 2, 254]))));
        assert!(may_matter(&RouteNetlinkMessage::DelAddress(address("192.0.2.1"))));
    }
}
