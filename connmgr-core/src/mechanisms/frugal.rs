//! Long lists that leave little memory unused.

use alloc::vec::Vec;

/// Appends with a sixteenth of spare room; a vector's own growth could leave half of its memory unused.
pub(crate) fn push<T>(list: &mut Vec<T>, item: T) {
    if list.len() == list.capacity() {
        list.reserve_exact((list.len() / 16).max(4));
    }
    list.push(item);
}
