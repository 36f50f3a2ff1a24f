//! Which addresses of a name had their turn, where there are more than one attempt tries.
//!
//! A resolver may give them in another order each time, so those that had their turn are remembered one by one. This
//! file knows no rule and no attempt: the manager dials, and says whom.

use alloc::vec::Vec;
use core::net::IpAddr;

/// The addresses of one name that were dialed in the present round, sorted. A round is over when all had their turn.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Turns(Vec<IpAddr>);

impl Turns {
    /// An answer in the order in which it is to be tried: those whose turn is still to come, then the others, both as
    /// they were told. What is in it no more is forgotten.
    pub(crate) fn order(&mut self, answer: &[IpAddr]) -> Vec<IpAddr> {
        let (had, to_come): (Vec<_>, Vec<_>) = answer.iter().copied().partition(|ip| self.had(*ip));
        self.0.clone_from(&had);
        self.0.sort_unstable();
        [to_come, had].concat()
    }

    /// An address is dialed. One that had its turn already begins a new round.
    pub(crate) fn take(&mut self, ip: IpAddr) {
        match self.0.binary_search(&ip) {
            Ok(_) => self.0 = Vec::from([ip]),
            Err(at) => self.0.insert(at, ip),
        }
    }

    /// An address has served well: it is among the next to be dialed.
    pub(crate) fn give_back(&mut self, ip: IpAddr) {
        if let Ok(at) = self.0.binary_search(&ip) {
            self.0.remove(at);
        }
    }

    fn had(&self, ip: IpAddr) -> bool {
        self.0.binary_search(&ip).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::Ipv4Addr;

    fn ips(numbers: impl IntoIterator<Item = u8>) -> Vec<IpAddr> {
        numbers.into_iter().map(|n| Ipv4Addr::new(1, 1, 1, n).into()).collect()
    }

    /// What an attempt dials that tries so many, one after the other.
    fn attempt(turns: &mut Turns, answer: &[IpAddr], count: usize) -> Vec<IpAddr> {
        let tried: Vec<_> = turns.order(answer).into_iter().take(count).collect();
        tried.iter().for_each(|ip| turns.take(*ip));
        tried
    }

    #[test]
    fn an_attempt_goes_on_where_the_last_one_stopped() {
        let (mut turns, answer) = (Turns::default(), ips(0..5));
        let tried: Vec<_> = (0..3).map(|_| attempt(&mut turns, &answer, 2)).collect();
        assert_eq!(tried, [ips([0, 1]), ips([2, 3]), ips([4, 0])]);
        assert_eq!(attempt(&mut turns, &answer, 2), ips([1, 2]));
    }

    #[test]
    fn all_have_their_turn_in_whatever_order_they_are_told() {
        let (mut turns, mut answer) = (Turns::default(), ips(0..17));
        let mut tried = Vec::new();
        for _ in 0..2 {
            tried.extend(attempt(&mut turns, &answer, 16));
            answer.rotate_left(1);
        }
        tried.sort_unstable();
        tried.dedup();
        assert_eq!(tried, ips(0..17));
    }

    #[test]
    fn who_served_well_is_next_again() {
        let (mut turns, answer) = (Turns::default(), ips(0..4));
        attempt(&mut turns, &answer, 3);
        turns.give_back(answer[2]);
        assert_eq!(turns.order(&answer), ips([2, 3, 0, 1]));
    }

    #[test]
    fn no_more_is_remembered_than_there_is_in_an_answer() {
        let mut turns = Turns::default();
        for n in 0..10 {
            attempt(&mut turns, &ips(n..n + 3), 3);
            assert!(turns.0.len() <= 5);
        }
    }
}
