//! Lengths of time as operators write them: `"90s"`, `"15m"`, `"12h"`, `"30d"`, or plain seconds.

use std::time::Duration;

const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

/// Reads a whole number and a unit (`s`, `m`, `h` or `d`); a number alone counts seconds.
pub fn parse(text: &str) -> Option<Duration> {
    let text = text.trim();
    let (number, seconds) = UNITS
        .iter()
        .find_map(|(unit, seconds)| Some((text.strip_suffix(*unit)?, *seconds)))
        .unwrap_or((text, 1));
    let number = number.trim_end();
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: u64 = number.parse().ok()?;
    Some(Duration::from_secs(number.checked_mul(seconds)?))
}

/// Writes whole seconds with the largest unit that leaves no rest, so that [`parse`] reads it back.
pub fn spell(length: Duration) -> String {
    let seconds = length.as_secs();
    let (unit, size) = UNITS
        .into_iter()
        .find(|(_, size)| seconds > 0 && seconds.is_multiple_of(*size))
        .unwrap_or(('s', 1));
    format!("{}{unit}", seconds / size)
}
