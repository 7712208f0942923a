//! The actions of a batch on one message: editing and deleting it.

use super::{ActionContext, ChangeBuilder};
use crate::{
    chat::{
        access::denied,
        writer::{ActionOutcome, Right},
    },
    error::{Error, Result},
    model::{ChangeKind, Content, Denied, Mentions, Message, MessageId, MessageKind, Relation},
    store::batch::WriteSet,
};

impl ActionContext<'_> {
    /// Changes a message's text.
    pub(super) async fn edit(
        mut self,
        id: MessageId,
        content: &Content,
    ) -> Result<Result<ActionOutcome>> {
        let message = match self.allowed(id, Relation::can_edit).await? {
            Ok(message) => message,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if message.deleted_at.is_some() {
            return Ok(Err(Error::conflict("a deleted message cannot be changed")));
        }
        if let Err(refusal) = fits(content, message.kind) {
            return Ok(Err(refusal));
        }
        let message = Message {
            content: content.as_str().to_owned(),
            edited_at: Some(self.context.now),
            ..message
        };
        self.rewrite(message, ChangeKind::Edited).await
    }

    /// Deletes a message: what is left of it has its place, its sender and its times. Deleting it again is
    /// nothing new.
    pub(super) async fn delete(mut self, id: MessageId) -> Result<Result<ActionOutcome>> {
        let message = match self.allowed(id, Relation::can_delete).await? {
            Ok(message) => message,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if message.deleted_at.is_some() {
            return Ok(Ok(ActionOutcome::Message(Box::new(message))));
        }
        let message = Message {
            content: String::new(),
            deleted_at: Some(self.context.now),
            mentions: Mentions::default(),
            reactions: Vec::new(),
            ..message
        };
        self.rewrite(message, ChangeKind::Deleted).await
    }

    /// A message of the chat to which the actor may do this, which depends on whether they sent it.
    async fn allowed(
        &mut self,
        id: MessageId,
        may: impl Fn(&Relation, bool) -> Result<(), Denied>,
    ) -> Result<Result<Message>> {
        let relation = self.relation();
        // An administrator of the server takes messages down in any chat, and does nothing else to them.
        let takes_down = self.draft.right == Right::Administrator;
        // Who may do nothing here learns of no message.
        if !takes_down && let Err(why) = relation.can_signal() {
            return Ok(Err(denied(why)));
        }
        let Some(message) = self.context.tx.message(self.chat.id, id).await? else {
            return Ok(Err(Error::not_found("there is no such message")));
        };
        if takes_down {
            return Ok(Ok(message));
        }
        let is_sender = message.sender == self.draft.actor.id;
        Ok(match may(&relation, is_sender) {
            Ok(()) => Ok(message),
            Err(why) => Err(denied(why)),
        })
    }

    /// Writes a message as it is now, and the change that says so.
    async fn rewrite(
        self,
        message: Message,
        what: impl FnOnce(Message) -> ChangeKind,
    ) -> Result<Result<ActionOutcome>> {
        let audience = self.audience();
        let Self {
            context,
            chat,
            draft,
            changes,
            ..
        } = self;
        context.tx.rewrite_message(&message).await?;
        let mut builder = ChangeBuilder {
            chat: &chat,
            next: context.next,
            now: context.now,
            changes: Vec::new(),
        };
        builder.push(&draft.actor, audience, what(message.clone()));
        let new = builder.changes;
        context.write(new, WriteSet::default(), changes).await?;
        Ok(Ok(ActionOutcome::Message(Box::new(message))))
    }
}

/// Refuses a picture or a file whose new content is no link.
fn fits(content: &Content, kind: MessageKind) -> Result<()> {
    match kind {
        MessageKind::Text => Ok(()),
        MessageKind::Image | MessageKind::File => {
            Content::parse_url(content.as_str().to_owned()).map(drop)
        }
    }
}
