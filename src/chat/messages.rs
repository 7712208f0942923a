//! Messages: sending and reading them.

use std::{
    collections::HashSet,
    future::{poll_fn, ready},
    pin::Pin,
    sync::Arc,
    task::Poll,
};

use crate::{
    chat::{
        Caller, Services,
        access::Reader,
        logins,
        writer::{ActionRequest, ChatAction, SendDraft},
    },
    error::{Error, Result},
    model::{
        ChatId, ClientId, Content, Emoji, Message, MessageId, MessageKind, Page, Person, PersonId,
        PersonName, Position, Surroundings, Timestamp, text::mention_candidates,
    },
};

pub use crate::chat::writer::Sent;

/// What is to be said.
#[derive(Debug)]
pub struct Draft {
    /// What its content is.
    pub kind: MessageKind,
    /// What it says.
    pub content: Content,
    /// The message that it answers.
    pub reply_to: Option<MessageId>,
    /// What its sender calls it, which makes saying it again harmless.
    pub client_id: Option<ClientId>,
}

/// A message that was handed in, and whose outcome is not known yet.
pub struct UnderWay {
    /// Who sends it.
    pub actor: PersonId,
    /// Where to.
    pub chat: ChatId,
    /// Everything that it causes comes after this position of the log.
    pub after: Position,
    outcome: Pin<Box<dyn Future<Output = Result<Sent>> + Send>>,
}

impl UnderWay {
    /// The outcome: that it is durable and published, or a refusal. It is told once.
    pub async fn outcome(&mut self) -> Result<Sent> {
        self.outcome.as_mut().await
    }
}

/// Hands a message in without waiting for its outcome. Messages of one person are sent in the order in which they are
/// handed in. A `connection` that speaks for several people has one person's share of the writer.
pub async fn begin(
    services: &Arc<Services>,
    caller: &Caller,
    chat: ChatId,
    draft: Draft,
    connection: Option<u64>,
) -> UnderWay {
    let (services, caller) = (Arc::clone(services), caller.clone());
    let (actor, after) = (caller.id(), services.head(caller.tenant()));
    let sending = async move {
        let person = Arc::clone(caller.person());
        send_by(&services, person, chat, draft, connection).await
    };
    let mut outcome: Pin<Box<dyn Future<Output = _> + Send>> = Box::pin(sending);
    // The writer's queue takes it when it is polled first: now, so that messages keep their order.
    let first = poll_fn(|cx| Poll::Ready(outcome.as_mut().poll(cx))).await;
    if let Poll::Ready(refused) = first {
        outcome = Box::pin(ready(refused));
    }
    UnderWay {
        actor,
        chat,
        after,
        outcome,
    }
}

/// Sends a message; who posts to an open chat becomes a member of it. Durable once this returns.
pub async fn send(
    services: &Services,
    caller: &Caller,
    chat: ChatId,
    draft: Draft,
) -> Result<Sent> {
    send_as(services, Arc::clone(caller.person()), chat, draft).await
}

/// The same in the name of somebody who has no login.
pub(super) async fn send_as(
    services: &Services,
    actor: Arc<Person>,
    chat: ChatId,
    draft: Draft,
) -> Result<Sent> {
    send_by(services, actor, chat, draft, None).await
}

async fn send_by(
    services: &Services,
    actor: Arc<Person>,
    chat: ChatId,
    draft: Draft,
    connection: Option<u64>,
) -> Result<Sent> {
    let Draft {
        kind,
        content,
        reply_to,
        client_id,
    } = draft;
    let mentions = match kind {
        MessageKind::Text => mention_candidates(content.as_str()),
        MessageKind::Image | MessageKind::File => Vec::new(),
    };
    let client_id = client_id.map(|id| logins::client_id_of(&actor, id));
    services
        .writer
        .send(SendDraft {
            actor,
            chat,
            kind,
            content,
            reply_to,
            mentions,
            client_id,
            connection,
        })
        .await
}

/// Changes what a message of the caller's says; the message as it is now.
pub async fn edit(
    services: &Services,
    caller: &Caller,
    chat: ChatId,
    message: MessageId,
    content: Content,
) -> Result<Message> {
    let places = mention_candidates(content.as_str());
    let action = ChatAction::Edit(message, content, places);
    let request = ActionRequest::own(caller.person(), chat, action);
    services.writer.rewrite(request).await
}

/// Deletes a message of the caller's, or as an admin of the chat anybody's; what is left of it.
pub async fn delete(
    services: &Services,
    caller: &Caller,
    chat: ChatId,
    message: MessageId,
) -> Result<Message> {
    let action = ChatAction::Delete(message);
    let request = ActionRequest::own(caller.person(), chat, action);
    services.writer.rewrite(request).await
}

