//! The people, the logins and the chats of home as administrators list them.

use crate::{
    error::{Error, Result},
    model::{
        Account, AccountFilter, Chat, ChatId, Login, LoginId, Person, PersonId, SignedInPerson,
        TenantId, Timestamp,
    },
    store::{
        EngineSql, Store, Tx, failed,
        rows::{ChatRow, LoginRow, PersonRow, chat_columns, person_columns},
    },
};

row! {
    struct AccountRow {
        account_key: Option<String>,
        has_password: bool,
        has_second_factor: bool,
        administrator: bool,
        deactivated_at: Option<i64>,
        logins: i64,
        last_seen: Option<i64>,
        ..person: PersonRow,
    }
}

/// The columns and tables of an [`AccountRow`]: people of home who are not deleted.
macro_rules! select_accounts {
    ($condition:literal) => {
        concat!(
            "select p.account_key, p.password_hash is not null as has_password, p.administrator, \
             p.deactivated_at, \
             exists (select 1 from second_factors f where f.person_id = p.id \
             and f.confirmed_at is not null) as has_second_factor, \
             (select count(*) from logins l where l.person_id = p.id) as logins, \
             (select max(l.used_at) from logins l where l.person_id = p.id) as last_seen, ",
            person_columns!(),
            " from people p where p.tenant_id = 1 and p.deleted_at is null and ",
            $condition,
        )
    };
}

impl TryFrom<AccountRow> for Account {
    type Error = Error;

    fn try_from(row: AccountRow) -> Result<Self> {
        Ok(Self {
            person: row.person.try_into()?,
            key: row.account_key,
            has_password: row.has_password,
            has_second_factor: row.has_second_factor,
            is_administrator: row.administrator,
            deactivated_at: row.deactivated_at.map(Timestamp::new),
            logins: row.logins,
            last_seen: row.last_seen.map(Timestamp::new),
        })
    }
}

row! {
    struct SignedInRow {
        name: String,
        ..login: LoginRow,
    }
}

const SET_ADMINISTRATOR: &str = "update people set administrator = $2, updated_at = $3 \
     where id = $1 and tenant_id = 1 and administrator <> $2";

const SET_DEACTIVATED: EngineSql = EngineSql {
    sqlite: "update people set deactivated_at = $2, updated_at = $3 \
             where id = $1 and tenant_id = 1 and deleted_at is null \
             and (deactivated_at is null) <> ($2 is null)",
    postgres: "update people set deactivated_at = $2, updated_at = $3 \
               where id = $1 and tenant_id = 1 and deleted_at is null \
               and (deactivated_at is null) <> ($2::bigint is null)",
};

impl Tx {
    /// A person of home who is not deleted, with their account.
    pub async fn account_of(&mut self, person: PersonId) -> Result<Option<Account>> {
        let row: Option<AccountRow> = self
            .query(select_accounts!("p.id = $1"))
            .bind(person.get())
            .fetch_optional()
            .await
            .map_err(failed)?;
        row.map(Account::try_from).transpose()
    }

    /// Makes a person of home an administrator, or an ordinary one again; says whether that changes
    /// anything.
    pub async fn set_administrator(
        &mut self,
        person: PersonId,
        is_one: bool,
        now: Timestamp,
    ) -> Result<bool> {
        self.query(SET_ADMINISTRATOR)
            .bind(person.get())
            .bind(is_one)
            .bind(now.get())
            .execute()
            .await
            .map(|rows| rows > 0)
            .map_err(failed)
    }

