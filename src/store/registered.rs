//! People whom their tenant's server registered, found by its own id for them.

use std::collections::{BTreeMap, HashMap};

use crate::{
    error::{Error, Result},
    model::{LoginId, Person, PersonId, TenantId, Timestamp, TokenHash},
    store::{
        Either, NewPerson, Store, Tx, failed,
        failure::DbError,
        is_taken,
        query::inserting,
        rows::{PersonRow, person_columns},
        transaction::Transaction,
    },
};

const FOUND: &str = concat!(
    "select ",
    person_columns!(),
    " from people p where p.tenant_id = $1 and p.external_id = any($2)",
);

/// Another server may register somebody at the same moment: then it is waited for, and they are found afterwards.
const ADDED: &str = "insert into people (tenant_id, kind, name, name_key, first_name, middle_name, last_name, \
     photo, external_id, created_at, updated_at) \
     select $1, d.kind, d.name, d.name_key, d.first_name, d.middle_name, d.last_name, d.photo, d.external_id, $2, $2 \
     from unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[]) \
       as d (kind, name, name_key, first_name, middle_name, last_name, photo, external_id) \
     on conflict do nothing returning external_id, id";

/// The most people that one list holds.
const MOST: i64 = 10_000;

impl Tx {
    /// The person with this id of their tenant's, deleted or not.
    pub async fn registered(
        &mut self,
        tenant: TenantId,
        external_id: &str,
    ) -> Result<Option<Person>> {
        let row: Option<PersonRow> = self
            .query(concat!(
                "select ",
                person_columns!(),
                " from people p where p.tenant_id = $1 and p.external_id = $2",
            ))
            .bind(tenant.get())
            .bind(external_id)
            .fetch_optional()
            .await
            .map_err(failed)?;
        row.map(Person::try_from).transpose()
    }

    /// Finds people by their tenant's own ids for them, and makes those whom it has not registered; whether each
    /// is new. They are registered by those ids alone, and sign in by no name.
    pub async fn register_all(
        &mut self,
        tenant: TenantId,
        new: &[NewPerson],
        now: Timestamp,
    ) -> Result<Vec<(Person, bool)>> {
        if let Either::Postgres(tx) = &mut self.0 {
            return register_all(tx, tenant, new, now).await;
        }
        let mut registered = Vec::with_capacity(new.len());
        for one in new {
            registered.push(match self.registered(tenant, id_of(one)).await? {
                Some(person) => (person, false),
                None => {
                    let id = self.insert_person(one, now).await?;
                    (one.clone().made(id, now), true)
                }
            });
        }
        Ok(registered)
    }

    /// Marks a person as deleted; the row is kept so that they can be restored.
    pub async fn delete_person(&mut self, person: PersonId, now: Timestamp) -> Result<()> {
        self.query("update people set deleted_at = $2, updated_at = $2 where id = $1")
            .bind(person.get())
            .bind(now.get())
            .execute()
            .await
            .map(drop)
            .map_err(failed)
    }
}

fn id_of(new: &NewPerson) -> &str {
    new.external_id.as_deref().unwrap_or_default()
}

/// All of them in three statements at most.
async fn register_all(
    tx: &mut Transaction,
    tenant: TenantId,
    new: &[NewPerson],
    now: Timestamp,
) -> Result<Vec<(Person, bool)>> {
    // In one order everywhere, so that two servers that register the same people do not wait for each other.
    let mut missing: BTreeMap<&str, &NewPerson> = BTreeMap::new();
    for one in new {
        missing.entry(id_of(one)).or_insert(one);
    }
    let mut known = found(tx, tenant, &missing).await?;
    missing.retain(|id, _| !known.contains_key(*id));
    let mut added = add(tx, tenant, &missing, now).await?;
    missing.retain(|id, _| !added.contains_key(*id));
    known.extend(found(tx, tenant, &missing).await?);
    let person = |one: &NewPerson| {
        let id = id_of(one);
        if let Some(made) = added.remove(id) {
            let person = one.clone().made(made, now);
            known.insert(id.to_owned(), person.clone());
            return Ok((person, true));
        }
        let person = known.get(id).cloned();
        let gone = || Error::conflict("this user was registered by another server and is gone");
        Ok((person.ok_or_else(gone)?, false))
    };
    new.iter().map(person).collect()
}

