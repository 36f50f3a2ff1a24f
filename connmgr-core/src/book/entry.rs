//! One known address, and what became of it.
//!
//! It knows the rules for a single address (when it is terrible, what it is worth) and nothing about others. Read
//! first: `AddrInfo` in Bitcoin Core's `addrman`.

mod saved;

use core::time::Duration;

use super::bits::{Bits, Field};
use super::buckets::Place;
use super::key::ShortKey;
use super::marks::Marks;
use super::moment::Moment;
use crate::types::{NetworkKind, Services, SteadySecond, Time, nanos};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// An address not seen for this long is terrible.
const HORIZON: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// An address dialed this recently is in use, and is not removed.
const IN_USE: Duration = MINUTE;
/// With this many failures, an address that was never ready is terrible.
const MAX_FAILURES_OF_UNTESTED: u8 = 3;
/// With this many failures, an address that was not ready for [`GOOD_FOR`] is terrible.
const MAX_FAILURES: u8 = 10;
/// How long a ready connection outweighs failures, and the peer's own report of its services outweighs gossip.
const GOOD_FOR: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The latest dial's result.
///
/// ```text
/// None ──try──▶ Pending ──answered──▶ Answered      (any) ──try──▶ Pending
///                  │  └─────failed──▶ Failed ◀─failed─ Answered
///                  └─forgiven▶ Forgiven ◀─forgiven─ Failed
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dial {
    /// No dial in this run.
    None,
    /// Under way.
    Pending,
    /// The host accepted the connection.
    Answered,
    /// It failed, and the failure counts.
    Failed,
    /// It said nothing about the host, because the network was down.
    Forgiven,
}

impl Dial {
    const fn of(number: u32) -> Self {
        match number {
            0 => Self::None,
            1 => Self::Pending,
            2 => Self::Answered,
            3 => Self::Failed,
            _ => Self::Forgiven,
        }
    }
}

/// One known address. 44 bytes. It holds no date of the wall clock, which may be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(Rust, packed(4))]
pub(super) struct Entry {
    key: ShortKey,
    services: Services,
    last_seen: SteadySecond,
    last_try: Moment,
    last_success: SteadySecond,
    /// [`GROUP`], [`PREV`], [`NEXT`], [`FAILURES`], [`DIAL`], [`TRIED`].
    bits: Bits,
    /// Its place, the first one if it has several. Only [`place`](super::place) changes it.
    pub(super) place: Place,
    /// The number of the source that counts, without [`SOURCE`].
    source: u16,
    /// The rest of that number, how many more places it has in the table of new addresses ([`MORE`]), and what holds of
    /// it.
    flags: u8,
}

/// The bits of a slot, a group or a source. A book has at most 81 920 addresses.
const NUMBER: u32 = 17;
/// The number of its group, and its neighbours in the ring of that. Only [`Neighbours`](super::neighbours) changes them.
const GROUP: Field = Field::FIRST.then(NUMBER);
const PREV: Field = GROUP.then(NUMBER);
const NEXT: Field = PREV.then(NUMBER);
/// Since a connection was last stable; at most 255.
const FAILURES: Field = NEXT.then(u8::BITS);
/// The number of a [`Dial`].
const DIAL: Field = FAILURES.then(3);
/// 1 if it is in the table of tried addresses.
const TRIED: Field = DIAL.then(1);

/// The highest bit of the source.
const SOURCE: u8 = 1;
/// The bits of the number of more places.
const MORE: u8 = 7 << MORE_SHIFT;
const MORE_SHIFT: u32 = 1;
/// The peer does not speak the encrypted transport.
const V1_ONLY: u8 = 16;
/// A connection became ready, and has not ended, or ended only because we shut down.
const CONNECTED: u8 = 32;
/// It may have the services of full connections.
const FULL: u8 = 64;
/// It may have the services of block-relay connections.
const BLOCK_RELAY: u8 = 128;

