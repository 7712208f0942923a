//! What people are called and look like, and what is left of those who are gone.

use std::collections::HashMap;

use sqlx::types::Json;

use crate::{
    error::{Error, Result},
    model::{ChatId, Person, PersonId, TenantId, Timestamp, text::fold::fold},
    store::{
        Either, EngineSql, Store, Tx, failed,
        failure::bounded,
        is_taken,
        rows::{PersonRow, person_columns},
    },
};

/// What stands in the place of a name once its owner is gone.
pub const GONE: &str = "deleted";

const OTHERS_LOOKS: EngineSql = EngineSql {
    sqlite: "select count(*) from name_looks where person_id <> $1 \
             and look in (select value from json_each($2))",
    postgres: "select count(*) from name_looks where person_id <> $1 and look = any($2)",
};

/// Somebody whom others find: guests are found by agents alone, and developers have accounts of another kind.
macro_rules! select_found {
    ($more:literal) => {
        concat!(
            "select ",
            person_columns!(),
            " from people p where p.tenant_id = $1 and p.deleted_at is null and p.kind <> 'guest' \
             and (p.account_key is null or p.account_key like 'name/%') and ",
            $more,
        )
    };
}

const FOUND_SQLITE: &str =
    select_found!("p.id in (select value from json_each($2)) order by p.name_key, p.id");

const FOUND_POSTGRES: &str = select_found!("p.id = any($2) order by p.name_key, p.id");

// The people are few, and each has few chats: were the reader's chats looked through first, they might be
// thousands for each of them.
const ACQUAINTED_SQLITE: &str = "select d.value from json_each($2) d where exists ( \
     select 1 from members o \
     cross join members m on m.chat_id = o.chat_id and m.person_id = $1 and m.standing = 'in' \
     cross join chats c on c.id = o.chat_id and c.members_count <= $3 and c.deleted_at is null \
     where o.person_id = d.value and o.standing = 'in')";

const ACQUAINTED_POSTGRES: &str = "select d.id from unnest($2::bigint[]) d (id) where exists ( \
     select 1 from members o \
     join members m on m.chat_id = o.chat_id and m.person_id = $1 and m.standing = 'in' \
     join chats c on c.id = o.chat_id and c.members_count <= $3 and c.deleted_at is null \
     where o.person_id = d.id and o.standing = 'in')";

const SMALL_CHATS_SQLITE: &str = "select m.person_id, m.chat_id from json_each($1) d \
     cross join members m on m.person_id = d.value and m.standing = 'in' \
     cross join chats c on c.id = m.chat_id and c.members_count <= $2 and c.deleted_at is null";

const SMALL_CHATS_POSTGRES: &str = "select m.person_id, m.chat_id from unnest($1::bigint[]) d (id) \
     join members m on m.person_id = d.id and m.standing = 'in' \
     join chats c on c.id = m.chat_id and c.members_count <= $2 and c.deleted_at is null";

const USES_SQLITE: &str = "select person_id, max(used_at) from logins \
     where person_id in (select value from json_each($1)) group by person_id";

const USES_POSTGRES: &str = "select person_id, max(used_at) from logins \
     where person_id = any($1) group by person_id";

/// What is kept of somebody beside their row, and goes with them.
const OWN_ROWS: [&str; 5] = [
    "delete from name_looks where person_id = $1",
    "delete from second_factors where person_id = $1",
    "delete from recovery_codes where person_id = $1",
    "delete from sign_ins where person_id = $1",
    "delete from one_time_links where person_id = $1",
];

impl Tx {
    /// A person of a tenant, deleted or not.
    pub async fn person_ever(
        &mut self,
        tenant: TenantId,
        person: PersonId,
    ) -> Result<Option<Person>> {
        let row: Option<PersonRow> = self
            .query(concat!(
                "select ",
                person_columns!(),
                " from people p where p.id = $1 and p.tenant_id = $2",
            ))
            .bind(person.get())
            .bind(tenant.get())
            .fetch_optional()
            .await
            .map_err(failed)?;
        row.map(Person::try_from).transpose()
    }

