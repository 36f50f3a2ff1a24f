//! Scales: the positions of numbers and sizes on a plot, and their labels. No markup.

/// The width of a plot, in its own units; pages stretch it.
pub(super) const WIDTH: f64 = 10_000.0;
/// The height of a plot.
pub(super) const HEIGHT: f64 = 100.0;

/// A place along an axis, from 0 to 1, and what is written there.
pub(super) type Tick = (f64, String);

/// Numbers from zero up to the most, on a plot that is read upwards.
#[derive(Clone, Copy, Debug)]
pub(super) struct NumberScale {
    top: u64,
    step: u64,
}

impl NumberScale {
    /// Numbers up to the most; the top is round.
    pub(super) fn up_to(most: u64) -> Self {
        let powers = (0..19).map(|power| 10_u64.pow(power));
        let steps = powers.flat_map(|power| [power, power.saturating_mul(2), power.saturating_mul(5)]);
        let step = steps.into_iter().find(|step| most.div_ceil(*step) <= 4).unwrap_or(most / 4);
        Self { top: most.max(1).div_ceil(step).saturating_mul(step), step }
    }

    /// Where a number lies.
    pub(super) fn y(self, number: u64) -> f64 {
        rounded(HEIGHT - number.min(self.top) as f64 / self.top as f64 * HEIGHT)
    }

    /// Labels at round numbers.
    pub(super) fn ticks(self) -> Vec<Tick> {
        self.ticks_as(|number| number.to_string())
    }

    /// Labels at round numbers, each written by the caller.
    pub(super) fn ticks_as(self, text: impl Fn(u64) -> String) -> Vec<Tick> {
        let numbers = (0..=self.top / self.step).map(|number| number * self.step);
        numbers.map(|number| (number as f64 / self.top as f64, text(number))).collect()
    }
}

/// Sizes between two powers of ten, each as far from the last as that from the one before.
#[derive(Clone, Copy, Debug)]
pub(super) struct PowerScale {
    low: f64,
    high: f64,
}

impl PowerScale {
    /// Sizes from the least to the greatest, both above zero.
    pub(super) fn between(least: f64, greatest: f64) -> Self {
        let low = least.max(1e-9).log10().floor();
        Self { low, high: greatest.max(1e-9).log10().ceil().max(low + 1.0) }
    }

    /// Where a size lies, from 0 to 1.
    pub(super) fn at(self, size: f64) -> f64 {
        ((size.max(1e-9).log10() - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }

    /// Labels at round times, for sizes that are milliseconds.
    pub(super) fn ticks(self) -> Vec<Tick> {
        let inside = |(millis, _): &&(f64, &str)| (self.low..=self.high).contains(&millis.log10());
        ROUND_MILLIS.iter().filter(inside).map(|(millis, name)| (self.at(*millis), (*name).to_owned())).collect()
    }
}

/// To a hundredth of a unit, which is less than a pixel.
pub(super) fn rounded(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

/// Round times, in milliseconds, each about ten times the one before.
const ROUND_MILLIS: [(f64, &str); 11] = [
    (1.0, "1 ms"),
    (10.0, "10 ms"),
    (100.0, "100 ms"),
    (1000.0, "1 s"),
    (10_000.0, "10 s"),
    (60_000.0, "1 min"),
    (600_000.0, "10 min"),
    (3_600_000.0, "1 h"),
    (36_000_000.0, "10 h"),
    (259_200_000.0, "3 d"),
    (2_592_000_000.0, "30 d"),
];

/// A duration as short text: two digits and a unit.
pub(super) fn short(millis: f64) -> String {
    let units = [(86_400_000.0, "d"), (3_600_000.0, "h"), (60_000.0, "min"), (1000.0, "s")];
    let (size, unit) = units.into_iter().find(|(size, _)| millis >= *size).unwrap_or((1.0, "ms"));
    let number = millis / size;
    if number >= 9.95 || number.fract() < 0.05 { format!("{number:.0} {unit}") } else { format!("{number:.1} {unit}") }
}

/// A number with a thin gap at every thousand.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_up_and_end_at_a_round_one() {
        let numbers = NumberScale::up_to(11);
        assert_eq!((numbers.y(0), numbers.y(15), numbers.y(99)), (HEIGHT, 0.0, 0.0));
        let labels =
            |most| -> Vec<String> { NumberScale::up_to(most).ticks().into_iter().map(|tick| tick.1).collect() };
        assert_eq!(labels(11), ["0", "5", "10", "15"]);
        assert_eq!(labels(0), ["0", "1"]);
        assert!((3..=6).contains(&labels(u64::MAX).len()));
    }

    #[test]
    fn powers_are_equally_far_apart() {
        let powers = PowerScale::between(5.0, 300.0);
        assert_eq!([1.0, 10.0, 1000.0, 1e9].map(|size| rounded(powers.at(size))), [0.0, 0.33, 1.0, 1.0]);
        let labels: Vec<String> =
            PowerScale::between(2000.0, 300_000.0).ticks().into_iter().map(|tick| tick.1).collect();
        assert_eq!(labels, ["1 s", "10 s", "1 min", "10 min"]);
        assert!(PowerScale::between(0.0, 0.0).at(0.0).is_finite());
    }

    #[test]
    fn numbers_are_written_short() {
        assert_eq!([0.0, 15.0, 1500.0, 64_000.0, 1e9].map(short), ["0 ms", "15 ms", "1.5 s", "1.1 min", "12 d"]);
        assert_eq!([7, 1234, 1_234_567].map(grouped), ["7", "1\u{202f}234", "1\u{202f}234\u{202f}567"]);
    }
}
