//! The rules that forbid a dial, and known addresses counted by the rule that holds them back.

use core::fmt;

use super::time::Time;
use super::view::Obstacle;

/// A rule that forbids a dial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum DialRule {
    /// The manager is inactive ([`set_active`](crate::ConnManager::set_active)).
    Inactive,
    /// The manager shuts down.
    ShuttingDown,
    /// Only added peers are dialed ([`Mode::ConnectOnly`](crate::Mode::ConnectOnly)).
    ConnectOnly,
    /// No peer is added with this address.
    NotAdded,
    /// The address is not in the book.
    NotKnown,
    /// It is a host name. The book keeps none; only added peers have names.
    Name,
    /// It is outside of [`Config::ranges`](crate::Config::ranges), so it is not kept in the book.
    OutOfRange,
    /// What also forbids dialing an added peer.
    Obstacle(Obstacle),
    /// Its peer is connected by another address.
    ConnectedElsewhere,
    /// Another address of the same added peer is being tried.
    OtherAddressFirst,
    /// Its group has as many automatic connections and dials as allowed
    /// ([`GroupRule::max_per_group`](crate::GroupRule::max_per_group)).
    GroupFull,
    /// It lacks services that [`Config::required`](crate::Config::required) asks for.
    LacksServices,
    /// It was dialed lately ([`DialConfig::spacing`](crate::DialConfig::spacing) and
    /// [`min_spacing`](crate::DialConfig::min_spacing)).
    Resting,
    /// The last attempt at the added peer failed ([`Config::retry`](crate::Config::retry)).
    BackOff,
    /// No connection of this kind is wanted ([`Config::limits`](crate::Config::limits), and what they leave for this
    /// kind: [`Split`](crate::Split)).
    NoSlots,
    /// Connections and dials hold every slot of this kind.
    SlotsTaken,
    /// There are as many connections and dials as allowed in all ([`Limits::total`](crate::Limits::total)).
    TotalReached,
    /// Block-relay connections leave the known addresses to full ones, which find more.
    AfterFull,
    /// No address could be dialed lately. The pool looks again at growing intervals.
    LooksAgain,
    /// Automatic dials are made at most as often as [`DialConfig::rate`](crate::DialConfig::rate) says.
    Rate,
    /// Dials into its network have led to nothing for long, and have slowed down.
    NetworkPace,
    /// As many dials into its network are under way as one may have that has yielded nothing. Others go first.
    NetworkShare,
    /// This machine lacks descriptors, ports or memory for another dial.
    Shortage,
    /// The last input caused as many actions as one may. The rest follows 1 ms later.
    Busy,
}

impl fmt::Display for DialRule {
    /// A clause: "its host is banned".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Inactive => "the pool is inactive",
            Self::ShuttingDown => "the pool shuts down",
            Self::ConnectOnly => "only added peers are dialed (connect-only)",
            Self::NotAdded => "no peer is added with this address",
            Self::NotKnown => "it is not in the book of known addresses",
            Self::Name => "it is a name, and only added peers have names",
            Self::OutOfRange => "it is outside of the ranges in which peers may be (`ranges`)",
            Self::Obstacle(obstacle) => return obstacle.fmt(f),
            Self::ConnectedElsewhere => "its peer is connected by another address",
            Self::OtherAddressFirst => "another address of the same peer is being tried",
            Self::GroupFull => "its group has as many connections as allowed (`groups.max_per_group`)",
            Self::LacksServices => "it lacks required services (`required`)",
            Self::Resting => "it was dialed lately and rests (`dial.spacing`)",
            Self::BackOff => "the last attempt failed (`retry`)",
            Self::NoSlots => "no connection of this kind is wanted (`limits`)",
            Self::SlotsTaken => "connections and dials hold every slot (`limits`)",
            Self::TotalReached => "there are as many connections and dials as allowed in all (`limits.total`)",
            Self::AfterFull => "full connections get the few known addresses first",
            Self::LooksAgain => "no address could be dialed lately, and the pool looks again only now and then",
            Self::Rate => "dials are made at a limited rate (`dial.rate`)",
            Self::NetworkPace => "dials into its network have led to nothing for long, and have slowed down",
            Self::NetworkShare => "enough dials into its network are under way, which has yielded nothing yet",
            Self::Shortage => "this machine lacks descriptors, ports or memory",
            Self::Busy => "there is too much to do at once, and it follows in 1 ms",
        })
    }
}

