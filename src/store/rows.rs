//! Rows as the database gives them, and how each becomes a model value.

mod change;
mod messages;

use crate::{
    error::{Error, Result},
    model::{
        Chat, ChatId, ChatKind, ChatSettings, ConversationStatus, Login, LoginId, Membership,
        MembershipStatus, MessageId, Names, Notify, Person, PersonId, PersonKind, Position, Role,
        Seq, SignInOutcome, TenantId, Timestamp,
    },
};

pub(super) use change::ChangeRow;
pub(super) use messages::{
    BesideRow, MessageRow, beside_message, mentions_column, message_columns, reactions_column,
};

/// Refuses a word in the database that this version does not know.
fn known<T>(value: Option<T>, column: &str, word: &str) -> Result<T> {
    value.ok_or_else(|| Error::internal(format!("unknown word {word:?} in column {column}")))
}

row! {
    /// A person's columns, each under the prefix that [`person_columns`] gives them.
    pub(super) struct PersonRow {
        p_id: i64,
        p_tenant_id: i64,
        p_kind: String,
        p_name: String,
        p_first_name: Option<String>,
        p_middle_name: Option<String>,
        p_last_name: Option<String>,
        p_email: Option<String>,
        p_photo: Option<String>,
        p_external_id: Option<String>,
        p_created_at: i64,
        p_updated_at: i64,
        p_deleted_at: Option<i64>,
    }
}

/// The columns of a [`PersonRow`], from a table called `p`.
macro_rules! person_columns {
    () => {
        "p.id as p_id, p.tenant_id as p_tenant_id, p.kind as p_kind, p.name as p_name, \
         p.first_name as p_first_name, p.middle_name as p_middle_name, p.last_name as p_last_name, \
         p.email as p_email, p.photo as p_photo, p.external_id as p_external_id, \
         p.created_at as p_created_at, p.updated_at as p_updated_at, p.deleted_at as p_deleted_at"
    };
}
pub(super) use person_columns;

impl TryFrom<PersonRow> for Person {
    type Error = Error;

    fn try_from(row: PersonRow) -> Result<Self> {
        Ok(Self {
            id: PersonId::new(row.p_id),
            tenant: TenantId::new(row.p_tenant_id),
            kind: known(
                PersonKind::from_stored(&row.p_kind),
                "people.kind",
                &row.p_kind,
            )?,
            name: row.p_name.into(),
            names: Names {
                first: row.p_first_name,
                middle: row.p_middle_name,
                last: row.p_last_name,
            },
            email: row.p_email,
            photo: row.p_photo,
            external_id: row.p_external_id,
            created_at: Timestamp::new(row.p_created_at),
            updated_at: Timestamp::new(row.p_updated_at),
            deleted_at: row.p_deleted_at.map(Timestamp::new),
        })
    }
}

row! {
    pub(super) struct LoginRow {
        id: i64,
        person_id: i64,
        tenant_id: i64,
        client: Option<String>,
        address: Option<String>,
        created_at: i64,
        used_at: i64,
    }
}

impl From<LoginRow> for Login {
    fn from(row: LoginRow) -> Self {
        Self {
            id: LoginId::new(row.id),
            person: PersonId::new(row.person_id),
            tenant: TenantId::new(row.tenant_id),
            client: row.client,
            address: row.address,
            created_at: Timestamp::new(row.created_at),
            used_at: Timestamp::new(row.used_at),
        }
    }
}

row! {
    /// A chat's columns, each under the prefix that [`chat_columns`] gives them.
    pub(super) struct ChatRow {
        c_id: i64,
        c_tenant_id: i64,
        c_kind: String,
        c_title: Option<String>,
        c_description: Option<String>,
        c_room: Option<String>,
        c_extra: Option<String>,
        c_created_by: i64,
        c_domain: Option<String>,
        c_status: Option<String>,
        c_created_at: i64,
        c_updated_at: i64,
        c_deleted_at: Option<i64>,
        c_members_count: i64,
        c_last_seq: i64,
        c_last_position: i64,
    }
}

/// The columns of a [`ChatRow`], from a table called `c`.
macro_rules! chat_columns {
    () => {
        "c.id as c_id, c.tenant_id as c_tenant_id, c.kind as c_kind, c.title as c_title, \
         c.description as c_description, c.room as c_room, c.extra as c_extra, c.created_by as c_created_by, c.domain as c_domain, \
         c.status as c_status, c.created_at as c_created_at, c.updated_at as c_updated_at, \
         c.deleted_at as c_deleted_at, c.members_count as c_members_count, \
         c.last_seq as c_last_seq, c.last_position as c_last_position"
    };
}
pub(super) use chat_columns;

impl TryFrom<ChatRow> for Chat {
    type Error = Error;

