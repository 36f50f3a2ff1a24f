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

/// Which addresses a choice may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Filter {
    pub(super) networks: NetworkSet,
    /// The network, if it is one: this is asked for many times in a choice.
    only: Option<NetworkKind>,
    pub(super) class: Class,
}

impl Filter {
    pub(super) const ANY: Self = Self { networks: NetworkSet::ALL, only: None, class: Class::Any };

    pub(super) fn new(networks: NetworkSet, class: Class) -> Self {
        Self { networks, only: networks.only(), class }
    }

    pub(super) const fn in_network(network: NetworkKind, class: Class) -> Self {
        Self { networks: NetworkSet::EMPTY.with(network), only: Some(network), class }
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
