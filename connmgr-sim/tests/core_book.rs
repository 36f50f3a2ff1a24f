//! The model of Bitcoin Core's address book comes to the figures that were measured with Core itself, under the same
//! attacks: so what it says beside ours can be trusted.

use std::collections::BTreeSet;
use std::time::Duration;

use connmgr_core::{PeerAddress, UnixTime};
use connmgr_sim::attack::{AttackPlan, HonestNodes, is_attackers};
use connmgr_sim::subject::models::CoreBook;

const UNIX: UnixTime = UnixTime::from_secs(1_767_225_600);
const SEEDS: std::ops::Range<u64> = 1..6;
const CHOICES: u32 = 100_000;

/// A book with 2000 honest nodes, half of them tried.
fn honest(seed: u64) -> CoreBook {
    let mut book = CoreBook::new(seed);
    for node in HonestNodes::new(seed).first(2000, 1000, UNIX) {
        let announced = &node.announced;
        book.hear(&announced.info, announced.source, Duration::ZERO, UNIX);
        if node.is_tried {
            book.succeed(&announced.info.address, UNIX.before(Duration::from_secs(12 * 3600)));
        }
    }
    book
}

fn attack(book: &mut CoreBook, plan: AttackPlan, seed: u64) {
    for one in plan.announcements(seed, UNIX) {
        book.hear(&one.info, one.source, Duration::ZERO, UNIX);
    }
}

/// Of how many choices in ten thousand the address is the attacker's.
fn share(book: &mut CoreBook) -> u32 {
    let hits = (0..CHOICES).filter(|_| book.select(UNIX).is_some_and(|(address, _)| is_attackers(&address))).count();
    u32::try_from(hits).expect("few") / (CHOICES / 10_000)
}

#[track_caller]
fn check(what: &str, figures: impl Iterator<Item = u32>, expected: std::ops::RangeInclusive<u32>) {
    let figures: Vec<u32> = figures.collect();
    println!("{what}: {figures:?}");
    assert!(figures.iter().all(|figure| expected.contains(figure)), "{what}: {figures:?} of {expected:?}");
}

fn kept(plan: AttackPlan) -> impl Iterator<Item = u32> {
    SEEDS.map(move |seed| {
        let mut book = CoreBook::new(seed);
        attack(&mut book, plan, seed);
        u32::try_from(book.len()).expect("few")
    })
}

#[test]
fn one_source_group_keeps_about_four_thousand_addresses() {
    // Of 64 buckets that it reaches, now and then two or three are one, so it has 61 to 64.
    let figures: Vec<u32> = kept(AttackPlan::new(200_000)).collect();
    check("kept of 200 000 from one source group", figures.iter().copied(), 3840..=4096);
    let usual = figures.iter().filter(|kept| (3968..=4032).contains(*kept)).count();
    assert!(usual >= 2, "{figures:?}");
}

#[test]
fn one_group_from_one_source_keeps_64() {
    check("kept of 65 000 of one group from one source", kept(AttackPlan::new(65_000).groups(1)), 64..=64);
}

#[test]
fn one_source_group_has_a_twentieth_of_the_choices() {
    let shares = SEEDS.map(|seed| {
        let mut book = honest(seed);
        attack(&mut book, AttackPlan::new(100_000), seed);
        share(&mut book)
    });
    check("choices in 10 000 after 100 000 from one source group", shares, 400..=510);
}

#[test]
fn many_source_groups_have_all_of_the_new_addresses_and_none_of_the_tried() {
    let shares = SEEDS.map(|seed| {
        let mut book = honest(seed);
        let tried = |book: &CoreBook| book.tried_places().cloned().collect::<BTreeSet<PeerAddress>>();
        let before = tried(&book);
        attack(&mut book, AttackPlan::new(100_000).sources(256), seed);
        assert_eq!(tried(&book), before);
        share(&mut book)
    });
    check("choices in 10 000 after 100 000 from 256 source groups", shares, 4800..=5000);
}

#[test]
fn one_group_from_many_sources_has_three_fifths_of_the_new_table() {
    let shares = SEEDS.map(|seed| {
        let mut book = honest(seed);
        attack(&mut book, AttackPlan::new(65_000).groups(1).sources(65_000), seed);
        let places = book.new_places().filter(|address| is_attackers(address)).count();
        u32::try_from(places * 1000 / (1024 * 64)).expect("few")
    });
    check("places in 1000 of the new table, one group from 65 000 sources", shares, 600..=640);
}
