//! Who announced the addresses of the book: each source group once, for as long as an address counts it.

use alloc::vec::Vec;

use super::index::Index;
use super::secret::{Hash, Secret};
use crate::types::SourceGroup;

/// Source groups by number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KnownSources {
    records: Vec<Record>,
    free: Vec<u32>,
    index: Index,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Record {
    source: SourceGroup,
    /// The addresses that count it; 0: the number is free.
    count: u32,
}

impl KnownSources {
    /// No source; allocates nothing.
    pub(super) const fn new() -> Self {
        Self { records: Vec::new(), free: Vec::new(), index: Index::new() }
    }

    /// The number of a source, for one more address.
    pub(super) fn join(&mut self, source: SourceGroup, hash: Hash, secret: Secret) -> u32 {
        let records = &mut self.records;
        let is = |number: u32| records[number as usize].source == source;
        if let Some(number) = self.index.find(hash.0, is) {
            records[number as usize].count += 1;
            return number;
        }
        let record = Record { source, count: 1 };
        let number = match self.free.pop() {
            Some(number) => {
                records[number as usize] = record;
                number
            }
            None => {
                records.push(record);
                u32::try_from(records.len() - 1).expect("no more sources than addresses")
            }
        };
        self.index.insert(hash.0, number, |number| secret.of_source(records[number as usize].source).0);
        number
    }

    /// An address less counts this source.
    pub(super) fn leave(&mut self, number: u32, secret: Secret) {
        let record = &mut self.records[number as usize];
        record.count -= 1;
        if record.count == 0 {
            self.index.remove(secret.of_source(record.source).0, number);
            self.free.push(number);
        }
    }

    pub(super) fn get(&self, number: u32) -> SourceGroup {
        self.records[number as usize].source
    }

    /// Recounts. `counted` are the sources of all addresses.
    ///
    /// # Errors
    /// What is broken.
    pub(super) fn check(&self, counted: impl Iterator<Item = u32>, secret: Secret) -> Result<(), &'static str> {
        let mut counts = alloc::vec![0; self.records.len()];
        for number in counted {
            *counts.get_mut(number as usize).ok_or("book: an address has a source that is not known")? += 1;
        }
        if !self.records.iter().map(|record| record.count).eq(counts.iter().copied()) {
            return Err("book: the addresses of a source are counted wrong");
        }
        let taken = counts.iter().filter(|count| **count > 0).count();
        let finds = |number: u32| {
            let record = &self.records[number as usize];
            let found = self.index.find(secret.of_source(record.source).0, |other| other == number);
            found.is_some() == (record.count > 0)
        };
        let is_complete = (0..).zip(&self.records).all(|(number, _)| finds(number));
        if taken != self.index.len() || taken + self.free.len() != self.records.len() || !is_complete {
            return Err("book: the index of the sources is wrong");
        }
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn heap_bytes(&self) -> usize {
        self.records.capacity() * size_of::<Record>() + self.free.capacity() * 4 + self.index.heap_bytes()
    }
}
