//! Creating chats: at most once for each idempotency key.

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use super::{
    ActionRequest, ChatAction, CreateDraft, Right,
    actions::{self, ChangeBuilder, TxContext, chat_update, missing, newcomer},
    digest::digest,
    plan::audience_in,
};
use crate::{
    error::{Error, Kind, Result},
    model::{
        Audience, Change, ChangeKind, Chat, ChatId, ChatKind, ClientId, ConversationStatus,
        Description, Person, PersonId, Role, Seq, TenantId, Title, chat::pair_key,
    },
    store::batch::{Creation, CreationKey, MembershipUpdate, NewChat, WriteSet},
};

/// The idempotency key of a creation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateKey {
    /// Whose key it is: a person's, or else their tenant's own server's.
    pub person: Option<PersonId>,
    /// The key.
    pub client_id: ClientId,
}

/// The chat of a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Created {
    /// The chat.
    pub chat: ChatId,
    /// Whether it was there before.
    pub was: Was,
}

/// Whether a chat was there before it was to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Was {
    /// It was not.
    New,
    /// It was, as the only one of its kind that there may be.
    Found,
    /// It was made under the same key.
    Replayed,
}

impl CreateKey {
    /// The key as it is kept.
    pub(in crate::chat) fn in_tenant(&self, tenant: TenantId) -> CreationKey<'_> {
        CreationKey {
            tenant,
            person: self.person,
            client_id: &self.client_id,
        }
    }
}

/// The digest by which a repeated creation is recognised. The order of the people, and which of them creates
/// the chat, make no difference.
pub(in crate::chat) fn creation_digest(
    kind: ChatKind,
    (title, description): (Option<&Title>, Option<&Description>),
    people: impl IntoIterator<Item = PersonId>,
) -> String {
    let people: BTreeSet<_> = people.into_iter().map(PersonId::get).collect();
    let people: Vec<_> = people.iter().map(ToString::to_string).collect();
    let title = title.map_or("", Title::as_str);
    let parts = ["chat", kind.as_str(), title].into_iter();
    // A chat without a description has the digest that it had before there were any.
    let about = description.map(Description::as_str);
    digest(parts.chain(people.iter().map(String::as_str)).chain(about))
}

/// The answer to a creation whose key was used before: that chat, if the digest is the same.
pub(in crate::chat) fn replay(earlier: &Creation, digest: &str) -> Result<Created> {
    if earlier.digest != digest {
        return Err(Error::new(
            Kind::Mismatch,
            "this client_id was used for another chat",
        ));
    }
    Ok(Created {
        chat: earlier.chat,
        was: Was::Replayed,
    })
}

/// Makes a chat and its first members, unless it is there.
pub(super) async fn create(
    mut context: TxContext<'_>,
    draft: &CreateDraft,
    changes: &mut Vec<Change>,
) -> Result<Result<Created>> {
    let people = first_members(draft);
    let ids = people.iter().map(|(person, _)| person.id);
    let about = (draft.title.as_ref(), draft.description.as_ref());
    let digest = creation_digest(draft.kind, about, ids);
    let key = draft.key.as_ref().map(|key| key.in_tenant(draft.tenant));
    if let Some(key) = key
        && let Some(earlier) = context.tx.creation(key).await?
    {
        return Ok(replay(&earlier, &digest));
    }
    let created = match find(context.reborrow(), draft, &people, changes).await? {
        Some(found) => found,
        None => make(context.reborrow(), draft, people, changes).await?,
    };
    if let (Some(key), Ok(created)) = (key, &created) {
        let chat = created.chat;
        let made = Creation { chat, digest };
        context.tx.insert_creation(key, &made, context.now).await?;
    }
    Ok(created)
}

/// The existing chat, where there may be one only: a guest has one conversation, however many connections
/// begin it at once, and two people have one direct chat, which both are then members of again.
async fn find(
    context: TxContext<'_>,
    draft: &CreateDraft,
    people: &[(Arc<Person>, Role)],
    changes: &mut Vec<Change>,
) -> Result<Option<Result<Created>>> {
    let (tenant, made_by) = (draft.tenant, &draft.created_by);
    let chat = match (draft.kind, people) {
        (ChatKind::Conversation, _) => context.tx.chat_of_guest(tenant, made_by.id).await?,
        (ChatKind::Direct, [(one, _), (other, _)]) => {
            let pair = pair_key(one.id, other.id);
            context.tx.direct_chat(tenant, &pair).await?
        }
        (ChatKind::Direct, _) => {
            let refusal = Error::invalid("a direct chat is of two people");
            return Ok(Some(Err(refusal)));
        }
        (ChatKind::Open | ChatKind::Private, _) => None,
    };
    let Some(chat) = chat else { return Ok(None) };
    let was = Was::Found;
    if draft.kind == ChatKind::Direct {
        let both = people.iter().map(|(person, _)| Arc::clone(person));
        let back = ActionRequest {
            right: Right::Tenant,
            ..ActionRequest::own(made_by, chat, ChatAction::Add(both.collect()))
        };
        if let Err(refusal) = actions::act(context, &back, changes).await? {
            return Ok(Some(Err(refusal)));
        }
    }
    Ok(Some(Ok(Created { chat, was })))
}

