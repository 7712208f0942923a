//! Queries of live support: queues of conversations, a guest's own chat, a slice of a chat's messages.

use crate::{
    error::Result,
    model::{
        Chat, ChatId, ClientId, ConversationStatus, GuestChat, Message, Name, Person, PersonId,
        PersonKind, Position, TenantId, Timestamp,
    },
    store::{
        Store, Tx, failed,
        rows::{
            ChatRow, MessageRow, PersonRow, chat_columns, message_columns, person_columns, read_seq,
        },
    },
};

/// What is searched for: a guest's name or address, or a domain. The parameter is a pattern, or null.
macro_rules! conversation_search {
    ($pattern:literal) => {
        concat!(
            "(cast(",
            $pattern,
            " as text) is null or p.name_key like ",
            $pattern,
            " escape '\\' or lower(p.email) like ",
            $pattern,
            " escape '\\' or c.domain like ",
            $pattern,
            " escape '\\')"
        )
    };
}

/// A tenant's conversations with one status, in their order after a place, with what a person
/// has read of each.
macro_rules! select_conversations {
    ($key:literal, $beyond:literal, $direction:literal) => {
        concat!(
            "select ",
            chat_columns!(),
            ", ",
            person_columns!(),
            ", l.content as last_content, l.created_at as last_at, \
             coalesce(",
            read_seq!(),
            ", 0) as read_seq, \
             (select count(*) from messages x where x.chat_id = c.id \
              and x.id > coalesce(m.read_id, 0) and x.deleted_at is not null) as unread_deleted \
             from chats c join people p on p.id = c.created_by \
             left join messages l on l.id = c.last_message_id \
             left join members m on m.chat_id = c.id and m.person_id = $3 \
             where c.tenant_id = $1 and c.kind = 'desk' and c.deleted_at is null and c.status = $2 \
             and (cast($4 as bigint) is null or ",
            $key,
            $beyond,
            " $4) and ",
            conversation_search!("$5"),
            " order by ",
            $key,
            $direction,
            " limit $6 offset $7"
        )
    };
}

const LONGEST_FIRST: &str = select_conversations!("c.status_position", " >", "");
const NEWEST_ACTIVITY_FIRST: &str = select_conversations!("c.last_position", " <", " desc");
const LAST_CLOSED_FIRST: &str = select_conversations!("c.status_position", " <", " desc");

const COUNT: &str = concat!(
    "select count(*) from chats c join people p on p.id = c.created_by \
     where c.tenant_id = $1 and c.kind = 'desk' and c.deleted_at is null and c.status = $2 and ",
    conversation_search!("$3"),
);

/// A guest's own conversation: the newest, should there be several.
const CHAT_OF_GUEST: &str = "select c.id from members m join chats c on c.id = m.chat_id \
    where m.person_id = $2 and m.standing = 'in' and c.tenant_id = $1 and c.kind = 'desk' \
    and c.created_by = $2 and c.deleted_at is null order by c.id desc limit 1";

/// Deleted messages keep their place, or slices would shift with each deletion.
const SLICE: &str = concat!(
    "select ",
    message_columns!(),
    ", '' as sender_name from messages m left join messages q on q.id = m.reply_to \
     where m.chat_id >= $1 and m.chat_id <= $1 and m.tenant_id = $2 \
     order by m.chat_id, m.id limit $3 offset $4"
);

/// A part of a queue.
#[derive(Debug, Clone, Copy)]
pub struct ConversationPage<'a> {
    /// How many are skipped, and how many returned at most.
    pub slice: (i64, i64),
    /// The place after which it begins, see [`Store::queue_position`].
    pub after: Option<Position>,
    /// What is searched for.
    pub query: Option<&'a str>,
}