    /// Writes down a person as they are now, and the key under which they sign in if it is another one; a
    /// conflict when somebody has taken that key meanwhile.
    pub async fn put_profile(&mut self, person: &Person, account_key: Option<&str>) -> Result<()> {
        let names = &person.names;
        self.query(
            "update people set name = $2, name_key = $3, first_name = $4, middle_name = $5, \
             last_name = $6, photo = $7, email = $8, account_key = coalesce($9, account_key), \
             updated_at = $10, deleted_at = $11 where id = $1",
        )
        .bind(person.id.get())
        .bind(&*person.name)
        .bind(fold(&person.name))
        .bind(names.first.as_deref())
        .bind(names.middle.as_deref())
        .bind(names.last.as_deref())
        .bind(person.photo.as_deref())
        .bind(person.email.as_deref())
        .bind(account_key)
        .bind(person.updated_at.get())
        .bind(person.deleted_at.map(Timestamp::get))
        .execute()
        .await
        .map(drop)
        .map_err(|error| {
            if is_taken(&error) {
                Error::conflict("that name is taken").because(error)
            } else {
                failed(error)
            }
        })
    }

    /// Whether somebody else signs in under a key, or has a name that looks like one of these.
    pub async fn is_of_another(
        &mut self,
        person: PersonId,
        account_key: &str,
        looks: &[String],
    ) -> Result<bool> {
        let keys: i64 = self
            .query("select count(*) from people where account_key = $1 and id <> $2")
            .bind(account_key)
            .bind(person.get())
            .scalar()
            .await
            .map_err(failed)?;
        if keys > 0 {
            return Ok(true);
        }
        let alike: i64 = self
            .query(OTHERS_LOOKS)
            .bind(person.get())
            .bind(looks.to_vec())
            .scalar()
            .await
            .map_err(failed)?;
        Ok(alike > 0)
    }

    /// Replaces what a person's name looks like; returns whether no other name looks like it.
    pub async fn replace_looks(&mut self, person: PersonId, looks: &[String]) -> Result<bool> {
        let freed = self.query(OWN_ROWS[0]).bind(person.get()).execute();
        freed.await.map_err(failed)?;
        self.insert_looks(person, looks).await
    }

    /// Deletes an account: its name and its address are free again, and what it wrote stays under another name.
    pub async fn erase_person(&mut self, person: PersonId, now: Timestamp) -> Result<()> {
        for sql in OWN_ROWS {
            let deleted = self.query(sql).bind(person.get()).execute();
            deleted.await.map_err(failed)?;
        }
        self.query(
            "update people set name = $2, name_key = $2, first_name = null, middle_name = null, \
             last_name = null, email = null, photo = null, account_key = null, \
             password_hash = null, updated_at = $3, deleted_at = $3 where id = $1",
        )
        .bind(person.get())
        .bind(GONE)
        .bind(now.get())
        .execute()
        .await
        .map(drop)
        .map_err(failed)
    }
}

