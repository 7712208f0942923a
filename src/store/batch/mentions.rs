//! Whom messages name: who in a chat has a name, and what is kept of it.

use std::collections::{HashMap, HashSet};

use crate::{
    error::Result,
    model::{ChatId, Mentions, Message, PersonId, TenantId},
    store::{EngineSql, Tx, failed},
};

/// Members by their folded name. On SQLite one name a statement, on PostgreSQL all of them.
const NAMED: EngineSql = EngineSql {
    sqlite: "select $2 as chat_id, $3 as name_key, p.id as person_id from people p \
     join members m on m.chat_id = $2 and m.person_id = p.id and m.standing = 'in' \
     where p.tenant_id = $1 and p.name_key = $3 and p.deleted_at is null order by p.id",
    postgres: "select d.chat_id, d.name_key, p.id as person_id \
     from unnest($1::bigint[], $2::bigint[], $3::text[]) as d (tenant_id, chat_id, name_key) \
     join people p on p.tenant_id = d.tenant_id and p.name_key = d.name_key and p.deleted_at is null \
     join members m on m.chat_id = d.chat_id and m.person_id = p.id and m.standing = 'in' order by p.id",
};

const INSERT: EngineSql = EngineSql {
    sqlite: "insert into mentions (chat_id, person_id, message_id) \
     select $1, d.value, $2 from json_each($3) d",
    postgres: "insert into mentions (chat_id, person_id, message_id) \
     select $1, d.person_id, $2 from unnest($3::bigint[]) as d (person_id)",
};

const DELETE: EngineSql = EngineSql {
    sqlite: "delete from mentions where chat_id = $1 and message_id = $2 \
     and person_id in (select value from json_each($3))",
    postgres: "delete from mentions where chat_id = $1 and message_id = $2 and person_id = any($3)",
};

row! {
    struct NamedRow {
        chat_id: i64,
        name_key: String,
        person_id: i64,
    }
}

/// The people who have a folded name in a chat.
pub type NamedMembers = HashMap<(ChatId, String), Vec<PersonId>>;

impl Tx {
    /// The members of chats who have these folded names.
    pub async fn members_named(
        &mut self,
        names: HashSet<(TenantId, ChatId, &str)>,
    ) -> Result<NamedMembers> {
        let mut rows: Vec<NamedRow> = Vec::new();
        if self.is_sqlite() {
            for (tenant, chat, name) in names {
                let named = self.query(NAMED).bind(tenant.get()).bind(chat.get());
                rows.extend(named.bind(name).fetch_all().await.map_err(failed)?);
            }
        } else if !names.is_empty() {
            let (mut tenants, mut chats, mut keys) = (Vec::new(), Vec::new(), Vec::new());
            for (tenant, chat, name) in names {
                tenants.push(tenant.get());
                chats.push(chat.get());
                keys.push(name.to_owned());
            }
            let named = self.query(NAMED).bind(tenants).bind(chats).bind(keys);
            rows = named.fetch_all().await.map_err(failed)?;
        }
        let mut members = NamedMembers::new();
        for row in rows {
            let place = (ChatId::new(row.chat_id), row.name_key);
            members
                .entry(place)
                .or_default()
                .push(PersonId::new(row.person_id));
        }
        Ok(members)
    }

    /// Keeps whom a message names.
    pub async fn insert_mentions(&mut self, message: &Message) -> Result<()> {
        self.write_mentions(INSERT, message, &message.mentions)
            .await
    }

    /// Forgets whom a message named.
    pub async fn delete_mentions(&mut self, message: &Message, named: &Mentions) -> Result<()> {
        self.write_mentions(DELETE, message, named).await
    }

    async fn write_mentions(
        &mut self,
        sql: EngineSql,
        message: &Message,
        named: &Mentions,
    ) -> Result<()> {
        let people = rows_of(named);
        if people.is_empty() {
            return Ok(());
        }
        self.query(sql)
            .bind(message.chat.get())
            .bind(message.id.get())
            .bind(people)
            .execute()
            .await
            .map(drop)
            .map_err(failed)
    }
}

/// The people of a message's rows: where everybody is named, 0 alone, so that it counts once for each.
fn rows_of(named: &Mentions) -> Vec<i64> {
    if named.everybody {
        return vec![0];
    }
    named.people.iter().map(|person| person.get()).collect()
}
