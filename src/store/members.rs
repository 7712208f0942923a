//! Reading who is in a chat.

use crate::{
    error::Result,
    model::{ChatId, MessageId, Person, PersonId, PersonName, Position, Role, TenantId},
    store::{
        Store, failed,
        rows::{self, PersonRow, person_columns, read_id},
    },
};

row! {
    struct MemberRow {
        role: String,
        joined_position: i64,
        ..person: PersonRow,
    }
}

impl Store {
    /// The people in a chat, in the order they joined.
    pub async fn members(&self, tenant: TenantId, chat: ChatId) -> Result<Vec<Person>> {
        let rows: Vec<PersonRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(concat!(
                "select ",
                person_columns!(),
                " from members m join people p on p.id = m.person_id \
                 where m.chat_id = $1 and m.tenant_id = $2 and m.standing = 'in' \
                 order by m.joined_position",
            ))
            .bind(chat.get())
            .bind(tenant.get())
            .fetch_all(pool)
            .await
        })
        .map_err(failed)?;
        rows.into_iter().map(Person::try_from).collect()
    }

    /// The people in a chat who joined before a place of the log, the latest first: each with their role and with
    /// the place at which they joined.
    pub async fn members_page(
        &self,
        (tenant, chat): (TenantId, ChatId),
        before: Option<Position>,
        limit: usize,
    ) -> Result<Vec<(Person, Role, Position)>> {
        let rows: Vec<MemberRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(concat!(
                "select m.role, m.joined_position, ",
                person_columns!(),
                " from members m join people p on p.id = m.person_id \
                 where m.chat_id = $1 and m.tenant_id = $2 and m.standing = 'in' \
                 and m.joined_position < $3 order by m.joined_position desc limit $4",
            ))
            .bind(chat.get())
            .bind(tenant.get())
            .bind(before.map_or(i64::MAX, Position::get))
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(pool)
            .await
        })
        .map_err(failed)?;
        let member = |row: MemberRow| {
            let joined = Position::new(row.joined_position);
            Ok((
                Person::try_from(row.person)?,
                rows::role(&row.role)?,
                joined,
            ))
        };
        rows.into_iter().map(member).collect()
    }

    /// The ids of the people in a chat, in the order they joined.
    pub async fn member_ids(&self, tenant: TenantId, chat: ChatId) -> Result<Vec<PersonId>> {
        let ids: Vec<i64> = on!(&self.inner.read, pool => {
            sqlx::query_scalar(
                "select person_id from members \
                 where chat_id = $1 and tenant_id = $2 and standing = 'in' order by joined_position",
            )
            .bind(chat.get())
            .bind(tenant.get())
            .fetch_all(pool)
            .await
        })
        .map_err(failed)?;
        Ok(ids.into_iter().map(PersonId::new).collect())
    }

    /// How far the members of a chat have read, in the order they joined; with `all_marks` also those who read it and
    /// are no members, as a site's agents.
    pub async fn read_marks(
        &self,
        (tenant, chat): (TenantId, ChatId),
        all_marks: bool,
    ) -> Result<Vec<(PersonName, MessageId)>> {
        let rows: Vec<(i64, String, i64)> = on!(&self.inner.read, pool => {
            sqlx::query_as(concat!(
                "select m.person_id, p.name, ",
                read_id!(),
                " from members m join people p on p.id = m.person_id \
                 join chats c on c.id = m.chat_id \
                 where m.chat_id = $1 and m.tenant_id = $2 \
                 and (m.standing = 'in' or $3) order by m.joined_position",
            ))
            .bind(chat.get())
            .bind(tenant.get())
            .bind(all_marks)
            .fetch_all(pool)
            .await
        })
        .map_err(failed)?;
        let marks = rows.into_iter().map(|(id, name, read)| {
            let id = PersonId::new(id);
            let name = name.into();
            (PersonName { id, name }, MessageId::new(read))
        });
        Ok(marks.collect())
    }

    /// Everybody in the chats of a person that were active at `since` or after: each with the chat,
    /// in the order they joined.
    pub async fn members_beside(
        &self,
        person: &Person,
        since: Position,
    ) -> Result<Vec<(ChatId, PersonId)>> {
        let rows: Vec<(i64, i64)> = on!(&self.inner.read, pool => {
            sqlx::query_as(
                "select o.chat_id, o.person_id from members m \
                 join chats c on c.id = m.chat_id \
                 join members o on o.chat_id = m.chat_id \
                 where m.person_id = $1 and m.standing = 'in' and m.tenant_id = $2 \
                 and c.deleted_at is null and c.last_position >= $3 and o.standing = 'in' \
                 order by o.joined_position",
            )
            .bind(person.id.get())
            .bind(person.tenant.get())
            .bind(since.get())
            .fetch_all(pool)
            .await
        })
        .map_err(failed)?;
        Ok(rows
            .into_iter()
            .map(|(chat, person)| (ChatId::new(chat), PersonId::new(person)))
            .collect())
    }
}
