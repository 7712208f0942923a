//! How long to wait before a delivery that failed is repeated, and when to give up.

use std::time::Duration;

/// How long the first wait is at most.
const FIRST: Duration = Duration::from_secs(5);
/// How long any is at most.
const LONGEST: Duration = Duration::from_hours(4);
/// After how long without a success a webhook is disabled.
pub(super) const GIVE_UP: Duration = Duration::from_hours(72);

/// How long to wait after so many failures in a row: twice as long after each, and of that from one half to all, as
/// `share`, from 0 to 1, says. So what failed together does not come back together.
pub(super) fn wait(failures: i64, share: f64) -> Duration {
    let doublings = u32::try_from(failures.saturating_sub(1).max(0)).unwrap_or(u32::MAX);
    let factor = 2_u32.checked_pow(doublings).unwrap_or(u32::MAX);
    let most = FIRST
        .checked_mul(factor)
        .map_or(LONGEST, |it| it.min(LONGEST));
    most.mul_f64(0.5 + share.clamp(0.0, 1.0) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_from_seconds_to_hours_and_differ_by_half() {
        assert_eq!(wait(1, 1.0), FIRST);
        assert_eq!(wait(1, 0.0), FIRST / 2);
        assert_eq!(wait(4, 1.0), FIRST * 8);
        assert_eq!(wait(4, 0.5), FIRST * 6);
        for failures in [20, 33, 64, i64::MAX] {
            assert_eq!(wait(failures, 1.0), LONGEST, "{failures}");
        }
        for failures in [i64::MIN, -1, 0] {
            assert_eq!(wait(failures, 1.0), FIRST, "{failures}");
        }
        let all: Duration = (1..30).map(|failures| wait(failures, 0.0)).sum();
        assert!(all < GIVE_UP, "it is tried often in that time");
    }
}
