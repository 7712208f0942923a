//! The writer's statements: what a batch of drafts reads, and what it writes.
//!
//! # Why
//! A batch looks up everything that its messages and read marks depend on, decides in Rust, and writes. On
//! PostgreSQL each of these is one statement that takes all rows as a set (`unnest`), because a statement
//! costs a round trip; on SQLite it is a prepared statement a row, because there it costs a function call.
//! Both have a text of their own for these statements, in `sqlite` and `postgres`. What is rare (making a
//! chat, joining, leaving, editing) has statements of its own in the same transaction, in `actions`, `creations`
//! and `rewrites`; those that concern many people take them as a set, in `members`; what admins decide and members
//! set is in `governing`.

mod actions;
mod creations;
mod governing;
mod members;
mod mentions;
mod postgres;
mod rewrites;
mod sqlite;

use std::borrow::Cow;

use crate::{
    error::{Error, Result},
    model::{
        Audience, ChatId, ChatKind, ConversationStatus, Lane, MembershipStatus, Message, MessageId,
        PersonId, Position, Role, Seq, TenantId, Timestamp,
    },
    store::{Either, Tx, failed, rows},
};

pub use actions::NewChat;
pub use creations::{Creation, CreationKey};
pub use governing::StoredSettings;
pub use mentions::NamedMembers;

/// The lookup for a message: its chat, its sender and its client id.
#[derive(Debug, Clone)]
pub struct SendLookup {
    /// The sender's tenant.
    pub tenant: TenantId,
    /// The chat.
    pub chat: ChatId,
    /// The sender.
    pub sender: PersonId,
    /// The message's client id.
    pub client_id: Option<String>,
}

/// The result of the lookup for a message.
#[derive(Debug, Clone)]
pub struct SendFacts {
    /// The chat, if it exists.
    pub chat: Option<ChatFacts>,
    /// The status of the sender's membership, present or past.
    pub standing: Option<MembershipStatus>,
    /// The message that already has this client id.
    pub earlier: Option<ExistingMessage>,
}

/// What a batch reads of a chat.
#[derive(Debug, Clone, Copy)]
pub struct ChatFacts {
    /// Its kind.
    pub kind: ChatKind,
    /// How many messages were ever sent to it.
    pub last_seq: Seq,
    /// Its newest message, if it is known who sent it.
    pub last: Option<LastMessage>,
    /// How many members it has.
    pub members: i64,
    /// The status of a conversation.
    pub status: Option<ConversationStatus>,
}

/// The newest message of a chat. Who sent it has read it, and is not written down as having so before somebody else
/// sends one: so people who send several messages in turn have no row written for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastMessage {
    /// The message.
    pub id: MessageId,
    /// Who sent it.
    pub sender: PersonId,
}

/// A message that was sent before under the same client id.
#[derive(Debug, Clone)]
pub struct ExistingMessage {
    /// Its number.
    pub id: MessageId,
    /// Its number within the chat.
    pub seq: Seq,
    /// The digest of what it said when it was sent.
    pub digest: String,
    /// When it was sent.
    pub at: Timestamp,
}

/// The lookup for a read mark: its chat, its reader and the message read.
#[derive(Debug, Clone, Copy)]
pub struct ReadLookup {
    /// The reader's tenant.
    pub tenant: TenantId,
    /// The chat.
    pub chat: ChatId,
    /// The reader.
    pub reader: PersonId,
    /// The message they have read.
    pub up_to: MessageId,
}

/// The result of the lookup for a read mark.
#[derive(Debug, Clone, Copy)]
pub struct ReadFacts {
    /// The chat's kind and number of members, if it exists.
    pub chat: Option<(ChatKind, i64)>,
    /// The status of the reader's membership, present or past.
    pub standing: Option<MembershipStatus>,
    /// The last message they have read.
    pub read: MessageId,
    /// The newest message of the chat up to the one asked for.
    pub newest: Option<(MessageId, Seq)>,
}

