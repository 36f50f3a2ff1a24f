//! Test before evict: a tried address gives its place up only if it does not answer any more.
//!
//! Who would take its place waits meanwhile among the new addresses. Read first: `ResolveCollisions_` in Bitcoin Core.

use core::time::Duration;

use super::Book;
use super::buckets::Place;
use crate::mechanisms::rng::Rng;
use crate::types::Time;

/// Collisions that wait at the same time, as in Core. Later ones change nothing: the address stays a new one, and gets
/// ready again.
const MAX_WAITING: usize = 10;
/// An address that was ready within this time keeps its place, as in Core.
const GOOD_FOR: Duration = Duration::from_secs(4 * 3600);
/// A dial has failed if it has not succeeded by then, as in Core.
const TEST_TAKES: Duration = Duration::from_secs(60);
/// An address that could not be tested for this long loses its place, as in Core.
const UNTESTED_FOR: Duration = Duration::from_secs(40 * 60);

/// An address that waits for the place of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Collision {
    /// The one that waits.
    pub(super) slot: u32,
    /// The place of the other.
    place: Place,
    since: Time,
}

/// What comes of a collision.
enum CollisionVerdict {
    Waits,
    /// The address stays in its place.
    Stays,
    /// It gives way.
    Yields,
    /// There is room for both.
    Room(Place),
}

impl Book {
    /// An address waits for a place of another, if not too many do.
    pub(super) fn wait_for_test(&mut self, slot: u32, place: Place, now: Time) {
        let waits = self.waiting.iter().any(|collision| collision.slot == slot);
        if !waits && self.waiting.len() < MAX_WAITING {
            self.waiting.push(Collision { slot, place, since: now });
        }
    }

    /// Decides the collisions that can be.
    pub(super) fn settle_collisions(&mut self, now: Time) {
        let mut at = 0;
        while let Some(collision) = self.waiting.get(at).copied() {
            let verdict = self.judge(collision, now);
            if matches!(verdict, CollisionVerdict::Waits) {
                at += 1;
                continue;
            }
            self.waiting.remove(at);
            match verdict {
                CollisionVerdict::Waits | CollisionVerdict::Stays => {}
                CollisionVerdict::Room(place) => self.make_tried(collision.slot, place),
                CollisionVerdict::Yields => {
                    self.replace_tried(collision.place, collision.slot);
                    // The one that gave way may have pushed out another that waited.
                    at = 0;
                }
            }
        }
    }

    fn judge(&self, collision: Collision, now: Time) -> CollisionVerdict {
        let bucket = collision.place.bucket();
        if let Some(room) = self.tried.free_from(bucket, collision.place.position()) {
            return CollisionVerdict::Room(room);
        }
        let incumbent = self.tried.get(collision.place).expect("a full bucket has no free position");
        let incumbent = self.store.entry(incumbent);
        if incumbent.has_lived_within(GOOD_FOR, now) {
            CollisionVerdict::Stays
        } else if incumbent.has_failed_a_test(TEST_TAKES, GOOD_FOR, now) || now.since(collision.since) >= UNTESTED_FOR {
            CollisionVerdict::Yields
        } else {
            CollisionVerdict::Waits
        }
    }

    /// A random tried address whose place another waits for.
    pub(super) fn draw_tested(&self, rng: &mut Rng) -> Option<u32> {
        let collision = self.waiting.get(rng.index(self.waiting.len()))?;
        self.tried.get(collision.place)
    }

    /// Rechecks what waits.
    ///
    /// # Errors
    /// What is broken.
    pub(super) fn check_waiting(&self) -> Result<(), &'static str> {
        let is_new = |collision: &Collision| self.store.get(collision.slot).is_some_and(|entry| !entry.is_tried());
        let is_once =
            |collision: &Collision| self.waiting.iter().filter(|other| other.slot == collision.slot).count() == 1;
        let holds = self.waiting.iter().all(|collision| is_new(collision) && is_once(collision));
        if holds && self.waiting.len() <= MAX_WAITING { Ok(()) } else { Err("book: who waits for a place is wrong") }
    }
}
