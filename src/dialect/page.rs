//! Pages: lists that are bounded in bytes as well as in number.
//!
//! A client can be told of a thousand short messages at once or of a few dozen long ones; which of
//! both it will be, the number alone does not say.

use std::io::{self, Write};

use serde::Serialize;

/// The most bytes of JSON in one page's list. With what comes around it an answer has about 1 MiB.
pub const PAGE_BYTES: usize = (1 << 20) - (16 << 10);

/// The entries that one page has room for, from the first on, and whether some are left. A first
/// entry always has room.
pub fn fitting<T: Serialize>(entries: impl IntoIterator<Item = T>) -> (Vec<T>, bool) {
    fitting_in(PAGE_BYTES, entries)
}

/// The same with so many bytes.
pub fn fitting_in<T: Serialize>(
    bytes: usize,
    entries: impl IntoIterator<Item = T>,
) -> (Vec<T>, bool) {
    let (mut kept, mut left) = (Vec::new(), bytes);
    for entry in entries {
        // With the comma after it.
        match left.checked_sub(json_len(&entry) + 1) {
            Some(rest) => left = rest,
            None if kept.is_empty() => left = 0,
            None => return (kept, true),
        }
        kept.push(entry);
    }
    (kept, false)
}

/// At most `limit` of what was read, of which one more was asked for, and whether there are more.
pub fn limited<T>(mut read: Vec<T>, limit: usize) -> (Vec<T>, bool) {
    let more = read.len() > limit;
    read.truncate(limit);
    (read, more)
}

/// How many bytes a value has as JSON.
fn json_len(value: &impl Serialize) -> usize {
    let mut counted = Counted(0);
    match serde_json::to_writer(&mut counted, value) {
        Ok(()) => counted.0,
        // What cannot be written down has no place in a page.
        Err(_) => usize::MAX - 1,
    }
}

/// Counts what is written, and keeps nothing.
struct Counted(usize);

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    #[test]
    fn a_first_entry_always_fits() {
        let long = "x".repeat(100);
        let (kept, more) = fitting_in(10, [&long, &long]);
        assert_eq!((kept.len(), more), (1, true));
        let (kept, more) = fitting_in(10, [&long]);
        assert_eq!((kept.len(), more), (1, false));
        let (kept, more) = fitting_in(10, Vec::<&str>::new());
        assert_eq!((kept.len(), more), (0, false));
    }

    #[test]
    fn what_was_asked_for_beyond_the_limit_is_more() {
        assert_eq!(limited(vec![1, 2, 3], 2), (vec![1, 2], true));
        assert_eq!(limited(vec![1, 2], 2), (vec![1, 2], false));
        assert_eq!(limited(vec![1], 0), (Vec::new(), true));
    }

    proptest! {
        #[test]
        fn pages_are_within_their_bytes_and_leave_nothing_out(
            entries in vec("[a\\\\\"\n\u{7}é]{0,30}", 0..30),
            bytes in 70_usize..400,
        ) {
            let mut read = Vec::new();
            while read.len() < entries.len() {
                let (page, more) = fitting_in(bytes, entries[read.len()..].iter());
                let json = serde_json::to_string(&page).unwrap();
                prop_assert!(json.len() <= bytes + 2 || page.len() == 1);
                read.extend(page.into_iter().cloned());
                prop_assert_eq!(more, read.len() < entries.len());
            }
            prop_assert_eq!(read, entries);
        }
    }
}
