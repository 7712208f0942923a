//! A person as a login knows them: as they were when it was read, and as they are since.
//!
//! # Why
//! A socket acts for its person for days. Another name must reach it, and everything else that holds the
//! login, without each of them reading the store for every message. What they were called stays valid for
//! code that has borrowed it, so newer versions are only ever appended, and there is a bound on them.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicI64, Ordering},
};

use crate::model::{Person, Position};

/// The most versions after the first one.
const MOST: usize = 32;

/// See the module.
#[derive(Debug)]
pub(super) struct Latest {
    first: Version,
    /// Where the log tells of the newest version.
    told: AtomicI64,
}

#[derive(Debug)]
struct Version {
    person: Arc<Person>,
    next: OnceLock<Box<Version>>,
}

impl Version {
    fn new(person: Arc<Person>) -> Self {
        Self {
            person,
            next: OnceLock::new(),
        }
    }
}

impl Latest {
    /// A person as they were read.
    pub(super) fn new(person: Arc<Person>) -> Self {
        Self {
            first: Version::new(person),
            told: AtomicI64::new(0),
        }
    }

    /// The person as they are.
    pub(super) fn get(&self) -> &Arc<Person> {
        let mut version = &self.first;
        while let Some(next) = version.next.get() {
            version = next;
        }
        &version.person
    }

    /// Notes what the person is like since a position; says no when there is no room for another version. It
    /// is called under one lock.
    pub(super) fn set(&self, position: Position, person: &Arc<Person>) -> bool {
        if self.told.fetch_max(position.get(), Ordering::Relaxed) >= position.get() {
            return true;
        }
        let (mut version, mut count) = (&self.first, 0);
        while let Some(next) = version.next.get() {
            version = next;
            count += 1;
        }
        let newest = Box::new(Version::new(Arc::clone(person)));
        count < MOST && version.next.set(newest).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{PersonKind, fixture::person};

    fn called(name: &str) -> Arc<Person> {
        Arc::new(Person {
            name: name.into(),
            ..Person::clone(&person(1, PersonKind::Person))
        })
    }

    #[test]
    fn the_version_of_the_newest_position_is_the_one() {
        let latest = Latest::new(called("ann"));
        assert!(latest.set(Position::new(5), &called("anna")));
        assert!(latest.set(Position::new(4), &called("annie")));
        assert_eq!(&*latest.get().name, "anna");
    }

    #[test]
    fn versions_are_bounded() {
        let latest = Latest::new(called("ann"));
        let kept = (1..100).take_while(|at| latest.set(Position::new(*at), &called("anna")));
        assert_eq!(kept.count(), MOST);
    }
}
