//! Long lists that grow without moving what they hold.
//!
//! A vector that grows needs all its memory once more for that moment, and then leaves a hole that nothing of its size fits
//! into; grown by little, it is copied often, and grown by much, much of it is unused. Here all memory is in pages of one
//! size, of which the last one alone has spare room.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::ops::{Index, IndexMut};

/// The items of a page.
const PAGE: usize = 32;

/// A list in pages.
#[derive(Clone)]
pub(crate) struct Pages<T> {
    /// What is beyond the length is a copy of something.
    pages: Vec<Box<[T; PAGE]>>,
    len: usize,
}

impl<T> Pages<T> {
    /// An empty list; allocates nothing.
    pub(crate) const fn new() -> Self {
        Self { pages: Vec::new(), len: 0 }
    }

    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(crate) fn get(&self, index: usize) -> Option<&T> {
        (index < self.len).then(|| &self[index])
    }

    /// All items in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.pages.iter().flat_map(|page| page.iter()).take(self.len)
    }

    /// The bytes on the heap, spare room included.
    #[cfg(test)]
    pub(crate) fn heap_bytes(&self) -> usize {
        self.pages.capacity() * size_of::<Box<[T; PAGE]>>() + self.pages.len() * size_of::<[T; PAGE]>()
    }
}

impl<T: Copy> Pages<T> {
    pub(crate) fn push(&mut self, item: T) {
        let (page, at) = (self.len / PAGE, self.len % PAGE);
        match self.pages.get_mut(page) {
            Some(page) => page[at] = item,
            None => self.pages.push(Box::new([item; PAGE])),
        }
        self.len += 1;
    }
}

/// An index is below the length.
impl<T> Index<usize> for Pages<T> {
    type Output = T;

    #[inline]
    fn index(&self, index: usize) -> &T {
        debug_assert!(index < self.len, "an item of the list");
        &self.pages[index / PAGE][index % PAGE]
    }
}

impl<T> IndexMut<usize> for Pages<T> {
    #[inline]
    fn index_mut(&mut self, index: usize) -> &mut T {
        debug_assert!(index < self.len, "an item of the list");
        &mut self.pages[index / PAGE][index % PAGE]
    }
}

impl<T: PartialEq> PartialEq for Pages<T> {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.iter().eq(other.iter())
    }
}

impl<T: Eq> Eq for Pages<T> {}

impl<T: fmt::Debug> fmt::Debug for Pages<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_list() {
        let mut pages = Pages::new();
        let mut plain = Vec::new();
        for number in 0..PAGE * 3 + 5 {
            assert_eq!((pages.len(), pages.get(number)), (number, None));
            pages.push(number);
            plain.push(number);
            pages[number / 2] += 1;
            plain[number / 2] += 1;
            assert!(pages.iter().eq(&plain), "{pages:?}");
        }
        assert!((0..plain.len()).all(|at| pages[at] == plain[at] && pages.get(at) == plain.get(at)));
    }

    #[test]
    fn lists_of_the_same_items_are_equal() {
        let of = |items: [u8; 3]| {
            let mut pages = Pages::new();
            items.into_iter().for_each(|item| pages.push(item));
            pages
        };
        // The spare room of a page is filled with its first item.
        let mut changed = of([9, 2, 3]);
        assert_ne!(changed, of([1, 2, 3]));
        changed[0] = 1;
        assert_eq!(changed, of([1, 2, 3]));
        changed.push(4);
        assert_ne!(changed, of([1, 2, 3]));
    }

    #[test]
    fn what_it_holds_stays_where_it_is() {
        let mut pages = Pages::new();
        pages.push(0);
        let first: *const usize = &pages[0];
        (1..10 * PAGE).for_each(|number| pages.push(number));
        assert_eq!(first, core::ptr::from_ref(&pages[0]));
        assert!(pages.heap_bytes() <= (10 * PAGE + 16) * size_of::<usize>());
    }
}
