//! How many connections this process's limit of open files leaves room for.

/// Left to the database, to log files and to calls to other systems, at least.
const LEAST_RESERVE: usize = 64;
/// Fewest connections, however low the limit is.
const FEWEST: usize = 16;

/// Most connections where the settings do not say: most of the open files that the process may have.
pub(super) fn most_connections() -> usize {
    let told = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    open_files(&told).map_or(usize::MAX, connections)
}

/// An eighth is left to everything else.
fn connections(files: usize) -> usize {
    let reserve = (files / 8).max(LEAST_RESERVE);
    files.saturating_sub(reserve).max(FEWEST)
}

/// The soft limit in a table as Linux tells it; none where there is none.
fn open_files(limits: &str) -> Option<usize> {
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLD: &str = "\
Limit                     Soft Limit           Hard Limit           Units     \n\
Max processes             95788                95788                processes \n\
Max open files            1024                 524288               files     \n\
Max locked memory         8388608              8388608              bytes     \n";

    #[test]
    fn an_eighth_of_the_open_files_is_kept_for_everything_else() {
        assert_eq!(open_files(TOLD).map(connections), Some(896));
        assert_eq!(connections(256), 192);
        assert_eq!(connections(1_000_000), 875_000);
        assert_eq!(connections(70), FEWEST);
    }

    #[test]
    fn no_limit_bounds_nothing() {
        assert_eq!(open_files(&TOLD.replace("1024  ", "unlimited")), None);
        assert_eq!(open_files(""), None);
    }
}
