//! Which addresses of an added peer were already tried, if there are more than one attempt tries.
//!
//! A resolver may order them differently each time, so they are remembered one by one. This file knows no rules and no
//! attempts.

use alloc::vec::Vec;

use crate::types::PeerAddress;

/// Where an added peer may be. A name is looked up first, unless a proxy resolves it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Candidate {
    /// Which of the peer's addresses it is, or was found for.
    pub(crate) of: usize,
    /// The address.
    pub(crate) address: PeerAddress,
}

/// The addresses of one peer that were tried in the current round, and the one that served well last. A round ends when
/// all were tried.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Turns {
    /// Sorted.
    had: Vec<Candidate>,
    good: Option<Candidate>,
}

impl Turns {
    /// Orders the peer's own addresses, or an answer for one of its names: first the one that served well last, then
    /// those not yet tried in this round, then the others, each as the operator or the resolver ordered them, but with
    /// the networks in alternation (RFC 8305). What an answer no longer holds is forgotten.
    pub(crate) fn order(&mut self, candidates: Vec<Candidate>) -> Vec<Candidate> {
        self.forget_missing(&candidates);
        let good = |one: &Candidate| {
            // A name that led to the good address.
            self.good.as_ref().is_some_and(|good| good == one || good.of == one.of && one.address.name().is_some())
        };
        let (mut first, rest): (Vec<_>, Vec<_>) = candidates.into_iter().partition(good);
        let (had, to_come): (Vec<_>, Vec<_>) = rest.into_iter().partition(|one| self.had.binary_search(one).is_ok());
        // Addresses of a network without a route must not use up the whole attempt.
        first.extend(alternate_networks(to_come));
        first.extend(alternate_networks(had));
        first
    }

    /// Forgets the addresses of a name that are no longer in its answer.
    fn forget_missing(&mut self, candidates: &[Candidate]) {
        let Some(of) = candidates.first().map(|one| one.of) else { return };
        if candidates.iter().all(|one| one.of == of && one.address.name().is_none()) {
            self.had.retain(|one| one.of != of || one.address.name().is_some() || candidates.contains(one));
        }
    }

    /// An address is tried. If it was tried in this round already, a new round begins; not with a name, which each
    /// attempt looks up.
    pub(crate) fn take(&mut self, candidate: &Candidate) {
        match self.had.binary_search(candidate) {
            Ok(_) if candidate.address.name().is_some() => {}
            Ok(_) => self.had = Vec::from([candidate.clone()]),
            Err(at) => self.had.insert(at, candidate.clone()),
        }
        if self.good.as_ref() == Some(candidate) {
            self.good = None;
        }
    }

    /// An address has served well: it comes first until it is tried again.
    pub(crate) fn serve(&mut self, candidate: Candidate) {
        if let Ok(at) = self.had.binary_search(&candidate) {
            self.had.remove(at);
        }
        self.good = Some(candidate);
    }
}

/// The candidates with the first one's network and the others in alternation.
fn alternate_networks(candidates: Vec<Candidate>) -> Vec<Candidate> {
    let network = candidates.first().map(|first| first.address.network());
    let (first, other): (Vec<_>, Vec<_>) =
        candidates.into_iter().partition(|one| Some(one.address.network()) == network);
    let mut ordered = Vec::with_capacity(first.len() + other.len());
    let (mut first, mut other) = (first.into_iter(), other.into_iter());
    while first.len() + other.len() > 0 {
        ordered.extend(first.next());
        ordered.extend(other.next());
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

    fn at(of: usize, ip: impl Into<IpAddr>) -> Candidate {
        Candidate { of, address: PeerAddress::new(ip.into().into(), 8333) }
    }

    fn ips(numbers: impl IntoIterator<Item = u8>) -> Vec<Candidate> {
        numbers.into_iter().map(|n| at(0, Ipv4Addr::new(1, 1, 1, n))).collect()
    }

    /// The `count` addresses that an attempt tries, one after the other.
    fn attempt(turns: &mut Turns, answer: &[Candidate], count: usize) -> Vec<Candidate> {
        let tried: Vec<_> = turns.order(answer.to_vec()).into_iter().take(count).collect();
        tried.iter().for_each(|one| turns.take(one));
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
    fn who_served_well_is_first_once() {
        let (mut turns, answer) = (Turns::default(), ips(0..4));
        attempt(&mut turns, &answer, 3);
        turns.serve(answer[2].clone());
        assert_eq!(turns.order(answer.clone()), ips([2, 3, 0, 1]));
        // It is tried, and serves no longer: it has no precedence over those that had no turn.
        turns.take(&answer[2]);
        assert_eq!(turns.order(answer), ips([3, 0, 1, 2]));
    }

    #[test]
    fn a_name_that_led_to_who_served_well_is_first() {
        let mut turns = Turns::default();
        let name = Candidate { of: 1, address: "node.example:8333".parse().unwrap() };
        let own = [at(0, Ipv4Addr::new(1, 1, 1, 1)), name.clone()];
        turns.take(&own[0]);
        turns.take(&name);
        let found = [at(1, Ipv4Addr::new(2, 2, 2, 1)), at(1, Ipv4Addr::new(2, 2, 2, 2))];
        turns.order(found.to_vec());
        turns.take(&found[1]);
        turns.serve(found[1].clone());
        assert_eq!(turns.order(own.to_vec())[0], name);
        turns.take(&name);
        assert_eq!(turns.order(found.to_vec())[0], found[1]);
    }

    #[test]
    fn no_more_is_remembered_than_there_is_in_an_answer() {
        let mut turns = Turns::default();
        for n in 0..10 {
            attempt(&mut turns, &ips(n..n + 3), 3);
            assert!(turns.had.len() <= 5);
        }
    }

    #[test]
    fn networks_alternate_and_each_keeps_its_order() {
        let v6 = |n| at(0, Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, n));
        let answer = [&[v6(1), v6(2), v6(3)][..], &ips(1..=2)].concat();
        let [one, two] = [ips([1]).remove(0), ips([2]).remove(0)];
        assert_eq!(Turns::default().order(answer), [v6(1), one, v6(2), two, v6(3)]);
    }
}
