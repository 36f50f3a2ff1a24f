//! What an address is to a choice: its network and the classes of services it may serve; and a filter over them.

use crate::types::{NetworkKind, NetworkSet};

/// A demand on services: only these are looked for, so that the tables know for each where such addresses are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Any address.
    Any,
    /// May have the services of full connections.
    Full,
    /// May have the services of block-relay connections.
    BlockRelay,
}

impl Class {
    pub(super) const ALL: [Self; 3] = [Self::Any, Self::Full, Self::BlockRelay];

    pub(super) const fn index(self) -> usize {
        match self {
            Self::Any => 0,
            Self::Full => 1,
            Self::BlockRelay => 2,
        }
    }
}

/// What an address is to a choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Marks {
    pub(super) network: NetworkKind,
    pub(super) full: bool,
    pub(super) block_relay: bool,
}

impl Marks {
    /// The bits of its number.
    pub(super) const BITS: u32 = 5;

    /// All of it as one number, below 32.
    pub(super) fn number(self) -> u32 {
        let network = u32::try_from(self.network.index()).expect("below eight");
        network | u32::from(self.full) << 3 | u32::from(self.block_relay) << 4
    }

    pub(super) const fn is_in(self, class: Class) -> bool {
        match class {
            Class::Any => true,
            Class::Full => self.full,
            Class::BlockRelay => self.block_relay,
        }
    }

    /// The classes it is in.
    pub(super) fn classes(self) -> impl Iterator<Item = Class> {
        Class::ALL.into_iter().filter(move |class| self.is_in(*class))
    }
}

/// Some of the marks that an address may have: a bit for the number of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct MarkSet(u32);

impl MarkSet {
    pub(super) const NONE: Self = Self(0);

    /// The marks of a class in the first network: its number may be added to theirs.
    const fn of(class: Class) -> Self {
        Self(match class {
            Class::Any => 1 | 1 << 8 | 1 << 16 | 1 << 24,
            Class::Full => 1 << 8 | 1 << 24,
            Class::BlockRelay => 1 << 16 | 1 << 24,
        })
    }

    pub(super) fn insert(&mut self, marks: Marks) {
        self.insert_number(marks.number());
    }

    /// Adds the marks of a number.
    pub(super) const fn insert_number(&mut self, number: u32) {
        self.0 |= 1 << number;
    }

    /// Removes the marks of a number.
    pub(super) const fn remove(&mut self, number: u32) {
        self.0 &= !(1 << number);
    }

    /// Whether the marks of a number are among them.
    pub(super) const fn has_number(self, number: u32) -> bool {
        self.0 >> number & 1 != 0
    }

    /// Whether all of these are among them.
    pub(super) const fn includes(self, others: Self) -> bool {
        others.0 & !self.0 == 0
    }

    /// Whether some of these are among them.
    pub(super) const fn meets(self, others: Self) -> bool {
        self.0 & others.0 != 0
    }
}

/// Which addresses a choice may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Filter {
    pub(super) networks: NetworkSet,
    /// The network, if it is one: this is asked for many times in a choice.
    only: Option<NetworkKind>,
    pub(super) class: Class,
    /// All marks that it lets pass.
    marks: MarkSet,
}

impl Filter {
    pub(super) const ANY: Self =
        Self { networks: NetworkSet::ALL, only: None, class: Class::Any, marks: MarkSet(u32::MAX) };

    pub(super) fn new(networks: NetworkSet, class: Class) -> Self {
        let of_first = MarkSet::of(class).0;
        let marks = MarkSet(networks.iter().fold(0, |all, network| all | of_first << network.index()));
        Self { networks, only: networks.only(), class, marks }
    }

    pub(super) const fn in_network(network: NetworkKind, class: Class) -> Self {
        let marks = MarkSet(MarkSet::of(class).0 << network.index());
        Self { networks: NetworkSet::EMPTY.with(network), only: Some(network), class, marks }
    }

    /// The sum over its networks.
    pub(super) fn sum(self, of: impl Fn(NetworkKind) -> usize) -> usize {
        match self.only {
            Some(network) => of(network),
            None => self.networks.iter().map(of).sum(),
        }
    }

    /// The bits of all its networks.
    pub(super) fn union(self, of: impl Fn(NetworkKind) -> u64) -> u64 {
        match self.only {
            Some(network) => of(network),
            None => self.networks.iter().fold(0, |all, network| all | of(network)),
        }
    }

    pub(super) const fn marks(self) -> MarkSet {
        self.marks
    }

    pub(super) const fn only(self) -> Option<NetworkKind> {
        self.only
    }

    pub(super) const fn fits(self, marks: Marks) -> bool {
        self.networks.contains(marks.network) && marks.is_in(self.class)
    }
}

/// Numbers by network and class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct MarkCounts([[u32; Class::ALL.len()]; NetworkKind::ALL.len()]);

impl MarkCounts {
    pub(super) fn add(&mut self, marks: Marks) {
        for class in marks.classes() {
            self.0[marks.network.index()][class.index()] += 1;
        }
    }

    pub(super) fn subtract(&mut self, marks: Marks) {
        for class in marks.classes() {
            self.0[marks.network.index()][class.index()] -= 1;
        }
    }

    /// The networks of which there are any.
    pub(super) fn networks(&self) -> NetworkSet {
        let has_some = |network: &NetworkKind| self.0[network.index()][Class::Any.index()] > 0;
        NetworkKind::ALL.into_iter().filter(has_some).collect()
    }

    pub(super) fn of(&self, filter: Filter) -> usize {
        filter.sum(|network| self.0[network.index()][filter.class.index()] as usize)
    }
}