async fn found(
    tx: &mut Transaction,
    tenant: TenantId,
    asked: &BTreeMap<&str, &NewPerson>,
) -> Result<HashMap<String, Person>> {
    if asked.is_empty() {
        return Ok(HashMap::new());
    }
    let ids: Vec<_> = asked.keys().copied().collect();
    let rows: Vec<PersonRow> = sqlx::query_as(FOUND)
        .bind(tenant.get())
        .bind(ids)
        .fetch_all(&mut **tx)
        .await
        .map_err(failed)?;
    let people = rows.into_iter().map(Person::try_from);
    let by_id = |person: Result<Person>| {
        let person = person?;
        Ok((person.external_id.clone().unwrap_or_default(), person))
    };
    people.map(by_id).collect()
}

async fn add(
    tx: &mut Transaction,
    tenant: TenantId,
    new: &BTreeMap<&str, &NewPerson>,
    now: Timestamp,
) -> Result<HashMap<String, PersonId>> {
    if new.is_empty() {
        return Ok(HashMap::new());
    }
    let new: Vec<_> = new.values().copied().collect();
    let names = |part: fn(&NewPerson) -> Option<&str>| -> Vec<_> {
        new.iter().map(|one| part(one)).collect()
    };
    let kinds: Vec<_> = new.iter().map(|one| one.kind.as_str()).collect();
    let keys: Vec<_> = new.iter().map(|one| one.name.folded()).collect();
    let rows: Vec<(String, i64)> = sqlx::query_as(ADDED)
        .bind(tenant.get())
        .bind(now.get())
        .bind(kinds)
        .bind(names(|one| Some(one.name.as_str())))
        .bind(keys)
        .bind(names(|one| one.names.first.as_deref()))
        .bind(names(|one| one.names.middle.as_deref()))
        .bind(names(|one| one.names.last.as_deref()))
        .bind(names(|one| one.photo.as_deref()))
        .bind(names(|one| one.external_id.as_deref()))
        .fetch_all(&mut **tx)
        .await
        .map_err(failed)?;
    let added = rows
        .into_iter()
        .map(|(id, person)| (id, PersonId::new(person)));
    Ok(added.collect())
}

impl Tx {
    /// Adds a login by a token that the tenant made; a conflict when somebody else in it has that.
    pub async fn insert_own_token(
        &mut self,
        (tenant, person): (TenantId, PersonId),
        hash: &TokenHash,
        now: Timestamp,
    ) -> Result<LoginId> {
        let inserted: Result<i64, DbError> = self
            .query(inserting!(
                "insert into logins (tenant_id, person_id, token_hash, created_at, used_at) \
                 values ($1, $2, $3, $4, $4)"
            ))
            .bind(tenant.get())
            .bind(person.get())
            .bind(hash.as_str())
            .bind(now.get())
            .insert()
            .await;
        inserted.map(LoginId::new).map_err(|error| {
            if is_taken(&error) {
                Error::conflict("another user has that token").because(error)
            } else {
                failed(error)
            }
        })
    }
}

impl Store {
    /// The person with this id of their tenant's.
    pub async fn registered(&self, tenant: TenantId, external_id: &str) -> Result<Option<Person>> {
        let row: Option<PersonRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(concat!(
                "select ",
                person_columns!(),
                " from people p where p.tenant_id = $1 and p.external_id = $2 \
                 and p.deleted_at is null",
            ))
            .bind(tenant.get())
            .bind(external_id)
            .fetch_optional(pool)
            .await
        })
        .map_err(failed)?;
        row.map(Person::try_from).transpose()
    }

    /// The people whom a tenant's server registered in the order they came, those after one.
    pub async fn all_registered(&self, tenant: TenantId, after: PersonId) -> Result<Vec<Person>> {
        let rows: Vec<PersonRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(concat!(
                "select ",
                person_columns!(),
                " from people p where p.tenant_id = $1 and p.external_id is not null \
                 and p.deleted_at is null and p.id > $3 order by p.id limit $2",
            ))
            .bind(tenant.get())
            .bind(MOST)
            .bind(after.get())
            .fetch_all(pool)
            .await
        })
        .map_err(failed)?;
        rows.into_iter().map(Person::try_from).collect()
    }
}
