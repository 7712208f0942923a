//! Reading messages.

use crate::{
    error::Result,
    model::{ChatId, Message, MessageId, Page, PersonName, TenantId, Timestamp},
    store::{
        EngineSql, Store, failed,
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