    fn try_from(row: ChatRow) -> Result<Self> {
        Ok(Self {
            id: ChatId::new(row.c_id),
            tenant: TenantId::new(row.c_tenant_id),
            kind: known(
                ChatKind::from_stored(&row.c_kind),
                "chats.kind",
                &row.c_kind,
            )?,
            title: row.c_title,
            description: row.c_description,
            room: row.c_room,
            extra: row.c_extra,
            created_by: PersonId::new(row.c_created_by),
            domain: row.c_domain,
            status: row
                .c_status
                .as_deref()
                .map(conversation_status)
                .transpose()?,
            created_at: Timestamp::new(row.c_created_at),
            updated_at: Timestamp::new(row.c_updated_at),
            deleted_at: row.c_deleted_at.map(Timestamp::new),
            members: row.c_members_count,
            last_seq: Seq::new(row.c_last_seq),
            last_position: Position::new(row.c_last_position),
        })
    }
}

/// Reads the column `chats.status`.
pub(super) fn conversation_status(word: &str) -> Result<ConversationStatus> {
    known(ConversationStatus::from_stored(word), "chats.status", word)
}

/// The last message that a member has read, from `members m` and `chats c`: who sent a chat's last one has read it,
/// whatever their own row says. See [`LastMessage`](crate::store::batch::LastMessage).
macro_rules! read_id {
    () => {
        "case when c.last_sender_id = m.person_id and c.last_message_id > m.read_id \
         then c.last_message_id else m.read_id end as read_id"
    };
}
pub(super) use read_id;

/// The number of that message within the chat, likewise.
macro_rules! read_seq {
    () => {
        "case when c.last_sender_id = m.person_id then c.last_seq else m.read_seq end"
    };
}
pub(super) use read_seq;

/// The columns that [`MembershipRow`] reads, of `members m` and `chats c`.
macro_rules! membership_columns {
    () => {
        concat!(
            "m.person_id, m.role, m.standing, m.joined_position, ",
            $crate::store::rows::read_id!(),
            ", ",
            $crate::store::rows::read_seq!(),
            " as read_seq"
        )
    };
}
pub(super) use membership_columns;

row! {
    pub(super) struct MembershipRow {
        pub(super) person_id: i64,
        pub(super) role: String,
        pub(super) standing: String,
        pub(super) joined_position: i64,
        pub(super) read_id: i64,
        pub(super) read_seq: i64,
    }
}

impl TryFrom<MembershipRow> for Membership {
    type Error = Error;

    fn try_from(row: MembershipRow) -> Result<Self> {
        Ok(Self {
            person: PersonId::new(row.person_id),
            role: known(Role::from_stored(&row.role), "members.role", &row.role)?,
            standing: standing(&row.standing)?,
            joined: Position::new(row.joined_position),
            read: MessageId::new(row.read_id),
            read_seq: Seq::new(row.read_seq),
        })
    }
}

/// Reads the column `members.role`.
pub(super) fn role(word: &str) -> Result<Role> {
    known(Role::from_stored(word), "members.role", word)
}

/// Reads the column `members.standing`.
pub(super) fn standing(word: &str) -> Result<MembershipStatus> {
    known(
        MembershipStatus::from_stored(word),
        "members.standing",
        word,
    )
}

/// Reads the column `members.notify`.
pub(super) fn notify(word: &str) -> Result<Notify> {
    known(Notify::from_stored(word), "members.notify", word)
}

row! {
    /// What a member has set for a chat; everything is null of somebody who was never in it.
    pub(super) struct SettingsRow {
        s_notify: Option<String>,
        s_pinned: Option<bool>,
        s_muted_until: Option<i64>,
    }
}

/// The columns of a [`SettingsRow`], from the table `members` under a name.
macro_rules! settings_columns {
    ($members:literal) => {
        concat!(
            $members,
            ".notify as s_notify, ",
            $members,
            ".pinned as s_pinned, ",
            $members,
            ".muted_until as s_muted_until"
        )
    };
}
pub(super) use settings_columns;

impl SettingsRow {
    /// The settings in a chat of a kind and a size.
    pub(super) fn in_chat(self, kind: ChatKind, members: i64) -> Result<Option<ChatSettings>> {
        let Some(pinned) = self.s_pinned else {
            return Ok(None);
        };
        let said = self.s_notify.as_deref().map(notify).transpose()?;
        Ok(Some(ChatSettings {
            notify: said.unwrap_or(Notify::by_size(kind, members)),
            notify_chosen: said.is_some(),
            pinned,
            muted_until: self.s_muted_until.map(Timestamp::new),
        }))
    }
}

/// Reads the column `sign_ins.outcome`.
pub(super) fn sign_in_outcome(word: &str) -> Result<SignInOutcome> {
    known(SignInOutcome::from_stored(word), "sign_ins.outcome", word)
}

/// Reads the column `chats.kind`.
pub(super) fn chat_kind(word: &str) -> Result<ChatKind> {
    known(ChatKind::from_stored(word), "chats.kind", word)
}
