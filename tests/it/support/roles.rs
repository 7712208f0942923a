//! Who is in a chat, and as what: by the log, and by the list of members.

use std::collections::BTreeMap;

use parlance::{
    chat::{Caller, access, members},
    model::{Change, ChangeKind, ChatId, PersonId, Role},
};

use crate::support::world::World;

/// Everybody in a chat with their roles, by the log alone.
pub(crate) fn roles_of(log: &[Change], chat: ChatId) -> BTreeMap<PersonId, Role> {
    let mut roles = BTreeMap::new();
    for change in log.iter().filter(|change| change.chat == chat) {
        match change.what {
            ChangeKind::Joined(role) | ChangeKind::Role(role) => {
                roles.insert(change.actor.id, role);
            }
            ChangeKind::Left => {
                roles.remove(&change.actor.id);
            }
            _ => {}
        }
    }
    roles
}

/// The same by the pages of the list of members.
pub(crate) async fn member_list(
    world: &World,
    caller: &Caller,
    chat: ChatId,
) -> BTreeMap<PersonId, Role> {
    let services = world.services();
    let reader = access::reader(services, caller, chat).await;
    let reader = reader.expect("they may read it");
    let (mut found, mut before) = (BTreeMap::new(), None);
    loop {
        let page = members::list(services, &reader, before, 2).await;
        let page = page.expect("a page");
        for (person, role, joined) in page.members {
            let twice = found.insert(person.id, role);
            assert_eq!(twice, None, "a member is listed twice");
            before = Some(joined);
        }
        if !page.more {
            return found;
        }
    }
}
