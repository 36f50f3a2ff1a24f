//! UNIX time as people write it: `2026-01-31T12:00:00Z` (RFC 3339, UTC only).
//!
//! Days are counted in eras of 400 years that begin on the first of March, so that a leap day ends its year.

use connmgr_core::UnixTime;

const DAY: u64 = 86_400;
/// Days from 0000-03-01 to 1970-01-01.
const EPOCH: u64 = 719_468;
/// Days of 400 years.
const ERA: u64 = 146_097;
/// 9999-12-31T23:59:59Z: years have four digits.
const LAST: u64 = 253_402_300_799;

/// The date, or none after the year 9999.
pub(super) fn write(time: UnixTime) -> Option<String> {
    let secs = time.as_secs();
    if secs > LAST {
        return None;
    }
    let (year, month, day) = civil(secs / DAY);
    let (hour, minute, second) = (secs % DAY / 3600, secs % 3600 / 60, secs % 60);
    Some(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"))
}

/// The time, if the text is a date from 1970 to 9999.
pub(super) fn read(text: &str) -> Option<UnixTime> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let [year, month, day] = fields(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = fields(time, ':', [2, 2, 2])?;
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let days = days(year, month, day);
    // The 31st of June comes back as the 1st of July.
    let exists = civil(days) == (year, month, day);
    exists.then(|| UnixTime::from_secs(days * DAY + hour * 3600 + minute * 60 + second))
}

/// Three numbers of so many digits.
fn fields(text: &str, separator: char, digits: [usize; 3]) -> Option<[u64; 3]> {
    let mut parts = text.split(separator);
    let mut numbers = [0; 3];
    for (number, digits) in numbers.iter_mut().zip(digits) {
        let part = parts.next().filter(|part| part.len() == digits && part.bytes().all(|b| b.is_ascii_digit()))?;
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(numbers)
}

/// Year, month and day of a day since 1970.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + EPOCH;
    let in_era = days % ERA;
    // A year of an era ends early by its leap days: every 4th, not every 100th, but the last.
    let year_of_era = (in_era - in_era / 1460 + in_era / 36_524 - in_era / (ERA - 1)) / 365;
    let in_year = in_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // From March on, five months have 153 days, over and over.
    let from_march = (5 * in_year + 2) / 153;
    let day = in_year - (153 * from_march + 2) / 5 + 1;
    let (month, later) = if from_march < 10 { (from_march + 3, 0) } else { (from_march - 9, 1) };
    (days / ERA * 400 + year_of_era + later, month, day)
}

/// The day since 1970 of a year (1970 or later), month and day; of a day that is not in its month, another.
fn days(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let from_march = (month + 9) % 12;
    let year_of_era = year % 400;
    let in_year = (153 * from_march + 2) / 5 + day.saturating_sub(1);
    year / 400 * ERA + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + in_year - EPOCH
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_read_and_spell_as_the_world_has_them() {
        // From `date -u -d @N +%FT%TZ`.
        for (secs, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_709_164_800, "2024-02-29T00:00:00Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (LAST, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(write(UnixTime::from_secs(secs)).as_deref(), Some(text));
            assert_eq!(read(text), Some(UnixTime::from_secs(secs)), "{text}");
        }
    }

    #[test]
    fn every_day_of_eight_centuries_reads_back() {
        for day in 0..2 * ERA {
            let time = UnixTime::from_secs(day * DAY + day % DAY);
            assert_eq!(read(&write(time).unwrap()), Some(time));
        }
    }

    #[test]
    fn no_date_is_no_date() {
        for text in [
            "",
            "2026-01-01",
            "2026-01-01T00:00:00",
            "2026-01-01T00:00:00+01:00",
            "2026-02-29T00:00:00Z",
            "2026-06-31T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "1970-01-00T00:00:00Z",
            "1969-12-31T23:59:59Z",
            "2026-01-01T24:00:00Z",
            "2026-1-01T00:00:00Z",
            "+026-01-01T00:00:00Z",
            "2026-01-01-01T00:00:00Z",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn after_the_year_9999_there_is_no_date() {
        assert_eq!(write(UnixTime::from_secs(LAST + 1)), None);
    }
}
