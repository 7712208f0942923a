//! The actions of a batch on one message: editing and deleting it, and reacting to it.

use std::sync::Arc;

use super::ActionContext;
use crate::{
    chat::{
        access::denied,
        writer::{ActionOutcome, Right, references::mentions_in},
    },
    error::{Error, Result},
    model::{
        ChangeKind, Content, Denied, Emoji, Mentions, Message, MessageId, MessageKind, Reaction,
        ReactionChange, Relation, text::Candidates,
    },
};

/// The most different emoji on one message.
const MOST_REACTIONS: usize = 20;

impl ActionContext<'_> {
    /// Changes a message's text.
    pub(super) async fn edit(
        mut self,
        id: MessageId,
        content: &Content,
        places: &[Candidates],
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
        let may_name_all = self.relation().can_govern().is_ok();
        let place = (self.chat.tenant, self.chat.id);
        // A picture or a file is a link, which names nobody.
        let places = match message.kind {
            MessageKind::Text => places,
            MessageKind::Image | MessageKind::File => &[],
        };
        let mentions = mentions_in(self.context.tx, places, place, may_name_all).await?;
        let now = Message {
            content: content.as_str().to_owned(),
            edited_at: Some(self.context.now),
            mentions,
            ..message.clone()
        };
        self.rewrite(&message, now, ChangeKind::Edited).await
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
        if !message.reactions.is_empty() {
            self.context.tx.remove_reactions(id).await?;
        }
        let now = Message {
            content: String::new(),
            deleted_at: Some(self.context.now),
            mentions: Mentions::default(),
            reactions: Vec::new(),
            ..message.clone()
        };
        self.rewrite(&message, now, ChangeKind::Deleted).await
    }

    /// Sets a reaction on a message. Setting it again is nothing new.
    pub(super) async fn react(
        mut self,
        id: MessageId,
        emoji: Emoji,
    ) -> Result<Result<ActionOutcome>> {
        let message = match self.allowed(id, |relation, _| relation.can_react()).await? {
            Ok(message) => message,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if message.deleted_at.is_some() {
            return Ok(Err(Error::conflict("a deleted message takes no reaction")));
        }
        let mut reactions = message.reactions;
        let known = reactions.iter().position(|set| set.emoji == emoji.as_str());
        if known.is_none() && reactions.len() >= MOST_REACTIONS {
            let sentence = format!("a message takes at most {MOST_REACTIONS} different reactions");
            return Ok(Err(Error::conflict(sentence)));
        }
        let (place, now) = ((id, self.draft.actor.id), self.context.now);
        let tx = &mut *self.context.tx;
        if !tx.add_reaction(place, emoji.as_str(), now).await? {
            return Ok(Ok(ActionOutcome::Done));
        }
        match known {
            Some(at) => reactions[at].count += 1,
            None => reactions.push(Reaction {
                emoji: emoji.as_str().to_owned(),
                count: 1,
                mine: None,
            }),
        }
        self.tell_reaction(id, (emoji, true), &reactions).await
    }

    /// Takes a reaction of the actor's back. One that is not there is nothing new.
    pub(super) async fn unreact(
        mut self,
        id: MessageId,
        emoji: Emoji,
    ) -> Result<Result<ActionOutcome>> {
        let message = match self.allowed(id, |relation, _| relation.can_react()).await? {
            Ok(message) => message,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let place = (id, self.draft.actor.id);
        let tx = &mut *self.context.tx;
        if !tx.remove_reaction(place, emoji.as_str()).await? {
            return Ok(Ok(ActionOutcome::Done));
        }
        let mut reactions = message.reactions;
        for set in &mut reactions {
            set.count -= i64::from(set.emoji == emoji.as_str());
        }
        reactions.retain(|set| set.count > 0);
        self.tell_reaction(id, (emoji, false), &reactions).await
    }

    /// Writes how often which emoji is set on a message now, and the change that says so.
    async fn tell_reaction(
        self,
        message: MessageId,
        (emoji, added): (Emoji, bool),
        reactions: &[Reaction],
    ) -> Result<Result<ActionOutcome>> {
        self.context.tx.set_reactions(message, reactions).await?;
        let now = reactions.iter().find(|set| set.emoji == emoji.as_str());
        let what = ReactionChange {
            message,
            emoji: emoji.as_str().to_owned(),
            added,
            count: now.map_or(0, |set| set.count),
        };
        self.tell(ChangeKind::Reaction(what)).await
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
        before: &Message,
        message: Message,
        what: impl FnOnce(Message) -> ChangeKind,
    ) -> Result<Result<ActionOutcome>> {
        let tx = &mut *self.context.tx;
        tx.rewrite_message(&message).await?;
        if before.mentions != message.mentions {
            tx.delete_mentions(&message, &before.mentions).await?;
            tx.insert_mentions(&message).await?;
        }
        let told = self.tell(what(message.clone())).await?;
        Ok(told.map(|_| ActionOutcome::Message(Box::new(message))))
    }

    /// Adds a change of the actor's to the log.
    async fn tell(self, what: ChangeKind) -> Result<Result<ActionOutcome>> {
        let (actor, audience) = (Arc::clone(&self.draft.actor), self.audience());
        self.log(|changes| {
            changes.push(&actor, audience, what);
        })
        .await
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
