//! UNIX time as people write it: `2026-01-31T12:00:00Z` (RFC 3339, in UTC, whole seconds, from 1970 to 9999).

use std::time::{Duration, UNIX_EPOCH};

use connmgr_core::UnixTime;

/// 9999-12-31T23:59:59Z: years have four digits.
const LAST: u64 = 253_402_300_799;

/// The date, or none after the year 9999.
pub(super) fn write(time: UnixTime) -> Option<String> {
    let secs = time.as_secs();
    (secs <= LAST).then(|| humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(secs)).to_string())
}

/// The time, if the text is a date from 1970 to 9999.
pub(super) fn read(text: &str) -> Option<UnixTime> {
    let since = humantime::parse_rfc3339(text).ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(UnixTime::from_secs(since.as_secs()))
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

    /// The core has no library for dates; it writes them as this one does.
    #[test]
    fn the_core_writes_dates_alike() {
        let days = (0..=LAST).step_by(12_345_679).chain((0..20_000).map(|day| day * 86_400 - u64::from(day > 0)));
        for secs in days.chain([LAST - 86_400, LAST]) {
            let time = UnixTime::from_secs(secs);
            assert_eq!(write(time), Some(time.to_string()));
        }
        assert_eq!(UnixTime::from_secs(LAST + 1).to_string(), "@253402300800");
        assert_eq!(UnixTime::from_secs(u64::MAX).to_string(), format!("@{}", u64::MAX));
    }

    #[test]
    fn after_the_year_9999_there_is_no_date() {
        assert_eq!(write(UnixTime::from_secs(LAST + 1)), None);
    }
}
