//! A row of the log with what it is about, and the change that it becomes.

use std::sync::Arc;

use super::{BesideRow, ChatRow, PersonRow, SettingsRow, conversation_status, known};
use crate::{
    error::{Error, Result},
    model::{
        Audience, Change, ChangeKind, Chat, ChatId, ChatKind, Message, MessageId, MessageKind,
        Person, PersonChange, PersonId, Position, ReactionChange, Role, Seq, TenantId, Timestamp,
    },
    store::query::FromSqlite,
};

row! {
    /// The fields of a change, of its actor, and of the message (`m_`) or the chat that it is about;
    /// a chat's last message is `l_`.
    pub(in crate::store) struct ChangeRow {
        position: i64,
        tenant_id: i64,
        chat_id: i64,
        kind: String,
        audience: String,
        target_id: Option<i64>,
        word: Option<String>,
        at: i64,
        m_seq: Option<i64>,
        m_sender_id: Option<i64>,
        m_kind: Option<String>,
        m_content: Option<String>,
        m_client_id: Option<String>,
        m_created_at: Option<i64>,
        l_content: Option<String>,
        l_created_at: Option<i64>,
        ..beside: BesideRow,
        ..actor: PersonRow,
        ..chat: MaybeChatRow,
        ..settings: SettingsRow,
    }
}

/// A chat's columns from an outer join: nothing where they are null.
pub(in crate::store) struct MaybeChatRow(Option<ChatRow>);

impl MaybeChatRow {
    fn chat(self, position: i64) -> Result<Chat> {
        let missing = || Error::internal(format!("change {position} has no chat"));
        self.0.ok_or_else(missing)?.try_into()
    }
}

impl FromSqlite for MaybeChatRow {
    fn from_sqlite(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        let id: Option<i64> = row.get("c_id")?;
        let chat = id.map(|_| ChatRow::from_sqlite(row)).transpose();
        chat.map(Self)
    }
}

impl<'r, R: sqlx::Row> sqlx::FromRow<'r, R> for MaybeChatRow
where
    &'static str: sqlx::ColumnIndex<R>,
    Option<i64>: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
    ChatRow: sqlx::FromRow<'r, R>,
{
    fn from_row(row: &'r R) -> sqlx::Result<Self> {
        let id: Option<i64> = row.try_get("c_id")?;
        let chat = id.map(|_| ChatRow::from_row(row)).transpose();
        chat.map(Self)
    }
}

/// A change, made from its row.
struct Told {
    what: ChangeKind,
    actor: Person,
}

impl ChangeRow {
    /// The kind of its chat as it is now, and whether that was deleted since.
    pub(in crate::store) fn place(&self) -> Result<Option<(ChatKind, bool)>> {
        let chat = self.chat.0.as_ref();
        chat.map(|chat| Ok((super::chat_kind(&chat.c_kind)?, chat.c_deleted_at.is_some())))
            .transpose()
    }

    /// The message that it is about.
    fn message(&mut self) -> Result<Message> {
        let position = self.position;
        let missing = || Error::internal(format!("change {position} has no message"));
        let kind = self.m_kind.as_deref().ok_or_else(missing)?;
        Ok(Message {
            id: MessageId::new(self.target_id.ok_or_else(missing)?),
            chat: ChatId::new(self.chat_id),
            seq: Seq::new(self.m_seq.ok_or_else(missing)?),
            sender: PersonId::new(self.m_sender_id.ok_or_else(missing)?),
            kind: known(MessageKind::from_stored(kind), "messages.kind", kind)?,
            content: self.m_content.take().ok_or_else(missing)?,
            client_id: self.m_client_id.take(),
            at: Timestamp::new(self.m_created_at.ok_or_else(missing)?),
            edited_at: self.beside.edited_at()?,
            deleted_at: self.beside.deleted_at()?,
            reply_to: self.beside.quote()?,
            mentions: self.beside.mentions()?,
            reactions: self.beside.reactions()?,
        })
    }

    /// The reaction that was set or taken back, with how often it is set now.
    fn reaction(&self) -> Result<ReactionChange> {
        let position = self.position;
        let missing = || Error::internal(format!("change {position} has no reaction"));
        let word = self.word.as_deref().unwrap_or_default();
        let (added, emoji) = match (word.strip_prefix('+'), word.strip_prefix('-')) {
            (Some(emoji), _) => (true, emoji),
            (None, Some(emoji)) => (false, emoji),
            (None, None) => return Err(missing()),
        };
        let set = self.beside.reactions()?;
        let now = set.iter().find(|reaction| reaction.emoji == emoji);
        Ok(ReactionChange {
            message: MessageId::new(self.target_id.ok_or_else(missing)?),
            emoji: emoji.to_owned(),
            added,
            count: now.map_or(0, |reaction| reaction.count),
        })
    }

    fn told(mut self, audience: Audience) -> Result<Told> {
        let position = self.position;
        let what = match self.kind.as_str() {
            "message" => ChangeKind::Message(self.message()?),
            "edited" => ChangeKind::Edited(self.message()?),
            "deleted" => ChangeKind::Deleted(self.message()?),
            "reaction" => ChangeKind::Reaction(self.reaction()?),
            "chat" => {
                let chat = self.chat.chat(position)?;
                // What it is now is not for all who were told of it while it was open.
                let was_closed = chat.kind != ChatKind::Open && audience == Audience::Tenant;
                ChangeKind::Chat(if was_closed || audience == Audience::Others {
                    chat.concealed()
                } else {
                    chat
                })
            }
            "settings" => {
                let chat = self.chat.chat(position)?;
                let settings = self.settings.in_chat(chat.kind, chat.members)?;
                let missing = || Error::internal(format!("change {position} has no member"));
                ChangeKind::Settings(settings.ok_or_else(missing)?)
            }
            "desk" => {
                let word = self.word.as_deref().unwrap_or_default();
                let status = Some(conversation_status(word)?);
                let last = self.l_content.zip(self.l_created_at.map(Timestamp::new));
                ChangeKind::Conversation(
                    Chat {
                        status,
                        ..self.chat.chat(position)?
                    },
                    last,
                )
            }
            "joined" => {
                let word = self.word.as_deref().unwrap_or_default();
                ChangeKind::Joined(known(Role::from_stored(word), "changes.word", word)?)
            }
            "role" => {
                let word = self.word.as_deref().unwrap_or_default();
                ChangeKind::Role(known(Role::from_stored(word), "changes.word", word)?)
            }
            "left" => ChangeKind::Left,
            "person" => ChangeKind::Person(PersonChange {
                gone: self.word.is_some(),
                chats: Arc::default(),
            }),
            "read" => ChangeKind::Read(MessageId::new(self.target_id.unwrap_or_default())),
            word => return Err(Error::internal(format!("unknown change {word:?}"))),
        };
        Ok(Told {
            what,
            actor: self.actor.try_into()?,
        })
    }
}

impl TryFrom<ChangeRow> for Change {
    type Error = Error;

    fn try_from(row: ChangeRow) -> Result<Self> {
        let audience = known(
            Audience::from_stored(&row.audience),
            "changes.audience",
            &row.audience,
        )?;
        let (position, tenant, chat, at) = (row.position, row.tenant_id, row.chat_id, row.at);
        let Told { what, actor } = row.told(audience)?;
        Ok(Self {
            position: Position::new(position),
            tenant: TenantId::new(tenant),
            chat: ChatId::new(chat),
            actor: actor.into(),
            at: Timestamp::new(at),
            audience,
            what,
        })
    }
}
