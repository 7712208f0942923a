//! Members: bringing people into a chat and taking them out, however many they are.

use std::{collections::HashSet, sync::Arc};

use crate::{
    chat::{
        Caller, Services,
        access::Reader,
        callers::KeyHolder,
        limits::Who,
        writer::{ActionRequest, ChatAction, MOST_IN_ACT, Right},
    },
    error::{Error, Result},
    model::{ChatId, Cursor, Person, PersonId, Position, Role, TenantId},
};

/// The field that a refusal of somebody named as a member is about.
pub const FIELD: &str = "members";

/// By what right somebody changes who is in a chat.
#[derive(Debug, Clone, Copy)]
pub enum Authority<'a> {
    /// Their own place in the chat.
    Own,
    /// Their tenant's key: all of the tenant's chats are its server's.
    Tenant(&'a KeyHolder),
}

/// Makes people members of a chat in the caller's name; a refusal that names the first who is none of
/// the tenant's. It counts as so many requests.
pub async fn add(
    services: &Services,
    caller: &Caller,
    authority: Authority<'_>,
    chat: ChatId,
    people: &[PersonId],
) -> Result<()> {
    let change = Change::of(caller, authority, chat)?;
    let people = find_counted(services, caller, people).await?;
    add_found(services, &change, &people).await
}

/// Ends people's membership in the caller's name, as [`add`] begins it.
pub async fn remove(
    services: &Services,
    caller: &Caller,
    authority: Authority<'_>,
    chat: ChatId,
    people: &[PersonId],
) -> Result<()> {
    let change = Change::of(caller, authority, chat)?;
    let people = find_counted(services, caller, people).await?;
    remove_found(services, &change, &people).await
}

/// Gives a member a role in the caller's name.
pub async fn set_role(
    services: &Services,
    caller: &Caller,
    authority: Authority<'_>,
    chat: ChatId,
    (person, role): (PersonId, Role),
) -> Result<()> {
    let change = Change::of(caller, authority, chat)?;
    let people = find(services, caller.tenant(), &[person]).await?;
    for person in people {
        change
            .act(services, ChatAction::SetRole(person, role))
            .await?;
    }
    Ok(())
}

/// A page of the people in a chat, and the log's place before it was read.
#[derive(Debug)]
pub struct MemberPage {
    /// Who came last is first: each with their role and the change by which they came.
    pub members: Vec<(Person, Role, Position)>,
    /// Whether there are more, who came earlier.
    pub more: bool,
    /// Everything up to here is in the page; what comes after may be.
    pub cursor: Cursor,
}

/// A page of the people in a chat: those who came before a place of the log.
pub async fn list(
    services: &Services,
    reader: &Reader,
    before: Option<Position>,
    limit: usize,
) -> Result<MemberPage> {
    let cursor = services.cursor(reader.key().0);
    let ask = limit.saturating_add(1);
    let mut members = services
        .store
        .members_page(reader.key(), before, ask)
        .await?;
    let more = members.len() > limit;
    members.truncate(limit);
    Ok(MemberPage {
        members,
        more,
        cursor,
    })
}

/// The numbers of the people in a chat, those who came first at first.
pub async fn ids(services: &Services, reader: &Reader) -> Result<Vec<PersonId>> {
    let (tenant, chat) = reader.key();
    services.store.member_ids(tenant, chat).await
}

/// Who changes the members of which chat, and by what right.
#[derive(Debug, Clone)]
pub(super) struct Change {
    /// In whose name.
    pub(super) actor: Arc<Person>,
    /// By what right.
    pub(super) right: Right,
    /// Where.
    pub(super) chat: ChatId,
}

impl Change {
    fn of(caller: &Caller, authority: Authority<'_>, chat: ChatId) -> Result<Self> {
        let right = match authority {
            Authority::Own => Right::Own,
            Authority::Tenant(holder) if holder.tenant().id == caller.tenant() => Right::Tenant,
            Authority::Tenant(_) => return Err(Error::not_found("there is no such chat")),
        };
        Ok(Self {
            actor: Arc::clone(caller.person()),
            right,
            chat,
        })
    }

    /// Carries out one act.
    pub(super) async fn act(&self, services: &Services, action: ChatAction) -> Result<()> {
        let request = ActionRequest {
            right: self.right,
            ..ActionRequest::own(&self.actor, self.chat, action)
        };
        services.writer.act(request).await
    }
}

/// These people of the caller's tenant, counted as so many requests.
pub(super) async fn find_counted(
    services: &Services,
    caller: &Caller,
    ids: &[PersonId],
) -> Result<Vec<Arc<Person>>> {
    count(services, caller, ids.len())?;
    find(services, caller.tenant(), ids).await
}

/// These people of a tenant; a refusal that names the first who is none.
pub(super) async fn find(
    services: &Services,
    tenant: TenantId,
    ids: &[PersonId],
) -> Result<Vec<Arc<Person>>> {
    let found = services.store.people(tenant, ids).await?;
    if found.len() < ids.len() {
        let known: HashSet<_> = found.iter().map(|person| person.id).collect();
        if let Some(missing) = ids.iter().find(|id| !known.contains(id)) {
            return Err(no_user(*missing));
        }
    }
    Ok(found.into_iter().map(Arc::new).collect())
}

/// The refusal of somebody who was named among the members; it names the field, so that callers can tell it from
/// the refusal of a chat that is gone.
pub(super) fn no_user(id: PersonId) -> Error {
    Error::not_found(format!("there is no user {id}")).in_field(FIELD)
}

/// Counts an act that concerns so many people as so many requests, beside the one it came with.
fn count(services: &Services, caller: &Caller, people: usize) -> Result<()> {
    if let Some(login) = caller.login() {
        let login = Who::Login(login.login.id);
        services.limits.count_many(login, people)?;
    }
    count_for_tenant(services, caller.tenant(), people)
}

/// The same for an act in a tenant's own name.
pub(super) fn count_for_tenant(services: &Services, tenant: TenantId, people: usize) -> Result<()> {
    services.limits.count_many(Who::Tenant(tenant), people)
}

/// Makes people members. Many come in several transactions, so that others are not kept waiting.
pub(super) async fn add_found(
    services: &Services,
    change: &Change,
    people: &[Arc<Person>],
) -> Result<()> {
    for some in people.chunks(MOST_IN_ACT) {
        change.act(services, ChatAction::Add(some.to_vec())).await?;
    }
    Ok(())
}

/// Ends people's membership, many in several transactions; somebody's own ends as if they left.
pub(super) async fn remove_found(
    services: &Services,
    change: &Change,
    people: &[Arc<Person>],
) -> Result<()> {
    if let [person] = people
        && person.id == change.actor.id
    {
        return change.act(services, ChatAction::Leave).await;
    }
    for some in people.chunks(MOST_IN_ACT) {
        change
            .act(services, ChatAction::Remove(some.to_vec()))
            .await?;
    }
    Ok(())
}
