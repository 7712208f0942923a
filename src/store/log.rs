//! Reading the log.

use crate::{
    error::Result,
    model::{Change, ChangeKind, ChatId, ChatKind, Lane, Person, PersonId, Position, TenantId},
    store::{
        EngineSql, Store, Tx, failed,
        rows::{ChangeRow, beside_message, chat_columns, person_columns, settings_columns},
    },
};

/// A change with what it is about, as it is now: of those in a table, or of what is called `n` in its place.
macro_rules! select_from {
    ($from:expr, $condition:literal) => {
        concat!(
            "select n.position, n.tenant_id, n.chat_id, n.kind, n.audience, n.target_id, n.word, n.at, ",
            person_columns!(),
            ", m.seq as m_seq, m.sender_id as m_sender_id, m.kind as m_kind, \
             m.content as m_content, m.client_id as m_client_id, m.created_at as m_created_at, \
             l.content as l_content, l.created_at as l_created_at, ",
            beside_message!(),
            ", ",
            chat_columns!(),
            ", ",
            settings_columns!("s"),
            " from ",
            $from,
            " join people p on p.id = n.actor_id \
             left join chats c on c.id = n.chat_id \
             left join messages m on m.id = n.target_id and n.kind in ('message', 'edited', 'deleted', 'reaction') \
             left join messages q on q.id = m.reply_to \
             left join messages l on l.id = c.last_message_id and n.kind = 'desk' \
             left join members s on s.chat_id = n.chat_id and s.person_id = n.actor_id and n.kind = 'settings' \
             where ",
            $condition,
            " order by n.position limit $1"
        )
    };
}

/// The changes that added messages: each message is its own, and has no other row.
macro_rules! message_changes {
    () => {
        "(select t.id as position, t.tenant_id, t.chat_id, cast('message' as text) as kind, \
         case (select k.kind from chats k where k.id = t.chat_id) \
           when 'desk' then 'desk' else 'members' end as audience, \
         t.sender_id as actor_id, t.id as target_id, cast(null as text) as word, t.created_at as at \
         from messages t) n"
    };
}

/// Changes of any kind. Each part is limited before the union, so that neither is read further than need be.
macro_rules! select_changes {
    ($condition:literal) => {
        concat!(
            "select * from (",
            select_from!("changes n", $condition),
            ") others union all select * from (",
            select_from!(message_changes!(), $condition),
            ") messages order by position limit $1"
        )
    };
}

/// Everything after a position and up to another, for every tenant.
const ALL: &str = select_changes!("n.position > $2 and n.position <= $3");

/// The changes that one person may see. The hub decides the same in Rust when a change is published.
const FOR_PERSON: &str = select_changes!(
    "n.position > $2 and n.position <= $3 and n.tenant_id = $4 and ( \
        (n.audience = 'tenant' and not $7) \
        or (n.audience = 'others' and not $7 and not exists ( \
            select 1 from members y where y.chat_id = n.chat_id and y.person_id = $5 \
            and y.standing = 'in' and y.joined_position <= n.position)) \
        or (n.audience = 'desk' and $6 and (c.deleted_at is null or n.kind = 'chat')) \
        or (n.actor_id = $5 and (n.audience = 'actor' or n.kind in ('joined', 'left'))) \
        or (n.audience in ('members', 'desk') and (c.deleted_at is null or n.kind = 'chat') and exists ( \
            select 1 from members x where x.chat_id = n.chat_id and x.person_id = $5 \
            and x.standing = 'in' and x.joined_position <= n.position)) \
        or (n.audience = 'acquaintances' and (n.actor_id = $5 or exists ( \
            select 1 from members x join members y on y.chat_id = x.chat_id \
            where x.person_id = $5 and x.standing = 'in' and x.joined_position <= n.position \
            and y.person_id = n.actor_id and y.joined_position <= n.position))))"
);

/// The changes of one tenant, for whatever audience.
const OF_TENANT: &str =
    select_changes!("n.position > $2 and n.position <= $3 and n.tenant_id = $4");

/// The first change after a position and up to another.
const NEXT: &str = "select min(next) from ( \
     select min(position) as next from changes where position > $1 and position <= $2 \
     union all select min(id) as next from messages where id > $1 and id <= $2) both_parts";

/// The changes that added a chat's messages.
const MESSAGES: EngineSql = EngineSql {
    sqlite: select_from!(
        message_changes!(),
        "n.position in (select x.id from messages x where x.tenant_id = $4 \
         and x.chat_id = $3 and x.id > $2 order by x.id limit $1)"
    ),
    postgres: select_from!(
        message_changes!(),
        "n.position in (select x.id from messages x where x.tenant_id = $4 \
         and (x.chat_id, x.id) > ($3, $2) and x.chat_id <= $3 order by x.chat_id, x.id limit $1)"
    ),
};

