//! What the admins of a chat decide (roles, its facts, invitations, its end), and what a member sets for themselves.

use std::sync::Arc;

use super::{
    ActionOutcome, ChatEdit, MOST_INVITES, SettingsEdit,
    actions::{ActionContext, ChangeBuilder},
    plan::audience_in,
};
use crate::{
    chat::access::denied,
    error::{Error, Result},
    model::{
        Audience, ChangeKind, Chat, ChatKind, ChatSettings, Description, Entry, InviteHash,
        InviteKey, Notify, Person, Role, Title,
    },
    store::{NewInvite, batch::StoredSettings},
};

impl ActionContext<'_> {
    /// Gives a member a role. A chat keeps an admin.
    pub(super) async fn set_role(
        self,
        person: &Arc<Person>,
        role: Role,
    ) -> Result<Result<ActionOutcome>> {
        if let Err(refusal) = self.ensure_can_govern() {
            return Ok(Err(refusal));
        }
        let chat = self.chat.id;
        let tx = &mut *self.context.tx;
        let members = tx.members_among(chat, &[person.id]).await?;
        let Some(present) = members.get(&person.id).copied() else {
            return Ok(Err(Error::not_found("there is no such member")));
        };
        if present == role {
            return Ok(Ok(ActionOutcome::Done));
        }
        if role == Role::Admin && person.is_guest() {
            return Ok(Err(Error::forbidden("a guest cannot be an admin")));
        }
        if present == Role::Admin && tx.admins(chat).await? < 2 {
            let sentence = "a chat keeps an admin: make somebody else one first";
            return Ok(Err(Error::conflict(sentence)));
        }
        tx.set_role(chat, person.id, role).await?;
        let audience = self.audience();
        self.log(|changes| {
            changes.push(person, audience, ChangeKind::Role(role));
        })
        .await
    }

    /// Changes what a chat is called, what it is about, and who may find it.
    pub(super) async fn update(self, edit: &ChatEdit) -> Result<Result<ActionOutcome>> {
        if let Err(refusal) = self.ensure_can_govern() {
            return Ok(Err(refusal));
        }
        let old = &self.chat;
        let new = edited(old, edit);
        if new == *old {
            return Ok(Ok(ActionOutcome::Done));
        }
        if new.kind != old.kind && !old.kind.can_become(new.kind) {
            return Ok(Err(Error::invalid("this chat cannot be opened or closed")));
        }
        let tx = &mut *self.context.tx;
        let key = edit.title.as_ref().map(Title::folded);
        if new.kind == ChatKind::Open {
            if new.title.is_none() {
                return Ok(Err(Error::invalid("an open chat has a title: send one")));
            }
            if tx.is_open_title_taken(&new, key.as_deref()).await? {
                return Ok(Err(Error::conflict("an open chat has that title")));
            }
        }
        let new = Chat {
            updated_at: self.context.now,
            ..new
        };
        tx.update_chat(&new, key.as_deref()).await?;
        let (was, actor) = (self.chat.kind, Arc::clone(&self.draft.actor));
        self.log(|changes| tell_update(changes, &actor, was, new))
            .await
    }

    /// Deletes a chat: it is gone at once, and an open one's title is free again.
    pub(super) async fn delete_chat(self) -> Result<Result<ActionOutcome>> {
        if let Err(refusal) = self.ensure_can_govern() {
            return Ok(Err(refusal));
        }
        let now = self.context.now;
        self.context.tx.delete_chat(self.chat.id, now).await?;
        let gone = Chat {
            deleted_at: Some(now),
            updated_at: now,
            ..self.chat.clone()
        };
        let (audience, actor) = (audience_of_facts(gone.kind), Arc::clone(&self.draft.actor));
        self.log(|changes| {
            changes.push(&actor, audience, ChangeKind::Chat(gone));
        })
        .await
    }

    /// Invites to the chat, which has a number of invitations at a time.
    pub(super) async fn invite(self, new: &NewInvite) -> Result<Result<ActionOutcome>> {
        if let Err(refusal) = self.ensure_can_govern() {
            return Ok(Err(refusal));
        }
        let (tx, now) = (&mut *self.context.tx, self.context.now);
        if tx.count_invites(self.chat.id, now).await? >= MOST_INVITES {
            let sentence = format!("a chat has at most {MOST_INVITES} invitations: take one back");
            return Ok(Err(Error::conflict(sentence)));
        }
        let place = (self.chat.tenant, self.chat.id, self.draft.actor.id);
        tx.insert_invite(place, new, now).await?;
        Ok(Ok(ActionOutcome::Done))
    }

    /// Takes an invitation back.
    pub(super) async fn uninvite(self, key: &InviteKey) -> Result<Result<ActionOutcome>> {
        if let Err(refusal) = self.ensure_can_govern() {
            return Ok(Err(refusal));
        }
        let there = self.context.tx.delete_invite(self.chat.id, key).await?;
        let missing = || Error::not_found("there is no such invitation");
        Ok(there.then_some(ActionOutcome::Done).ok_or_else(missing))
    }

    /// Comes in by an invitation, which is used once by that.
    pub(super) async fn accept(self, invite: &InviteHash) -> Result<Result<ActionOutcome>> {
        match self.relation().can_accept() {
            Ok(Entry::Present) => return Ok(Ok(ActionOutcome::Done)),
            Ok(Entry::Joins) => {}
            Err(why) => return Ok(Err(denied(why))),
        }
        let (tx, now) = (&mut *self.context.tx, self.context.now);
        let found = tx.invitation(invite).await?;
        let found = found.filter(|it| it.chat.id == self.chat.id && it.is_good(now));
        let Some(invitation) = found else {
            return Ok(Err(no_invitation()));
        };
        tx.use_invite(invitation.invite.id).await?;
        let newcomers = vec![(Arc::clone(&self.draft.actor), Role::Member)];
        self.add_members(newcomers).await
    }

    /// Keeps what a member sets for themselves: it is told to their own logins.
    pub(super) async fn set(self, edit: &SettingsEdit) -> Result<Result<ActionOutcome>> {
        if let Err(why) = self.relation().can_set() {
            return Ok(Err(denied(why)));
        }
        let actor = Arc::clone(&self.draft.actor);
        let place = (self.chat.id, actor.id);
        let tx = &mut *self.context.tx;
        let old = tx.settings(place).await?;
        let new = StoredSettings {
            notify: edit.notify.or(old.notify),
            pinned: edit.pinned.unwrap_or(old.pinned),
            muted_until: edit.muted_until.unwrap_or(old.muted_until),
        };
        if new == old {
            return Ok(Ok(ActionOutcome::Done));
        }
        tx.set_settings(place, new).await?;
        let by_size = Notify::by_size(self.chat.kind, self.chat.members);
        let settings = ChatSettings {
            notify: new.notify.unwrap_or(by_size),
            notify_chosen: new.notify.is_some(),
            pinned: new.pinned,
            muted_until: new.muted_until,
        };
        self.log(|changes| {
            changes.push(&actor, Audience::Actor, ChangeKind::Settings(settings));
        })
        .await
    }
}

