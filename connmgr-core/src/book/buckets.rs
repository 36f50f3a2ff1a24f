//! A table of the book: its buckets, and for each network and class which of them hold some of it.
//!
//! It takes memory from its first address on. It knows no rule: who may be where is decided elsewhere.

use alloc::vec::Vec;

use super::bucket::{BucketRow, IN_ROW, TableBucket, nth_bit};
use super::marks::{Class, Filter, MarkCounts, MarkSet, Marks};
use super::secret::POSITIONS;
use crate::mechanisms::rng::Rng;
use crate::types::NetworkKind;

/// A position in a bucket, as one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place(u16);

impl Place {
    pub(super) const fn new(bucket: u16, position: u8) -> Self {
        Self(bucket * POSITIONS as u16 + position as u16)
    }

    pub(super) const fn bucket(self) -> u16 {
        self.0 / POSITIONS as u16
    }

    /// Its number among all places of the table.
    pub(super) const fn index(self) -> usize {
        self.0 as usize
    }

    pub(super) fn position(self) -> u8 {
        u8::try_from(self.0 % u16::from(POSITIONS)).expect("below 64")
    }
}

/// The bits of a word.
const WORD: usize = 64;
/// A random bucket is tried so often before the bitmap is counted through.
const TRIES: usize = 4;
const SORTS: usize = NetworkKind::ALL.len() * Class::ALL.len();

/// A table: buckets by number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Buckets {
    count: u16,
    /// The buckets, row by row. Empty before the first address.
    rows: Vec<BucketRow>,
    /// For each network and class a bitmap of the buckets that hold some of it.
    holding: Vec<u64>,
    /// How many bits are set in each of these bitmaps.
    counts: [u16; SORTS],
    /// The occupied positions.
    tally: MarkCounts,
}

/// A random address.
#[derive(Clone, Copy, Debug)]
pub(super) struct Drawn {
    pub(super) slot: u32,
    /// The buckets from which it was drawn …
    pub(super) buckets: usize,
    /// … and the addresses of its bucket that might have been.
    pub(super) rivals: usize,
}

impl Buckets {
    /// An empty table; allocates nothing.
    pub(super) fn new(count: u16) -> Self {
        Self { count, rows: Vec::new(), holding: Vec::new(), counts: [0; SORTS], tally: MarkCounts::default() }
    }

