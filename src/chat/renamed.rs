//! Who has been renamed a moment ago, so that nothing told later bears an old name.
//!
//! # Why
//! A draft holds its actor as they were when it was handed in. One that was under way while its actor got
//! another name, here or at another server, would be published after the change of the name, with the old one, and
//! who follows the log would keep that.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::model::{Change, ChangeKind, Person, PersonId, Position};

/// For longer than this no request holds on to what it has read of its caller.
const LASTS: Duration = Duration::from_mins(5);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Renamed(HashMap<PersonId, Called>);

/// What somebody is called since a position, and when that was noted.
#[derive(Debug)]
struct Called {
    person: Arc<Person>,
    position: Position,
    noted_at: Instant,
}

impl Renamed {
    /// Gives the actors of a batch's changes the names that they have at their positions.
    pub(super) fn refresh(&mut self, changes: &mut [Change]) {
        for change in changes {
            if let ChangeKind::Person(_) = change.what {
                self.note(change.position, &change.actor);
            } else if !self.0.is_empty()
                && let Some(called) = self.0.get(&change.actor.id)
                && called.position < change.position
            {
                change.actor = Arc::clone(&called.person);
            }
        }
    }

    /// Notes what somebody is called since a position.
    pub(super) fn note(&mut self, position: Position, person: &Arc<Person>) {
        let now = Instant::now();
        self.0.retain(|_, called| called.noted_at + LASTS > now);
        let known = self.0.get(&person.id);
        // Changes of this server and of others are not noted in the order of the log.
        if known.is_some_and(|known| known.position > position) {
            return;
        }
        let called = Called {
            person: Arc::clone(person),
            position,
            noted_at: now,
        };
        self.0.insert(person.id, called);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        Audience, ChatId, MessageId, PersonChange, PersonKind, Position, TenantId, Timestamp,
        fixture::person,
    };

    fn ann(name: &str) -> Arc<Person> {
        Arc::new(Person {
            name: name.into(),
            ..Person::clone(&person(1, PersonKind::Person))
        })
    }

    fn change(position: i64, actor: &Arc<Person>, what: ChangeKind) -> Change {
        Change {
            position: Position::new(position),
            tenant: TenantId::new(1),
            chat: ChatId::new(7),
            actor: Arc::clone(actor),
            at: Timestamp::new(0),
            audience: Audience::Members,
            what,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_follows_a_new_name_bears_it_and_what_came_before_the_old_one() {
        let (old, new) = (ann("ann"), ann("anna"));
        let read = || ChangeKind::Read(MessageId::new(1));
        let renaming = ChangeKind::Person(PersonChange {
            gone: false,
            chats: Arc::default(),
        });
        let mut renamed = Renamed::default();
        let mut batch = [
            change(1, &old, read()),
            change(2, &new, renaming),
            change(3, &old, read()),
        ];
        renamed.refresh(&mut batch);
        let names = |batch: &[Change]| -> Vec<String> {
            batch.iter().map(|it| it.actor.name.to_string()).collect()
        };
        assert_eq!(names(&batch), ["ann", "anna", "anna"]);
        let mut later = [change(4, &old, read())];
        renamed.refresh(&mut later);
        assert_eq!(names(&later), ["anna"]);
        // Another server has renamed them since, and what was before that is noted after it.
        renamed.note(Position::new(6), &ann("annie"));
        renamed.note(Position::new(2), &new);
        let mut around = [change(5, &new, read()), change(7, &old, read())];
        renamed.refresh(&mut around);
        assert_eq!(names(&around), ["anna", "annie"]);
        // It does not grow with the names that were ever changed.
        tokio::time::advance(LASTS).await;
        let other = Arc::new(Person {
            id: PersonId::new(2),
            ..Person::clone(&new)
        });
        let renaming = ChangeKind::Person(PersonChange {
            gone: false,
            chats: Arc::default(),
        });
        renamed.refresh(&mut [change(8, &other, renaming)]);
        assert_eq!(renamed.0.len(), 1);
    }
}
