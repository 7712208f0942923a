//! Reading the log.

use crate::{
    error::Result,
    model::{Change, PersonId, Position, TenantId},
    store::{Store, failed, rows::ChangeRow},
};

/// A change with what it is about, as it is now.
macro_rules! select_changes {
    ($condition:literal) => {
        concat!(
            "select c.position, c.tenant_id, c.chat_id, c.kind, c.audience, c.actor_id, \
             p.name as actor_name, c.target_id, c.role, c.at, \
             m.id as m_id, m.seq as m_seq, m.sender_id as m_sender_id, m.kind as m_kind, \
             m.content as m_content, m.client_id as m_client_id, m.created_at as m_created_at, \
             m.edited_at as m_edited_at, m.deleted_at as m_deleted_at, \
             h.kind as h_kind, h.title as h_title, h.created_at as h_created_at, \
             h.deleted_at as h_deleted_at, h.members_count as h_members_count, \
             h.last_seq as h_last_seq, h.last_position as h_last_position \
             from changes c \
             join people p on p.id = c.actor_id \
             left join messages m on m.id = c.target_id and c.kind in ('message', 'edited', 'deleted') \
             left join chats h on h.id = c.chat_id and c.kind = 'chat' \
             where ",
            $condition,
            " order by c.position limit $1"
        )
    };
}

/// Everything after a position, for every tenant.
const ALL: &str = select_changes!("c.position > $2");

/// What one person hears: the twin, in SQL, of what the hub does with a change as it happens.
const FOR_PERSON: &str = select_changes!(
    "c.position > $2 and c.position <= $3 and c.tenant_id = $4 and ( \
        c.audience = 'tenant' \
        or (c.actor_id = $5 and (c.audience = 'actor' or c.kind in ('joined', 'left'))) \
        or (c.audience = 'members' and exists ( \
            select 1 from members x where x.chat_id = c.chat_id and x.person_id = $5 \
            and x.standing = 'in' and x.joined_position <= c.position)))"
);

impl Store {
    /// The newest committed position.
    pub async fn head(&self) -> Result<Position> {
        on!(&self.inner.read, pool => {
            sqlx::query_scalar("select head from log where id = 1").fetch_one(pool).await
        })
        .map(Position::new)
        .map_err(failed)
    }

    /// At most `limit` changes after a position, ascending, whoever may hear of them.
    pub async fn changes(&self, after: Position, limit: i64) -> Result<Vec<Change>> {
        let rows: Vec<ChangeRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(ALL).bind(limit).bind(after.get()).fetch_all(pool).await
        })
        .map_err(failed)?;
        rows.into_iter().map(Change::try_from).collect()
    }

    /// At most `limit` changes after `after` and up to `until` that a person hears of, ascending.
    pub async fn changes_for(
        &self,
        person: PersonId,
        tenant: TenantId,
        after: Position,
        until: Position,
        limit: i64,
    ) -> Result<Vec<Change>> {
        let rows: Vec<ChangeRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(FOR_PERSON)
                .bind(limit)
                .bind(after.get())
                .bind(until.get())
                .bind(tenant.get())
                .bind(person.get())
                .fetch_all(pool)
                .await
        })
        .map_err(failed)?;
        rows.into_iter().map(Change::try_from).collect()
    }
}