/// A rule that forbids a dial now, and how long at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hindrance {
    /// The rule.
    pub rule: DialRule,
    /// It forbids the dial at least until then, unless something happens before: an input, or the end of another rule.
    /// `None`: no time ends it, but an event (a connection ends, a limit is raised, the address is learnt).
    pub until: Option<Time>,
}

/// Known addresses, counted by the first rule that forbids dialing them automatically.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default))]
pub struct HeldBack {
    /// How many addresses are known.
    pub known: u32,
    /// How many of them were looked at: all, or 256 spread over a larger book. The counts below are of these.
    pub looked_at: u32,
    /// Their hosts are banned.
    pub banned: u32,
    /// Connected or being dialed.
    pub in_use: u32,
    /// Their peers are connected by other addresses.
    pub connected_elsewhere: u32,
    /// Their networks are down. They are probed.
    pub network_down: u32,
    /// Their networks are disabled, or no configured route leads there.
    pub unreachable: u32,
    /// Our own.
    pub own: u32,
    /// No peer can ever be there.
    pub not_dialable: u32,
    /// Their groups have as many connections as allowed.
    pub group_full: u32,
    /// They lack services.
    pub lacks_services: u32,
    /// They were dialed lately.
    pub resting: u32,
    /// Dials into their networks have slowed down, or wait for others.
    pub network_pace: u32,
    /// No rule forbids dialing them.
    pub free: u32,
}

impl HeldBack {
    const fn parts(&self) -> [(u32, &'static str); 12] {
        [
            (self.banned, "banned"),
            (self.in_use, "connected or being dialed"),
            (self.connected_elsewhere, "of peers connected by other addresses"),
            (self.network_down, "in networks that are down"),
            (self.unreachable, "in networks that are disabled or have no route"),
            (self.own, "our own"),
            (self.not_dialable, "that no peer can have"),
            (self.group_full, "in groups that have their connections"),
            (self.lacks_services, "without required services"),
            (self.resting, "dialed lately"),
            (self.network_pace, "in networks whose dials led to nothing"),
            (self.free, "free to be dialed"),
        ]
    }

    /// Counts an address that this rule holds back; `None`: none does.
    pub(crate) const fn count(&mut self, rule: Option<DialRule>) {
        let counted = match rule {
            Some(DialRule::Obstacle(obstacle)) => match obstacle {
                Obstacle::Banned => &mut self.banned,
                Obstacle::AddressInUse => &mut self.in_use,
                Obstacle::AlreadyConnected => &mut self.connected_elsewhere,
                Obstacle::NetworkDown => &mut self.network_down,
                Obstacle::OwnAddress => &mut self.own,
                Obstacle::NotDialable(_) => &mut self.not_dialable,
                Obstacle::Unreachable => &mut self.unreachable,
            },
            Some(DialRule::ConnectedElsewhere) => &mut self.connected_elsewhere,
            Some(DialRule::GroupFull) => &mut self.group_full,
            Some(DialRule::LacksServices) => &mut self.lacks_services,
            Some(DialRule::Resting) => &mut self.resting,
            Some(DialRule::NetworkPace | DialRule::NetworkShare) => &mut self.network_pace,
            // Rules of the whole pool hold back no address in particular, and what is known is in the book.
            Some(
                DialRule::Inactive
                | DialRule::ShuttingDown
                | DialRule::ConnectOnly
                | DialRule::NotAdded
                | DialRule::NotKnown
                | DialRule::Name
                | DialRule::OutOfRange
                | DialRule::OtherAddressFirst
                | DialRule::BackOff
                | DialRule::NoSlots
                | DialRule::SlotsTaken
                | DialRule::TotalReached
                | DialRule::AfterFull
                | DialRule::LooksAgain
                | DialRule::Rate
                | DialRule::Shortage
                | DialRule::Busy,
            )
            | None => &mut self.free,
        };
        *counted += 1;
        self.looked_at += 1;
    }
}

impl fmt::Display for HeldBack {
    /// How many are known, and every count that is not 0.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} known", self.known)?;
        if self.looked_at < self.known {
            write!(f, "; of {} looked at", self.looked_at)?;
        }
        self.parts().iter().filter(|(count, _)| *count > 0).try_for_each(|(count, what)| write!(f, ", {count} {what}"))
    }
}
