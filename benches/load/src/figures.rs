//! Figures: their columns, medians, tails, spreads, and how they are written.

use std::{collections::BTreeMap, time::Duration};

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    Rate,
    Processor,
    Median,
    Tail,
    Last,
    Memory,
}

impl Column {
    pub const ALL: [Self; 6] = [
        Self::Rate,
        Self::Processor,
        Self::Median,
        Self::Tail,
        Self::Last,
        Self::Memory,
    ];

    pub fn title(self) -> &'static str {
        match self {
            Self::Rate => "a second",
            Self::Processor => "server's CPU each, us",
            Self::Median => "p50, ms",
            Self::Tail => "p99, ms",
            Self::Last => "all done after, ms",
            Self::Memory => "memory each, KiB",
        }
    }

    /// Its name in the JSON report.
    pub fn key(self) -> &'static str {
        match self {
            Self::Rate => "per_second",
            Self::Processor => "cpu_us",
            Self::Median => "p50_ms",
            Self::Tail => "p99_ms",
            Self::Last => "last_ms",
            Self::Memory => "memory_kib",
        }
    }

    pub fn more_is_better(self) -> bool {
        self == Self::Rate
    }
}

/// A unit with its article.
pub fn one(unit: &str) -> String {
    let article = if unit.starts_with(['a', 'e', 'i', 'o']) {
        "an"
    } else {
        "a"
    };
    format!("{article} {unit}")
}

/// Several of a unit.
pub fn several(unit: &str) -> String {
    match unit.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None => format!("{unit}s"),
    }
}

/// What one turn, or one run, showed.
#[derive(Clone, Default)]
pub struct Figures(BTreeMap<Column, f64>);

impl Figures {
    pub fn set(&mut self, column: Column, value: f64) {
        self.0.insert(column, value);
    }

    pub fn get(&self, column: Column) -> Option<f64> {
        self.0.get(&column).copied()
    }

    /// The median and the tail of some times, if there are any.
    pub fn set_times(&mut self, times: &mut Times) {
        if times.len() > 0 {
            self.set(Column::Median, milliseconds(times.at(0.5)));
            self.set(Column::Tail, milliseconds(times.at(0.99)));
        }
    }
}

/// The middle one of some values, the least and the greatest.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Spread {
    pub median: f64,
    pub least: f64,
    pub most: f64,
}

impl Spread {
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<_> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (least, most) = (*values.first()?, *values.last()?);
        let half = values.len() / 2;
        let median = if values.len().is_multiple_of(2) {
            f64::midpoint(values[half - 1], values[half])
        } else {
            values[half]
        };
        Some(Self {
            median,
            least,
            most,
        })
    }

    pub fn text(self) -> String {
        format!(
            "{} ({} to {})",
            digits(self.median),
            digits(self.least),
            digits(self.most)
        )
    }
}

/// A number with about three digits.
pub fn digits(value: f64) -> String {
    match value.abs() {
        large if large >= 100.0 => format!("{value:.0}"),
        middle if middle >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// Some times that were measured.
#[derive(Default)]
pub struct Times(Vec<Duration>);

impl Times {
    pub fn add(&mut self, time: Duration) {
        self.0.push(time);
    }

    pub fn append(&mut self, mut more: Self) {
        self.0.append(&mut more.0);
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The time that `share` of all do not exceed.
    pub fn at(&mut self, share: f64) -> Duration {
        self.0.sort_unstable();
        let last = self.0.len().saturating_sub(1);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a place in a list that fits in memory"
        )]
        let place = (last as f64 * share).round() as usize;
        self.0.get(place).copied().unwrap_or_default()
    }

    /// Median and 99th percentile, as the cells of a table.
    pub fn cells(&mut self) -> String {
        format!("{} | {}", written(self.at(0.5)), written(self.at(0.99)))
    }
}

pub fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// A time with three digits.
pub fn written(time: Duration) -> String {
    format!("{} ms", digits(milliseconds(time)))
}

/// One time as a multiple of another.
pub fn ratio(one: Duration, other: Duration) -> f64 {
    one.as_secs_f64() / other.as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_the_middle_the_least_and_the_greatest() {
        let spread = Spread::of([3.0, 1.0, 2.0]);
        let (median, least, most) = (2.0, 1.0, 3.0);
        assert_eq!(
            spread,
            Some(Spread {
                median,
                least,
                most
            })
        );
        assert_eq!(
            Spread::of([1.0, 2.0]).map(|spread| spread.median),
            Some(1.5)
        );
        assert_eq!(Spread::of([]), None);
    }

    #[test]
    fn times_have_a_median_and_a_tail() {
        let mut times = Times::default();
        for number in (1..=100).rev() {
            times.add(Duration::from_millis(number));
        }
        assert_eq!(times.at(0.0), Duration::from_millis(1));
        assert_eq!(times.at(0.99), Duration::from_millis(99));
        assert_eq!(times.at(1.0), Duration::from_millis(100));
    }
}
