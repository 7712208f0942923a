//! What a desk asks: its queues, a guest's own chat, and a slice of a chat's messages.

use sqlx::FromRow;

use crate::{
    error::Result,
    model::{
        Chat, ChatId, DeskChat, DeskStatus, Message, Millis, Person, PersonId, PersonKind, TenantId,
    },
    store::{
        Store, failed,
        rows::{ChatRow, MessageRow, PersonRow, chat_columns, person_columns},
    },
};

/// A tenant's chats at its desk that stand in one way, with what a person has read of each.
macro_rules! select_desk_chats {
    ($order:literal) => {
        concat!(
            "select ",
            chat_columns!(),
            ", ",
            person_columns!(),
            ", l.content as last_content, l.created_at as last_at, \
             coalesce(m.read_seq, 0) as read_seq \
             from chats c join people p on p.id = c.created_by \
             left join messages l on l.id = c.last_message_id \
             left join members m on m.chat_id = c.id and m.person_id = $3 \
             where c.tenant_id = $1 and c.kind = 'desk' and c.deleted_at is null and c.status = $2 \
             order by ",
            $order,
            " limit $4 offset $5"
        )
    };
}

const LONGEST_FIRST: &str = select_desk_chats!("c.status_position");
const NEWEST_ACTIVITY_FIRST: &str = select_desk_chats!("c.last_position desc");

/// A guest's own chat at the desk of their tenant: the newest, should there be several.
const CHAT_OF_GUEST: &str = "select c.id from members m join chats c on c.id = m.chat_id \
    where m.person_id = $2 and m.standing = 'in' and c.tenant_id = $1 and c.kind = 'desk' \
    and c.created_by = $2 and c.deleted_at is null order by c.id desc limit 1";

/// Deleted messages keep their place, or a slice would say something else after each deletion.
const SLICE: &str = "select m.id, m.chat_id, m.seq, m.sender_id, m.kind, m.content, m.client_id, \
    m.created_at, m.edited_at, m.deleted_at, '' as sender_name \
    from messages m where m.chat_id >= $1 and m.chat_id <= $1 and m.tenant_id = $2 \
     order by m.chat_id, m.id limit $3 offset $4";

#[derive(FromRow)]
struct DeskChatRow {
    #[sqlx(flatten)]
    chat: ChatRow,
    #[sqlx(flatten)]
    guest: PersonRow,
    last_content: Option<String>,
    last_at: Option<i64>,
    read_seq: i64,
}

impl Store {
    /// The chats at a tenant's desk that stand so: those that wait by how long they do, the others
    /// by their newest activity. Unread is counted for `reader`.
    pub async fn desk_chats(
        &self,
        (tenant, reader): (TenantId, PersonId),
        status: DeskStatus,
        (skip, limit): (i64, i64),
    ) -> Result<Vec<DeskChat>> {
        let sql = match status {
            DeskStatus::Waiting => LONGEST_FIRST,
            DeskStatus::Active | DeskStatus::Closed => NEWEST_ACTIVITY_FIRST,
        };
        let rows: Vec<DeskChatRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(sql)
                .bind(tenant.get())
                .bind(status.as_str())
                .bind(reader.get())
                .bind(limit)
                .bind(skip)
                .fetch_all(pool)
                .await
        })
        .map_err(failed)?;
        rows.into_iter()
            .map(|row| {
                let chat = Chat::try_from(row.chat)?;
                Ok(DeskChat {
                    unread: (chat.last_seq.get() - row.read_seq).max(0),
                    chat,
                    guest: row.guest.try_into()?,
                    last: row.last_content.zip(row.last_at.map(Millis::new)),
                })
            })
            .collect()
    }

    /// The chat that a guest has at the desk of their tenant.
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
