//! The ban score: a part that stays and a part that decays.
//!
//! Read first: the dynamic ban score of btcd and dcrd (`connmgr/dynamicbanscore.go`), the source of the constants.
//! Differences: a score belongs to a host, so it survives a reconnect; it uses integers, so it is equal on every
//! platform; and it never returns a stale total. Its consequences are decided elsewhere.

use crate::mechanisms::hasher::Folding;
use crate::mechanisms::lru::Lru;
use crate::types::{Host, Penalty, Time};

/// A ban score: a persistent part, and a transient part that halves every minute.
///
/// The transient part becomes zero [`BanScore::LIFETIME_SECS`] after it was last raised. Time counts in whole seconds;
/// a time before the last raise counts as that raise. Totals saturate at `u32::MAX`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BanScore {
    persistent: u32,
    /// Its value at `last`, in units of 2^-32 points, so that rounding does not lose many small penalties.
    transient: u64,
    /// When the transient part was last raised.
    last: Time,
}

impl BanScore {
    /// The half-life of the transient part, in seconds.
    pub const HALF_LIFE_SECS: u64 = 60;
    /// How long the transient part counts after its last raise, in seconds (inclusive).
    pub const LIFETIME_SECS: u64 = 1800;

    /// Raises the score. Returns the new value.
    pub fn increase(&mut self, penalty: Penalty, now: Time) -> u32 {
        self.persistent = self.persistent.saturating_add(penalty.persistent);
        if penalty.transient > 0 {
            self.transient = self.decayed(now).saturating_add(u64::from(penalty.transient) << 32);
            self.last = self.last.max(now);
        }
        self.value(now)
    }

    /// The score at `now`.
    pub fn value(&self, now: Time) -> u32 {
        let transient = u32::try_from(self.decayed(now) >> 32).expect("the upper half of a u64");
        self.persistent.saturating_add(transient)
    }

    /// Resets the score to 0.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// What decides its future, relative to `now`.
    pub(crate) fn fingerprint(&self, now: Time) -> (u32, u64, u64) {
        let transient = self.decayed(now);
        let elapsed = if transient == 0 { 0 } else { whole_secs(now).saturating_sub(whole_secs(self.last)) };
        (self.persistent, transient, elapsed)
    }

    /// The transient part at `now`, in units of 2^-32 points.
    fn decayed(&self, now: Time) -> u64 {
        let elapsed = whole_secs(now).saturating_sub(whole_secs(self.last));
        if elapsed > Self::LIFETIME_SECS {
            return 0;
        }
        let (halvings, rest) = (elapsed / Self::HALF_LIFE_SECS, elapsed % Self::HALF_LIFE_SECS);
        let factor = DECAY[usize::try_from(rest).expect("below 60")];
        let faded = (u128::from(self.transient) * u128::from(factor)) >> 63 >> halvings;
        u64::try_from(faded).expect("a factor of at most 2^63, shifted by 63")
    }
}

const fn whole_secs(time: Time) -> u64 {
    time.as_nanos() / 1_000_000_000
}

/// The scores of hosts that misbehaved lately. Beyond `max_hosts`, the one least recently raised is forgotten.
///
/// An attacker with more addresses than that can have a score forgotten, but only by misbehaving from each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scores(Lru<Host, BanScore>);

impl Scores {
    /// No scores; at most `max_hosts` at once (0 counts as 1).
    pub(crate) fn new(max_hosts: u32, keyed: Folding) -> Self {
        Self(Lru::new(max_hosts, keyed))
    }

    /// Raises a host's score. Returns the new value.
    pub(crate) fn increase(&mut self, host: &Host, penalty: Penalty, now: Time) -> u32 {
        self.0.touch_or_insert(host, BanScore::default()).increase(penalty, now)
    }

    /// A host's score at `now`; 0 for an unknown host.
    pub(crate) fn value(&self, host: &Host, now: Time) -> u32 {
        self.0.get(host).map_or(0, |score| score.value(now))
    }

    /// Forgets a host's score. Returns whether it had one.
    pub(crate) fn reset(&mut self, host: &Host) -> bool {
        self.0.remove(host).is_some()
    }

    /// Every host with its score, the last raised first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Host, &BanScore)> {
        self.0.iter()
    }

    /// The number of hosts with a score.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Recounts everything.
    ///
    /// # Errors
    /// What is broken.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        self.0.check()
    }
}