impl Store {
    /// At most `limit` people of a tenant whose folded names begin so, by name, after one of them.
    pub async fn people_called(
        &self,
        tenant: TenantId,
        beginning: &str,
        after: Option<PersonId>,
        limit: usize,
    ) -> Result<Vec<Person>> {
        // No name has a character beyond this one.
        let end = format!("{beginning}\u{10ffff}");
        let mut begin = (beginning.to_owned(), 0);
        if let Some(after) = after {
            let key: Option<String> = on!(&self.inner.read, pool => {
                sqlx::query_scalar("select name_key from people where id = $1 and tenant_id = $2")
                    .bind(after.get())
                    .bind(tenant.get())
                    .fetch_optional(pool)
                    .await
            })
            .map_err(failed)?;
            if let Some(key) = key.filter(|key| *key >= begin.0) {
                begin = (key, after.get());
            }
        }
        let rows: Vec<PersonRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(select_found!(
                "p.name_key >= $2 and p.name_key < $3 and (p.name_key > $2 or p.id > $4) \
                 order by p.name_key, p.id limit $5"
            ))
            .bind(tenant.get())
            .bind(&begin.0)
            .bind(&end)
            .bind(begin.1)
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(pool)
            .await
        })
        .map_err(failed)?;
        rows.into_iter().map(Person::try_from).collect()
    }

    /// A person of a tenant whom others find.
    pub async fn person_found(&self, tenant: TenantId, id: PersonId) -> Result<Option<Person>> {
        let row: Option<PersonRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(select_found!("p.id = $2"))
                .bind(tenant.get())
                .bind(id.get())
                .fetch_optional(pool)
                .await
        })
        .map_err(failed)?;
        row.map(Person::try_from).transpose()
    }

    /// Those of these people of a tenant whom others find.
    pub async fn people_found(&self, tenant: TenantId, ids: &[PersonId]) -> Result<Vec<Person>> {
        let ids: Vec<_> = ids.iter().map(|id| id.get()).collect();
        let rows: Vec<PersonRow> = bounded(async {
            match self.inner.read.for_statement() {
                Either::Sqlite(pool) => {
                    let asked = sqlx::query_as(FOUND_SQLITE).bind(tenant.get());
                    asked.bind(Json(ids)).fetch_all(pool).await
                }
                Either::Postgres(pool) => {
                    let asked = sqlx::query_as(FOUND_POSTGRES).bind(tenant.get());
                    asked.bind(ids).fetch_all(pool).await
                }
            }
        })
        .await
        .map_err(failed)?;
        rows.into_iter().map(Person::try_from).collect()
    }

    /// Those of these people who share a chat of at most so many members with somebody.
    pub async fn acquainted(
        &self,
        person: PersonId,
        among: &[PersonId],
        most: i64,
    ) -> Result<Vec<PersonId>> {
        let among: Vec<_> = among.iter().map(|other| other.get()).collect();
        let known: Vec<i64> = bounded(async {
            match self.inner.read.for_statement() {
                Either::Sqlite(pool) => {
                    let asked = sqlx::query_scalar(ACQUAINTED_SQLITE).bind(person.get());
                    asked.bind(Json(among)).bind(most).fetch_all(pool).await
                }
                Either::Postgres(pool) => {
                    let asked = sqlx::query_scalar(ACQUAINTED_POSTGRES).bind(person.get());
                    asked.bind(among).bind(most).fetch_all(pool).await
                }
            }
        })
        .await
        .map_err(failed)?;
        Ok(known.into_iter().map(PersonId::new).collect())
    }

    /// The chats of at most so many members that each of these people is in.
    pub async fn small_chats(
        &self,
        people: &[PersonId],
        most: i64,
    ) -> Result<HashMap<PersonId, Vec<ChatId>>> {
        let people: Vec<_> = people.iter().map(|person| person.get()).collect();
        let rows: Vec<(i64, i64)> = bounded(async {
            match self.inner.read.for_statement() {
                Either::Sqlite(pool) => {
                    let asked = sqlx::query_as(SMALL_CHATS_SQLITE).bind(Json(people));
                    asked.bind(most).fetch_all(pool).await
                }
                Either::Postgres(pool) => {
                    let asked = sqlx::query_as(SMALL_CHATS_POSTGRES).bind(people);
                    asked.bind(most).fetch_all(pool).await
                }
            }
        })
        .await
        .map_err(failed)?;
        let mut chats: HashMap<_, Vec<_>> = HashMap::new();
        for (person, chat) in rows {
            let of_person = chats.entry(PersonId::new(person)).or_default();
            of_person.push(ChatId::new(chat));
        }
        Ok(chats)
    }

    /// When a login of each of these people was last used, as far as that is written down.
    pub async fn last_uses(&self, people: &[PersonId]) -> Result<HashMap<PersonId, Timestamp>> {
        let people: Vec<_> = people.iter().map(|person| person.get()).collect();
        let uses: Vec<(i64, i64)> = bounded(async {
            match self.inner.read.for_statement() {
                Either::Sqlite(pool) => {
                    let asked = sqlx::query_as(USES_SQLITE).bind(Json(people));
                    asked.fetch_all(pool).await
                }
                Either::Postgres(pool) => {
                    let asked = sqlx::query_as(USES_POSTGRES).bind(people);
                    asked.fetch_all(pool).await
                }
            }
        })
        .await
        .map_err(failed)?;
        let uses = uses.into_iter();
        Ok(uses
            .map(|(person, at)| (PersonId::new(person), Timestamp::new(at)))
            .collect())
    }

    /// Some of the people who are gone and are in a chat still.
    pub async fn gone_members(&self, limit: i64) -> Result<Vec<Person>> {
        let rows: Vec<PersonRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(concat!(
                "select ",
                person_columns!(),
                " from people p where p.deleted_at is not null and exists ( \
                 select 1 from members m where m.person_id = p.id and m.standing = 'in') \
                 order by p.id limit $1",
            ))
            .bind(limit)
            .fetch_all(pool)
            .await
        })
        .map_err(failed)?;
        rows.into_iter().map(Person::try_from).collect()
    }
}
