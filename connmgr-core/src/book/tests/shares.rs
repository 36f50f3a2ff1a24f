//! Shares of the choices: sampled, with 100 000 choices each, and five secrets.

use super::*;

const CHOICES: u32 = 100_000;

/// Address `n` of group `group`, in public IPv4 /16s.
fn of_group(group: u32, n: u32) -> PeerAddress {
    PeerAddress::new(Host::from(Ipv4Addr::from((0x2000 + group) << 16 | n)), 8333)
}

fn fresh(address: PeerAddress) -> AddressInfo {
    AddressInfo::new(address).services(Services::NETWORK).last_seen(UNIX)
}

/// The share of the choices, in parts of a million, that are of `counted`.
fn share(desk: &mut Desk, counted: impl Fn(&PeerAddress) -> bool) -> u32 {
    let chosen = (0..CHOICES).filter(|_| desk.pick(&ANY).is_some_and(|address| counted(&address))).count();
    u32::try_from(chosen).expect("few") * (1_000_000 / CHOICES)
}

/// Four standard errors of a share of an eighth, in parts of a million: 4 × √(1/8 × 7/8 / 100 000).
const TOLERANCE: u32 = 4184;
const EIGHTH: u32 = 125_000;

fn is_of(group: u32) -> impl Fn(&PeerAddress) -> bool {
    let groups = Groups::default();
    let own = groups.of(of_group(group, 0).host());
    move |address| groups.of(address.host()) == own
}

/// A book of 2000 honest addresses in 500 groups, told by 50 peers; half of them tried.
fn honest(number: u8) -> Desk {
    let mut desk = Desk::configured(&BookConfig::default(), number);
    for n in 0..2000 {
        desk.hear_from(SourceGroup::imported(u64::from(n / 40)), &fresh(of_group(n % 500, n)));
    }
    for n in 0..1000 {
        desk.succeed(&of_group(n % 500, n), Services::NETWORK);
        desk.book.record_end(&of_group(n % 500, n));
    }
    desk.wait(HOUR);
    desk
}

#[test]
fn a_group_that_65_000_sources_announce_has_an_eighth() {
    for number in 0..5 {
        let mut desk = honest(number);
        for n in 0..65_000 {
            desk.hear_from(SourceGroup::imported(1000 + u64::from(n)), &fresh(of_group(9000, n)));
        }
        let of_new = desk.book.len() - 2000;
        let share = share(&mut desk, is_of(9000));
        println!("secret {number}: {of_new} addresses of the group, {share} parts of a million of the choices");
        assert!(of_new > 30_000 && share <= EIGHTH + TOLERANCE, "{share}");
        assert_eq!(desk.book.check(), Ok(()));
    }
}

#[test]
fn a_group_has_an_eighth_of_a_small_book_too() {
    for (number, groups) in (0..5).zip([7, 8, 9, 16, 30]) {
        let mut desk = Desk::configured(&BookConfig::default(), number);
        (0..groups).for_each(|group| assert!(desk.hear(&of_group(group, 1), UNIX)));
        (0..60).for_each(|n| assert!(desk.hear(&of_group(9000, n), UNIX)));
        let share = share(&mut desk, is_of(9000));
        assert!(share <= EIGHTH + TOLERANCE, "{share}, and {groups} other groups");
    }
}

#[test]
fn of_fewer_than_eight_groups_each_has_the_same() {
    for known in [20, 2000] {
        let mut desk = Desk::new(81_920);
        (0..known).for_each(|n| assert!(desk.hear(&of_group(9000, n), UNIX)));
        (0..4).for_each(|group| assert!(desk.hear(&of_group(group, 1), UNIX)));
        for group in [9000, 0, 1, 2, 3] {
            let share = share(&mut desk, is_of(group));
            // Four standard errors: 4 × √(1/5 × 4/5 / 100 000).
            assert!(share.abs_diff(200_000) < 5060, "{share} of group {group}, {known} known");
        }
    }
}

#[test]
fn without_the_rule_a_group_has_most() {
    let mut desk = honest(1);
    desk.book.without = Some(BookRule::GroupShare);
    for n in 0..65_000 {
        desk.hear_from(SourceGroup::imported(1000 + u64::from(n)), &fresh(of_group(9000, n)));
    }
    assert!(share(&mut desk, is_of(9000)) > 200_000);
}