/// The chats that a person is or was in who came there up to a position, each part by an index of its own.
const EVER_IN: &str = "select chat_id from members \
     where person_id = $1 and standing = 'in' and joined_position <= $2 \
     union all select chat_id from members \
     where person_id = $1 and standing <> 'in' and joined_position <= $2";

impl Tx {
    /// The chats that a person is or was in, as this transaction sees it.
    pub async fn chats_ever_of(&mut self, person: PersonId) -> Result<Vec<ChatId>> {
        let now = i64::MAX;
        let chats: Vec<i64> = self
            .query(EVER_IN)
            .bind(person.get())
            .bind(now)
            .scalars()
            .await
            .map_err(failed)?;
        Ok(chats.into_iter().map(ChatId::new).collect())
    }
}

impl Store {
    /// The newest committed position of the first lane.
    pub async fn head(&self) -> Result<Position> {
        on!(&self.inner.read, pool => {
            sqlx::query_scalar("select head from log where id = 1").fetch_one(pool).await
        })
        .map(Position::new)
        .map_err(failed)
    }

    /// At most `limit` changes after a position in its lane, ascending, for whatever audience.
    pub async fn changes(&self, after: Position, limit: i64) -> Result<Vec<Change>> {
        let end = Lane::of(after).end();
        let rows: Vec<ChangeRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(ALL).bind(limit).bind(after.get()).bind(end.get()).fetch_all(pool).await
        })
        .map_err(failed)?;
        let changes = rows.into_iter().map(Change::try_from);
        let mut changes = changes.collect::<Result<Vec<_>>>()?;
        for change in &mut changes {
            if let ChangeKind::Person(person) = &mut change.what {
                person.chats = self
                    .chats_ever_of(change.actor.id, change.position)
                    .await?
                    .into();
            }
        }
        Ok(changes)
    }

    /// At most `limit` changes of a tenant after `after` and up to `until`, ascending, for whatever audience: each
    /// with the kind of its chat as it is now, and whether that was deleted since.
    pub async fn changes_of(
        &self,
        tenant: TenantId,
        (after, until): (Position, Position),
        limit: i64,
    ) -> Result<Vec<(Change, Option<(ChatKind, bool)>)>> {
        let rows: Vec<ChangeRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(OF_TENANT)
                .bind(limit)
                .bind(after.get())
                .bind(until.get())
                .bind(tenant.get())
                .fetch_all(pool)
                .await
        })
        .map_err(failed)?;
        let changes = rows.into_iter().map(|row| {
            let place = row.place()?;
            Ok((Change::try_from(row)?, place))
        });
        changes.collect()
    }

    /// The position of the first change after another in its lane, of whatever tenant.
    pub async fn next_change(&self, after: Position) -> Result<Option<Position>> {
        let end = Lane::of(after).end();
        let next: Option<i64> = on!(&self.inner.read, pool => {
            sqlx::query_scalar(NEXT).bind(after.get()).bind(end.get()).fetch_one(pool).await
        })
        .map_err(failed)?;
        Ok(next.map(Position::new))
    }

    /// The chats that a person is or was in who came there up to a position.
    async fn chats_ever_of(&self, person: PersonId, until: Position) -> Result<Vec<ChatId>> {
        let chats: Vec<i64> = on!(&self.inner.read, pool => {
            sqlx::query_scalar(EVER_IN).bind(person.get()).bind(until.get()).fetch_all(pool).await
        })
        .map_err(failed)?;
        Ok(chats.into_iter().map(ChatId::new).collect())
    }

    /// At most `limit` changes after `after` and up to `until` that a person may see, ascending.
    pub async fn changes_for(
        &self,
        person: &Person,
        (after, until): (Position, Position),
        limit: i64,
    ) -> Result<Vec<Change>> {
        let rows: Vec<ChangeRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(FOR_PERSON)
                .bind(limit)
                .bind(after.get())
                .bind(until.get())
                .bind(person.tenant.get())
                .bind(person.id.get())
                .bind(person.is_agent())
                .bind(person.is_guest())
                .fetch_all(pool)
                .await
        })
        .map_err(failed)?;
        rows.into_iter().map(Change::try_from).collect()
    }

    /// The changes that added a chat's messages after a position, ascending, at most `limit`.
    pub async fn messages_told(
        &self,
        (tenant, chat): (TenantId, ChatId),
        after: Position,
        limit: i64,
    ) -> Result<Vec<Change>> {
        let rows: Vec<ChangeRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(MESSAGES.of(&self.inner.read))
                .bind(limit)
                .bind(after.get())
                .bind(chat.get())
                .bind(tenant.get())
                .fetch_all(pool)
                .await
        })
        .map_err(failed)?;
        rows.into_iter().map(Change::try_from).collect()
    }
}
