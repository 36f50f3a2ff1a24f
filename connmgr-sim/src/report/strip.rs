//! A distribution in one line: the least, the quartiles, the greatest.

use maud::{Markup, html};

use super::axis::{WIDTH, rounded};

/// Five numbers that stand for many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Five {
    pub(super) least: u64,
    pub(super) lower: u64,
    pub(super) median: u64,
    pub(super) upper: u64,
    pub(super) greatest: u64,
}

impl Five {
    /// From numbers; `None` if there are none. Each is one of them, without interpolation.
    pub(super) fn of(mut numbers: Vec<u64>) -> Option<Self> {
        numbers.sort_unstable();
        let at = |quarters: usize| numbers.get((numbers.len().saturating_sub(1) * quarters).div_ceil(4)).copied();
        let (least, greatest) = (*numbers.first()?, *numbers.last()?);
        Some(Self { least, lower: at(1)?, median: at(2)?, upper: at(3)?, greatest })
    }

    /// A line from the least to the greatest, a box between the quartiles, a mark at the median; `top` is the right
    /// edge.
    pub(super) fn draw(self, top: u64, spoken: &str) -> Markup {
        // The root spreads the small ones out, and still has a zero.
        let x = |number: u64| rounded((number as f64 / top.max(1) as f64).sqrt() * WIDTH);
        let [least, lower, median, upper, greatest] =
            [self.least, self.lower, self.median, self.upper, self.greatest].map(x);
        html! {
            svg.strip viewBox=(format!("0 0 {WIDTH} 12")) preserveAspectRatio="none" role="img" aria-label=(spoken) {
                path.whole d=(format!("M{least} 6H{greatest}M{least} 3v6M{greatest} 3v6")) {}
                rect.half x=(lower) y="2.5" width=(rounded(upper - lower)) height="7" {}
                path.median d=(format!("M{median} 0v12")) {}
                title { (spoken) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_numbers_stand_for_many() {
        let five = |numbers: &[u64]| Five::of(numbers.to_vec());
        assert_eq!(five(&[]), None);
        assert_eq!(five(&[7]), Some(Five { least: 7, lower: 7, median: 7, upper: 7, greatest: 7 }));
        let all = Five { least: 1, lower: 2, median: 3, upper: 4, greatest: 5 };
        assert_eq!(five(&[5, 3, 1, 2, 4]), Some(all));
    }
}
