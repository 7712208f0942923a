//! Who may see what: proofs that only this module can make.

use crate::{
    chat::{Caller, Services, callers::KeyHolder},
    error::{Error, Result},
    model::{Chat, ChatId, Denied, Lane, Membership, PersonId, Relation, TenantId},
    pubsub::{Subscriber, Topic},
};

/// Proof that the caller may read a chat.
#[derive(Debug, Clone)]
pub struct Reader {
    chat: Chat,
    membership: Option<Membership>,
}

impl Reader {
    /// The chat.
    pub fn chat(&self) -> &Chat {
        &self.chat
    }

    /// The caller's place in it, where they ever had one.
    pub fn membership(&self) -> Option<&Membership> {
        self.membership.as_ref()
    }

    /// The chat's number, with its tenant's.
    pub fn key(&self) -> (TenantId, ChatId) {
        (self.chat.tenant, self.chat.id)
    }
}

/// Proves that the caller may read a chat: an open one of their tenant, unless they are a guest, or one
/// they are in. What is not theirs does not exist.
pub async fn reader(services: &Services, caller: &Caller, chat: ChatId) -> Result<Reader> {
    let found = services
        .store
        .chat(caller.tenant(), chat, caller.id())
        .await?;
    let Some((chat, membership)) = found else {
        return Err(no_chat());
    };
    if !Relation::new(chat.kind, caller.person(), membership.as_ref()).can_read() {
        return Err(no_chat());
    }
    Ok(Reader { chat, membership })
}

/// Subscribes to a chat that the caller may read. A caller who polls again is not looked
/// up in the store again, unless something has happened to the chat or to its members. A chat that
/// the caller may not read is not subscribed to, so that such requests cannot fill the hub.
/// Also tells in which lane that is.
pub async fn subscribe(
    services: &Services,
    caller: &Caller,
    chat: ChatId,
) -> Result<(Subscriber, Lane)> {
    let (person, tenant) = (caller.id(), caller.tenant());
    let lane = services.lane_of(tenant);
    let hub = services.hub(tenant);
    let Some(subscriber) = hub.subscribe_known(chat) else {
        reader(services, caller, chat).await?;
        return Ok(subscribe_where(
            services,
            tenant,
            &Topic::Chat(tenant, chat),
        ));
    };
    if let Err(before) = subscriber.right(person) {
        reader(services, caller, chat).await?;
        subscriber.keep_right(person, before);
    }
    Ok((subscriber, lane))
}

/// Subscribes to a topic of a tenant in the lane where it is. A tenant that moves meanwhile is looked for again: what
/// was dropped before somebody subscribed would wake nobody.
pub(super) fn subscribe_where(
    services: &Services,
    tenant: TenantId,
    topic: &Topic,
) -> (Subscriber, Lane) {
    loop {
        let lane = services.lane_of(tenant);
        let subscriber = services.hub(tenant).subscribe(topic.clone());
        if services.lane_of(tenant) == lane {
            return (subscriber, lane);
        }
    }
}

/// Proves that a tenant's server may read a chat: any of the tenant's.
pub async fn tenant_reader(
    services: &Services,
    tenant: &KeyHolder,
    chat: ChatId,
) -> Result<Reader> {
    // No person has the number 0: no membership is read.
    let nobody = PersonId::new(0);
    let found = services
        .store
        .chat(tenant.tenant().id, chat, nobody)
        .await?;
    let Some((chat, membership)) = found else {
        return Err(no_chat());
    };
    Ok(Reader { chat, membership })
}

/// Proves that one of several callers of a tenant may read a chat: the member who came first of those
/// for whom `acts_for` has a caller.
pub async fn member_reader<'a>(
    services: &Services,
    tenant: &KeyHolder,
    chat: ChatId,
    acts_for: impl Fn(PersonId) -> Option<&'a Caller>,
) -> Result<Reader> {
    let members = services.store.member_ids(tenant.tenant().id, chat).await?;
    let caller = members.into_iter().find_map(acts_for);
    reader(services, caller.ok_or_else(no_chat)?, chat).await
}

fn no_chat() -> Error {
    Error::not_found("there is no such chat")
}

/// The error of a denial.
pub(super) fn denied(why: Denied) -> Error {
    match why {
        Denied::NotFound => no_chat(),
        Denied::Removed => Error::forbidden("you were removed from this chat"),
        Denied::NotMember => Error::forbidden("join the chat first"),
        Denied::NotAdmin => Error::forbidden("only an admin of the chat may do that"),
        Denied::NotSender => Error::forbidden("only its sender may change a message"),
    }
}
