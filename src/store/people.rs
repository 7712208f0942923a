//! People and their passwords.

use crate::{
    error::{Error, Result},
    model::{Name, Names, Person, PersonId, PersonKind, TenantId, Timestamp},
    store::{
        Store, Tx, failed,
        failure::DbError,
        is_taken,
        query::inserting,
        rows::{PersonRow, person_columns},
    },
};

/// The values of a new person.
#[derive(Debug, Clone)]
pub struct NewPerson {
    /// Whose person this is.
    pub tenant: TenantId,
    /// What kind of person it is.
    pub kind: PersonKind,
    /// What they are called.
    pub name: Name,
    /// First, middle and last name, where their tenant gives them.
    pub names: Names,
    /// Their e-mail address.
    pub email: Option<String>,
    /// The address of their picture.
    pub photo: Option<String>,
    /// Their tenant's own id for them, unique in it.
    pub external_id: Option<String>,
    /// The key under which they sign in, unique on the whole server.
    pub account_key: Option<String>,
    /// The bcrypt hash of their password.
    pub password_hash: Option<String>,
}

impl NewPerson {
    /// The person that has been made of it.
    pub fn made(self, id: PersonId, now: Timestamp) -> Person {
        Person {
            id,
            tenant: self.tenant,
            kind: self.kind,
            name: self.name.as_str().into(),
            names: self.names,
            email: self.email,
            photo: self.photo,
            external_id: self.external_id,
            created_at: now,
            updated_at: now,
            deleted_at: None,
        }
    }
}

impl Tx {
    /// Adds a person; a conflict when the account key is taken.
    pub async fn insert_person(&mut self, new: &NewPerson, now: Timestamp) -> Result<PersonId> {
        let inserted: Result<i64, DbError> = self
            .query(inserting!(
                "insert into people (tenant_id, kind, name, name_key, first_name, middle_name, \
                 last_name, email, photo, external_id, account_key, password_hash, created_at, \
                 updated_at) \
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13)"
            ))
            .bind(new.tenant.get())
            .bind(new.kind.as_str())
            .bind(new.name.as_str())
            .bind(new.name.folded())
            .bind(new.names.first.as_deref())
            .bind(new.names.middle.as_deref())
            .bind(new.names.last.as_deref())
            .bind(new.email.as_deref())
            .bind(new.photo.as_deref())
            .bind(new.external_id.as_deref())
            .bind(new.account_key.as_deref())
            .bind(new.password_hash.as_deref())
            .bind(now.get())
            .insert()
            .await;
        inserted.map(PersonId::new).map_err(|error| {
            if is_taken(&error) {
                Error::conflict("that name is taken").because(error)
            } else {
                failed(error)
            }
        })
    }

    /// Whether an account has that key, as this transaction sees it.
    pub async fn is_account_key_taken(&mut self, account_key: &str) -> Result<bool> {
        let count: i64 = self
            .query("select count(*) from people where account_key = $1")
            .bind(account_key)
            .scalar()
            .await
            .map_err(failed)?;
        Ok(count > 0)
    }

    /// Whether this is the hash of the password of a person who may sign in; locks the row until the
    /// transaction ends.
    pub async fn hold_password(&mut self, person: PersonId, hash: &str) -> Result<bool> {
        // A write that changes nothing locks the row on both engines.
        self.query(
            "update people set password_hash = password_hash \
                 where id = $1 and password_hash = $2 and deleted_at is null \
                 and deactivated_at is null",
        )
        .bind(person.get())
        .bind(hash)
        .execute()
        .await
        .map(|rows| rows > 0)
        .map_err(failed)
    }

    /// Replaces a person's password.
    pub async fn set_password(
        &mut self,
        person: PersonId,
        hash: &str,
        now: Timestamp,
    ) -> Result<()> {
        self.query("update people set password_hash = $2, updated_at = $3 where id = $1")
            .bind(person.get())
            .bind(hash)
            .bind(now.get())
            .execute()
            .await
            .map(drop)
            .map_err(failed)
    }
}

impl Store {
    /// Whether an account has that key.
    pub async fn account_exists(&self, account_key: &str) -> Result<bool> {
        let count: i64 = on!(&self.inner.read, pool => {
            sqlx::query_scalar("select count(*) from people where account_key = $1")
                .bind(account_key)
                .fetch_one(pool)
                .await
        })
        .map_err(failed)?;
        Ok(count > 0)
    }

    /// The account with that key, and the hash of its password; none that is deactivated, or whose tenant
    /// is suspended.
    pub async fn account(&self, account_key: &str) -> Result<Option<(Person, String)>> {
        row! {
            struct Row {
                password_hash: String,
                ..person: PersonRow,
            }
        }
        let row: Option<Row> = on!(&self.inner.read, pool => {
            sqlx::query_as(concat!(
                "select p.password_hash, ",
                person_columns!(),
                " from people p join tenants t on t.id = p.tenant_id \
                 where p.account_key = $1 and p.deleted_at is null and p.deactivated_at is null \
                 and t.suspended_at is null and p.password_hash is not null",
            ))
            .bind(account_key)
            .fetch_optional(pool)
            .await
        })
        .map_err(failed)?;
        row.map(|row| Ok((row.person.try_into()?, row.password_hash)))
            .transpose()
    }

    /// The hash of a person's password.
    pub async fn password_hash(&self, person: PersonId) -> Result<Option<String>> {
        on!(&self.inner.read, pool => {
            sqlx::query_scalar::<_, Option<String>>(
                "select password_hash from people where id = $1 and deleted_at is null",
            )
            .bind(person.get())
            .fetch_optional(pool)
            .await
        })
        .map(Option::flatten)
        .map_err(failed)
    }

    /// A person of a tenant.
    pub async fn person(&self, tenant: TenantId, person: PersonId) -> Result<Option<Person>> {
        let row: Option<PersonRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(concat!(
                "select ",
                person_columns!(),
                " from people p where p.id = $1 and p.tenant_id = $2 and p.deleted_at is null",
            ))
            .bind(person.get())
            .bind(tenant.get())
            .fetch_optional(pool)
            .await
        })
        .map_err(failed)?;
        row.map(Person::try_from).transpose()
    }
}