/// An attacker's addresses are in groups of his own, from `sources` source groups.
fn flooded(number: u8, sources: u64) -> Desk {
    let mut desk = honest(number);
    let mut dice = Rng::new([number; 32], 5);
    for n in 0..100_000 {
        let group = 10_000 + u32::try_from(dice.below(20_000)).expect("few");
        desk.hear_from(SourceGroup::imported(1000 + n % sources), &fresh(of_group(group, 1 + dice_low(&mut dice))));
    }
    desk
}

fn dice_low(dice: &mut Rng) -> u32 {
    u32::try_from(dice.below(60_000)).expect("16 bits")
}

fn is_his(address: &PeerAddress) -> bool {
    matches!(address.host(), Host::Ip(core::net::IpAddr::V4(ip)) if ip.to_bits() >> 16 >= 0x2000 + 10_000)
}

#[test]
fn who_floods_from_one_source_has_a_twentieth() {
    for number in 0..5 {
        let share = share(&mut flooded(number, 1), is_his);
        println!("secret {number}: {share} parts of a million");
        assert!(share <= 50_000, "{share}");
    }
}

#[test]
fn who_floods_from_everywhere_has_a_third() {
    for number in 0..5 {
        let mut desk = flooded(number, 256);
        let tried = desk.tried();
        assert!(tried.len() == 1000 && tried.iter().all(|view| !is_his(&view.address)), "tried is as it was");
        let of_his = share(&mut desk, is_his);
        println!("secret {number}: {of_his} parts of a million");
        assert!(of_his <= 350_000, "{of_his}");
    }
    let mut desk = flooded(1, 256);
    desk.book.without = Some(BookRule::TriedShare);
    assert!(share(&mut desk, is_his) > 500_000);
}

#[test]
fn a_rare_service_is_found_at_once() {
    let mut desk = Desk::new(81_920);
    (0..20_000).for_each(|n| _ = desk.hear_of(&of_group(n % 300, n), Services::NETWORK, UNIX));
    let rare = of_group(400, 1);
    desk.hear_of(&rare, Services::WITNESS, UNIX);
    let choice = Choice { services: Services::WITNESS, ..ANY };
    assert_eq!(desk.pick(&choice), Some(rare.clone()));
    desk.succeed(&rare, Services::NETWORK);
    desk.wait(HOUR);
    assert_eq!(desk.pick(&choice), None, "it says that it has it no more");
}

/// 200 tried addresses and as many new ones, each in a group of its own.
fn half_tried() -> Desk {
    let mut desk = Desk::configured(&BookConfig::default(), 3);
    for group in 0..200 {
        assert!(desk.hear(&of_group(group, 1), UNIX) && desk.hear(&of_group(1000 + group, 1), UNIX));
        desk.succeed(&of_group(group, 1), Services::NETWORK);
        desk.book.record_end(&of_group(group, 1));
    }
    desk.wait(HOUR);
    desk
}

fn tried_share(desk: &mut Desk) -> u32 {
    let chosen = (0..10_000).filter(|_| {
        let address = desk.pick(&ANY).expect("all rest long enough");
        desk.book.get(&address, desk.unix, desk.now).expect("it is known").table == BookTable::Tried
    });
    u32::try_from(chosen.count()).expect("few") / 100
}

#[test]
fn tried_addresses_lose_precedence_while_none_of_them_gets_ready() {
    let mut desk = half_tried();
    let at_first = tried_share(&mut desk);
    assert!((63..=70).contains(&at_first), "{at_first} %");
    for group in 0..20 {
        desk.fail(&of_group(group, 1));
    }
    let doubted = tried_share(&mut desk);
    assert!(doubted < 20, "{doubted} % after twenty failures");
    desk.succeed(&of_group(100, 1), Services::NETWORK);
    desk.book.record_end(&of_group(100, 1));
    let trusted = tried_share(&mut desk);
    assert!(trusted > 60, "{trusted} % after a ready one");
}

/// New addresses that fail, and failures of an outage, say nothing of the tried ones.
#[test]
fn what_is_no_fault_of_tried_addresses_costs_them_nothing() {
    let mut desk = half_tried();
    for group in 0..20 {
        desk.fail(&of_group(1000 + group, 1));
        desk.fail(&of_group(group, 1));
        desk.book.forgive(&of_group(group, 1));
    }
    let share = tried_share(&mut desk);
    assert!(share > 60, "{share} %");
}
