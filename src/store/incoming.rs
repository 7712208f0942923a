//! Incoming hooks, and the people as whom they speak.

use crate::{
    error::{Error, Result},
    model::{ChatId, HookId, IncomingHook, Person, PersonId, TenantId, Timestamp, TokenHash},
    store::{
        Store, Tx, failed,
        rows::{PersonRow, person_columns},
    },
};

row! {
    struct HookRow {
        h_id: i64,
        h_chat_id: i64,
        h_created_by: i64,
        h_created_at: i64,
        h_used_at: Option<i64>,
        ..person: PersonRow,
    }
}

macro_rules! select_hooks {
    ($condition:literal) => {
        concat!(
            "select h.id as h_id, h.chat_id as h_chat_id, h.created_by as h_created_by, \
             h.created_at as h_created_at, h.used_at as h_used_at, ",
            person_columns!(),
            " from incoming_hooks h join people p on p.id = h.person_id \
             join chats c on c.id = h.chat_id join tenants t on t.id = h.tenant_id \
             where p.deleted_at is null and p.deactivated_at is null and c.deleted_at is null \
             and t.deleted_at is null and t.suspended_at is null and ",
            $condition
        )
    };
}

impl TryFrom<HookRow> for IncomingHook {
    type Error = Error;

    fn try_from(row: HookRow) -> Result<Self> {
        Ok(Self {
            id: HookId::new(row.h_id),
            chat: ChatId::new(row.h_chat_id),
            person: Person::try_from(row.person)?,
            created_by: PersonId::new(row.h_created_by),
            created_at: Timestamp::new(row.h_created_at),
            used_at: row.h_used_at.map(Timestamp::new),
        })
    }
}

impl Tx {
    /// Adds an incoming hook, which speaks as a person.
    pub async fn insert_hook(
        &mut self,
        (tenant, chat): (TenantId, ChatId),
        (person, by): (PersonId, PersonId),
        hash: &TokenHash,
        now: Timestamp,
    ) -> Result<HookId> {
        self.query(
            "insert into incoming_hooks (tenant_id, chat_id, person_id, secret_hash, created_by, \
             created_at) values ($1, $2, $3, $4, $5, $6) returning id",
        )
        .bind(tenant.get())
        .bind(chat.get())
        .bind(person.get())
        .bind(hash.as_str())
        .bind(by.get())
        .bind(now.get())
        .scalar()
        .await
        .map(HookId::new)
        .map_err(failed)
    }

    /// How many incoming hooks a chat has.
    pub async fn count_hooks(&mut self, chat: ChatId) -> Result<i64> {
        self.query("select count(*) from incoming_hooks where chat_id = $1")
            .bind(chat.get())
            .scalar()
            .await
            .map_err(failed)
    }

    /// Deletes an incoming hook of a chat, and lets the name of its person go; the person, if there was one.
    pub async fn delete_hook(&mut self, chat: ChatId, hook: HookId) -> Result<Option<PersonId>> {
        let person: Option<i64> = self
            .query("delete from incoming_hooks where id = $1 and chat_id = $2 returning person_id")
            .bind(hook.get())
            .bind(chat.get())
            .scalar_optional()
            .await
            .map_err(failed)?;
        let Some(person) = person else {
            return Ok(None);
        };
        self.query("update people set account_key = null where id = $1")
            .bind(person)
            .execute()
            .await
            .map_err(failed)?;
        Ok(Some(PersonId::new(person)))
    }

    /// Notes when an incoming hook was used.
    pub async fn touch_hook(&mut self, hook: HookId, now: Timestamp) -> Result<()> {
        self.query("update incoming_hooks set used_at = $2 where id = $1")
            .bind(hook.get())
            .bind(now.get())
            .execute()
            .await
            .map(drop)
            .map_err(failed)
    }
}

impl Store {
    /// The incoming hook that has this secret, unless it, its chat or its tenant is gone.
    pub async fn hook_by_secret(&self, hash: &TokenHash) -> Result<Option<IncomingHook>> {
        let row: Option<HookRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(select_hooks!("h.secret_hash = $1"))
                .bind(hash.as_str())
                .fetch_optional(pool)
                .await
        })
        .map_err(failed)?;
        row.map(IncomingHook::try_from).transpose()
    }

    /// The incoming hooks of a chat, the oldest first.
    pub async fn hooks_of(&self, chat: ChatId) -> Result<Vec<IncomingHook>> {
        let rows: Vec<HookRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(select_hooks!("h.chat_id = $1 order by h.id"))
                .bind(chat.get())
                .fetch_all(pool)
                .await
        })
        .map_err(failed)?;
        rows.into_iter().map(IncomingHook::try_from).collect()
    }
}
