//! Datagrams between servers of a PostgreSQL: what one tells the others at once, and nobody stores.
//!
//! They may be lost, and say so by their numbers: each server counts its own.

use std::{
    collections::VecDeque,
    sync::{Mutex, atomic::Ordering},
};

use super::{Nodes, lock};
use crate::store::Store;

/// PostgreSQL takes less than 8,000 bytes in a notification.
const LONGEST: usize = 7_900;
/// Room for what is before the lines: a version, a server's id and a number.
const HEADER: usize = 64;
/// The most that waits to be sent. Beyond that all of it is dropped, and others notice by the numbers.
const QUEUED: usize = 16 << 20;
/// The most datagrams of one statement.
const AT_ONCE: usize = 64;
/// By what a datagram begins that this version understands.
const VERSION: &str = "1";

/// What a server told the others at one time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Datagram {
    /// The server's id: another one after each start.
    pub node: String,
    /// Its place among all of that server.
    pub number: u64,
    /// What it says.
    pub lines: Vec<String>,
}

impl Datagram {
    /// What a notification says; nothing if it is none of this version, or of this server itself.
    pub(super) fn read(payload: &str, own: &str) -> Option<Self> {
        if payload.len() > LONGEST {
            return None;
        }
        let mut lines = payload.split('\n');
        let mut header = lines.next()?.split(' ');
        let (version, node, number) = (header.next()?, header.next()?, header.next()?);
        if version != VERSION || node == own {
            return None;
        }
        Some(Self {
            node: node.to_owned(),
            number: number.parse().ok()?,
            lines: lines.map(str::to_owned).collect(),
        })
    }
}

/// What waits to be told.
#[derive(Debug, Default)]
pub(super) struct Posts(Mutex<Queue>);

#[derive(Debug, Default)]
struct Queue {
    lines: VecDeque<String>,
    bytes: usize,
    /// The number of the last datagram.
    number: u64,
}

impl Posts {
    fn push(&self, line: String) {
        let mut queue = lock(&self.0);
        if queue.bytes + line.len() > QUEUED {
            queue.lines.clear();
            queue.bytes = 0;
            queue.number += 1;
        }
        queue.bytes += line.len();
        queue.lines.push_back(line);
    }

    /// Some of what waits, as payloads of notifications.
    pub(super) fn take(&self, node: &str) -> Vec<String> {
        let mut queue = lock(&self.0);
        let mut payloads = Vec::new();
        while payloads.len() < AT_ONCE && !queue.lines.is_empty() {
            queue.number += 1;
            let mut payload = format!("{VERSION} {node} {}", queue.number);
            while let Some(line) = queue.lines.front()
                && payload.len() + 1 + line.len() <= LONGEST
                && let Some(line) = queue.lines.pop_front()
            {
                queue.bytes -= line.len();
                payload.push('\n');
                payload.push_str(&line);
            }
            payloads.push(payload);
        }
        payloads
    }
}

impl Nodes {
    fn post(&self, line: String) {
        if self.others.load(Ordering::Relaxed) {
            self.unsaid.posts.push(line);
            self.wake();
        }
    }
}

impl Store {
    /// The most bytes of a line.
    pub const LONGEST_POST: usize = LONGEST - HEADER;

    /// Tells a line to other servers of the database, if there are any: soon, together with others, and at most once. A
    /// line that is too long, or is several, is not told.
    pub fn post(&self, line: String) {
        if let Some(nodes) = self.nodes()
            && line.len() <= Self::LONGEST_POST
            && !line.contains(['\n', '\0'])
        {
            nodes.post(line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(number: usize) -> String {
        format!("{number} {}", "x".repeat(number % 900))
    }

    #[test]
    fn lines_are_told_together_in_their_order_and_no_payload_is_too_long() {
        let posts = Posts::default();
        for number in 0..2_000 {
            posts.push(line(number));
        }
        let mut told = Vec::new();
        let mut numbers = Vec::new();
        loop {
            let payloads = posts.take("a");
            assert!(payloads.len() <= AT_ONCE);
            if payloads.is_empty() {
                break;
            }
            for payload in payloads {
                assert!(payload.len() <= LONGEST);
                assert_eq!(Datagram::read(&payload, "a"), None, "its own");
                let datagram = Datagram::read(&payload, "b").expect("another's");
                assert_eq!(datagram.node, "a");
                numbers.push(datagram.number);
                told.extend(datagram.lines);
            }
        }
        assert_eq!(told, (0..2_000).map(line).collect::<Vec<_>>());
        assert!(numbers.iter().copied().eq((1..).take(numbers.len())));
    }

    #[test]
    fn the_longest_line_fits_beside_the_longest_header() {
        let posts = Posts::default();
        lock(&posts.0).number = u64::MAX - 1;
        posts.push("x".repeat(Store::LONGEST_POST));
        let payload = &posts.take(&"n".repeat(16))[0];
        assert_eq!(
            Datagram::read(payload, "").map(|it| it.lines.len()),
            Some(1)
        );
    }

    #[test]
    fn what_is_dropped_leaves_a_gap_in_the_numbers() {
        let posts = Posts::default();
        posts.push("x".repeat(QUEUED));
        posts.push("y".to_owned());
        let payloads = posts.take("a");
        let datagram = Datagram::read(&payloads[0], "").expect("it is read");
        assert_eq!((datagram.number, datagram.lines), (2, vec!["y".to_owned()]));
    }

    #[test]
    fn what_is_longer_than_a_datagram_is_none() {
        let head = "1 a 1\n";
        let fits = head.to_owned() + &"x".repeat(LONGEST - head.len());
        assert!(Datagram::read(&fits, "").is_some());
        assert_eq!(Datagram::read(&(fits + "x"), ""), None);
    }

    #[test]
    fn another_version_is_not_understood() {
        for payload in ["", "1", "1 a", "1 a x\ny", "2 a 1\ny", "a"] {
            assert_eq!(Datagram::read(payload, ""), None, "{payload}");
        }
    }
}
