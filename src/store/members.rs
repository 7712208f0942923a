//! Reading who is in a chat.

use crate::{
    error::Result,
    model::{ChatId, Person, PersonId, Position, TenantId},
    store::{
        Store, failed,
        rows::{PersonRow, person_columns},
    },
};

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
