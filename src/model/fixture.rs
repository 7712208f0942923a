//! People and changes for the unit tests of what is built on the model.

use std::sync::Arc;

use super::{
    Audience, Change, ChangeKind, ChatId, MessageId, Names, Person, PersonId, PersonKind, Position,
    TenantId, Timestamp,
};

/// The tenant of the people below.
pub(crate) const TENANT: TenantId = TenantId::new(1);

/// A person of that kind.
pub(crate) fn person(id: i64, kind: PersonKind) -> Arc<Person> {
    let at = Timestamp::new(0);
    Arc::new(Person {
        id: PersonId::new(id),
        tenant: TENANT,
        kind,
        name: "Ann".into(),
        names: Names::default(),
        email: None,
        photo: None,
        external_id: None,
        created_at: at,
        updated_at: at,
        deleted_at: None,
    })
}

/// A read mark of a person, which the members of the chat receive.
pub(crate) fn read_mark(position: i64, actor: i64, chat: ChatId) -> Change {
    Change {
        position: Position::new(position),
        tenant: TENANT,
        chat,
        actor: person(actor, PersonKind::Person),
        at: Timestamp::new(0),
        audience: Audience::Members,
        what: ChangeKind::Read(MessageId::new(1)),
    }
}