impl Entry {
    /// An address learnt from others and not dialed yet. Its group, source and place are set later.
    pub(super) const fn heard(key: ShortKey, services: Services, last_seen: SteadySecond) -> Self {
        Self {
            key,
            services,
            last_seen,
            last_try: Moment::NEVER,
            last_success: SteadySecond::NEVER,
            bits: Bits::ZERO,
            place: Place::new(0, 0),
            source: 0,
            flags: 0,
        }
    }

    /// Merges what others report of a known address. For a week, services a peer reported itself win over gossip;
    /// otherwise gossip could make us redial useless peers. After a week gossip may add to them. Last-seen only moves
    /// forward: by more than an hour if the report is from today, else by more than a day, so that gossip costs little
    /// and reveals little of what we hear.
    pub(super) fn refresh(&mut self, services: Services, last_seen: SteadySecond, now: Time) {
        let present = SteadySecond::at(now);
        if present.since(self.last_success) > GOOD_FOR {
            self.services = self.services | services;
        }
        let step = if present.since(last_seen) < DAY { 60 * MINUTE } else { DAY };
        if last_seen > self.last_seen.after(step) {
            self.last_seen = last_seen;
        }
    }

    pub(super) fn tried(&mut self, now: Time) {
        self.last_try = Moment::at(now);
        self.set_dial(Dial::Pending);
        self.set(CONNECTED, false);
    }

    pub(super) fn answered(&mut self, now: Time) {
        self.ensure_tried(now);
        self.set_dial(Dial::Answered);
    }

    pub(super) fn failed(&mut self, now: Time) {
        self.ensure_tried(now);
        self.set_dial(Dial::Failed);
        self.set_failures(self.failures().saturating_add(1));
    }

    /// A connection became ready. Last-seen, which others are told, does not change: it would reveal our connections
    /// (as in Core).
    pub(super) fn succeeded(&mut self, services: Services, now: Time) {
        self.last_try = Moment::at(now);
        self.set_dial(Dial::Answered);
        self.last_success = SteadySecond::at(now);
        self.services = services;
        self.set(CONNECTED, true);
        // A full peer closes before it says anything, like one that does not understand us. Its own word counts.
        self.set(V1_ONLY, self.has(V1_ONLY) && !services.has(Services::P2P_V2));
    }

    /// The connection has ended, and not because we shut down.
    pub(super) const fn left(&mut self) {
        self.set(CONNECTED, false);
    }

    /// The connection was stable, or served its purpose.
    pub(super) const fn proved(&mut self) {
        self.set_failures(0);
    }

    pub(super) fn forgiven(&mut self) {
        match self.dial() {
            Dial::None | Dial::Answered | Dial::Forgiven => return,
            Dial::Pending => {}
            Dial::Failed => self.set_failures(self.failures().saturating_sub(1)),
        }
        self.set_dial(Dial::Forgiven);
    }

    /// A result without a recorded dial: the dial was now at the latest.
    fn ensure_tried(&mut self, now: Time) {
        match self.dial() {
            Dial::Pending | Dial::Answered => {}
            Dial::None | Dial::Failed | Dial::Forgiven => self.last_try = Moment::at(now),
        }
    }

    const fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    const fn set(&mut self, flag: u8, holds: bool) {
        self.flags = if holds { self.flags | flag } else { self.flags & !flag };
    }

    const fn dial(&self) -> Dial {
        Dial::of(self.bits.get(DIAL))
    }

    const fn set_dial(&mut self, dial: Dial) {
        self.bits = self.bits.with(DIAL, dial as u32);
    }

    const fn set_failures(&mut self, failures: u8) {
        self.bits = self.bits.with(FAILURES, failures as u32);
    }

    /// What it is to choices, as of the last [`classify`](Self::classify).
    pub(super) const fn marks(&self) -> Marks {
        Marks { network: self.network(), full: self.has(FULL), block_relay: self.has(BLOCK_RELAY) }
    }