/// Sets a reaction of the caller's on a message; setting it again does nothing.
pub async fn react(
    services: &Services,
    caller: &Caller,
    chat: ChatId,
    message: MessageId,
    emoji: Emoji,
) -> Result<()> {
    let action = ChatAction::React(message, emoji);
    let request = ActionRequest::own(caller.person(), chat, action);
    services.writer.act(request).await
}

/// Takes a reaction of the caller's back; taking back what is not there does nothing.
pub async fn unreact(
    services: &Services,
    caller: &Caller,
    chat: ChatId,
    message: MessageId,
    emoji: Emoji,
) -> Result<()> {
    let action = ChatAction::Unreact(message, emoji);
    let request = ActionRequest::own(caller.person(), chat, action);
    services.writer.act(request).await
}

/// Notes which reactions of some messages are the caller's own.
pub async fn note_own<'a>(
    services: &Services,
    caller: &Caller,
    messages: impl Iterator<Item = &'a mut Message>,
) -> Result<()> {
    let reacted = messages.filter(|message| !message.reactions.is_empty());
    let mut reacted: Vec<_> = reacted.collect();
    if reacted.is_empty() {
        return Ok(());
    }
    let ids: Vec<_> = reacted.iter().map(|message| message.id).collect();
    let own = services.store.own_reactions(caller.id(), &ids).await?;
    let own: HashSet<_> = own.into_iter().collect();
    for message in &mut reacted {
        for reaction in &mut message.reactions {
            let is_own = own.contains(&(message.id, reaction.emoji.clone()));
            reaction.mine = Some(is_own);
        }
    }
    Ok(())
}

/// The newest messages before `before`, ascending.
pub async fn before(
    services: &Services,
    reader: &Reader,
    before: Option<MessageId>,
    limit: usize,
) -> Result<Page> {
    services
        .store
        .messages_before(reader.key(), before, limit)
        .await
}

/// The messages around a place: as many before it as from it on, or more of one where the other has fewer,
/// at most `limit` together.
pub async fn around(
    services: &Services,
    reader: &Reader,
    place: MessageId,
    limit: usize,
) -> Result<Surroundings> {
    let store = &services.store;
    let older = store
        .messages_before(reader.key(), Some(place), limit)
        .await?;
    let newer = store.messages_from(reader.key(), place, limit).await?;
    let room = limit - older.messages.len().min(limit / 2);
    let taken = newer.messages.len().min(room);
    let skipped = older.messages.len().saturating_sub(limit - taken);
    let is_cut = newer.messages.len() > taken;
    let messages = older.messages.into_iter().skip(skipped);
    Ok(Surroundings {
        messages: messages
            .chain(newer.messages.into_iter().take(taken))
            .collect(),
        older: older.more || skipped > 0,
        newer: newer.more || is_cut,
    })
}

/// The newest messages before `before` that were sent from `from` to `to`, both included, without
/// those that were deleted; ascending.
pub async fn between(
    services: &Services,
    reader: &Reader,
    before: Option<MessageId>,
    (from, to): (Timestamp, Timestamp),
    limit: usize,
) -> Result<Page> {
    services
        .store
        .messages_between(reader.key(), before, (from, to), limit)
        .await
}

/// The messages before `before` that are not deleted, newest first: at most `limit`, after `skipped`.
pub async fn newest(
    services: &Services,
    reader: &Reader,
    before: Option<MessageId>,
    (skipped, limit): (i64, i64),
) -> Result<Vec<Message>> {
    services
        .store
        .newest_messages(reader.key(), before, (skipped, limit))
        .await
}

/// One message.
pub async fn one(
    services: &Services,
    reader: &Reader,
    message: MessageId,
) -> Result<(Message, PersonName)> {
    let found = services.store.message(reader.key(), message).await?;
    found.ok_or_else(|| Error::not_found("there is no such message"))
}

/// People who have set an emoji on a message, by their numbers: those after one of them, and whether there are more.
pub async fn reactors(
    services: &Services,
    reader: &Reader,
    (message, emoji): (MessageId, &Emoji),
    after: Option<PersonId>,
    limit: usize,
) -> Result<(Vec<PersonName>, bool)> {
    one(services, reader, message).await?;
    let after = after.unwrap_or(PersonId::new(0));
    let mut people = services
        .store
        .reactors((message, emoji.as_str()), after, limit + 1)
        .await?;
    let more = people.len() > limit;
    people.truncate(limit);
    Ok((people, more))
}
