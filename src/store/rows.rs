//! Rows as the database gives them, and how each becomes a model value.

use sqlx::FromRow;

use crate::{
    error::{Error, Result},
    model::{
        Audience, Change, Chat, ChatId, ChatKind, Login, LoginId, Membership, Message, MessageId,
        MessageKind, Millis, Person, PersonId, PersonKind, PersonName, Position, Role, Seq,
        Standing, TenantId, What,
    },
};

/// A word in the database that this version does not know.
fn known<T>(value: Option<T>, column: &str, word: &str) -> Result<T> {
    value.ok_or_else(|| Error::internal(format!("unknown word {word:?} in column {column}")))
}

#[derive(FromRow)]
pub(super) struct PersonRow {
    id: i64,
    tenant_id: i64,
    kind: String,
    name: String,
    email: Option<String>,
    created_at: i64,
}

impl TryFrom<PersonRow> for Person {
    type Error = Error;

    fn try_from(row: PersonRow) -> Result<Self> {
        Ok(Self {
            id: PersonId::new(row.id),
            tenant: TenantId::new(row.tenant_id),
            kind: known(PersonKind::from_word(&row.kind), "people.kind", &row.kind)?,
            name: row.name,
            email: row.email,
            created_at: Millis::new(row.created_at),
        })
    }
}

#[derive(FromRow)]
pub(super) struct LoginRow {
    id: i64,
    person_id: i64,
    tenant_id: i64,
    client: Option<String>,
    address: Option<String>,
    created_at: i64,
    used_at: i64,
}

impl From<LoginRow> for Login {
    fn from(row: LoginRow) -> Self {
        Self {
            id: LoginId::new(row.id),
            person: PersonId::new(row.person_id),
            tenant: TenantId::new(row.tenant_id),
            client: row.client,
            address: row.address,
            created_at: Millis::new(row.created_at),
            used_at: Millis::new(row.used_at),
        }
    }
}

#[derive(FromRow)]
pub(super) struct ChatRow {
    pub(super) id: i64,
    pub(super) tenant_id: i64,
    pub(super) kind: String,
    pub(super) title: Option<String>,
    pub(super) created_at: i64,
    pub(super) deleted_at: Option<i64>,
    pub(super) members_count: i64,
    pub(super) last_seq: i64,
    pub(super) last_position: i64,
}

impl TryFrom<ChatRow> for Chat {
    type Error = Error;

    fn try_from(row: ChatRow) -> Result<Self> {
        Ok(Self {
            id: ChatId::new(row.id),
            tenant: TenantId::new(row.tenant_id),
            kind: known(ChatKind::from_word(&row.kind), "chats.kind", &row.kind)?,
            title: row.title,
            created_at: Millis::new(row.created_at),
            deleted_at: row.deleted_at.map(Millis::new),
            members: row.members_count,
            last_seq: Seq::new(row.last_seq),
            last_position: Position::new(row.last_position),
        })
    }
}

#[derive(FromRow)]
pub(super) struct MembershipRow {
    pub(super) person_id: i64,
    pub(super) role: String,
    pub(super) standing: String,
    pub(super) joined_position: i64,
    pub(super) read_id: i64,
    pub(super) read_seq: i64,
}

impl TryFrom<MembershipRow> for Membership {
    type Error = Error;

    fn try_from(row: MembershipRow) -> Result<Self> {
        Ok(Self {
            person: PersonId::new(row.person_id),
            role: known(Role::from_word(&row.role), "members.role", &row.role)?,
            standing: standing(&row.standing)?,
            joined: Position::new(row.joined_position),
            read: MessageId::new(row.read_id),
            read_seq: Seq::new(row.read_seq),
        })
    }
}

/// Reads the column `members.standing`.
pub(super) fn standing(word: &str) -> Result<Standing> {
    known(Standing::from_word(word), "members.standing", word)
}

/// Reads the column `chats.kind`.
pub(super) fn chat_kind(word: &str) -> Result<ChatKind> {
    known(ChatKind::from_word(word), "chats.kind", word)
}

#[derive(FromRow)]
pub(super) struct MessageRow {
    id: i64,
    chat_id: i64,
    seq: i64,
    sender_id: i64,
    kind: String,
    content: String,
    client_id: Option<String>,
    created_at: i64,
    edited_at: Option<i64>,
    deleted_at: Option<i64>,
    pub(super) sender_name: String,
}

impl TryFrom<MessageRow> for Message {
    type Error = Error;

