//! What administrators see counted.

use crate::{
    error::Result,
    model::Figures,
    store::{EngineSql, Store, failed},
};

row! {
    struct FiguresRow {
        people: i64,
        deactivated: i64,
        administrators: i64,
        chats: i64,
        messages: i64,
        tenants: i64,
        tenants_messages: i64,
        logins: i64,
    }
}

/// Messages are counted by what their chats say, since to count them one by one takes long.
const FIGURES: &str = "select \
     (select count(*) from people where tenant_id = 1 and deleted_at is null) as people, \
     (select count(*) from people where tenant_id = 1 and deleted_at is null \
      and deactivated_at is not null) as deactivated, \
     (select count(*) from people where administrator and tenant_id = 1 and deleted_at is null \
      and deactivated_at is null) as administrators, \
     (select count(*) from chats where tenant_id = 1 and deleted_at is null) as chats, \
     (select cast(coalesce(sum(last_seq), 0) as bigint) from chats where tenant_id = 1) as messages, \
     (select count(*) from tenants where kind in ('site', 'app') and deleted_at is null) as tenants, \
     (select cast(coalesce(sum(last_seq), 0) as bigint) from chats where tenant_id <> 1) \
      as tenants_messages, \
     (select count(*) from logins where tenant_id = 1) as logins";

const DATABASE_BYTES: EngineSql = EngineSql {
    sqlite: "select page_count * page_size from pragma_page_count(), pragma_page_size()",
    postgres: "select pg_database_size(current_database())",
};

impl Store {
    /// What is counted in the database.
    pub async fn figures(&self) -> Result<Figures> {
        let row: FiguresRow = on!(&self.inner.read, pool => {
            sqlx::query_as(FIGURES).fetch_one(pool).await
        })
        .map_err(failed)?;
        let database_bytes: i64 = on!(&self.inner.read, pool => {
            sqlx::query_scalar(DATABASE_BYTES.of(&self.inner.read)).fetch_one(pool).await
        })
        .map_err(failed)?;
        Ok(Figures {
            people: row.people,
            deactivated: row.deactivated,
            administrators: row.administrators,
            chats: row.chats,
            messages: row.messages,
            tenants: row.tenants,
            tenants_messages: row.tenants_messages,
            logins: row.logins,
            database_bytes,
        })
    }
}