/// A row of the log for a change that is no new message: a message is its own row.
#[derive(Debug, Clone)]
pub struct NewChange {
    /// Its position.
    pub position: Position,
    /// The chat's tenant.
    pub tenant: TenantId,
    /// The chat.
    pub chat: ChatId,
    /// The kind of the change.
    pub kind: &'static str,
    /// Its audience.
    pub audience: Audience,
    /// Its actor.
    pub actor: PersonId,
    /// The message it is about.
    pub target: Option<MessageId>,
    /// The new role, the conversation's new status, or the emoji of a reaction after `+` or `-`.
    pub word: Option<Cow<'static, str>>,
}

/// The new values of a chat's row.
#[derive(Debug, Clone, Copy)]
pub struct ChatUpdate {
    /// How many messages were ever sent to it.
    pub last_seq: Seq,
    /// Its newest message, if the batch has one.
    pub last: Option<LastMessage>,
    /// Its newest activity.
    pub last_position: Position,
    /// How many members it has now.
    pub members: i64,
    /// The conversation's new status, if that changed.
    pub status: Option<ConversationStatus>,
}

/// The new values of a membership.
#[derive(Debug, Clone, Copy)]
pub struct MembershipUpdate {
    /// That person's tenant.
    pub tenant: TenantId,
    /// `In` for a member and for who joins in this batch; any other keeps the status that is stored, and is
    /// stored where there is no row yet.
    pub standing: MembershipStatus,
    /// Their role, if they join in this batch.
    pub role: Role,
    /// The position of their joining, if they join in this batch.
    pub joined: Position,
    /// The last message they have read; a later one that is stored stays.
    pub read: MessageId,
    /// The number of that message within the chat.
    pub read_seq: Seq,
}

/// Everything one batch writes.
#[derive(Debug, Default)]
pub struct WriteSet {
    /// The changes that are no new messages: together with these ascending and without gaps.
    pub changes: Vec<NewChange>,
    /// The messages, each with the digest of what it says.
    pub messages: Vec<(TenantId, Message, Option<String>)>,
    /// The chats' rows.
    pub chat_updates: Vec<(ChatId, ChatUpdate)>,
    /// The memberships.
    pub memberships: Vec<(ChatId, PersonId, MembershipUpdate)>,
}

/// A lane that a transaction has locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Locked {
    /// Where it ends.
    pub head: Position,
    /// How many tenants have come to it or left it.
    pub moves: i64,
}

impl WriteSet {
    /// The lane that it takes its places in.
    fn lane(&self) -> Lane {
        let change = self.changes.first().map(|change| change.position);
        let message = self
            .messages
            .first()
            .map(|(_, message, _)| message.id.into());
        change.or(message).map_or(Lane::FIRST, Lane::of)
    }

    /// How many places of the log it takes.
    fn places(&self) -> i64 {
        let places = self.changes.len() + self.messages.len();
        i64::try_from(places).unwrap_or(i64::MAX)
    }
}

row! {
    #[derive(Default)]
    struct SendRow {
        chat_kind: Option<String>,
        last_seq: Option<i64>,
        last_message_id: Option<i64>,
        last_sender_id: Option<i64>,
        members_count: Option<i64>,
        status: Option<String>,
        standing: Option<String>,
        earlier_id: Option<i64>,
        earlier_seq: Option<i64>,
        earlier_digest: Option<String>,
        earlier_at: Option<i64>,
    }
}

impl TryFrom<SendRow> for SendFacts {
    type Error = Error;

    fn try_from(row: SendRow) -> Result<Self> {
        let chat = match (row.chat_kind, row.last_seq, row.members_count) {
            (Some(kind), Some(last_seq), Some(members)) => Some(ChatFacts {
                kind: rows::chat_kind(&kind)?,
                last_seq: Seq::new(last_seq),
                last: row
                    .last_message_id
                    .zip(row.last_sender_id)
                    .map(|(id, sender)| LastMessage {
                        id: MessageId::new(id),
                        sender: PersonId::new(sender),
                    }),
                members,
                status: row
                    .status
                    .as_deref()
                    .map(rows::conversation_status)
                    .transpose()?,
            }),
            _ => None,
        };
        let earlier = match (
            row.earlier_id,
            row.earlier_seq,
            row.earlier_digest,
            row.earlier_at,
        ) {
            (Some(id), Some(seq), Some(digest), Some(at)) => Some(ExistingMessage {
                id: MessageId::new(id),
                seq: Seq::new(seq),
                digest,
                at: Timestamp::new(at),
            }),
            _ => None,
        };
        let standing = row.standing.as_deref().map(rows::standing).transpose()?;
        Ok(Self {
            chat,
            standing,
            earlier,
        })
    }
}

