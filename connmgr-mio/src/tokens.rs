//! The pool's range of tokens, and what each stands for.
//!
//! A token that is given back rests until the present batch of events was handled, so that a stale event has no owner.
//! A stale event may still come later, because the socket of a dial stays registered until the application registers
//! it. So an event is only a hint: the owner of a token checks its own socket.

use std::ops::Range;

use mio::Token;

/// Things by token.
#[derive(Debug)]
pub(crate) struct Tokens<T> {
    range: Range<usize>,
    /// By index in the range. It grows to the most that were ever in use at a time.
    slots: Vec<Option<T>>,
    free: Vec<usize>,
    resting: Vec<usize>,
}

impl<T> Tokens<T> {
    /// No token of the range is in use.
    pub(crate) const fn new(range: Range<usize>) -> Self {
        Self { range, slots: Vec::new(), free: Vec::new(), resting: Vec::new() }
    }

    /// Whether the token is in the range, in use or not.
    pub(crate) fn owns(&self, token: Token) -> bool {
        self.range.contains(&token.0)
    }

    /// Gives it a token; none if all are in use or rest.
    pub(crate) fn insert(&mut self, thing: T) -> Option<Token> {
        let index = match self.free.pop() {
            Some(index) => index,
            None if self.slots.len() < self.range.len() => {
                self.slots.push(None);
                self.slots.len() - 1
            }
            None => return None,
        };
        self.slots[index] = Some(thing);
        Some(Token(self.range.start + index))
    }

    /// What the token stands for.
    pub(crate) fn get_mut(&mut self, token: Token) -> Option<&mut T> {
        let index = token.0.checked_sub(self.range.start)?;
        self.slots.get_mut(index)?.as_mut()
    }

    /// Takes it out. Its token rests.
    pub(crate) fn remove(&mut self, token: Token) -> Option<T> {
        let index = token.0.checked_sub(self.range.start)?;
        let thing = self.slots.get_mut(index)?.take()?;
        self.resting.push(index);
        Some(thing)
    }

    /// The batch was handled: tokens that rest may be reused.
    pub(crate) fn wake_resting(&mut self) {
        self.free.append(&mut self.resting);
    }

    /// Takes everything out.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = T> {
        let resting = &mut self.resting;
        self.slots.iter_mut().enumerate().filter_map(|(index, slot)| {
            let thing = slot.take()?;
            resting.push(index);
            Some(thing)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_not_used_again_within_a_batch() {
        let mut tokens = Tokens::new(10..12);
        let first = tokens.insert('a').unwrap();
        assert_eq!((first, tokens.remove(first)), (Token(10), Some('a')));
        assert_eq!((tokens.insert('b'), tokens.insert('c')), (Some(Token(11)), None));
        assert!(tokens.get_mut(first).is_none());
        tokens.wake_resting();
        assert_eq!(tokens.insert('d'), Some(first));
    }

    #[test]
    fn tokens_of_others_stand_for_nothing() {
        let mut tokens = Tokens::new(10..12);
        tokens.insert('a').unwrap();
        for other in [0, 9, 11, 12, usize::MAX].map(Token) {
            assert!(tokens.get_mut(other).is_none() && tokens.remove(other).is_none());
        }
        assert_eq!([9, 10, 11, 12].map(|token| tokens.owns(Token(token))), [false, true, true, false]);
    }
}