/// 2^(-s/60) for s seconds from 0 to 59, in units of 2^-63, rounded down.
///
/// Computed with Python: `int(Decimal(2) ** (63 - Decimal(s) / 60))` with 60 digits.
const DECAY: [u64; 60] = [
    0x8000_0000_0000_0000,
    0x7e87_a09e_86ce_2f78,
    0x7d13_93ed_b157_5dbb,
    0x7ba3_cd37_6010_ba3f,
    0x7a38_3fea_d3e4_f5b9,
    0x78d0_df9c_404d_0ede,
    0x776d_a004_5eac_4836,
    0x760e_7500_02eb_90c3,
    0x74b3_528f_b150_b426,
    0x735c_2cd7_358d_b1c6,
    0x7208_f81d_3b04_a51a,
    0x70b9_a8ca_e63c_b3bf,
    0x6f6e_336b_6f84_8085,
    0x6e26_8cab_bebe_acc8,
    0x6ce2_a95a_0854_fbc6,
    0x6ba2_7e65_6b4e_b57a,
    0x6a66_00dd_9086_f0bb,
    0x692d_25f2_4aff_75f8,
    0x67f7_e2f3_394c_f5c7,
    0x66c6_2d4f_6819_580e,
    0x6597_fa94_f5b8_f20a,
    0x646d_4070_b6cf_7af1,
    0x6345_f4ad_dc01_a006,
    0x6222_0d35_98b0_2268,
    0x6101_800e_cab9_71ae,
    0x5fe4_435d_a33e_bf9b,
    0x5eca_4d63_5069_91e1,
    0x5db3_947d_a82e_dfcd,
    0x5ca0_0f26_d40c_d24b,
    0x5b8f_b3f4_fdc0_4555,
    0x5a82_7999_fcef_3242,
    0x5978_56e3_05c5_32d9,
    0x5871_42b8_587f_554b,
    0x576d_341c_f1e4_815c,
    0x566c_222e_3ca7_b72a,
    0x556e_0423_c3b1_77f2,
    0x5472_d14e_e54d_b115,
    0x537a_811a_873b_897f,
    0x5285_0b0a_cb9c_7933,
    0x5192_66bc_c6c0_1a75,
    0x50a2_8be6_35ca_2b88,
    0x4fb5_7255_3630_3f71,
    0x4ecb_11ef_fe0c_a386,
    0x4de3_62b4_9544_06eb,
    0x4cfe_5cb8_8f7b_7837,
    0x4c1b_f828_c6dc_54b7,
    0x4b3c_2d49_17a3_cbb7,
    0x4a5e_f474_1c7b_9f37,
    0x4984_461a_eb99_d25a,
    0x48ac_1ac4_d4a4_fc91,
    0x47d6_6b0f_1f5a_ff5a,
    0x4703_2fac_caf7_e300,
    0x4632_6166_4e5a_a545,
    0x4563_f919_58e5_cb99,
    0x4497_efb8_9419_9098,
    0x43ce_3e4b_65e5_8b2f,
    0x4306_dded_b3af_b3d4,
    0x4241_c7cf_a60e_b298,
    0x417e_f535_6d35_66cf,
    0x40be_5f77_060d_9f4d,
];

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use crate::types::HostName;

    fn penalty(persistent: u32, transient: u32) -> Penalty {
        Penalty { persistent, transient }
    }

    fn secs(secs: u64) -> Time {
        Time::from_secs(secs)
    }

    fn host(number: u32) -> Host {
        Host::from(core::net::Ipv4Addr::from_bits(number))
    }

    #[test]
    fn the_table_is_what_floats_say() {
        for (s, factor) in DECAY.into_iter().enumerate() {
            #[allow(clippy::cast_precision_loss, reason = "a float is what is compared with")]
            let (read, computed) = (factor as f64 / (1u64 << 63) as f64, (-(s as f64) / 60.0).exp2());
            assert!((read - computed).abs() < 1e-15, "2^(-{s}/60)");
        }
    }

    /// 2^(-s/60) × 2^(-(60-s)/60) = 1/2, to all 63 bits.
    #[test]
    fn the_table_is_exact_beyond_floats() {
        for s in 1..60 {
            let product = u128::from(DECAY[s]) * u128::from(DECAY[60 - s]);
            assert!(product <= 1 << 125 && (1 << 125) - product < 1 << 64, "2^(-{s}/60)");
        }
    }

    #[test]
    fn the_transient_part_fades_and_the_persistent_part_stays() {
        let mut score = BanScore::default();
        assert_eq!(score.increase(penalty(100, 50), secs(10)), 150);
        assert_eq!(score.value(secs(70)), 125);
        assert_eq!(score.value(secs(10 + 7 * 60)), 100);
    }

    #[test]
    fn the_transient_part_ends_with_its_lifetime() {
        let mut score = BanScore::default();
        assert_eq!(score.increase(penalty(0, u32::MAX), secs(0)), u32::MAX);
        assert_eq!(score.value(secs(1800)), 3);
        assert_eq!(score.value(secs(1801)), 0);
    }

    #[test]
    fn a_persistent_penalty_is_answered_with_the_decayed_total() {
        let mut score = BanScore::default();
        score.increase(penalty(0, 50), secs(0));
        assert_eq!(score.increase(penalty(1, 0), secs(60)), 26);
        assert_eq!(score.increase(penalty(1, 0), secs(1801)), 2);
    }

    #[test]
    fn raises_add_to_what_is_left() {
        let mut score = BanScore::default();
        score.increase(penalty(0, 50), secs(0));
        assert_eq!(score.increase(penalty(0, 50), secs(60)), 75);
        assert_eq!(score.value(secs(120)), 37);
    }

    /// A point a second approaches 1 / (1 - 2^(-1/60)) = 87 points.
    #[test]
    fn many_small_penalties_are_not_rounded_away() {
        let mut score = BanScore::default();
        let totals = (0..1000).map(|s| score.increase(penalty(0, 1), secs(s)));
        assert_eq!(totals.last(), Some(87));
    }

    #[test]
    fn fractions_of_a_second_do_not_hold_decay_up() {
        let mut score = BanScore::default();
        score.increase(penalty(0, 1000), secs(0));
        for half_secs in 1..=120 {
            score.increase(penalty(0, 1), Time::from_millis(half_secs * 500));
        }
        assert!(score.value(secs(60)) < 600, "half of 1000, and less than 120 of the rest");
    }

    #[test]
    fn an_earlier_time_counts_as_the_last_one() {
        let mut score = BanScore::default();
        score.increase(penalty(0, 50), secs(100));
        assert_eq!(score.increase(penalty(0, 50), secs(40)), 100);
        assert_eq!(score.value(secs(0)), 100);
        assert_eq!(score.value(secs(160)), 50);
    }

    #[test]
    fn nothing_overflows() {
        let mut score = BanScore::default();
        for now in [Time::ZERO, Time::ZERO, Time::MAX, Time::MAX] {
            assert_eq!(score.increase(penalty(u32::MAX, u32::MAX), now), u32::MAX);
        }
    }

    #[test]
    fn a_reset_score_is_zero() {
        let mut score = BanScore::default();
        score.increase(penalty(100, 50), secs(0));
        score.reset();
        assert_eq!(score.value(secs(0)), 0);
    }

    #[test]
    fn every_host_has_its_own_score() {
        let mut scores = Scores::new(10, Folding::new(1, 2));
        let name = Host::Name(HostName::new("node.example").expect("a name"));
        scores.increase(&host(1), penalty(10, 0), secs(0));
        scores.increase(&host(1), penalty(10, 0), secs(0));
        scores.increase(&name, penalty(1, 0), secs(0));
        assert_eq!([&host(1), &name, &host(2)].map(|host| scores.value(host, secs(0))), [20, 1, 0]);
    }

    #[test]
    fn the_host_least_recently_raised_makes_room() {
        let mut scores = Scores::new(2, Folding::new(1, 2));
        for number in [1, 2, 1, 3] {
            scores.increase(&host(number), penalty(5, 0), secs(0));
        }
        assert_eq!([1, 2, 3].map(|number| scores.value(&host(number), secs(0))), [10, 0, 5]);
        assert_eq!((scores.len(), scores.check()), (2, Ok(())));
    }

    #[test]
    fn a_forgiven_host_is_forgotten() {
        let mut scores = Scores::new(2, Folding::new(1, 2));
        scores.increase(&host(1), penalty(5, 0), secs(0));
        assert!(scores.reset(&host(1)));
        assert!(!scores.reset(&host(1)));
        assert_eq!((scores.value(&host(1), secs(0)), scores.len()), (0, 0));
    }
}
