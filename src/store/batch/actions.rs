//! The rare actions of a batch, row by row: creating a chat, changing a membership.

use crate::{
    error::Result,
    model::{
        Chat, ChatId, ChatKind, ConversationStatus, Description, Membership, Person, PersonId,
        Position, Role, TenantId, Timestamp, Title,
    },
    store::{
        Tx, failed,
        rows::{
            ChatRow, MembershipRow, PersonRow, chat_columns, membership_columns, person_columns,
        },
    },
};

/// The values of a new chat.
#[derive(Debug)]
pub struct NewChat<'a> {
    /// Its tenant.
    pub tenant: TenantId,
    /// Its kind.
    pub kind: ChatKind,
    /// Its title.
    pub title: Option<&'a Title>,
    /// What it is about.
    pub description: Option<&'a Description>,
    /// Its unique key among chats of its kind, where that is not the title.
    pub key: Option<&'a str>,
    /// Its creator.
    pub created_by: PersonId,
    /// Its tenant's own name for it.
    pub room: Option<&'a str>,
    /// What its tenant's server keeps with it, as JSON.
    pub extra: Option<&'a str>,
    /// The domain that a conversation's guest comes from.
    pub domain: Option<&'a str>,
    /// The status of a conversation.
    pub status: Option<ConversationStatus>,
    /// The position of the change that creates it.
    pub position: Position,
}

impl Tx {
    /// Adds a chat with no members yet; nothing when an open chat has that title or a chat that room.
    pub async fn insert_chat(
        &mut self,
        new: &NewChat<'_>,
        now: Timestamp,
    ) -> Result<Option<ChatId>> {
        let id: Option<i64> = self
            .query(
                "insert into chats (tenant_id, kind, title, title_key, created_by, created_at, \
                 updated_at, members_count, last_seq, last_position, room, extra, domain, status, \
                 status_position, description) \
                 values ($1, $2, $3, $4, $5, $6, $6, 0, 0, $7, $8, $9, $10, $11, $7, $12) \
                 on conflict do nothing returning id",
            )
            .bind(new.tenant.get())
            .bind(new.kind.as_str())
            .bind(new.title.map(Title::as_str))
            .bind(
                new.key
                    .map(str::to_owned)
                    .or_else(|| new.title.map(Title::folded)),
            )
            .bind(new.created_by.get())
            .bind(now.get())
            .bind(new.position.get())
            .bind(new.room)
            .bind(new.extra)
            .bind(new.domain)
            .bind(new.status.map(ConversationStatus::as_str))
            .bind(new.description.map(Description::as_str))
            .scalar_optional()
            .await
            .map_err(failed)?;
        Ok(id.map(ChatId::new))
    }

    /// A chat of a tenant that is not deleted, as this transaction sees it.
    pub async fn chat(&mut self, tenant: TenantId, chat: ChatId) -> Result<Option<Chat>> {
        let row: Option<ChatRow> = self
            .query(concat!(
                "select ",
                chat_columns!(),
                " from chats c where c.id = $1 and c.tenant_id = $2 and c.deleted_at is null",
            ))
            .bind(chat.get())
            .bind(tenant.get())
            .fetch_optional()
            .await
            .map_err(failed)?;
        row.map(Chat::try_from).transpose()
    }

    /// A person's membership in a chat, present or past.
    pub async fn membership(
        &mut self,
        chat: ChatId,
        person: PersonId,
    ) -> Result<Option<Membership>> {
        let row: Option<MembershipRow> = self
            .query(concat!(
                "select ",
                membership_columns!(),
                " from members m join chats c on c.id = m.chat_id \
                 where m.chat_id = $1 and m.person_id = $2",
            ))
            .bind(chat.get())
            .bind(person.get())
            .fetch_optional()
            .await
            .map_err(failed)?;
        row.map(Membership::try_from).transpose()
    }

    /// Gives a member a role.
    pub async fn set_role(&mut self, chat: ChatId, person: PersonId, role: Role) -> Result<()> {
        self.query("update members set role = $3 where chat_id = $1 and person_id = $2")
            .bind(chat.get())
            .bind(person.get())
            .bind(role.as_str())
            .execute()
            .await
            .map(drop)
            .map_err(failed)
    }

    /// How many admins a chat has.
    pub async fn admins(&mut self, chat: ChatId) -> Result<i64> {
        self.query(
                "select count(*) from members where chat_id = $1 and standing = 'in' and role = 'admin'",
            )
            .bind(chat.get())
            .scalar().await
        .map_err(failed)
    }

    /// The member who joined a chat first.
    pub async fn longest_member(&mut self, chat: ChatId) -> Result<Option<Person>> {
        let row: Option<PersonRow> = self
            .query(concat!(
                "select ",
                person_columns!(),
                " from members m join people p on p.id = m.person_id \
                 where m.chat_id = $1 and m.standing = 'in' order by m.joined_position limit 1",
            ))
            .bind(chat.get())
            .fetch_optional()
            .await
            .map_err(failed)?;
        row.map(Person::try_from).transpose()
    }

    /// A person of a tenant who is not deleted, as this transaction sees them.
    pub async fn person(&mut self, tenant: TenantId, person: PersonId) -> Result<Option<Person>> {
        let person = self.person_ever(tenant, person).await?;
        Ok(person.filter(|person| person.deleted_at.is_none()))
    }

    /// Marks a chat as deleted: its title and its room are free again.
    pub async fn delete_chat(&mut self, chat: ChatId, now: Timestamp) -> Result<()> {
        self.query("update chats set deleted_at = $2, updated_at = $2 where id = $1")
            .bind(chat.get())
            .bind(now.get())
            .execute()
            .await
            .map(drop)
            .map_err(failed)
    }
}
