//! Timestamps in milliseconds, and the clock.

use time::{
    OffsetDateTime,
    format_description::{BorrowedFormatItem, well_known::Rfc3339},
    macros::format_description,
};

/// RFC 3339 in UTC with milliseconds.
const FORMAT: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// An instant, in milliseconds since 1970-01-01 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Takes a number of milliseconds since 1970-01-01 UTC.
    pub const fn new(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970-01-01 UTC.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The instant `duration` later.
    #[must_use]
    pub fn plus(self, duration: std::time::Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(millis))
    }

    /// The instant `duration` earlier.
    #[must_use]
    pub fn minus(self, duration: std::time::Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_sub(millis))
    }

    /// How long it is from `earlier` to here; zero when it is not earlier.
    pub fn since(self, earlier: Self) -> std::time::Duration {
        let millis = self.0.saturating_sub(earlier.0);
        std::time::Duration::from_millis(u64::try_from(millis).unwrap_or(0))
    }

    /// Reads RFC 3339, in whatever time zone.
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        let instant = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        let millis = instant.unix_timestamp_nanos().div_euclid(1_000_000);
        i64::try_from(millis).ok().map(Self)
    }

    /// RFC 3339 in UTC with milliseconds, as `2026-01-31T09:30:00.250Z`.
    pub fn to_rfc3339(self) -> String {
        let written = self.written();
        written.map_or_else(|| self.formatted(), |text| text.as_str().to_owned())
    }

    /// The same without an allocation, of an instant of the years 1970 to 9999.
    pub fn written(self) -> Option<Written> {
        let millis = self
            .0
            .try_into()
            .ok()
            .filter(|millis| *millis < YEAR_10000)?;
        Some(Written::new(millis))
    }

    fn formatted(self) -> String {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000)
            .ok()
            .and_then(|instant| instant.format(FORMAT).ok())
            .unwrap_or_else(|| "1970-01-01T00:00:00.000Z".to_owned())
    }
}

/// The first millisecond of the year 10000.
const YEAR_10000: u64 = 253_402_300_800_000;
const MILLIS_OF_DAY: u64 = 86_400_000;

/// An instant in RFC 3339 with milliseconds. Every message has one or two of them, and to format them by a
/// description costs as much as the rest of its JSON.
#[derive(Debug, Clone, Copy)]
pub struct Written([u8; 24]);

impl Written {
    fn new(millis: u64) -> Self {
        let (days, of_day) = (millis / MILLIS_OF_DAY, millis % MILLIS_OF_DAY);
        let (year, month, day) = date(days);
        let seconds = of_day / 1_000;
        let mut text = *b"0000-00-00T00:00:00.000Z";
        let parts = [
            (0, 4, year),
            (5, 2, month),
            (8, 2, day),
            (11, 2, seconds / 3_600),
            (14, 2, seconds / 60 % 60),
            (17, 2, seconds % 60),
            (20, 3, of_day % 1_000),
        ];
        for (start, digits, mut number) in parts {
            for digit in text[start..start + digits].iter_mut().rev() {
                *digit = b"0123456789"[usize::try_from(number % 10).unwrap_or_default()];
                number /= 10;
            }
        }
        Self(text)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        // Digits and signs of ASCII.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// The year, the month and the day so many days after 1970-01-01 (Howard Hinnant, `civil_from_days`): years are counted
/// from March, so that a leap day is the last one of its year.
fn date(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    (year + era * 400 + u64::from(month <= 2), month, day)
}

/// The clock; tests may replace it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clock;

impl Clock {
    /// The present instant.
    pub fn now(self) -> Timestamp {
        let nanos = OffsetDateTime::now_utc().unix_timestamp_nanos();
        Timestamp(i64::try_from(nanos / 1_000_000).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_instant_is_written_as_it_is_formatted(millis in 0..300_000_000_000_000_i64) {
            let at = Timestamp::new(millis);
            prop_assert_eq!(at.to_rfc3339(), at.formatted());
        }
    }

    #[test]
    fn the_ends_of_months_and_years_are_written_as_they_are_formatted() {
        let day = i64::try_from(MILLIS_OF_DAY).expect("a number");
        for days in 0..150_000 {
            for millis in [days * day, (days + 1) * day - 1] {
                let at = Timestamp::new(millis);
                assert_eq!(at.to_rfc3339(), at.formatted(), "{millis}");
            }
        }
        for millis in [
            -1,
            -62_135_596_800_000,
            i64::MIN,
            i64::MAX,
            253_402_300_800_000,
        ] {
            let at = Timestamp::new(millis);
            assert!(at.written().is_none());
            assert_eq!(at.to_rfc3339(), at.formatted(), "{millis}");
        }
    }

    #[test]
    fn an_instant_is_written_with_milliseconds() {
        assert_eq!(
            Timestamp::new(1_500_000_000_250).to_rfc3339(),
            "2017-07-14T02:40:00.250Z"
        );
        assert_eq!(Timestamp::new(0).to_rfc3339(), "1970-01-01T00:00:00.000Z");
        for text in ["2017-07-14T02:40:00.250Z", "2017-07-14T04:40:00.25+02:00"] {
            let read = Timestamp::from_rfc3339(text);
            assert_eq!(read, Some(Timestamp::new(1_500_000_000_250)), "{text}");
        }
        for wrong in ["", "2017-07-14", "2017-07-14T02:40:00", "1500000000"] {
            assert_eq!(Timestamp::from_rfc3339(wrong), None, "{wrong}");
        }
    }
}
