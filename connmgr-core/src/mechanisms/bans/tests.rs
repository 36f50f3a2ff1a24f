use super::*;
use crate::mechanisms::rng::Rng;
use alloc::string::{String, ToString};
use alloc::vec;
use core::net::Ipv4Addr;
use ipnet::{IpNet, Ipv4Net};

const ONION: &str = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion";

fn second(secs: u64) -> SteadySecond {
    SteadySecond::at(Time::from_secs(secs))
}

fn secs(secs: u64) -> Time {
    Time::from_secs(secs)
}

fn host(text: &str) -> Host {
    text.parse().expect(text)
}

/// A subnet if the text has a slash, else a host.
fn target(text: &str) -> BanTarget {
    match text.contains('/') {
        true => BanTarget::Subnet(text.parse().expect(text)),
        false => BanTarget::Host(host(text)),
    }
}

/// Bans from 0 s to 10 s.
fn bans(targets: &[&str]) -> Bans {
    let mut bans = Bans::new(10, Folding::new(1, 2));
    for text in targets {
        assert_eq!(bans.ban(&target(text), second(0), secs(10)), None);
    }
    assert_eq!(bans.check(), Ok(()));
    bans
}

fn list(bans: &Bans) -> Vec<String> {
    bans.iter().map(|(target, ban)| alloc::format!("{target} {}", ban.until.as_nanos() / 1_000_000_000)).collect()
}

/// A ban of `text` covers all of `inside` and none of `outside`.
fn check(text: &str, inside: &[&str], outside: &[&str]) {
    let bans = bans(&[text]);
    let is_banned = |other: &&&str| bans.is_banned(&host(other), secs(5));
    assert_eq!(inside.iter().filter(is_banned).count(), inside.len(), "{text} covers {inside:?}");
    assert_eq!(outside.iter().filter(is_banned).count(), 0, "{text} covers none of {outside:?}");
}

#[test]
fn a_ban_covers_its_target_and_nothing_else() {
    check("1.2.3.4", &["1.2.3.4", "::ffff:1.2.3.4"], &["1.2.3.5", "::102:304", "a.example", ONION]);
    check("1.2.3.4/24", &["1.2.3.0", "1.2.3.255"], &["1.2.4.0", "1.2.2.255"]);
    check("0.0.0.0/0", &["1.2.3.4", "255.0.0.1"], &["2a01::1", "::1", ONION]);
    check("::/0", &["2a01::1", "::1"], &["1.2.3.4", ONION]);
    check("2a01:1:2:3::9/64", &["2a01:1:2:3::1"], &["2a01:1:2:4::1"]);
    check("::ffff:1.2.0.0/112", &["1.2.3.4"], &["1.3.0.0"]);
    check("fc00::/8", &["fc00::1", "cjdns:fc00::1"], &["fd00::1"]);
    check("cjdns:fc00::1", &["cjdns:fc00::1", "fc00::1"], &["fc00::2", "cjdns:fc00::2"]);
    check(ONION, &[ONION], &["1.2.3.4"]);
}

#[test]
fn a_ban_ends_on_time_however_late_it_is_taken() {
    let mut bans = bans(&["1.2.3.4"]);
    let last = Time::from_nanos(secs(10).as_nanos() - 1);
    assert!(bans.is_banned(&host("1.2.3.4"), last));
    assert!(!bans.is_banned(&host("1.2.3.4"), secs(10)));
    assert_eq!((bans.pop_expired(last), bans.next_expiry()), (None, Some(secs(10))));
    assert_eq!(bans.pop_expired(secs(10)), Some(target("1.2.3.4")));
    assert_eq!((bans.len(), bans.next_expiry(), bans.pop_expired(Time::MAX)), (0, None, None));
}

