//! What a batch does rarely, row by row: making a chat, changing somebody's place in one.

use crate::{
    error::Result,
    model::{
        Chat, ChatId, ChatKind, Membership, Millis, PersonId, PersonName, Position, Role, Standing,
        TenantId, Title,
    },
    store::{
        Tx, failed,
        rows::{ChatRow, MembershipRow},
    },
};

/// What a new chat brings.
#[derive(Debug)]
pub struct NewChat<'a> {
    /// Whose chat it is.
    pub tenant: TenantId,
    /// Who finds it.
    pub kind: ChatKind,
    /// What it is called.
    pub title: Option<&'a Title>,
    /// Who makes it.
    pub maker: PersonId,
    /// The change that tells of it.
    pub position: Position,
}

impl Tx {
    /// Adds a chat with no members yet; nothing when an open chat has that title.
    pub async fn insert_chat(&mut self, new: &NewChat<'_>, now: Millis) -> Result<Option<ChatId>> {
        let id: Option<i64> = on!(&mut self.0, tx => {
            sqlx::query_scalar(
                "insert into chats (tenant_id, kind, title, title_key, created_by, created_at, \
                 updated_at, members_count, last_seq, last_position) \
                 values ($1, $2, $3, $4, $5, $6, $6, 0, 0, $7) on conflict do nothing returning id",
            )
            .bind(new.tenant.get())
            .bind(new.kind.as_str())
            .bind(new.title.map(Title::as_str))
            .bind(new.title.map(Title::folded))
            .bind(new.maker.get())
            .bind(now.get())
            .bind(new.position.get())
            .fetch_optional(&mut **tx)
            .await
        })
        .map_err(failed)?;
        Ok(id.map(ChatId::new))
    }

    /// A chat of a tenant that is not deleted, as this transaction sees it.
    pub async fn chat(&mut self, tenant: TenantId, chat: ChatId) -> Result<Option<Chat>> {
        let row: Option<ChatRow> = on!(&mut self.0, tx => {
            sqlx::query_as(
                "select id, tenant_id, kind, title, created_at, deleted_at, members_count, last_seq, \
                 last_position from chats where id = $1 and tenant_id = $2 and deleted_at is null",
            )
            .bind(chat.get())
            .bind(tenant.get())
            .fetch_optional(&mut **tx)
            .await
        })
        .map_err(failed)?;
        row.map(Chat::try_from).transpose()
    }

    /// A person's place in a chat, if they ever came.
    pub async fn membership(
        &mut self,
        chat: ChatId,
        person: PersonId,
    ) -> Result<Option<Membership>> {
        let row: Option<MembershipRow> = on!(&mut self.0, tx => {
            sqlx::query_as(
                "select person_id, role, standing, joined_position, read_id, read_seq \
                 from members where chat_id = $1 and person_id = $2",
            )
            .bind(chat.get())
            .bind(person.get())
            .fetch_optional(&mut **tx)
            .await
        })
        .map_err(failed)?;
        row.map(Membership::try_from).transpose()
    }

    /// Notes that somebody is a member no more.
    pub async fn end_membership(
        &mut self,
        chat: ChatId,
        person: PersonId,
        standing: Standing,
    ) -> Result<()> {
        on!(&mut self.0, tx => {
            sqlx::query("update members set standing = $3, role = 'member' where chat_id = $1 and person_id = $2")
                .bind(chat.get())
                .bind(person.get())
                .bind(standing.as_str())
                .execute(&mut **tx)
                .await
                .map(drop)
        })
        .map_err(failed)
    }

    /// Gives a member a role.
    pub async fn set_role(&mut self, chat: ChatId, person: PersonId, role: Role) -> Result<()> {
        on!(&mut self.0, tx => {
            sqlx::query("update members set role = $3 where chat_id = $1 and person_id = $2")
                .bind(chat.get())
                .bind(person.get())
                .bind(role.as_str())
                .execute(&mut **tx)
                .await
                .map(drop)
        })
        .map_err(failed)
    }

    /// How many admins a chat has.
    pub async fn admins(&mut self, chat: ChatId) -> Result<i64> {
        on!(&mut self.0, tx => {
            sqlx::query_scalar(
                "select count(*) from members where chat_id = $1 and standing = 'in' and role = 'admin'",
            )
            .bind(chat.get())
            .fetch_one(&mut **tx)
            .await
        })
        .map_err(failed)
    }

    /// The member who has been in a chat longest.
    pub async fn longest_member(&mut self, chat: ChatId) -> Result<Option<PersonName>> {
        let row: Option<(i64, String)> = on!(&mut self.0, tx => {
            sqlx::query_as(
                "select m.person_id, p.name from members m join people p on p.id = m.person_id \
                 where m.chat_id = $1 and m.standing = 'in' order by m.joined_position limit 1",
            )
            .bind(chat.get())
            .fetch_optional(&mut **tx)
            .await
        })
        .map_err(failed)?;
        Ok(row.map(|(id, name)| PersonName {
            id: PersonId::new(id),
            name: name.into(),
        }))
    }
}