/// The refusal of an invitation that is over, used up or taken back.
pub(in crate::chat) fn no_invitation() -> Error {
    Error::not_found("this invitation is not good any more: ask for a new one")
}

/// A chat as it is to be.
fn edited(old: &Chat, edit: &ChatEdit) -> Chat {
    let title = edit.title.as_ref().map(|title| title.as_str().to_owned());
    let about = |about: &Option<Description>| about.as_ref().map(|it| it.as_str().to_owned());
    Chat {
        kind: edit.kind.unwrap_or(old.kind),
        title: title.or_else(|| old.title.clone()),
        description: match &edit.description {
            Some(description) => about(description),
            None => old.description.clone(),
        },
        ..old.clone()
    }
}

/// Who is told what a chat is called and about: everybody who may find it.
fn audience_of_facts(kind: ChatKind) -> Audience {
    match kind {
        ChatKind::Open => Audience::Tenant,
        kind => audience_in(kind),
    }
}

/// Tells those who may read the chat now how it is, and those who may no longer that it is closed.
fn tell_update(changes: &mut ChangeBuilder<'_>, actor: &Arc<Person>, was: ChatKind, new: Chat) {
    if was == ChatKind::Open && new.kind != ChatKind::Open {
        let closed = ChangeKind::Chat(new.clone().concealed());
        changes.push(actor, Audience::Others, closed);
    }
    let audience = audience_of_facts(new.kind);
    changes.push(actor, audience, ChangeKind::Chat(new));
}