row! {
    struct ReadRow {
        chat_kind: Option<String>,
        members_count: Option<i64>,
        standing: Option<String>,
        read_id: Option<i64>,
        newest_id: Option<i64>,
        newest_seq: Option<i64>,
    }
}

impl TryFrom<ReadRow> for ReadFacts {
    type Error = Error;

    fn try_from(row: ReadRow) -> Result<Self> {
        Ok(Self {
            chat: match (row.chat_kind, row.members_count) {
                (Some(kind), Some(members)) => Some((rows::chat_kind(&kind)?, members)),
                _ => None,
            },
            standing: row.standing.as_deref().map(rows::standing).transpose()?,
            read: MessageId::new(row.read_id.unwrap_or_default()),
            newest: row
                .newest_id
                .zip(row.newest_seq)
                .map(|(id, seq)| (MessageId::new(id), Seq::new(seq))),
        })
    }
}

impl Tx {
    /// Locks a lane and returns its head. On PostgreSQL it must be the transaction's first
    /// statement, alone, so that what follows sees what the last writer committed; it is what makes
    /// position order equal commit order. There it also compares the log with what is known (`fence`).
    pub async fn lock_log(&mut self, lane: Lane) -> Result<Locked> {
        if let Either::Postgres(tx) = &mut self.0 {
            return tx.lock_log(lane).await;
        }
        let head: i64 = self
            .query("select head from log where id = 1")
            .scalar()
            .await
            .map_err(failed)?;
        Ok(Locked {
            head: Position::new(head),
            moves: 0,
        })
    }

    /// Runs the lookups for all messages of a batch; the results are in their order.
    pub async fn look_up_sends(&mut self, lookups: &[SendLookup]) -> Result<Vec<SendFacts>> {
        if lookups.is_empty() {
            return Ok(Vec::new());
        }
        let rows: Vec<SendRow> = match &mut self.0 {
            Either::Sqlite(connection) => {
                sqlite::look_up_sends(connection, lookups).map_err(failed)?
            }
            Either::Postgres(tx) => postgres::look_up_sends(tx, lookups).await.map_err(failed)?,
        };
        complete(lookups.len(), rows)
    }

    /// Runs the lookups for all read marks of a batch; the results are in their order.
    pub async fn look_up_reads(&mut self, lookups: &[ReadLookup]) -> Result<Vec<ReadFacts>> {
        if lookups.is_empty() {
            return Ok(Vec::new());
        }
        let rows: Vec<ReadRow> = match &mut self.0 {
            Either::Sqlite(connection) => {
                sqlite::look_up_reads(connection, lookups).map_err(failed)?
            }
            Either::Postgres(tx) => postgres::look_up_reads(tx, lookups).await.map_err(failed)?,
        };
        complete(lookups.len(), rows)
    }

    /// Writes a batch, and moves the log's head by as many places as it has changes.
    pub async fn write(&mut self, set: &WriteSet, now: Timestamp) -> Result<()> {
        self.note_news();
        match &mut self.0 {
            Either::Sqlite(connection) => sqlite::write(connection, set, now).map_err(failed)?,
            Either::Postgres(tx) => postgres::write(tx, set, now).await.map_err(failed)?,
        }
        // Of most messages none names anybody.
        for (_, message, _) in &set.messages {
            self.insert_mentions(message).await?;
        }
        Ok(())
    }
}

/// Every lookup must have exactly one result: a missing one would shift all that follow.
fn complete<R, A: TryFrom<R, Error = Error>>(asked: usize, rows: Vec<R>) -> Result<Vec<A>> {
    if rows.len() != asked {
        return Err(Error::internal(format!(
            "{asked} questions got {} answers",
            rows.len()
        )));
    }
    rows.into_iter().map(A::try_from).collect()
}
