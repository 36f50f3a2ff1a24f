//! The recount: everything that is noted twice in the book says the same both times.
//!
//! It changes nothing. It passes over the buckets in their order and looks at each address once or twice: with places in
//! all buckets, to look each of them up would cost several times as much.

use alloc::vec::Vec;

use super::Book;
use super::buckets::Place;
use super::entry::Entry;
use super::marks::{Filter, MarkCounts};
use super::neighbours::Side;
use super::place::{Further, side_of};
use super::secret::{NEW_BUCKETS, POSITIONS};

/// Holds, or what is broken.
type Checked = Result<(), &'static str>;

fn require(holds: bool, broken: &'static str) -> Checked {
    if holds { Ok(()) } else { Err(broken) }
}

/// The occupied places of a table, by what they are to their address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct PlaceCounts {
    first: usize,
    further: usize,
}

impl Book {
    /// Recounts everything.
    ///
    /// # Errors
    /// What is broken.
    pub(crate) fn check(&self) -> Checked {
        require(self.len() <= self.max_addresses, "book: more addresses than the configured maximum")?;
        self.store.check(self.secret)?;
        let further = self.check_further_places()?;
        let new = self.check_table(Side::New, &further)?;
        let tried = self.check_table(Side::Tried, &[])?;
        self.check_entries(new, tried)?;
        self.groups.check(&self.store, |slot| self.count_places(slot))?;
        self.sources.check(self.store.slots().map(|(_, entry)| entry.source()), self.secret)?;
        self.check_waiting()
    }

    /// The places of an address in both tables.
    fn count_places(&self, slot: u32) -> [u32; 2] {
        let entry = self.store.entry(slot);
        if entry.is_tried() { [0, 1] } else { [1 + u32::from(entry.more_places()), 0] }
    }

    /// For each place of the table of new addresses the slot, plus one, of the address that has it as a further place.
    /// Empty if there are none.
    fn check_further_places(&self) -> Result<Vec<u32>, &'static str> {
        if self.more_places.is_empty() {
            return Ok(Vec::new());
        }
        let mut further = alloc::vec![0; usize::from(NEW_BUCKETS) * usize::from(POSITIONS)];
        // In the order of a hash table, but the outcome does not depend on it.
        for (key, place) in &self.more_places {
            let Further { slot, nth } = Further::of(*key);
            let is_of = |entry: &Entry| !entry.is_tried() && nth < entry.more_places();
            require(self.store.get(slot).is_some_and(is_of), "book: a further place is of no address")?;
            further[place.index()] = slot + 1;
        }
        Ok(further)
    }

    fn check_table(&self, side: Side, further: &[u32]) -> Result<PlaceCounts, &'static str> {
        let mut counts = PlaceCounts::default();
        // For each address the bucket in which it was seen last, plus one: they come in order.
        let mut seen = alloc::vec![0; self.store.slot_count()];
        let mut is_twice = false;
        self.table(side).check(|place: Place, slot| {
            let entry = self.store.get(slot)?;
            if entry.place == place && side_of(entry) == side {
                counts.first += 1;
            } else if further.get(place.index()) == Some(&(slot + 1)) {
                counts.further += 1;
            }
            let bucket = place.bucket() + 1;
            is_twice |= core::mem::replace(&mut seen[slot as usize], bucket) == bucket;
            Some(entry.marks())
        })?;
        require(!is_twice, "book: an address is twice in a bucket")?;
        Ok(counts)
    }

    /// Each place is the first or a further one of its address, and an address has one first place, and further places that
    /// are each noted once: if there are as many as the addresses say, each of these is where it is noted.
    fn check_entries(&self, new: PlaceCounts, tried: PlaceCounts) -> Checked {
        let (mut known, mut of_new, mut of_tried) =
            (MarkCounts::default(), PlaceCounts::default(), PlaceCounts::default());
        for (_, entry) in self.store.slots() {
            let marks = entry.marks();
            known.add(marks);
            let offers = self.services.map(|services| entry.may_offer(services));
            require(offers == [marks.full, marks.block_relay], "book: what an address may offer is noted wrong")?;
            require(!entry.is_tried() || entry.ever_succeeded(), "book: a tried address was never ready")?;
            let counts = if entry.is_tried() { &mut of_tried } else { &mut of_new };
            counts.first += 1;
            counts.further += usize::from(entry.more_places());
        }
        require(of_new.first == new.first && of_tried.first == tried.first, "book: an address is not in its place")?;
        require(of_new.further == self.more_places.len(), "book: a further place is not noted")?;
        let is_there = of_new.further == new.further && of_tried.further == tried.further;
        require(is_there, "book: an address is not in a further place of it")?;
        let occupied = [Side::New, Side::Tried].map(|side| self.table(side).len_of(Filter::ANY));
        require(
            [new, tried].map(|counts| counts.first + counts.further) == occupied,
            "book: a place is of no address",
        )?;
        require(known == self.known, "book: the addresses are counted wrong")
    }
}
