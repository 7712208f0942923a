//! Members: bringing people into a chat and taking them out, however many they are.

use std::{collections::HashSet, sync::Arc};

use crate::{
    chat::{
        Caller, Services,
        limits::Who,
        writer::{ActionRequest, ChatAction, MOST_IN_ACT, Right},
    },
    error::{Error, Result},
    model::{ChatId, Person, PersonId, TenantId},
};

/// Who changes the members of which chat, and by what right.
#[derive(Debug, Clone)]
pub struct Change {
    /// Who does it.
    pub actor: Arc<Person>,
    /// By what right.
    pub right: Right,
    /// Where.
    pub chat: ChatId,
}

/// These people of a tenant; a refusal that names the first who is none.
pub async fn find(
    services: &Services,
    tenant: TenantId,
    ids: &[PersonId],
) -> Result<Vec<Arc<Person>>> {
    let found = services.store.people(tenant, ids).await?;
    if found.len() < ids.len() {
        let known: HashSet<_> = found.iter().map(|person| person.id).collect();
        if let Some(missing) = ids.iter().find(|id| !known.contains(id)) {
            return Err(Error::not_found(format!("there is no user {missing}")));
        }
    }
    Ok(found.into_iter().map(Arc::new).collect())
}

/// Counts an act that concerns so many people as so many requests, beside the one it came with.
pub fn count(services: &Services, caller: &Caller, people: usize) -> Result<()> {
    if let Some(login) = caller.login() {
        let login = Who::Login(login.login.id);
        services.limits.count_many(login, people)?;
    }
    count_for_tenant(services, caller.tenant(), people)
}

/// The same for an act in a tenant's own name.
pub fn count_for_tenant(services: &Services, tenant: TenantId, people: usize) -> Result<()> {
    services.limits.count_many(Who::Tenant(tenant), people)
}

/// Makes people members. Many come in several transactions, so that others are not kept waiting.
pub async fn add(services: &Services, change: &Change, people: &[Arc<Person>]) -> Result<()> {
    for some in people.chunks(MOST_IN_ACT) {
        act(services, change, ChatAction::Add(some.to_vec())).await?;
    }
    Ok(())
}

/// Ends people's membership, many in several transactions; somebody's own ends as if they left.
pub async fn remove(services: &Services, change: &Change, people: &[Arc<Person>]) -> Result<()> {
    if let [person] = people
        && person.id == change.actor.id
    {
        return act(services, change, ChatAction::Leave).await;
    }
    for some in people.chunks(MOST_IN_ACT) {
        act(services, change, ChatAction::Remove(some.to_vec())).await?;
    }
    Ok(())
}

async fn act(services: &Services, change: &Change, action: ChatAction) -> Result<()> {
    let Change { actor, right, chat } = change.clone();
    let draft = ActionRequest {
        actor,
        right,
        chat,
        action,
    };
    services.writer.act(draft).await
}
