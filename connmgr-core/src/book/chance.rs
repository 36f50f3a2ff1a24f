//! The chance of a candidate, as tables: of 0.66 to the number of failures, and of 1.2 to the number of candidates before.

use super::entry::Entry;

/// Candidates in one choice, as in btcd and Bitcoin Core.
pub(super) const CANDIDATES: usize = 100;
/// The chance of a candidate, in units of 2^-32; `recent` if it was tried lately.
pub(super) fn chance_of(entry: &Entry, recent: bool) -> u64 {
    let chance = CHANCE_AFTER_FAILURES[usize::from(entry.failures()).min(CHANCE_AFTER_FAILURES.len() - 1)];
    if recent { chance / 100 } else { chance }
}

/// 0.66^n for n failures, in units of 2^-32. More than eight count as eight.
const CHANCE_AFTER_FAILURES: [u64; 9] = [
    4_294_967_296,
    2_834_678_415,
    1_870_887_754,
    1_234_785_918,
    814_958_706,
    537_872_746,
    354_996_012,
    234_297_368,
    154_636_263,
];

/// The factor on each candidate's chance: 1 for the first, then 1.2 times more for each (as in Core), so that even
/// among bad candidates one passes in the end. Capped where the smallest chance (0.01 × 0.66^8) becomes certain.
pub(super) const LENIENCY: [u64; CANDIDATES] = {
    let mut table = [1 << POINT; CANDIDATES];
    let mut i = 1;
    while i < CANDIDATES {
        let raised = table[i - 1] * 6 / 5;
        table[i] = if raised < 4096 << POINT { raised } else { 4096 << POINT };
        i += 1;
    }
    table
};

/// The number of fractional bits in [`LENIENCY`].
pub(super) const POINT: u32 = 16;
