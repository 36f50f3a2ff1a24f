//! Addresses that are reported: which the book is told, and what became of each.

use crate::config::Mode;
use crate::mechanisms::groups::is_in_range;
use crate::types::{
    AddressCounts, AddressInfo, CloseReason, ConnId, DialRule, Kind, PeerAddress, Source, SourceGroup, Time,
};

use super::{ConnManager, Phase};

impl ConnManager {
    /// Addresses were learnt from a peer or the application. Looks at the first `book.max_per_call`. Ignores those that
    /// could never be dialed, and a peer's beyond its rate (`book.gossip`). Returns what became of them.
    pub fn handle_addresses(&mut self, source: Source, addresses: &[AddressInfo], now: Time) -> AddressCounts {
        self.begin(now);
        let counts = if self.config.mode == Mode::Automatic && self.phase != Phase::Stopped {
            self.learn(source, addresses)
        } else {
            AddressCounts { unwanted: count(addresses.len()), ..AddressCounts::default() }
        };
        if let Source::Peer(conn) = source {
            self.end_addr_fetch(conn, addresses.len());
        }
        self.plan();
        counts
    }

    fn learn(&mut self, source: Source, addresses: &[AddressInfo]) -> AddressCounts {
        let mut counts = AddressCounts::default();
        let Some(group) = self.source_group(source) else {
            self.ignore();
            counts.unwanted = count(addresses.len());
            return counts;
        };
        let most = usize::try_from(self.config.book.max_per_call).unwrap_or(usize::MAX);
        for info in addresses.iter().take(most) {
            *self.learn_one(source, group, info).counted_in(&mut counts) += 1;
        }
        counts.too_many += count(addresses.len().saturating_sub(most));
        self.stats.addresses_learnt += u64::from(counts.new);
        self.stats.addresses_ignored += addresses.len() as u64 - u64::from(counts.new);
        if counts.new > 0 {
            self.wake_starved();
            self.save_book_later();
        }
        counts
    }

    /// The group that a source counts as; `None` if the source is no open connection.
    fn source_group(&self, source: Source) -> Option<SourceGroup> {
        match source {
            Source::Application => Some(SourceGroup::APPLICATION),
            Source::Import(group) => Some(group),
            Source::Peer(conn) => {
                let conn = self.table.get(conn).filter(|conn| conn.is_open())?;
                let group = conn.host().as_ref().and_then(|host| self.groups.of(host));
                Some(group.map_or(SourceGroup::HIDDEN, |group| SourceGroup::peer(group.as_u128())))
            }
        }
    }

    fn learn_one(&mut self, source: Source, group: SourceGroup, info: &AddressInfo) -> AddressFate {
        let (unix, now) = (self.unix(), self.now());
        if let Source::Peer(conn) = source {
            let Some(notes) = self.table.notes(conn) else { return AddressFate::TooMany };
            if !notes.gossip.take(&self.config.book.gossip, now) {
                return AddressFate::TooMany;
            }
        }
        let heard = AddressInfo { address: self.settled(info.address.clone()), ..*info };
        if let Some(useless) = self.why_useless(&heard.address) {
            useless
        } else if self.book.add(&heard, group, &self.groups, unix, now, &mut self.rng) {
            AddressFate::New
        } else if self.book.contains(&heard.address) {
            AddressFate::Known
        } else {
            AddressFate::Full
        }
    }

    /// Whether an address could ever be dialed.
    pub(super) fn is_worth_knowing(&self, address: &PeerAddress) -> bool {
        self.why_useless(address).is_none()
    }

    /// Why the book does not know an address.
    pub(super) fn why_not_kept(&self, address: &PeerAddress) -> DialRule {
        match self.why_useless(address) {
            Some(AddressFate::Name) => DialRule::Name,
            Some(AddressFate::OutOfRange) => DialRule::OutOfRange,
            // The others are obstacles of every dial, or say nothing of the address.
            Some(
                AddressFate::TooMany
                | AddressFate::NotDialable
                | AddressFate::NoRoute
                | AddressFate::Own
                | AddressFate::Known
                | AddressFate::Full
                | AddressFate::New,
            )
            | None => DialRule::NotKnown,
        }
    }

    /// Why an address could never be dialed, if so.
    fn why_useless(&self, address: &PeerAddress) -> Option<AddressFate> {
        if address.name().is_some() {
            Some(AddressFate::Name)
        } else if address.not_dialable().is_some() || address.zone().is_some() {
            Some(AddressFate::NotDialable)
        } else if !is_in_range(address.host(), &self.config.ranges) {
            Some(AddressFate::OutOfRange)
        } else if !self.rules().is_reachable(address) {
            Some(AddressFate::NoRoute)
        } else if self.own.contains(address, self.now()) {
            Some(AddressFate::Own)
        } else {
            None
        }
    }

    /// An addr-fetch is done when it brings more than one address: a single one may be the peer's own.
    fn end_addr_fetch(&mut self, conn: ConnId, count: usize) {
        if count > 1 && self.table.get(conn).is_some_and(|conn| conn.kind() == Kind::AddrFetch) {
            self.close(conn, CloseReason::Done);
        }
    }
}

/// What became of an address that was reported. The reasons are those of [`AddressCounts`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AddressFate {
    TooMany,
    Name,
    NotDialable,
    OutOfRange,
    NoRoute,
    Own,
    Known,
    Full,
    New,
}

impl AddressFate {
    const fn counted_in(self, counts: &mut AddressCounts) -> &mut u32 {
        match self {
            Self::TooMany => &mut counts.too_many,
            Self::Name => &mut counts.name,
            Self::NotDialable => &mut counts.not_dialable,
            Self::OutOfRange => &mut counts.out_of_range,
            Self::NoRoute => &mut counts.no_route,
            Self::Own => &mut counts.own,
            Self::Known => &mut counts.known,
            Self::Full => &mut counts.full,
            Self::New => &mut counts.new,
        }
    }
}

fn count(addresses: usize) -> u32 {
    u32::try_from(addresses).unwrap_or(u32::MAX)
}