#[test]
fn the_latest_end_of_all_covering_bans_counts() {
    let mut bans = bans(&["1.2.3.4"]);
    bans.ban(&target("1.2.0.0/16"), second(0), secs(99));
    assert_eq!(bans.until(&host("1.2.3.4"), secs(5)), Some(secs(99)));
    assert_eq!(bans.unban(&target("1.2.0.0/16"), Time::ZERO), Lifted::Ban);
    assert_eq!(bans.until(&host("1.2.3.4"), secs(5)), Some(secs(10)));
    assert_eq!(bans.until(&host("1.2.3.4"), secs(10)), None);
}

#[test]
fn another_ban_extends_the_first_and_never_shortens_it() {
    let mut bans = bans(&["1.2.3.4"]);
    bans.ban(&target("1.2.3.4/32"), second(5), secs(9));
    assert_eq!(list(&bans), ["1.2.3.4 10"]);
    bans.ban(&target("1.2.3.4/32"), second(5), secs(11));
    assert_eq!(list(&bans), ["1.2.3.4 11"]);
    assert_eq!(bans.iter().next().map(|(_, ban)| ban.since), Some(second(5)));
    assert_eq!(bans.check(), Ok(()));
}

#[test]
fn lifting_a_ban_lifts_no_other() {
    let mut bans = bans(&["1.2.3.4", "1.2.3.0/24"]);
    assert_eq!(bans.unban(&target("1.2.3.99/24"), Time::ZERO), Lifted::Ban);
    assert_eq!(bans.unban(&target("1.2.3.0/24"), Time::ZERO), Lifted::Nothing);
    assert_eq!(list(&bans), ["1.2.3.4 10"]);
    assert_eq!(bans.check(), Ok(()));
}

#[test]
fn the_ban_that_ends_first_makes_room() {
    let mut bans = Bans::new(2, Folding::new(1, 2));
    for (text, until, evicted) in [("1.1.1.1", 30, None), ("2.0.0.0/8", 20, None), ("3.3.3.3", 10, Some("2.0.0.0/8"))] {
        assert_eq!(bans.ban(&target(text), second(0), secs(until)), evicted.map(target));
    }
    assert_eq!(bans.ban(&target("3.3.3.3"), second(0), secs(40)), None, "an extended ban needs no room");
    assert_eq!(list(&bans), ["1.1.1.1 30", "3.3.3.3 40"]);
    assert_eq!(bans.check(), Ok(()));
}

#[test]
fn without_room_no_ban_stands() {
    let mut bans = Bans::new(0, Folding::new(1, 2));
    assert_eq!(bans.ban(&target("1.1.1.1"), second(0), secs(10)), Some(target("1.1.1.1")));
    assert_eq!(bans.len(), 0);
}

#[test]
fn bans_are_listed_by_their_end() {
    let mut bans = bans(&[ONION, "1.2.3.4/16", "2a01::/32"]);
    bans.ban(&target("a.example"), second(0), secs(5));
    assert_eq!(list(&bans), ["a.example 5", "1.2.0.0/16 10", "2a01::/32 10", &(ONION.to_string() + " 10")]);
}

#[test]
fn a_part_of_a_banned_subnet_is_let_in_and_the_rest_is_not() {
    check_except("1.2.0.0/16", "1.2.3.4", &["1.2.3.5", "1.2.0.1"]);
    check_except("1.2.0.0/16", "1.2.3.0/24", &["1.2.4.0"]);
    check_except("2a01::/32", "2a01:0:5::/48", &["2a01:0:6::1"]);
}

fn check_except(banned: &str, part: &str, others: &[&str]) {
    let mut bans = bans(&[banned]);
    assert_eq!(bans.unban(&target(part), secs(10)), Lifted::Nothing, "the ban is over");
    assert_eq!(bans.unban(&target(part), secs(1)), Lifted::Exception);
    assert_eq!(bans.unban(&target(part), secs(1)), Lifted::Nothing, "it is let in already");
    let inside = host(part.split('/').next().expect("a part"));
    assert!(!bans.is_banned(&inside, secs(1)), "{part}");
    assert!(others.iter().all(|other| bans.is_banned(&host(other), secs(1))), "{part}");
    let listed: Vec<_> = bans.list().flat_map(|(_, _, exceptions)| exceptions).collect();
    assert_eq!((listed, bans.check()), (vec![target(part)], Ok(())));
    // A renewal keeps it; a ban of its own ends it; and none outlives its ban.
    bans.ban(&target(banned), second(0), secs(20));
    assert!(!bans.is_banned(&inside, secs(1)));
    bans.ban(&target(part), second(0), secs(5));
    assert_eq!(bans.until(&inside, secs(1)), Some(secs(20)));
    bans.unban(&target(part), secs(1));
    bans.unban(&target(part), secs(1));
    assert_eq!((bans.unban(&target(banned), secs(1)), bans.exceptions.len()), (Lifted::Ban, 0));
}

