//! What is said of an address while the wall clock may be wrong: once it is set, it counts as with a right one.

use super::*;

const DAYS: [u32; 7] = [0, 1, 2, 4, 6, 20, 40];

/// What is said of the address.
#[derive(Clone, Copy, Debug)]
enum Word {
    /// On file, seen so many days ago.
    Saved(u32),
    /// Reported by the application.
    Told(u32),
    /// Reported by a peer.
    Hearsay(u32),
    /// A seed's answer.
    Seed(u32),
}

impl Word {
    /// Its services, so that it shows whose are kept.
    fn services(self) -> Services {
        match self {
            Self::Saved(_) => Services::NONE,
            Self::Told(_) => Services::NETWORK,
            Self::Hearsay(_) => Services::WITNESS,
            Self::Seed(_) => Services::P2P_V2,
        }
    }
}

/// A book whose clock shows `unix` at birth, when it is [`UNIX`], and is set after all is said, a minute apart.
fn book_that_hears(words: &[Word], unix: UnixTime) -> Desk {
    let mut desk = Desk::new(10);
    if unix != UNIX {
        desk.book.doubt_dates();
    }
    for word in words {
        let passed = desk.now.since(NOW);
        say(&mut desk, *word, UNIX.after(passed), unix.after(passed));
        desk.wait(MINUTE);
    }
    desk.book.judge_anew(NOW, |at| UNIX.after(at.since(NOW)));
    desk
}

/// It is said at `true_now`, when the clock shows `unix`.
fn say(desk: &mut Desk, word: Word, true_now: UnixTime, unix: UnixTime) {
    let (address, services) = (ipv4(0), word.services());
    let source = if matches!(word, Word::Hearsay(_)) { PEER } else { SourceGroup::APPLICATION };
    match word {
        Word::Saved(days) => {
            let last_seen = true_now.before(DAY * days);
            let never = UnixTime::default();
            let saved = SavedAddress {
                address,
                services,
                last_seen,
                last_try: never,
                last_success: never,
                failures: 0,
                v1_only: false,
                source: SourceGroup::UNKNOWN,
                placement: Placement::Anew,
            };
            desk.book.restore(&[saved], None, &desk.groups, unix, desk.now);
        }
        Word::Told(days) | Word::Hearsay(days) => {
            let info = AddressInfo { address, services, last_seen: true_now.before(DAY * days) };
            desk.book.add(&info, source, &desk.groups, unix, desk.now, &mut desk.rng);
        }
        Word::Seed(days) => {
            desk.book.add_seen_ago((&address, services, DAY * days), SEED, &desk.groups, desk.now, &mut desk.rng);
        }
    }
}

#[track_caller]
fn check(words: &[Word]) {
    let right = book_that_hears(words, UNIX);
    for wrong in [UnixTime::default(), UNIX.before(30 * DAY), UNIX.after(30 * DAY)] {
        let desk = book_that_hears(words, wrong);
        let (ours, theirs) = (desk.view(&ipv4(0)), right.view(&ipv4(0)));
        assert_eq!(ours.services, theirs.services, "{words:?}, born {wrong}");
        // Only the latest report is kept, and one that is less than a day newer changes nothing.
        let apart = ours.last_seen.since(theirs.last_seen).max(theirs.last_seen.since(ours.last_seen));
        assert!(apart < DAY, "{words:?}, born {wrong}: {} instead of {}", ours.last_seen, theirs.last_seen);
    }
}

/// Every first word, and two after it.
fn check_all(first: fn(u32) -> Word, then: [fn(u32) -> Word; 2]) {
    for one in DAYS {
        for two in DAYS {
            for three in DAYS {
                check(&[first(one), then[0](two), then[1](three)]);
            }
        }
    }
}

#[test]
fn what_a_seed_says_of_a_known_address_counts_once_the_clock_is_set() {
    check_all(Word::Saved, [Word::Seed, Word::Told]);
    check_all(Word::Told, [Word::Hearsay, Word::Seed]);
}

#[test]
fn what_is_told_of_an_address_of_a_seed_counts_once_the_clock_is_set() {
    check_all(Word::Seed, [Word::Told, Word::Hearsay]);
    check_all(Word::Seed, [Word::Hearsay, Word::Seed]);
}

#[test]
fn what_peers_and_application_tell_counts_once_the_clock_is_set() {
    check_all(Word::Saved, [Word::Told, Word::Hearsay]);
    check_all(Word::Told, [Word::Hearsay, Word::Told]);
}

/// No clock makes it believable, so it has been corrected, and is not corrected again in the next life.
#[test]
fn a_date_before_1973_is_saved_as_it_was_corrected() {
    for word in [Word::Saved(0), Word::Told(0)] {
        for (at, kept) in [(99_999_999, UNIX.before(5 * DAY)), (100_000_000, UnixTime::from_secs(100_000_000))] {
            let mut desk = Desk::new(10);
            desk.book.doubt_dates();
            say(&mut desk, word, UnixTime::from_secs(at), UNIX);
            let saved = desk.book.save(BookCursor::START, usize::MAX, true, UNIX, desk.now).0;
            assert_eq!(saved[0].last_seen, kept, "{word:?}, seen {at} s after 1970");
        }
    }
}
