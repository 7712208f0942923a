//! Signing up by an invitation: the account and its first membership come in one transaction, so that an
//! invitation is used exactly as often as people came by it.

use std::sync::Arc;

use super::{
    ActionRequest, ChatAction, SignUpDraft, SignedUp,
    actions::{self, TxContext},
    governing::no_invitation,
};
use crate::{
    chat::accounts,
    error::{Error, Result},
    model::Change,
};

/// Makes an account with a login, and a member of the chat that its invitation is to. Once something is written
/// every refusal is an error of the whole transaction, which undoes it.
pub(super) async fn sign_up(
    mut context: TxContext<'_>,
    draft: &SignUpDraft,
    changes: &mut Vec<Change>,
) -> Result<Result<SignedUp>> {
    let tenant = draft.person.tenant;
    let now = context.now;
    let tx = &mut *context.tx;
    let found = tx.invitation(&draft.invite).await?;
    let found = found.filter(|it| it.is_good(now) && it.chat.tenant == tenant);
    let Some(invitation) = found else {
        return Ok(Err(no_invitation()));
    };
    // The unique keys decide; asked first, so that who is refused costs the others of the batch nothing.
    let key = draft.person.account_key.as_deref().unwrap_or_default();
    if tx.is_account_key_taken(key).await? {
        return Ok(Err(accounts::name_taken()));
    }
    if tx.is_look_taken(&draft.person.name.looks()).await? {
        return Ok(Err(accounts::name_looks_taken()));
    }
    let person = accounts::insert_account(tx, &draft.person, now).await?;
    let login = &draft.login;
    let (client, address) = (login.client.as_deref(), Some(login.address.as_str()));
    tx.insert_login((tenant, person), &login.token, client, address, now)
        .await?;
    let missing = || Error::internal("a person who was just made is missing");
    let actor = tx.person(tenant, person).await?.ok_or_else(missing)?;
    let action = ChatAction::Accept(draft.invite.clone());
    let request = ActionRequest::own(&Arc::new(actor), invitation.chat.id, action);
    actions::act(context.reborrow(), &request, changes).await??;
    let chat = request.chat;
    Ok(Ok(SignedUp { person, chat }))
}
