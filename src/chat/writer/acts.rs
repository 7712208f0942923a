//! What a batch does one by one: making chats, coming and going.

use crate::{
    chat::writer::{
        CreateDraft, MemberDraft,
        plan::{Subject, line_of},
    },
    error::{Error, Result},
    model::{
        Audience, Change, Chat, ChatId, ChatKind, MessageId, Millis, PersonName, Position, Role,
        Seq, Standing, What,
    },
    store::{
        Tx,
        batch::{Bump, Mark, NewChat, WriteSet},
    },
};

/// One act's place in its batch.
pub(super) struct Step<'a> {
    pub(super) tx: &'a mut Tx,
    /// The place of its first change in the log.
    pub(super) next: Position,
    pub(super) now: Millis,
}

/// Makes an open chat whose maker is its admin.
pub(super) async fn create(
    step: Step<'_>,
    draft: &CreateDraft,
    changes: &mut Vec<Change>,
) -> Result<Result<ChatId>> {
    let CreateDraft { actor, title } = draft;
    let new = NewChat {
        tenant: actor.tenant,
        kind: ChatKind::Open,
        title: Some(title),
        maker: actor.person.id,
        position: step.next,
    };
    let Some(id) = step.tx.insert_chat(&new, step.now).await? else {
        return Ok(Err(Error::conflict("an open chat has that title")));
    };
    let chat = Chat {
        id,
        tenant: actor.tenant,
        kind: ChatKind::Open,
        title: Some(title.as_str().to_owned()),
        created_at: step.now,
        deleted_at: None,
        members: 1,
        last_seq: Seq::new(0),
        last_position: step.next,
    };
    let subject = Subject {
        tenant: actor.tenant,
        chat: id,
        actor: &actor.person,
    };
    let told = [
        subject.change(
            step.next,
            step.now,
            Audience::Tenant,
            What::Chat(chat.clone()),
        ),
        subject.change(
            step.next.plus(1),
            step.now,
            Audience::Members,
            What::Joined(Role::Admin),
        ),
    ];
    let set = WriteSet {
        changes: told.iter().map(line_of).collect(),
        bumps: vec![(id, bump(&chat, 1))],
        marks: vec![(
            id,
            actor.person.id,
            newcomer(&chat, Role::Admin, told[1].position),
        )],
        ..WriteSet::default()
    };
    step.tx.write(&set, step.now).await?;
    changes.extend(told);
    Ok(Ok(id))
}

/// Makes somebody a member of an open chat; an admin when it has none.
pub(super) async fn join(
    step: Step<'_>,
    draft: &MemberDraft,
    changes: &mut Vec<Change>,
) -> Result<Result<()>> {
    let MemberDraft { actor, chat: id } = draft;
    let Some(chat) = step.tx.chat(actor.tenant, *id).await? else {
        return Ok(Err(no_chat()));
    };
    let standing = step
        .tx
        .membership(*id, actor.person.id)
        .await?
        .map(|membership| membership.standing);
    match (chat.kind, standing) {
        (_, Some(Standing::In)) => return Ok(Ok(())),
        (ChatKind::Open, None | Some(Standing::Left)) => {}
        (ChatKind::Open, Some(Standing::Removed)) => {
            return Ok(Err(Error::forbidden("you were removed from this chat")));
        }
        (ChatKind::Private | ChatKind::Direct | ChatKind::Desk, _) => return Ok(Err(no_chat())),
    }
    let role = if step.tx.admins(*id).await? == 0 {
        Role::Admin
    } else {
        Role::Member
    };
    let subject = Subject {
        tenant: actor.tenant,
        chat: *id,
        actor: &actor.person,
    };
    let told = subject.change(step.next, step.now, Audience::Members, What::Joined(role));
    let set = WriteSet {
        changes: vec![line_of(&told)],
        bumps: vec![(*id, bump(&chat, chat.members + 1))],
        marks: vec![(*id, actor.person.id, newcomer(&chat, role, step.next))],
        ..WriteSet::default()
    };
    step.tx.write(&set, step.now).await?;
    changes.push(told);
    Ok(Ok(()))
}

/// Ends a membership; when the last admin leaves, the longest member becomes one.
pub(super) async fn leave(
    step: Step<'_>,
    draft: &MemberDraft,
    changes: &mut Vec<Change>,
) -> Result<Result<()>> {
    let MemberDraft { actor, chat: id } = draft;
    let Some(chat) = step.tx.chat(actor.tenant, *id).await? else {
        return Ok(Err(no_chat()));
    };
    let membership = step.tx.membership(*id, actor.person.id).await?;
    let Some(membership) = membership.filter(|place| place.standing == Standing::In) else {
        return Ok(if chat.kind == ChatKind::Open {
            Ok(())
        } else {
            Err(no_chat())
        });
    };
    step.tx
        .end_membership(*id, actor.person.id, Standing::Left)
        .await?;
    let subject = |actor: &PersonName, at: Position, what: What| {
        Subject {
            tenant: draft.actor.tenant,
            chat: *id,
            actor,
        }
        .change(at, step.now, Audience::Members, what)
    };
    let mut told = vec![subject(&actor.person, step.next, What::Left)];
    if membership.role == Role::Admin
        && step.tx.admins(*id).await? == 0
        && let Some(heir) = step.tx.longest_member(*id).await?
    {
        step.tx.set_role(*id, heir.id, Role::Admin).await?;
        told.push(subject(&heir, step.next.plus(1), What::Joined(Role::Admin)));
    }
    let set = WriteSet {
        changes: told.iter().map(line_of).collect(),
        bumps: vec![(*id, bump(&chat, chat.members - 1))],
        ..WriteSet::default()
    };
    step.tx.write(&set, step.now).await?;
    changes.extend(told);
    Ok(Ok(()))
}

fn no_chat() -> Error {
    Error::not_found("there is no such chat")
}

/// The chat's row with another number of members; coming and going is no activity to sort by.
fn bump(chat: &Chat, members: i64) -> Bump {
    Bump {
        last_seq: chat.last_seq,
        last_message: None,
        last_position: chat.last_position,
        members,
    }
}

/// Who comes to a chat has nothing unread in it.
fn newcomer(chat: &Chat, role: Role, joined: Position) -> Mark {
    let read = MessageId::from(chat.last_position);
    Mark {
        tenant: chat.tenant,
        role,
        joined,
        read,
        read_seq: chat.last_seq,
    }
}
