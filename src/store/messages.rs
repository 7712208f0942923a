//! Reading messages.

use sqlx::types::Json;

use crate::{
    error::Result,
    model::{ChatId, Message, MessageId, Page, Person, PersonId, PersonName, TenantId, Timestamp},
    store::{
        Either, EngineSql, Store,
        failure::{bounded, failed},
        rows::{MessageRow, message_columns},
    },
};

macro_rules! select_messages {
    ($condition:literal) => {
        concat!(
            "select ",
            message_columns!(),
            ", p.name as sender_name from messages m join people p on p.id = m.sender_id \
             left join messages q on q.id = m.reply_to where m.tenant_id = $2 and ",
            $condition
        )
    };
}

// With the chat's number merely equal, PostgreSQL may walk back through everybody's messages until it
// has found enough of this chat's: in a quiet chat of a busy server that is the whole table. So there
// pages compare and sort by both columns of the index of a chat's messages. SQLite seeks by the
// first column alone then, which is the whole of a big chat, and is asked plainly.
const BEFORE: EngineSql = EngineSql {
    sqlite: select_messages!("m.chat_id = $1 and m.id < $3 order by m.id desc limit $4"),
    postgres: select_messages!(
        "(m.chat_id, m.id) < ($1, $3) and m.chat_id >= $1 order by m.chat_id desc, m.id desc limit $4"
    ),
};
const FROM: EngineSql = EngineSql {
    sqlite: select_messages!("m.chat_id = $1 and m.id >= $3 order by m.id limit $4"),
    postgres: select_messages!(
        "(m.chat_id, m.id) >= ($1, $3) and m.chat_id <= $1 order by m.chat_id, m.id limit $4"
    ),
};
const NEWEST: &str = select_messages!(
    "m.chat_id >= $1 and m.chat_id <= $1 and m.id < $5 and m.deleted_at is null \
     order by m.chat_id desc, m.id desc limit $3 offset $4"
);
const BETWEEN: EngineSql = EngineSql {
    sqlite: select_messages!(
        "m.chat_id = $1 and m.id < $3 and m.deleted_at is null \
         and m.created_at >= $5 and m.created_at <= $6 order by m.id desc limit $4"
    ),
    postgres: select_messages!(
        "(m.chat_id, m.id) < ($1, $3) and m.chat_id >= $1 and m.deleted_at is null \
         and m.created_at >= $5 and m.created_at <= $6 order by m.chat_id desc, m.id desc limit $4"
    ),
};
/// What somebody may find: messages of chats that they are in. The policy decides again about each.
macro_rules! mine {
    () => {
        " and m.deleted_at is null and exists (select 1 from members x \
         join chats c on c.id = x.chat_id where x.chat_id = m.chat_id and x.person_id = $1 \
         and x.standing = 'in' and c.deleted_at is null) order by m.id desc"
    };
}
const AMONG_SQLITE: &str = concat!(
    select_messages!("m.id in (select value from json_each($3))"),
    mine!()
);
const AMONG_POSTGRES: &str = concat!(select_messages!("m.id = any($3)"), mine!());
const WITHIN: &str = concat!(
    select_messages!(
        "m.id >= $3 and m.id < $4 and ($6 = 0 or m.chat_id = $6) and ($7 = 0 or m.sender_id = $7)"
    ),
    mine!(),
    " limit $5"
);
const ONE: EngineSql = {
    let text = select_messages!("m.chat_id = $1 and m.id = $3 limit $4");
    EngineSql {
        sqlite: text,
        postgres: text,
    }
};

impl Store {
    /// The newest messages of a chat before `before`, at most `limit`.
    pub async fn messages_before(
        &self,
        (tenant, chat): (TenantId, ChatId),
        before: Option<MessageId>,
        limit: usize,
    ) -> Result<Page> {
        let before = before.map_or(i64::MAX, MessageId::get);
        let mut page = self.messages(BEFORE, (tenant, chat), before, limit).await?;
        page.messages.reverse();
        Ok(page)
    }

    /// The first messages of a chat from `from` on, ascending, at most `limit`.
    pub async fn messages_from(
        &self,
        (tenant, chat): (TenantId, ChatId),
        from: MessageId,
        limit: usize,
    ) -> Result<Page> {
        self.messages(FROM, (tenant, chat), from.get(), limit).await
    }