    fn try_from(row: MessageRow) -> Result<Self> {
        Ok(Self {
            id: MessageId::new(row.id),
            chat: ChatId::new(row.chat_id),
            seq: Seq::new(row.seq),
            sender: PersonId::new(row.sender_id),
            kind: known(
                MessageKind::from_word(&row.kind),
                "messages.kind",
                &row.kind,
            )?,
            content: row.content,
            client_id: row.client_id,
            at: Millis::new(row.created_at),
            edited_at: row.edited_at.map(Millis::new),
            deleted_at: row.deleted_at.map(Millis::new),
        })
    }
}

/// The fields of a change, and those of the message (`m_`) or the chat (`h_`) that it is about.
#[derive(FromRow)]
pub(super) struct ChangeRow {
    position: i64,
    tenant_id: i64,
    chat_id: i64,
    kind: String,
    audience: String,
    actor_id: i64,
    actor_name: String,
    target_id: Option<i64>,
    role: Option<String>,
    at: i64,
    m_id: Option<i64>,
    m_seq: Option<i64>,
    m_sender_id: Option<i64>,
    m_kind: Option<String>,
    m_content: Option<String>,
    m_client_id: Option<String>,
    m_created_at: Option<i64>,
    m_edited_at: Option<i64>,
    m_deleted_at: Option<i64>,
    h_kind: Option<String>,
    h_title: Option<String>,
    h_created_at: Option<i64>,
    h_deleted_at: Option<i64>,
    h_members_count: Option<i64>,
    h_last_seq: Option<i64>,
    h_last_position: Option<i64>,
}

impl ChangeRow {
    fn message(&self) -> Result<Message> {
        let missing = || Error::internal(format!("change {} has no message", self.position));
        let kind = self.m_kind.as_deref().ok_or_else(missing)?;
        Ok(Message {
            id: MessageId::new(self.m_id.ok_or_else(missing)?),
            chat: ChatId::new(self.chat_id),
            seq: Seq::new(self.m_seq.ok_or_else(missing)?),
            sender: PersonId::new(self.m_sender_id.ok_or_else(missing)?),
            kind: known(MessageKind::from_word(kind), "messages.kind", kind)?,
            content: self.m_content.clone().ok_or_else(missing)?,
            client_id: self.m_client_id.clone(),
            at: Millis::new(self.m_created_at.ok_or_else(missing)?),
            edited_at: self.m_edited_at.map(Millis::new),
            deleted_at: self.m_deleted_at.map(Millis::new),
        })
    }

    fn chat(&self) -> Result<Chat> {
        let missing = || Error::internal(format!("change {} has no chat", self.position));
        Chat::try_from(ChatRow {
            id: self.chat_id,
            tenant_id: self.tenant_id,
            kind: self.h_kind.clone().ok_or_else(missing)?,
            title: self.h_title.clone(),
            created_at: self.h_created_at.ok_or_else(missing)?,
            deleted_at: self.h_deleted_at,
            members_count: self.h_members_count.ok_or_else(missing)?,
            last_seq: self.h_last_seq.ok_or_else(missing)?,
            last_position: self.h_last_position.ok_or_else(missing)?,
        })
    }

    fn what(&self) -> Result<What> {
        Ok(match self.kind.as_str() {
            "message" => What::Message(self.message()?),
            "edited" => What::Edited(self.message()?),
            "deleted" => What::Deleted(self.message()?),
            "chat" => What::Chat(self.chat()?),
            "joined" => {
                let word = self.role.as_deref().unwrap_or_default();
                What::Joined(known(Role::from_word(word), "changes.role", word)?)
            }
            "left" => What::Left,
            "read" => What::Read(MessageId::new(self.target_id.unwrap_or_default())),
            word => return Err(Error::internal(format!("unknown change {word:?}"))),
        })
    }
}

impl TryFrom<ChangeRow> for Change {
    type Error = Error;

    fn try_from(row: ChangeRow) -> Result<Self> {
        Ok(Self {
            what: row.what()?,
            position: Position::new(row.position),
            tenant: TenantId::new(row.tenant_id),
            chat: ChatId::new(row.chat_id),
            actor: PersonName {
                id: PersonId::new(row.actor_id),
                name: row.actor_name.as_str().into(),
            },
            at: Millis::new(row.at),
            audience: known(
                Audience::from_word(&row.audience),
                "changes.audience",
                &row.audience,
            )?,
        })
    }
}