    /// Deactivates a person of home at a time, or lets them in again; says whether that changes anything.
    pub async fn set_deactivated(
        &mut self,
        person: PersonId,
        at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<bool> {
        self.query(SET_DEACTIVATED)
            .bind(person.get())
            .bind(at.map(Timestamp::get))
            .bind(now.get())
            .execute()
            .await
            .map(|rows| rows > 0)
            .map_err(failed)
    }

    /// A login of home, with its person's name.
    pub async fn login_at_home(&mut self, login: LoginId) -> Result<Option<SignedInPerson>> {
        let row: Option<SignedInRow> = self
            .query(
                "select p.name, l.id, l.person_id, l.tenant_id, l.client, l.address, l.created_at, \
                 l.used_at from logins l join people p on p.id = l.person_id \
                 where l.tenant_id = 1 and l.id = $1",
            )
            .bind(login.get())
            .fetch_optional()
            .await
            .map_err(failed)?;
        Ok(row.map(signed_in))
    }
}

fn signed_in(row: SignedInRow) -> SignedInPerson {
    SignedInPerson {
        login: Login::from(row.login),
        name: row.name,
    }
}

/// The least text that is greater than all that begin with `prefix`; they are compared by their bytes.
fn beyond(prefix: &str) -> String {
    format!("{prefix}{}", char::MAX)
}

impl Store {
    /// A person of home who is not deleted, with their account.
    pub async fn home_account(&self, person: PersonId) -> Result<Option<Account>> {
        let row: Option<AccountRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(select_accounts!("p.id = $1"))
                .bind(person.get())
                .fetch_optional(pool)
                .await
        })
        .map_err(failed)?;
        row.map(Account::try_from).transpose()
    }

    /// The person of home who signs in by this key.
    pub async fn home_account_by_key(&self, key: &str) -> Result<Option<Account>> {
        let row: Option<AccountRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(select_accounts!("p.account_key = $1"))
                .bind(key)
                .fetch_optional(pool)
                .await
        })
        .map_err(failed)?;
        row.map(Account::try_from).transpose()
    }

    /// At most `limit` people of home before the one of that number, the newest first, whose folded names
    /// begin with `prefix`.
    pub async fn home_accounts(
        &self,
        (prefix, filter): (&str, AccountFilter),
        before: PersonId,
        limit: i64,
    ) -> Result<Vec<Account>> {
        let filter = match filter {
            AccountFilter::All => "",
            AccountFilter::Administrators => "administrators",
            AccountFilter::Deactivated => "deactivated",
        };
        let rows: Vec<AccountRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(select_accounts!(
                "p.id < $1 and ($2 = '' or (p.name_key >= $2 and p.name_key < $3)) \
                 and ($4 = '' or ($4 = 'administrators' and p.administrator) \
                 or ($4 = 'deactivated' and p.deactivated_at is not null)) \
                 order by p.id desc limit $5"
            ))
            .bind(before.get())
            .bind(prefix)
            .bind(beyond(prefix))
            .bind(filter)
            .bind(limit)
            .fetch_all(pool)
            .await
        })
        .map_err(failed)?;
        rows.into_iter().map(Account::try_from).collect()
    }

    /// At most `limit` logins of home before the one of that number, the newest first.
    pub async fn home_logins(&self, before: LoginId, limit: i64) -> Result<Vec<SignedInPerson>> {
        let rows: Vec<SignedInRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(
                "select p.name, l.id, l.person_id, l.tenant_id, l.client, l.address, l.created_at, \
                 l.used_at from logins l join people p on p.id = l.person_id \
                 where l.tenant_id = 1 and l.id < $1 order by l.id desc limit $2",
            )
            .bind(before.get())
            .bind(limit)
            .fetch_all(pool)
            .await
        })
        .map_err(failed)?;
        Ok(rows.into_iter().map(signed_in).collect())
    }

    /// At most `limit` chats of home before the one of that number, the newest first, whose folded titles
    /// begin with `prefix`.
    pub async fn home_chats(
        &self,
        prefix: &str,
        before: ChatId,
        limit: i64,
    ) -> Result<Vec<(Chat, Person)>> {
        row! {
            struct Row {
                ..chat: ChatRow,
                ..person: PersonRow,
            }
        }
        let rows: Vec<Row> = on!(&self.inner.read, pool => {
            sqlx::query_as(concat!(
                "select ",
                chat_columns!(),
                ", ",
                person_columns!(),
                " from chats c join people p on p.id = c.created_by \
                 where c.tenant_id = 1 and c.deleted_at is null and c.id < $1 \
                 and ($2 = '' or (c.title_key >= $2 and c.title_key < $3)) \
                 order by c.id desc limit $4",
            ))
            .bind(before.get())
            .bind(prefix)
            .bind(beyond(prefix))
            .bind(limit)
            .fetch_all(pool)
            .await
        })
        .map_err(failed)?;
        let pairs = rows.into_iter();
        pairs
            .map(|row| Ok((row.chat.try_into()?, row.person.try_into()?)))
            .collect()
    }

    /// At most `limit` members of a chat, those who came first at first.
    pub async fn first_members(
        &self,
        tenant: TenantId,
        chat: ChatId,
        limit: i64,
    ) -> Result<Vec<(Person, String)>> {
        row! {
            struct Row {
                role: String,
                ..person: PersonRow,
            }
        }
        let rows: Vec<Row> = on!(&self.inner.read, pool => {
            sqlx::query_as(concat!(
                "select m.role, ",
                person_columns!(),
                " from members m join people p on p.id = m.person_id \
                 where m.chat_id = $1 and m.tenant_id = $2 and m.standing = 'in' \
                 order by m.joined_position limit $3",
            ))
            .bind(chat.get())
            .bind(tenant.get())
            .bind(limit)
            .fetch_all(pool)
            .await
        })
        .map_err(failed)?;
        let members = rows.into_iter();
        members
            .map(|row| Ok((row.person.try_into()?, row.role)))
            .collect()
    }
}