    /// The newest messages of a chat before `before` that were sent from `from` to `to`, both
    /// included, and are not deleted, at most `limit`.
    pub async fn messages_between(
        &self,
        (tenant, chat): (TenantId, ChatId),
        before: Option<MessageId>,
        (from, to): (Timestamp, Timestamp),
        limit: usize,
    ) -> Result<Page> {
        let rows: Vec<MessageRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(BETWEEN.of(&self.inner.read))
                .bind(chat.get())
                .bind(tenant.get())
                .bind(before.map_or(i64::MAX, MessageId::get))
                .bind(one_more(limit))
                .bind(from.get())
                .bind(to.get())
                .fetch_all(pool)
                .await
        })
        .map_err(failed)?;
        let mut page = page(rows, limit)?;
        page.messages.reverse();
        Ok(page)
    }

    /// The messages of a chat before `before` that are not deleted, newest first: at most `limit`,
    /// after `skipped`.
    pub async fn newest_messages(
        &self,
        (tenant, chat): (TenantId, ChatId),
        before: Option<MessageId>,
        (skipped, limit): (i64, i64),
    ) -> Result<Vec<Message>> {
        let rows: Vec<MessageRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(NEWEST)
                .bind(chat.get())
                .bind(tenant.get())
                .bind(limit)
                .bind(skipped)
                .bind(before.map_or(i64::MAX, MessageId::get))
                .fetch_all(pool)
                .await
        })
        .map_err(failed)?;
        rows.into_iter().map(Message::try_from).collect()
    }

    /// One message of a chat.
    pub async fn message(
        &self,
        (tenant, chat): (TenantId, ChatId),
        message: MessageId,
    ) -> Result<Option<(Message, PersonName)>> {
        Ok(self
            .messages(ONE, (tenant, chat), message.get(), 1)
            .await?
            .messages
            .pop())
    }

    /// Of these messages those that somebody may find, newest first.
    pub async fn found_among(
        &self,
        person: &Person,
        messages: &[MessageId],
    ) -> Result<Vec<(Message, PersonName)>> {
        let ids: Vec<i64> = messages.iter().map(|message| message.get()).collect();
        let (person, tenant) = (person.id.get(), person.tenant.get());
        let rows: Vec<MessageRow> = bounded(async {
            match self.inner.read.for_statement() {
                Either::Sqlite(pool) => {
                    let asked = sqlx::query_as(AMONG_SQLITE).bind(person).bind(tenant);
                    asked.bind(Json(ids)).fetch_all(pool).await
                }
                Either::Postgres(pool) => {
                    let asked = sqlx::query_as(AMONG_POSTGRES).bind(person).bind(tenant);
                    asked.bind(ids).fetch_all(pool).await
                }
            }
        })
        .await
        .map_err(failed)?;
        Ok(page(rows, usize::MAX)?.messages)
    }

    /// The messages from `from` to before `before` that somebody may find, newest first, at most `limit`: of one
    /// chat or all, of one sender or all.
    pub async fn found_within(
        &self,
        person: &Person,
        (from, before): (i64, i64),
        (chat, sender): (Option<ChatId>, Option<PersonId>),
        limit: i64,
    ) -> Result<Vec<(Message, PersonName)>> {
        let rows: Vec<MessageRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(WITHIN)
                .bind(person.id.get())
                .bind(person.tenant.get())
                .bind(from)
                .bind(before)
                .bind(limit)
                .bind(chat.map_or(0, ChatId::get))
                .bind(sender.map_or(0, PersonId::get))
                .fetch_all(pool)
                .await
        })
        .map_err(failed)?;
        Ok(page(rows, usize::MAX)?.messages)
    }

    async fn messages(
        &self,
        asked: EngineSql,
        (tenant, chat): (TenantId, ChatId),
        edge: i64,
        limit: usize,
    ) -> Result<Page> {
        let rows: Vec<MessageRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(asked.of(&self.inner.read))
                .bind(chat.get())
                .bind(tenant.get())
                .bind(edge)
                .bind(one_more(limit))
                .fetch_all(pool)
                .await
        })
        .map_err(failed)?;
        page(rows, limit)
    }
}

/// How many rows to ask for, so as to know whether there are more than `limit`.
fn one_more(limit: usize) -> i64 {
    i64::try_from(limit)
        .unwrap_or(i64::MAX - 1)
        .saturating_add(1)
}

fn page(rows: Vec<MessageRow>, limit: usize) -> Result<Page> {
    let more = rows.len() > limit;
    let messages = rows
        .into_iter()
        .take(limit)
        .map(|mut row| {
            let name = std::mem::take(&mut row.sender_name).into();
            let message = Message::try_from(row)?;
            let sender = PersonName {
                id: message.sender,
                name,
            };
            Ok((message, sender))
        })
        .collect::<Result<_>>()?;
    Ok(Page { messages, more })
}
