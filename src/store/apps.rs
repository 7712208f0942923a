//! Apps that accounts register, and chats that a tenant has given a name of its own.

use crate::{
    error::Result,
    model::{Chat, ChatId, Person, PersonId, Tenant, TenantId, Timestamp},
    store::{
        EngineSql, Store, Tx, failed,
        rows::{ChatRow, PersonRow, chat_columns, person_columns},
        tenants::{TenantRow, select_tenants},
    },
};

/// The most rows that one list holds.
const MOST: i64 = 10_000;

/// Other servers of a PostgreSQL learn of it from a row that is written with it.
const DELETE: EngineSql = EngineSql {
    sqlite: "update tenants set deleted_at = $2, updated_at = $2 where id = $1",
    postgres: "with gone as (update tenants set deleted_at = $2, updated_at = $2 where id = $1 returning id) \
               insert into endings (kind, target_id) select 'tenant', id from gone",
};

impl Tx {
    /// Marks a tenant as deleted: its secret is no longer valid.
    pub async fn delete_tenant(&mut self, tenant: TenantId, now: Timestamp) -> Result<()> {
        self.note_news();
        self.query(DELETE)
            .bind(tenant.get())
            .bind(now.get())
            .execute()
            .await
            .map(drop)
            .map_err(failed)
    }
}

impl Store {
    /// The apps that an account registered, or all of them, in the order they came: those after one.
    pub async fn apps(&self, owner: Option<PersonId>, after: TenantId) -> Result<Vec<Tenant>> {
        let rows: Vec<TenantRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(select_tenants!(
                "kind = 'app' and deleted_at is null and ($1 = 0 or owner_id = $1) \
                 and id > $3 order by id limit $2"
            ))
            .bind(owner.map_or(0, PersonId::get))
            .bind(MOST)
            .bind(after.get())
            .fetch_all(pool)
            .await
        })
        .map_err(failed)?;
        rows.into_iter().map(Tenant::try_from).collect()
    }

    /// The key under which a person signs in.
    pub async fn account_key(&self, person: PersonId) -> Result<Option<String>> {
        on!(&self.inner.read, pool => {
            sqlx::query_scalar::<_, Option<String>>(
                "select account_key from people where id = $1 and deleted_at is null",
            )
            .bind(person.get())
            .fetch_optional(pool)
            .await
        })
        .map(Option::flatten)
        .map_err(failed)
    }

    /// A person of a tenant, deleted or not.
    pub async fn former_person(
        &self,
        tenant: TenantId,
        person: PersonId,
    ) -> Result<Option<Person>> {
        let row: Option<PersonRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(concat!(
                "select ",
                person_columns!(),
                " from people p where p.id = $1 and p.tenant_id = $2",
            ))
            .bind(person.get())
            .bind(tenant.get())
            .fetch_optional(pool)
            .await
        })
        .map_err(failed)?;
        row.map(Person::try_from).transpose()
    }

    /// The chat with this name of its tenant's.
    pub async fn room(&self, tenant: TenantId, room: &str) -> Result<Option<Chat>> {
        let row: Option<ChatRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(concat!(
                "select ",
                chat_columns!(),
                " from chats c where c.tenant_id = $1 and c.room = $2 and c.deleted_at is null",
            ))
            .bind(tenant.get())
            .bind(room)
            .fetch_optional(pool)
            .await
        })
        .map_err(failed)?;
        row.map(Chat::try_from).transpose()
    }

    /// A chat of a tenant, with any members.
    pub async fn chat_of(&self, tenant: TenantId, chat: ChatId) -> Result<Option<Chat>> {
        let row: Option<ChatRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(concat!(
                "select ",
                chat_columns!(),
                " from chats c where c.tenant_id = $1 and c.id = $2 and c.deleted_at is null",
            ))
            .bind(tenant.get())
            .bind(chat.get())
            .fetch_optional(pool)
            .await
        })
        .map_err(failed)?;
        row.map(Chat::try_from).transpose()
    }

    /// The chats of a tenant in the order they came, those after one.
    pub async fn chats_of(&self, tenant: TenantId, after: ChatId) -> Result<Vec<Chat>> {
        let rows: Vec<ChatRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(concat!(
                "select ",
                chat_columns!(),
                " from chats c where c.tenant_id = $1 and c.deleted_at is null \
                 and c.id > $3 order by c.id limit $2",
            ))
            .bind(tenant.get())
            .bind(MOST)
            .bind(after.get())
            .fetch_all(pool)
            .await
        })
        .map_err(failed)?;
        rows.into_iter().map(Chat::try_from).collect()
    }
}