#[test]
fn exceptions_are_bounded() {
    let mut bans = bans(&["1.0.0.0/8"]);
    let part = |n: usize| target(&alloc::format!("1.1.{}.{}", n / 256, n % 256));
    assert!((0..MAX_EXCEPTIONS).all(|n| bans.unban(&part(n), Time::ZERO) == Lifted::Exception));
    assert_eq!(bans.unban(&part(MAX_EXCEPTIONS), Time::ZERO), Lifted::Full);
    bans.except(&part(MAX_EXCEPTIONS));
    assert_eq!((bans.exceptions.len(), bans.check()), (MAX_EXCEPTIONS, Ok(())));
}

/// Bans and exceptions, as plain lists.
#[derive(Default)]
struct PlainBans {
    bans: Vec<(Ipv4Net, Time)>,
    exceptions: Vec<Ipv4Net>,
}

impl PlainBans {
    fn ban(&mut self, net: Ipv4Net, until: Time) {
        match self.bans.iter_mut().find(|(known, _)| *known == net) {
            Some((_, end)) => *end = until.max(*end),
            None => {
                self.exceptions.retain(|exception| !net.contains(exception));
                self.bans.push((net, until));
            }
        }
    }

    fn unban(&mut self, net: Ipv4Net) {
        let count = self.bans.len();
        self.bans.retain(|(known, _)| *known != net);
        if self.bans.len() == count && self.until(net).is_some() {
            self.exceptions.push(net);
        }
        let Self { bans, exceptions } = self;
        exceptions.retain(|exception| bans.iter().any(|(net, _)| net != exception && net.contains(exception)));
    }

    fn until(&self, part: Ipv4Net) -> Option<Time> {
        let around = self.exceptions.iter().filter(|net| net.contains(&part));
        let exception = around.map(Ipv4Net::prefix_len).max();
        let counts = |net: &Ipv4Net| net.contains(&part) && exception.is_none_or(|length| net.prefix_len() > length);
        self.bans.iter().filter(|(net, _)| counts(net)).map(|(_, until)| *until).max()
    }
}

#[test]
fn any_mix_of_bans_and_exceptions_agrees_with_plain_lists() {
    for seed in 0..40 {
        let mut rng = Rng::new([seed; 32], 0);
        let (mut bans, mut plain) = (Bans::new(1000, Folding::new(1, 2)), PlainBans::default());
        let mut below = |n: u64| u32::try_from(rng.below(n)).expect("small");
        for step in 0..300u32 {
            let length = u8::try_from(29 + below(4)).expect("at most 32");
            let net = Ipv4Net::new_assert(Ipv4Addr::from_bits(0x0102_0000 | below(8)), length).trunc();
            let (target, until) = (BanTarget::Subnet(IpNet::V4(net)), secs((step + 1).into()));
            if below(5) < 2 {
                plain.ban(net, until);
                bans.ban(&target, second(0), until);
            } else {
                plain.unban(net);
                bans.unban(&target, Time::ZERO);
            }
            for ip in (0..8).map(|n| Ipv4Addr::from_bits(0x0102_0000 | n)) {
                let expected = plain.until(Ipv4Net::from(ip));
                assert_eq!(bans.until(&Host::from(ip), Time::ZERO), expected, "{ip}, seed {seed}, step {step}");
            }
            assert_eq!(bans.check(), Ok(()), "seed {seed}, step {step}");
        }
    }
}