    /// Notes whether it may have the services of full and block-relay connections.
    pub(super) fn classify(&mut self, services: [Services; 2]) {
        let [full, block_relay] = services.map(|services| self.may_offer(services));
        self.set(FULL, full);
        self.set(BLOCK_RELAY, block_relay);
    }

    /// The number of its group.
    pub(super) const fn group(&self) -> u32 {
        self.bits.get(GROUP)
    }

    /// The slots before and after it in the ring of its group.
    pub(super) const fn neighbours(&self) -> [u32; 2] {
        [self.bits.get(PREV), self.bits.get(NEXT)]
    }

    pub(super) const fn set_group(&mut self, number: u32) {
        self.bits = self.bits.with(GROUP, number);
    }

    pub(super) const fn set_prev(&mut self, slot: u32) {
        self.bits = self.bits.with(PREV, slot);
    }

    pub(super) const fn set_next(&mut self, slot: u32) {
        self.bits = self.bits.with(NEXT, slot);
    }

    /// The number of the source that counts.
    pub(super) const fn source(&self) -> u32 {
        ((self.flags & SOURCE) as u32) << u16::BITS | self.source as u32
    }

    pub(super) const fn set_source(&mut self, number: u32) {
        debug_assert!(number < 1 << NUMBER, "no more sources than addresses");
        let [low, middle, high, _] = number.to_le_bytes();
        self.set(SOURCE, high != 0);
        self.source = u16::from_le_bytes([low, middle]);
    }

    /// Whether it is in the table of tried addresses.
    pub(super) const fn is_tried(&self) -> bool {
        self.bits.get(TRIED) != 0
    }

    /// How many more places it has in the table of new addresses; 0 if it is in the other.
    pub(super) const fn more_places(&self) -> u8 {
        (self.flags & MORE) >> MORE_SHIFT
    }

    /// It has its first place now, in this table, and no other yet.
    pub(super) const fn put(&mut self, place: Place, is_tried: bool) {
        self.place = place;
        self.set(MORE, false);
        self.bits = self.bits.with(TRIED, is_tried as u32);
    }

    /// It has so many more places in the table of new addresses now.
    pub(super) fn set_more_places(&mut self, more: u8) {
        debug_assert!(!self.is_tried() && more <= MORE >> MORE_SHIFT, "a new address has at most eight places");
        self.flags = self.flags & !MORE | more << MORE_SHIFT;
    }

    /// Whether the peer did not understand the encrypted transport.
    pub(super) const fn is_without_v2(&self) -> bool {
        self.has(V1_ONLY)
    }

    pub(super) const fn set_without_v2(&mut self) {
        self.set(V1_ONLY, true);
    }

    pub(super) const fn key(&self) -> &ShortKey {
        &self.key
    }

    pub(super) const fn network(&self) -> NetworkKind {
        self.key.network()
    }

    pub(super) const fn services(&self) -> Services {
        self.services
    }

    pub(super) const fn last_seen(&self) -> SteadySecond {
        self.last_seen
    }

    pub(super) fn ever_succeeded(&self) -> bool {
        self.last_success != SteadySecond::NEVER
    }

    pub(super) const fn failures(&self) -> u8 {
        let [failures, ..] = self.bits.get(FAILURES).to_le_bytes();
        failures
    }

    /// Whether it was ever dialed, in an earlier run too.
    pub(super) const fn was_ever_tried(&self) -> bool {
        !self.last_try.is_never()
    }

    /// Whether the address was dialed less than `spacing` ago; exactly `spacing` ago is not less.
    pub(super) fn was_tried_within(&self, spacing: Duration, now: Time) -> bool {
        self.last_try.nanos_ago(now).is_some_and(|ago| ago < nanos(spacing))
    }

    /// The time that is `wait` after the latest dial; `None` if there was none.
    pub(super) fn after_try(&self, wait: Duration) -> Option<Time> {
        let wait = i64::try_from(nanos(wait)).unwrap_or(i64::MAX);
        let at = u64::try_from(self.last_try.0.saturating_add(wait)).unwrap_or(0);
        (!self.last_try.is_never()).then(|| Time::from_nanos(at))
    }

