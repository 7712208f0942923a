//! Who has been renamed a moment ago, so that nothing told later bears an old name.
//!
//! # Why
//! A draft holds its actor as they were when it was handed in. One that was under way while its actor got
//! another name would be published after the change of the name, with the old one, and who follows the
//! log would keep that.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::model::{Change, ChangeKind, Person, PersonId};

/// For longer than this no request holds on to what it has read of its caller.
const LASTS: Duration = Duration::from_mins(5);

/// See the module.
#[derive(Default)]
pub(super) struct Renamed(HashMap<PersonId, (Arc<Person>, Instant)>);

impl Renamed {
    /// Gives the actors of a batch's changes the names that they have at their positions.
    pub(super) fn refresh(&mut self, changes: &mut [Change]) {
        for change in changes {
            if let ChangeKind::Person(_) = change.what {
                let now = Instant::now();
                self.0.retain(|_, (_, since)| *since + LASTS > now);
                let person = Arc::clone(&change.actor);
                self.0.insert(person.id, (person, now));
            } else if !self.0.is_empty()
                && let Some((person, _)) = self.0.get(&change.actor.id)
            {
                change.actor = Arc::clone(person);
            }
        }
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
        renamed.refresh(&mut [change(5, &other, renaming)]);
        assert_eq!(renamed.0.len(), 1);
    }
}
