//! Who may see what: proofs that only this module can make.

use crate::{
    chat::{Caller, Services, callers::KeyHolder},
    error::{Error, Result},
    model::{Chat, ChatId, ChatKind, Membership, MembershipStatus, PersonId, TenantId},
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
    let no_chat = || Error::not_found("there is no such chat");
    let found = services
        .store
        .chat(caller.tenant(), chat, caller.id())
        .await?;
    let Some((chat, membership)) = found else {
        return Err(no_chat());
    };
    let is_in = membership.is_some_and(|membership| membership.standing == MembershipStatus::In);
    match chat.kind {
        ChatKind::Open if is_in || !caller.person().is_guest() => {}
        ChatKind::Private | ChatKind::Direct | ChatKind::Conversation if is_in => {}
        ChatKind::Conversation if caller.person().is_agent() => {}
        ChatKind::Open | ChatKind::Private | ChatKind::Direct | ChatKind::Conversation => {
            return Err(no_chat());
        }
    }
    Ok(Reader { chat, membership })
}

/// Proves that a tenant's server may read a chat: any of the tenant's.
pub async fn tenant_reader(
    services: &Services,
    tenant: &KeyHolder,
    chat: ChatId,
) -> Result<Reader> {
    // Nobody has the number 0: nobody's place is read.
    let nobody = PersonId::new(0);
    let found = services
        .store
        .chat(tenant.tenant().id, chat, nobody)
        .await?;
    let Some((chat, membership)) = found else {
        return Err(Error::not_found("there is no such chat"));
    };
    Ok(Reader { chat, membership })
}
