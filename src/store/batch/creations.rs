//! Chats that there may be one of: which was made under a key, and which two people have.

use crate::{
    error::Result,
    model::{ChatId, ClientId, PersonId, TenantId, Timestamp},
    store::{Store, Tx, failed},
};

const CREATION: &str = "select chat_id, digest from creations \
     where tenant_id = $1 and person_id = $2 and client_id = $3";

/// A key under which a chat is made once.
#[derive(Debug, Clone, Copy)]
pub struct CreationKey<'a> {
    /// In which tenant.
    pub tenant: TenantId,
    /// Whose key it is: a person's, or else the tenant's own server's.
    pub person: Option<PersonId>,
    /// The key.
    pub client_id: &'a ClientId,
}

impl CreationKey<'_> {
    /// Nobody has the number 0.
    fn person(self) -> i64 {
        self.person.map_or(0, PersonId::get)
    }
}

/// A chat that was made under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Creation {
    /// The chat.
    pub chat: ChatId,
    /// The digest of what was wanted.
    pub digest: String,
}

row! {
    struct CreationRow {
        chat_id: i64,
        digest: String,
    }
}

impl From<CreationRow> for Creation {
    fn from(row: CreationRow) -> Self {
        Self {
            chat: ChatId::new(row.chat_id),
            digest: row.digest,
        }
    }
}

impl Store {
    /// The chat that was made under a key, deleted or not.
    pub async fn creation(&self, key: CreationKey<'_>) -> Result<Option<Creation>> {
        let row: Option<CreationRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(CREATION)
                .bind(key.tenant.get())
                .bind(key.person())
                .bind(key.client_id.as_str())
                .fetch_optional(pool)
                .await
        })
        .map_err(failed)?;
        Ok(row.map(Creation::from))
    }
}

impl Tx {
    /// The same as [`Store::creation`], as this transaction sees it.
    pub async fn creation(&mut self, key: CreationKey<'_>) -> Result<Option<Creation>> {
        let row: Option<CreationRow> = self
            .query(CREATION)
            .bind(key.tenant.get())
            .bind(key.person())
            .bind(key.client_id.as_str())
            .fetch_optional()
            .await
            .map_err(failed)?;
        Ok(row.map(Creation::from))
    }

    /// Notes which chat was made under a key.
    pub async fn insert_creation(
        &mut self,
        key: CreationKey<'_>,
        made: &Creation,
        now: Timestamp,
    ) -> Result<()> {
        self.query(
            "insert into creations (tenant_id, person_id, client_id, digest, chat_id, created_at) \
                 values ($1, $2, $3, $4, $5, $6)",
        )
        .bind(key.tenant.get())
        .bind(key.person())
        .bind(key.client_id.as_str())
        .bind(made.digest.as_str())
        .bind(made.chat.get())
        .bind(now.get())
        .execute()
        .await
        .map(drop)
        .map_err(failed)
    }

    /// The direct chat of two people, by their [`pair_key`](crate::model::chat::pair_key).
    pub async fn direct_chat(&mut self, tenant: TenantId, pair: &str) -> Result<Option<ChatId>> {
        let id: Option<i64> = self
            .query(
                "select id from chats where tenant_id = $1 and title_key = $2 \
                 and kind = 'direct' and deleted_at is null",
            )
            .bind(tenant.get())
            .bind(pair)
            .scalar_optional()
            .await
            .map_err(failed)?;
        Ok(id.map(ChatId::new))
    }
}