/// The pattern that finds a folded text anywhere.
fn pattern(query: &str) -> String {
    let folded = match Name::parse(query) {
        Ok(name) => name.folded(),
        Err(_) => query.to_lowercase(),
    };
    let mut pattern = String::with_capacity(folded.len() + 2);
    pattern.push('%');
    for character in folded.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

row! {
    struct GuestChatRow {
        last_content: Option<String>,
        last_at: Option<i64>,
        read_seq: i64,
        unread_deleted: i64,
        ..chat: ChatRow,
        ..guest: PersonRow,
    }
}

impl Store {
    /// A tenant's conversations with a status: waiting ones by how long they wait,
    /// active ones by their newest activity, closed ones by when they were closed, the last first.
    /// Unread is counted for `reader`.
    pub async fn guest_chats(
        &self,
        (tenant, reader): (TenantId, PersonId),
        status: ConversationStatus,
        page: &ConversationPage<'_>,
    ) -> Result<Vec<GuestChat>> {
        let (skip, limit) = page.slice;
        let sql = match status {
            ConversationStatus::Waiting => LONGEST_FIRST,
            ConversationStatus::Active => NEWEST_ACTIVITY_FIRST,
            ConversationStatus::Closed => LAST_CLOSED_FIRST,
        };
        let rows: Vec<GuestChatRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(sql)
                .bind(tenant.get())
                .bind(status.as_str())
                .bind(reader.get())
                .bind(page.after.map(Position::get))
                .bind(page.query.map(pattern))
                .bind(limit)
                .bind(skip)
                .fetch_all(pool)
                .await
        })
        .map_err(failed)?;
        rows.into_iter()
            .map(|row| {
                let chat = Chat::try_from(row.chat)?;
                Ok(GuestChat {
                    unread: (chat.last_seq.get() - row.read_seq - row.unread_deleted).max(0),
                    chat,
                    guest: row.guest.try_into()?,
                    last: row.last_content.zip(row.last_at.map(Timestamp::new)),
                })
            })
            .collect()
    }

    /// How many of a tenant's conversations have a status and match the search.
    pub async fn count_conversations(
        &self,
        tenant: TenantId,
        status: ConversationStatus,
        query: Option<&str>,
    ) -> Result<i64> {
        on!(&self.inner.read, pool => {
            sqlx::query_scalar(COUNT)
                .bind(tenant.get())
                .bind(status.as_str())
                .bind(query.map(pattern))
                .fetch_one(pool)
                .await
        })
        .map_err(failed)
    }

    /// The place that a chat has, or would have, among the conversations with a status.
    pub async fn queue_position(
        &self,
        tenant: TenantId,
        status: ConversationStatus,
        chat: ChatId,
    ) -> Result<Option<Position>> {
        let place: Option<(i64, i64)> = on!(&self.inner.read, pool => {
            sqlx::query_as(
                "select c.status_position, c.last_position from chats c \
                 where c.tenant_id = $1 and c.id = $2 and c.kind = 'desk'",
            )
            .bind(tenant.get())
            .bind(chat.get())
            .fetch_optional(pool)
            .await
        })
        .map_err(failed)?;
        let place = place.map(|(stands_since, last)| match status {
            ConversationStatus::Active => last,
            ConversationStatus::Waiting | ConversationStatus::Closed => stands_since,
        });
        Ok(place.map(Position::new))
    }

    /// A guest's own conversation.
    pub async fn chat_of_guest(&self, tenant: TenantId, guest: PersonId) -> Result<Option<ChatId>> {
        let chat: Option<i64> = on!(&self.inner.read, pool => {
            sqlx::query_scalar(CHAT_OF_GUEST)
                .bind(tenant.get())
                .bind(guest.get())
                .fetch_optional(pool)
                .await
        })
        .map_err(failed)?;
        Ok(chat.map(ChatId::new))
    }

    /// The last guest of a tenant who gave this e-mail address.
    pub async fn guest_by_email(&self, tenant: TenantId, email: &str) -> Result<Option<Person>> {
        let row: Option<PersonRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(concat!(
                "select ",
                person_columns!(),
                " from people p where p.tenant_id = $1 and p.kind = $2 and p.email = $3 \
                 and p.deleted_at is null order by p.id desc limit 1",
            ))
            .bind(tenant.get())
            .bind(PersonKind::Guest.as_str())
            .bind(email)
            .fetch_optional(pool)
            .await
        })
        .map_err(failed)?;
        row.map(Person::try_from).transpose()
    }

    /// A chat's messages in the order they came, `limit` of them after the first `skip`.
    pub async fn messages_slice(
        &self,
        (tenant, chat): (TenantId, ChatId),
        (skip, limit): (i64, i64),
    ) -> Result<Vec<Message>> {
        let rows: Vec<MessageRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(SLICE)
                .bind(chat.get())
                .bind(tenant.get())
                .bind(limit)
                .bind(skip)
                .fetch_all(pool)
                .await
        })
        .map_err(failed)?;
        rows.into_iter().map(Message::try_from).collect()
    }
}

impl Tx {
    /// The same as [`Store::chat_of_guest`], as this transaction sees it.
    pub async fn chat_of_guest(
        &mut self,
        tenant: TenantId,
        guest: PersonId,
    ) -> Result<Option<ChatId>> {
        let chat: Option<i64> = self
            .query(CHAT_OF_GUEST)
            .bind(tenant.get())
            .bind(guest.get())
            .scalar_optional()
            .await
            .map_err(failed)?;
        Ok(chat.map(ChatId::new))
    }

    /// Records the idempotency key of a closing; returns `false` if that person used it before.
    pub async fn note_closing(
        &mut self,
        (chat, person): (ChatId, PersonId),
        key: &ClientId,
        now: Timestamp,
    ) -> Result<bool> {
        let noted: Option<i64> = self
            .query(
                "insert into closings (chat_id, person_id, client_id, created_at) \
                 values ($1, $2, $3, $4) on conflict do nothing returning chat_id",
            )
            .bind(chat.get())
            .bind(person.get())
            .bind(key.as_str())
            .bind(now.get())
            .scalar_optional()
            .await
            .map_err(failed)?;
        Ok(noted.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_searched_for_is_taken_literally() {
        assert_eq!(pattern("Gus"), "%gus%");
        assert_eq!(pattern(r"100%_\"), r"%100\%\_\\%");
    }
}
