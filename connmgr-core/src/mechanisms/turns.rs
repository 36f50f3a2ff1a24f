//! Which addresses of a name were already tried, if there are more than one attempt tries.
//!
//! A resolver may order them differently each time, so they are remembered one by one. This file knows no rules and no
//! attempts.

use alloc::vec::Vec;
use core::net::IpAddr;

/// The addresses of one name that were dialed in the current round, sorted. A round ends when all were dialed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Turns(Vec<IpAddr>);

impl Turns {
    /// Orders an answer: first the addresses not yet dialed in this round, then the others, each as the resolver
    /// ordered them, but with IPv4 and IPv6 in alternation (RFC 8305). Addresses that are no longer in the answer are
    /// forgotten.
    pub(crate) fn order(&mut self, answer: &[IpAddr]) -> Vec<IpAddr> {
        let (had, to_come): (Vec<_>, Vec<_>) = answer.iter().copied().partition(|ip| self.had(*ip));
        self.0.clone_from(&had);
        self.0.sort_unstable();
        // Addresses of a family without a route must not use up the whole attempt.
        [alternate_families(&to_come), alternate_families(&had)].concat()
    }

    /// An address is dialed. If it was dialed in this round already, a new round begins.
    pub(crate) fn take(&mut self, ip: IpAddr) {
        match self.0.binary_search(&ip) {
            Ok(_) => self.0 = Vec::from([ip]),
            Err(at) => self.0.insert(at, ip),
        }
    }

    /// An address has served well: it counts as not dialed in this round.
    pub(crate) fn give_back(&mut self, ip: IpAddr) {
        if let Ok(at) = self.0.binary_search(&ip) {
            self.0.remove(at);
        }
    }

    fn had(&self, ip: IpAddr) -> bool {
        self.0.binary_search(&ip).is_ok()
    }
}

/// The addresses with IPv4 and IPv6 in alternation, beginning with the family of the first one.
fn alternate_families(ips: &[IpAddr]) -> Vec<IpAddr> {
    let is_of_first = |ip: &&IpAddr| ips.first().is_some_and(|first| first.is_ipv4() == ip.is_ipv4());
    let (mut first, mut other) = (ips.iter().filter(is_of_first), ips.iter().filter(|ip| !is_of_first(ip)));
    let mut ordered = Vec::with_capacity(ips.len());
    while ordered.len() < ips.len() {
        ordered.extend(first.next());
        ordered.extend(other.next());
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::Ipv4Addr;

    fn ips(numbers: impl IntoIterator<Item = u8>) -> Vec<IpAddr> {
        numbers.into_iter().map(|n| Ipv4Addr::new(1, 1, 1, n).into()).collect()
    }

    /// The `count` addresses that an attempt dials, one after the other.
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

    #[test]
    fn families_alternate_and_each_keeps_its_order() {
        let v6 = |n| IpAddr::from(core::net::Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, n));
        let answer = [&[v6(1), v6(2), v6(3)][..], &ips(1..=2)].concat();
        let [one, two] = [ips([1])[0], ips([2])[0]];
        assert_eq!(Turns::default().order(&answer), [v6(1), one, v6(2), two, v6(3)]);
    }
}
