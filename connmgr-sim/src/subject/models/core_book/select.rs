//! The choice of the model: first a table, then a bucket, then a position, then a chance.

use connmgr_core::{PeerAddress, UnixTime};

use super::CoreBook;
use super::grid::{POSITIONS, Place, SlotGrid};
use crate::types::Dice;

/// A chance is in millionths; leniency multiplies it by 1.2 for each candidate that was not taken.
const CERTAIN: u64 = 1_000_000;

impl CoreBook {
    /// An address to dial, and when it was dialed last. Both tables are equally likely, if neither is empty.
    pub fn select(&mut self, now: UnixTime) -> Option<(PeerAddress, UnixTime)> {
        let len_new = self.len() - self.len_tried;
        if self.is_empty() {
            return None;
        }
        let from_tried = self.len_tried > 0 && (len_new == 0 || self.dice.below(2) == 0);
        self.select_in(from_tried, now)
    }

    /// An address that was never ready.
    pub fn select_new(&mut self, now: UnixTime) -> Option<(PeerAddress, UnixTime)> {
        if self.len() == self.len_tried { None } else { self.select_in(false, now) }
    }

    /// The holder of a place among the tried addresses that a newcomer waits for.
    pub fn select_to_test(&mut self) -> Option<(PeerAddress, UnixTime)> {
        let waiting = self.dice.index(self.collisions.len());
        let newcomer = *self.collisions.iter().nth(waiting)?;
        let holder = self.entry(self.tried.at(self.tried_place(newcomer))?);
        Some((holder.address.clone(), holder.last_try))
    }

    fn select_in(&mut self, from_tried: bool, now: UnixTime) -> Option<(PeerAddress, UnixTime)> {
        let mut leniency = CERTAIN;
        loop {
            let table = if from_tried { &self.tried } else { &self.new };
            let number = draw(table, &mut self.dice);
            let entry = &self.entries[number as usize];
            // The product is in millionths of millionths.
            if self.dice.below(CERTAIN * CERTAIN) < entry.chance(now) * leniency {
                return Some((entry.address.clone(), entry.last_try));
            }
            leniency = (leniency * 6 / 5).min(CERTAIN * 1000);
        }
    }
}

/// A bucket that is not empty, and the first address from a random position on. The table must not be empty.
fn draw(table: &SlotGrid, dice: &mut Dice) -> u32 {
    loop {
        let bucket = dice.below_u32(table.buckets());
        let first = dice.below_u32(POSITIONS);
        let positions = (0..POSITIONS).map(|step| (first + step) % POSITIONS);
        if let Some(number) = positions.map(|position| Place { bucket, position }).find_map(|place| table.at(place)) {
            return number;
        }
    }
}