    fn bucket(&self, bucket: u16) -> Option<TableBucket<'_>> {
        let (row, index) = place_of(bucket);
        self.rows.get(row).map(|row| row.bucket(index))
    }

    /// Changes a bucket, and the bitmaps of a network with it.
    fn change(&mut self, bucket: u16, network: NetworkKind, change: impl FnOnce(&mut BucketRow, usize)) {
        if self.rows.is_empty() {
            self.rows.resize(usize::from(self.count.div_ceil(IN_ROW)), BucketRow::default());
            self.holding.resize(SORTS * self.words(), 0);
        }
        let (row, index) = place_of(bucket);
        let row = &mut self.rows[row];
        let before = row.marks(index);
        change(row, index);
        let after = row.marks(index);
        if before != after {
            self.note(bucket, network, before, after);
        }
    }

    const fn words(&self) -> usize {
        (self.count as usize).div_ceil(WORD)
    }

    /// The slot at a place.
    pub(super) fn get(&self, place: Place) -> Option<u32> {
        self.bucket(place.bucket())?.get(place.position())
    }

    /// The first free position of a bucket from `start` on, around the end.
    pub(super) fn free_from(&self, bucket: u16, start: u8) -> Option<Place> {
        let free = self.bucket(bucket).map_or(Some(start), |bucket| bucket.free_from(start));
        free.map(|position| Place::new(bucket, position))
    }

    /// Puts an address at a free place.
    pub(super) fn put(&mut self, place: Place, slot: u32, marks: Marks) {
        self.tally.add(marks);
        self.change(place.bucket(), marks.network, |row, index| row.put(index, place.position(), slot, marks));
    }

    /// Takes the address, with these marks, away from a place.
    pub(super) fn take(&mut self, place: Place, marks: Marks) {
        self.tally.subtract(marks);
        self.change(place.bucket(), marks.network, |row, index| row.take(index, place.position()));
    }

    /// The address at a place has other marks now; its network never changes.
    pub(super) fn remark(&mut self, place: Place, before: Marks, after: Marks) {
        debug_assert!(before.network == after.network, "an address stays in its network");
        self.tally.subtract(before);
        self.tally.add(after);
        self.change(place.bucket(), after.network, |row, index| row.mark(index, place.position(), after));
    }

    /// Brings the bitmaps of a network up to date for a bucket whose marks were others before.
    fn note(&mut self, bucket: u16, network: NetworkKind, before: MarkSet, after: MarkSet) {
        let (word, bit) = (usize::from(bucket) / WORD, 1u64 << (usize::from(bucket) % WORD));
        for class in Class::ALL {
            let these = Filter::in_network(network, class).marks();
            let (held, holds) = (before.meets(these), after.meets(these));
            let sort = sort(network, class);
            let at = sort * self.words() + word;
            if holds && !held {
                self.counts[sort] += 1;
                self.holding[at] |= bit;
            } else if !holds && held {
                self.counts[sort] -= 1;
                self.holding[at] &= !bit;
            }
        }
    }

    /// The number of places whose addresses pass a filter.
    pub(super) fn len_of(&self, filter: Filter) -> usize {
        self.tally.of(filter)
    }

    /// Which of 64 buckets hold addresses that pass a filter.
    fn holding(&self, filter: Filter, word: usize) -> u64 {
        let of = |network| self.holding[sort(network, filter.class) * self.words() + word];
        filter.union(of)
    }

    fn buckets_of(&self, filter: Filter) -> usize {
        match filter.only() {
            Some(only) => self.counts[sort(only, filter.class)].into(),
            None => (0..self.words()).map(|word| self.holding(filter, word).count_ones() as usize).sum(),
        }
    }

    /// A random bucket of those that hold some, then a random address in it, of those that pass the filter. `random` is a
    /// random number: its lower half draws the address, and ten bits above that a bucket.
    pub(super) fn draw(&self, filter: Filter, random: u64, rng: &mut Rng) -> Option<Drawn> {
        if self.tally.of(filter) == 0 {
            return None;
        }
        let buckets = self.buckets_of(filter);
        let bucket =
            self.bucket(self.draw_bucket(filter, buckets, random >> 32, rng)).expect("a used bucket holds some");
        let passing = bucket.passing(filter);
        let rivals = passing.count_ones();
        let nth = u32::try_from(((random & u64::from(u32::MAX)) * u64::from(rivals)) >> 32).expect("below 64");
        let slot = bucket.nth(nth_bit(passing, nth));
        Some(Drawn { slot, buckets, rivals: rivals as usize })
    }

    fn draw_bucket(&self, filter: Filter, buckets: usize, random: u64, rng: &mut Rng) -> u16 {
        match filter.only() {
            // Without a sum over networks for each word.
            Some(only) => {
                let first = sort(only, filter.class) * self.words();
                let holding = &self.holding[first..first + self.words()];
                self.draw_bucket_in(|word| holding[word], buckets, random, rng)
            }
            None => self.draw_bucket_in(|word| self.holding(filter, word), buckets, random, rng),
        }
    }

    /// Where most hold some, a few random numbers find one sooner than counting through all words.
    fn draw_bucket_in(&self, holding: impl Fn(usize) -> u64, buckets: usize, random: u64, rng: &mut Rng) -> u16 {
        if buckets * 2 >= usize::from(self.count) {
            for tries in 0..TRIES {
                let any = if tries == 0 { random } else { rng.next_u64() };
                let bucket = usize::try_from(any % u64::from(self.count)).expect("below a thousand");
                if holding(bucket / WORD) >> (bucket % WORD) & 1 != 0 {
                    return number(bucket);
                }
            }
        }
        let mut left = u32::try_from(rng.index(buckets)).expect("at most 1024 buckets");
        for word in 0..self.words() {
            let holding = holding(word);
            let here = holding.count_ones();
            if left < here {
                return number(word * WORD + usize::from(nth_bit(holding, left)));
            }
            left -= here;
        }
        unreachable!("as many bits are set as were counted")
    }

    /// Every place whose address passes a filter, with its slot.
    pub(super) fn places_of(&self, filter: Filter) -> impl Iterator<Item = (Place, u32)> {
        let words = if self.rows.is_empty() { 0 } else { self.words() };
        let holding = move |word: usize| {
            super::bucket::bits(self.holding(filter, word)).map(move |bit| number(word * WORD + usize::from(bit)))
        };
        (0..words).flat_map(holding).flat_map(move |number| {
            let bucket = self.bucket(number).expect("a used bucket holds some");
            let passing = bucket.passing(filter);
            let those = (0..).zip(bucket.iter()).filter(move |(nth, _)| passing >> nth & 1 != 0);
            those.map(move |(_, (position, slot, _))| (Place::new(number, position), slot))
        })
    }

    /// Recounts the bitmaps and the numbers. `marks_of` is called once for each place with its slot.
    ///
    /// # Errors
    /// What is broken.
    pub(super) fn check(&self, mut marks_of: impl FnMut(Place, u32) -> Option<Marks>) -> Result<(), &'static str> {
        let mut tally = MarkCounts::default();
        if !self.rows.iter().all(BucketRow::is_in_order) {
            return Err("book: the buckets of a row are not in order");
        }
        for number in 0..self.count {
            let Some(bucket) = self.bucket(number) else { break };
            for (position, slot, noted) in bucket.iter() {
                let place = Place::new(number, position);
                let marks = marks_of(place, slot).ok_or("book: a bucket holds an address that is not known")?;
                tally.add(marks);
                if noted != marks.number() {
                    return Err("book: a bucket has an address with wrong marks");
                }
            }
        }
        if tally != self.tally {
            return Err("book: the places of a table are counted wrong");
        }
        self.check_holding()
    }

    fn check_holding(&self) -> Result<(), &'static str> {
        let (mut holding, mut counts) = (alloc::vec![0; self.holding.len()], [0; SORTS]);
        for number in 0..self.count {
            let (row, index) = place_of(number);
            let Some(row) = self.rows.get(row) else { continue };
            let (word, bit) = (usize::from(number) / WORD, usize::from(number) % WORD);
            for (network, class) in
                sorts().filter(|(network, class)| row.marks(index).meets(Filter::in_network(*network, *class).marks()))
            {
                let sort = sort(network, class);
                holding[sort * self.words() + word] |= 1 << bit;
                counts[sort] += 1;
            }
        }
        if holding != self.holding {
            return Err("book: a table's bitmaps are wrong");
        }
        if counts != self.counts {
            return Err("book: the buckets of a table are counted wrong");
        }
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn heap_bytes(&self) -> usize {
        self.holding.capacity() * size_of::<u64>()
            + self.rows.capacity() * size_of::<BucketRow>()
            + self.rows.iter().map(BucketRow::heap_bytes).sum::<usize>()
    }
}

/// Every network with every class.
fn sorts() -> impl Iterator<Item = (NetworkKind, Class)> {
    NetworkKind::ALL.into_iter().flat_map(|network| Class::ALL.map(|class| (network, class)))
}

const fn sort(network: NetworkKind, class: Class) -> usize {
    network.index() * Class::ALL.len() + class.index()
}

/// The row of a bucket, and its index in that.
fn place_of(bucket: u16) -> (usize, usize) {
    (usize::from(bucket / IN_ROW), usize::from(bucket % IN_ROW))
}

fn number(bucket: usize) -> u16 {
    u16::try_from(bucket).expect("at most 1024 buckets")
}
