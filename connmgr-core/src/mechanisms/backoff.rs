//! The jitter of a [`Backoff`]. It needs a generator, so it is not part of the plain data.

use core::time::Duration;

use crate::mechanisms::rng::Rng;
use crate::types::{Backoff, nanos};

impl Backoff {
    /// The wait after `failures` failures in a row, with jitter if configured.
    #[inline]
    pub(crate) fn next(&self, failures: u32, rng: &mut Rng) -> Duration {
        let wait = nanos(self.wait(failures));
        let saved = if self.jitter { (1 + rng.below(wait / 2)).min(wait / 2) } else { 0 };
        Duration::from_nanos(wait - saved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_stays_between_half_and_whole() {
        let (backoff, mut rng) = (Backoff::default(), Rng::new([7; 32], 0));
        let (mut least, mut most) = (Duration::MAX, Duration::ZERO);
        for _ in 0..10_000 {
            let wait = backoff.next(7, &mut rng);
            assert!(wait >= Duration::from_secs(150) && wait < Duration::from_secs(300));
            (least, most) = (least.min(wait), most.max(wait));
        }
        assert!(least < Duration::from_secs(151) && most > Duration::from_secs(299));
    }
}