async fn make(
    context: TxContext<'_>,
    draft: &CreateDraft,
    people: Vec<(Arc<Person>, Role)>,
    changes: &mut Vec<Change>,
) -> Result<Result<Created>> {
    if let Some(refusal) = missing(context.tx, draft.tenant, &draft.members).await? {
        return Ok(Err(refusal));
    }
    let status = (draft.kind == ChatKind::Conversation).then_some(ConversationStatus::Waiting);
    let pair = match (draft.kind, &people[..]) {
        (ChatKind::Direct, [(one, _), (other, _)]) => Some(pair_key(one.id, other.id)),
        _ => None,
    };
    let new = NewChat {
        tenant: draft.tenant,
        kind: draft.kind,
        title: draft.title.as_ref(),
        description: draft.description.as_ref(),
        key: pair.as_deref(),
        created_by: draft.created_by.id,
        room: draft.room.as_deref(),
        extra: draft.extra.as_deref(),
        domain: draft.domain.as_deref(),
        status,
        position: context.next,
    };
    let Some(id) = context.tx.insert_chat(&new, context.now).await? else {
        return Ok(Err(Error::conflict(match draft.kind {
            ChatKind::Open => "an open chat has that title",
            ChatKind::Private | ChatKind::Direct | ChatKind::Conversation => "a chat has that name",
        })));
    };
    let chat = Chat {
        status,
        members: i64::try_from(people.len()).unwrap_or(i64::MAX),
        ..empty_chat(id, draft, &context)
    };
    let builder = context.builder(&chat);
    let (told, memberships) = first_changes(builder, draft, &people);
    let set = WriteSet {
        chat_updates: vec![(id, chat_update(&chat, chat.members))],
        memberships,
        ..WriteSet::default()
    };
    context.write(told, set, changes).await?;
    let was = Was::New;
    Ok(Ok(Created { chat: id, was }))
}

/// A new chat without members.
fn empty_chat(id: ChatId, draft: &CreateDraft, context: &TxContext<'_>) -> Chat {
    Chat {
        id,
        tenant: draft.tenant,
        kind: draft.kind,
        title: draft.title.as_ref().map(|title| title.as_str().to_owned()),
        description: draft.description.as_ref().map(|it| it.as_str().to_owned()),
        room: draft.room.clone(),
        extra: draft.extra.clone(),
        created_by: draft.created_by.id,
        domain: draft.domain.clone(),
        status: None,
        created_at: context.now,
        updated_at: context.now,
        deleted_at: None,
        members: 0,
        last_seq: Seq::new(0),
        last_position: context.next,
    }
}

/// The changes of a new chat, and its members' rows. Members of a chat that is not open receive its change
/// once they have joined it.
fn first_changes(
    mut builder: ChangeBuilder<'_>,
    draft: &CreateDraft,
    people: &[(Arc<Person>, Role)],
) -> (Vec<Change>, Vec<(ChatId, PersonId, MembershipUpdate)>) {
    let chat = builder.chat;
    let made_by = &draft.created_by;
    if draft.kind == ChatKind::Open {
        builder.push(made_by, Audience::Tenant, ChangeKind::Chat(chat.clone()));
    }
    let mut memberships = Vec::with_capacity(people.len());
    for (person, role) in people {
        let joined = builder.push(person, audience_in(draft.kind), ChangeKind::Joined(*role));
        memberships.push((chat.id, person.id, newcomer(chat, *role, joined)));
    }
    match draft.kind {
        ChatKind::Open => {}
        ChatKind::Private | ChatKind::Direct => {
            builder.push(made_by, Audience::Members, ChangeKind::Chat(chat.clone()));
        }
        ChatKind::Conversation => {
            let what = ChangeKind::Conversation(chat.clone(), None);
            builder.push(made_by, Audience::Agents, what);
        }
    }
    (builder.changes, memberships)
}

/// The first members of a new chat, each once: its creator first, if they join it.
fn first_members(draft: &CreateDraft) -> Vec<(Arc<Person>, Role)> {
    let created_by = draft.joins_as.map(|role| (&draft.created_by, role));
    let others = draft.members.iter().map(|person| (person, Role::Member));
    let mut seen = HashSet::new();
    created_by
        .into_iter()
        .chain(others)
        .filter(|(person, _)| seen.insert(person.id))
        .map(|(person, role)| (Arc::clone(person), role))
        .collect()
}