    /// Whether the latest dial says nothing about the host.
    pub(super) const fn is_forgiven(&self) -> bool {
        matches!(self.dial(), Dial::Forgiven)
    }

    /// Whether the latest dial failed.
    pub(super) const fn has_failed(&self) -> bool {
        matches!(self.dial(), Dial::Failed)
    }

    /// Whether the latest dial failed, and was made by `moment`.
    pub(super) const fn has_failed_before(&self, moment: Moment) -> bool {
        matches!(self.dial(), Dial::Failed) && self.last_try.0 <= moment.0
    }

    /// Whether the peer may have `wanted`. One of unknown services that was never ready may: an address from a plain
    /// DNS answer comes without services.
    pub(super) fn may_offer(&self, wanted: Services) -> bool {
        let unknown = self.services() == Services::NONE && !self.ever_succeeded();
        unknown || self.services.has(wanted)
    }

    /// Whether the peer does not speak the encrypted transport, as far as is known.
    pub(super) fn is_v1_only(&self, asked: Services) -> bool {
        let is_known = self.services() != Services::NONE && (self.ever_succeeded() || self.services() != asked);
        self.has(V1_ONLY) || (is_known && !self.services.has(Services::P2P_V2))
    }

    /// Whether a dial may be under way.
    pub(super) fn is_in_use(&self, now: Time) -> bool {
        self.was_tried_within(IN_USE, now)
    }

    /// Whether it is being dialed or connected, as far as this entry tells. Wrong after all connections were closed because
    /// we became inactive.
    pub(super) fn seems_busy(&self, now: Time) -> bool {
        self.has(CONNECTED) || (self.dial() == Dial::Pending && self.is_in_use(now))
    }

    /// Whether the address is not worth its place. One [in use](Entry::is_in_use) keeps its place anyway.
    pub(super) fn is_terrible(&self, now: Time) -> bool {
        let present = SteadySecond::at(now);
        // A ready connection counts as seen, although others are not told.
        let seen = self.last_seen.max(self.last_success);
        present.since(seen) > HORIZON
            || (!self.ever_succeeded() && self.failures() >= MAX_FAILURES_OF_UNTESTED)
            || (present.since(self.last_success) > GOOD_FOR && self.failures() >= MAX_FAILURES)
    }

    /// The worth of an address; the one with the least makes room. One that fails again and again is worth little however
    /// lately it was ready: in a small book all may be such, and would keep everybody else out.
    pub(super) fn worth(&self, now: Time) -> Worth {
        Worth {
            decent: !self.is_terrible(now) && self.failures() < MAX_FAILURES,
            succeeded: self.ever_succeeded(),
            answered: self.dial() == Dial::Answered,
            last_seen: self.last_seen,
        }
    }

    pub(super) fn last_try(&self) -> Option<Time> {
        (!self.last_try.is_never()).then(|| Time::from_nanos(u64::try_from(self.last_try.0).unwrap_or(0)))
    }

    pub(super) const fn last_success(&self) -> SteadySecond {
        self.last_success
    }

    /// Whether a connection is ready, or was so within `span`.
    pub(super) fn has_lived_within(&self, span: Duration, now: Time) -> bool {
        self.has(CONNECTED) || (self.ever_succeeded() && SteadySecond::at(now).since(self.last_success) < span)
    }

    /// Whether the latest dial was within `span`, and has not succeeded after `rest`. One that says nothing about the host
    /// does not count.
    pub(super) fn has_failed_a_test(&self, rest: Duration, span: Duration, now: Time) -> bool {
        !self.is_forgiven() && !self.was_tried_within(rest, now) && self.was_tried_within(span, now)
    }
}

/// The worth of an address, compared field by field in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Worth {
    decent: bool,
    succeeded: bool,
    answered: bool,
    last_seen: SteadySecond,
}
