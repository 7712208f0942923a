//! Which changes a topic has: what its person may see, or what is of its chat.

use std::{collections::HashSet, sync::Arc};

use super::{Published, topic::Topic, topic_log::TopicLog};
use crate::model::{Audience, Change, ChangeKind, policy};

/// Whether a change may give or take the right to read its chat.
pub(super) fn changes_rights(what: &ChangeKind) -> bool {
    match what {
        ChangeKind::Joined(_)
        | ChangeKind::Left
        | ChangeKind::Chat(_)
        | ChangeKind::Conversation(..) => true,
        ChangeKind::Message(_)
        | ChangeKind::Edited(_)
        | ChangeKind::Deleted(_)
        | ChangeKind::Reaction(_)
        | ChangeKind::Role(_)
        | ChangeKind::Settings(_)
        | ChangeKind::Read(_)
        | ChangeKind::Person(_) => false,
    }
}

/// Takes out what a person is told no longer of chats whose deletion comes later. The store decides the same in SQL.
pub(super) fn drop_deleted(topic_log: &TopicLog, changes: &mut Vec<Arc<Published>>) {
    let Topic::Person(person) = &topic_log.topic else {
        return;
    };
    let gone = changes.iter().filter_map(|p| match &p.change.what {
        ChangeKind::Chat(chat) if chat.deleted_at.is_some() => Some(chat.id),
        _ => None,
    });
    let gone: HashSet<_> = gone.collect();
    if gone.is_empty() {
        return;
    }
    changes.retain(|p| {
        let change = &p.change;
        let is_passage = matches!(change.what, ChangeKind::Joined(_) | ChangeKind::Left);
        let is_own_passage = is_passage && change.actor.id == person.id;
        let is_of_facts = matches!(change.what, ChangeKind::Chat(_));
        !gone.contains(&change.chat)
            || policy::outlives_chat(change.audience, is_own_passage, is_of_facts)
    });
}

/// Whether a change concerns a topic. The store decides the same in SQL for one person's changes.
pub(super) fn is_visible_to(topic_log: &TopicLog, change: &Change) -> bool {
    match &topic_log.topic {
        Topic::Chat(_, chat) => change.chat == *chat && change.audience != Audience::Actor,
        Topic::Person(person) => {
            let own = change.actor.id == person.id;
            let is_passage = matches!(change.what, ChangeKind::Joined(_) | ChangeKind::Left);
            change.tenant == person.tenant
                && policy::hears(change.audience, person, (own, is_passage), || {
                    topic_log.is_in_any(change.chats(), change.position)
                })
        }
    }
}
