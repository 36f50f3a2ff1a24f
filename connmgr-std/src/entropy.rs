//! A random seed from the operating system.

use std::io;

/// A seed for [`Birth::rng_seed`](crate::Birth::rng_seed), fresh from the operating system.
///
/// Keep it secret: it tells which addresses the node will choose.
///
/// # Errors
/// What the operating system reports. It does not happen on a machine that has booted.
pub(crate) fn rng_seed() -> io::Result<[u8; 32]> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)?;
    Ok(seed)
}

#[cfg(test)]
mod tests {
    #[test]
    fn two_seeds_differ() {
        assert_ne!(super::rng_seed().unwrap(), super::rng_seed().unwrap());
    }
}
