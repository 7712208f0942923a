//! Reading everything that is kept of somebody, piece by piece.

use crate::{
    error::Result,
    model::{ChatId, Membership, MessageId, PersonId, Timestamp},
    store::{
        Store, failed,
        rows::{MembershipRow, membership_columns},
    },
};

/// A chat that somebody is or was in.
#[derive(Debug)]
pub struct ExportedChat {
    /// Its number.
    pub id: ChatId,
    /// Its kind, in one word.
    pub kind: String,
    /// Its title.
    pub title: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Their place in it.
    pub membership: Membership,
}

row! {
    struct ExportedRow {
        id: i64,
        kind: String,
        title: Option<String>,
        created_at: i64,
        ..membership: MembershipRow,
    }
}

/// A message as its sender takes it with them.
#[derive(Debug)]
pub struct ExportedMessage {
    /// Its number.
    pub id: MessageId,
    /// Its chat.
    pub chat: ChatId,
    /// What its content is, in one word.
    pub kind: String,
    /// Its text.
    pub content: String,
    /// When it was sent.
    pub at: Timestamp,
    /// When it was edited.
    pub edited_at: Option<Timestamp>,
    /// When it was deleted.
    pub deleted_at: Option<Timestamp>,
}

row! {
    struct MessageRow {
        id: i64,
        kind: String,
        content: String,
        created_at: i64,
        edited_at: Option<i64>,
        deleted_at: Option<i64>,
    }
}

// The chat's number is asked for as a range, so that PostgreSQL walks along the index of the chat's messages.
const OWN: &str = "select id, kind, content, created_at, edited_at, deleted_at from messages \
     where chat_id >= $1 and chat_id <= $1 and id > $2 and id <= $3 and sender_id = $4 \
     order by chat_id, id";

const LAST_OF_WINDOW: &str = "select max(id) from (select id from messages \
     where chat_id >= $1 and chat_id <= $1 and id > $2 order by chat_id, id limit $3) seen";

// Each part has an index of its own.
const NEXT_CHAT: &str = concat!(
    "select c.id, c.kind, c.title, c.created_at, ",
    membership_columns!(),
    " from members m join chats c on c.id = m.chat_id \
     where m.person_id = $1 and m.chat_id = (select min(chat_id) from ( \
       select min(chat_id) as chat_id from members \
         where person_id = $1 and standing = 'in' and chat_id > $2 \
       union all select min(chat_id) as chat_id from members \
         where person_id = $1 and standing <> 'in' and chat_id > $2) next)"
);

impl Store {
    /// The next chat, by number, that a person is or was in.
    pub async fn chat_ever(&self, person: PersonId, after: ChatId) -> Result<Option<ExportedChat>> {
        let row: Option<ExportedRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(NEXT_CHAT)
                .bind(person.get())
                .bind(after.get())
                .fetch_optional(pool)
                .await
        })
        .map_err(failed)?;
        row.map(|row| {
            Ok(ExportedChat {
                id: ChatId::new(row.id),
                kind: row.kind,
                title: row.title,
                created_at: Timestamp::new(row.created_at),
                membership: row.membership.try_into()?,
            })
        })
        .transpose()
    }

    /// Those of the next `window` messages of a chat that a person sent, and the last one looked at; none when
    /// there are no more.
    pub async fn own_messages(
        &self,
        person: PersonId,
        chat: ChatId,
        after: MessageId,
        window: i64,
    ) -> Result<(Vec<ExportedMessage>, Option<MessageId>)> {
        let last: Option<i64> = on!(&self.inner.read, pool => {
            sqlx::query_scalar::<_, Option<i64>>(LAST_OF_WINDOW)
                .bind(chat.get())
                .bind(after.get())
                .bind(window)
                .fetch_one(pool)
                .await
        })
        .map_err(failed)?;
        let Some(last) = last else {
            return Ok((Vec::new(), None));
        };
        let rows: Vec<MessageRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(OWN)
                .bind(chat.get())
                .bind(after.get())
                .bind(last)
                .bind(person.get())
                .fetch_all(pool)
                .await
        })
        .map_err(failed)?;
        let messages = rows.into_iter().map(|row| ExportedMessage {
            id: MessageId::new(row.id),
            chat,
            kind: row.kind,
            content: row.content,
            at: Timestamp::new(row.created_at),
            edited_at: row.edited_at.map(Timestamp::new),
            deleted_at: row.deleted_at.map(Timestamp::new),
        });
        Ok((messages.collect(), Some(MessageId::new(last))))
    }
}
