//! Reading chats and memberships.

use sqlx::types::Json;

use crate::{
    error::{Error, Result},
    model::{
        Chat, ChatId, ChatSummary, Membership, MembershipStatus, MessageId, Person, PersonId,
        PersonName, Position, TenantId, Timestamp,
    },
    store::{
        Either, Store,
        failure::{bounded, failed},
        rows::{
            ChatRow, MembershipRow, SettingsRow, chat_columns, membership_columns, read_seq,
            settings_columns,
        },
    },
};

/// The other person of a direct chat for one of the two; their name is its title.
macro_rules! other_name {
    ($reader:literal) => {
        concat!(
            "case when c.kind = 'direct' then (select other.name from members beside \
             join people other on other.id = beside.person_id \
             where beside.chat_id = c.id and beside.person_id <> ",
            $reader,
            " order by other.id limit 1) end as other_name, \
             case when c.kind = 'direct' then (select min(beside.person_id) from members beside \
             where beside.chat_id = c.id and beside.person_id <> ",
            $reader,
            ") end as other_id"
        )
    };
}

/// A chat and one person's membership in it, if any.
const CHAT: &str = concat!(
    "select ",
    chat_columns!(),
    ", ",
    membership_columns!(),
    " from chats c left join members m on m.chat_id = c.id and m.person_id = $3 \
     where c.id = $1 and c.tenant_id = $2 and c.deleted_at is null"
);

/// The open chats of a tenant (none for a guest), the chats of a person and, for an agent, the conversations, newest
/// activity first. Each part is limited before the union, so that neither a tenant with a million
/// open chats nor a person with thousands makes a page more expensive.
const LIST: &str = concat!(
    "select ",
    chat_columns!(),
    ", ",
    membership_columns!(),
    ", l.content as last_content, l.created_at as last_at, l.sender_id as last_sender_id, \
     p.name as last_sender_name, \
     case when m.standing = 'in' and c.last_seq > ",
    read_seq!(),
    " then \
       (select min(x.id) from messages x where x.chat_id = c.id and x.id > m.read_id \
        and x.deleted_at is null) end as first_unread, \
     case when m.standing = 'in' and c.last_seq > ",
    read_seq!(),
    " then \
       (select count(*) from messages x where x.chat_id = c.id and x.id > m.read_id \
        and x.deleted_at is not null) end as unread_deleted, \
     case when m.standing = 'in' and c.last_seq > ",
    read_seq!(),
    " then \
       (select count(*) from mentions n where n.chat_id = c.id and n.person_id in ($2, 0) \
        and n.message_id > m.read_id) end as unread_mentions, ",
    settings_columns!("m"),
    ", ",
    other_name!("$2"),
    " from ( \
       select id from (select id from chats \
         where not $6 and tenant_id = $1 and kind = 'open' and deleted_at is null and last_position < $3 \
         order by last_position desc limit $4) open_chats \
       union \
       select id from (select x.id from members y join chats x on x.id = y.chat_id \
         where y.person_id = $2 and y.standing = 'in' and x.tenant_id = $1 \
         and x.deleted_at is null and x.last_position < $3 \
         order by x.last_position desc limit $4) my_chats \
       union \
       select id from (select id from chats \
         where $5 and tenant_id = $1 and kind = 'desk' and deleted_at is null and last_position < $3 \
         order by last_position desc limit $4) conversations \
     ) found \
     join chats c on c.id = found.id \
     left join messages l on l.id = c.last_message_id \
     left join people p on p.id = l.sender_id \
     left join members m on m.chat_id = c.id and m.person_id = $2 \
     order by c.last_position desc limit $4"
);

/// The chats that a person is in, newest activity first.
const OWN: &str = concat!(
    "select ",
    chat_columns!(),
    ", ",
    other_name!("$1"),
    " from members m join chats c on c.id = m.chat_id \
     where m.person_id = $1 and m.standing = 'in' and c.tenant_id = $2 and c.deleted_at is null \
     and c.last_position < $4 order by c.last_position desc limit $3"
);

/// Of these chats those that a person is in, with their membership.
macro_rules! chats_of_member {
    ($condition:literal) => {
        concat!(
            "select ",
            chat_columns!(),
            ", ",
            membership_columns!(),
            ", ",
            other_name!("$1"),
            " from members m join chats c on c.id = m.chat_id \
             where m.person_id = $1 and m.standing = 'in' and c.tenant_id = $2 \
             and c.deleted_at is null and ",
            $condition
        )
    };
}
const JOINED_SQLITE: &str = chats_of_member!("m.chat_id in (select value from json_each($3))");
const JOINED_POSTGRES: &str = chats_of_member!("m.chat_id = any($3)");

row! {
    pub(super) struct PlaceRow {
        person_id: Option<i64>,
        role: Option<String>,
        standing: Option<String>,
        joined_position: Option<i64>,
        read_id: Option<i64>,
        read_seq: Option<i64>,
    }
}

impl PlaceRow {
    pub(super) fn membership(self) -> Result<Option<Membership>> {
        let (
            Some(person_id),
            Some(role),
            Some(standing),
            Some(joined_position),
            Some(read_id),
            Some(read_seq),
        ) = (
            self.person_id,
            self.role,
            self.standing,
            self.joined_position,
            self.read_id,
            self.read_seq,
        )
        else {
            return Ok(None);
        };
        let row = MembershipRow {
            person_id,
            role,
            standing,
            joined_position,
            read_id,
            read_seq,
        };
        Membership::try_from(row).map(Some)
    }
}

row! {
    struct SeenRow {
        ..chat: ChatRow,
        ..place: PlaceRow,
    }
}

row! {
    struct ChatSummaryRow {
        last_content: Option<String>,
        last_at: Option<i64>,
        last_sender_id: Option<i64>,
        last_sender_name: Option<String>,
        first_unread: Option<i64>,
        unread_deleted: Option<i64>,
        unread_mentions: Option<i64>,
        other_name: Option<String>,
        other_id: Option<i64>,
        ..chat: ChatRow,
        ..place: PlaceRow,
        ..settings: SettingsRow,
    }
}

row! {
    struct OwnRow {
        other_name: Option<String>,
        ..chat: ChatRow,
    }
}

impl TryFrom<ChatSummaryRow> for ChatSummary {
    type Error = Error;

    fn try_from(row: ChatSummaryRow) -> Result<Self> {
        let last = match (
            row.last_content,
            row.last_at,
            row.last_sender_id,
            row.last_sender_name,
        ) {
            (Some(content), Some(at), Some(sender), Some(name)) => {
                let sender = PersonName {
                    id: PersonId::new(sender),
                    name: name.into(),
                };
                Some((content, Timestamp::new(at), sender))
            }
            _ => None,
        };
        let chat = called(row.chat, row.other_name)?;
        let membership = row.place.membership()?;
        let is_in = membership.is_some_and(|it| it.standing == MembershipStatus::In);
        let settings = row.settings.in_chat(chat.kind, chat.members)?;
        let unread = membership
            .filter(|_| is_in)
            .map_or(0, |place| chat.last_seq.get() - place.read_seq.get());
        Ok(Self {
            chat,
            membership,
            settings: settings.filter(|_| is_in),
            other: row.other_id.map(PersonId::new),
            last,
            unread: (unread - row.unread_deleted.unwrap_or(0)).max(0),
            unread_mentions: row.unread_mentions.unwrap_or(0),
            first_unread: row.first_unread.map(MessageId::new),
        })
    }
}

row! {
    struct JoinedRow {
        other_name: Option<String>,
        ..chat: ChatRow,
        ..place: PlaceRow,
    }
}

/// A chat under its title, or else under that of a direct chat.
fn called(row: ChatRow, other: Option<String>) -> Result<Chat> {
    let chat = Chat::try_from(row)?;
    Ok(Chat {
        title: chat.title.or(other),
        ..chat
    })
}

impl Store {
    /// A chat of a tenant that is not deleted, and a person's membership in it.
    pub async fn chat(
        &self,
        tenant: TenantId,
        chat: ChatId,
        person: PersonId,
    ) -> Result<Option<(Chat, Option<Membership>)>> {
        let row: Option<SeenRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(CHAT)
                .bind(chat.get())
                .bind(tenant.get())
                .bind(person.get())
                .fetch_optional(pool)
                .await
        })
        .map_err(failed)?;
        row.map(|row| Ok((Chat::try_from(row.chat)?, row.place.membership()?)))
            .transpose()
    }

    /// The open chats of a person's tenant and their own, newest activity first, at most `limit`,
    /// and whether there are more.
    pub async fn chats(
        &self,
        person: &Person,
        before: Option<Position>,
        limit: usize,
    ) -> Result<(Vec<ChatSummary>, bool)> {
        let before = before.map_or(i64::MAX, Position::get);
        let ask = i64::try_from(limit)
            .unwrap_or(i64::MAX - 1)
            .saturating_add(1);
        let rows: Vec<ChatSummaryRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(LIST)
                .bind(person.tenant.get())
                .bind(person.id.get())
                .bind(before)
                .bind(ask)
                .bind(person.is_agent())
                .bind(person.is_guest())
                .fetch_all(pool)
                .await
        })
        .map_err(failed)?;
        let more = rows.len() > limit;
        let listed = rows
            .into_iter()
            .take(limit)
            .map(ChatSummary::try_from)
            .collect::<Result<_>>()?;
        Ok((listed, more))
    }

    /// The chats that a person is in whose newest activity was before `before`, newest activity
    /// first, at most `limit`, and whether there are more.
    pub async fn own_chats(
        &self,
        person: &Person,
        before: Option<Position>,
        limit: usize,
    ) -> Result<(Vec<Chat>, bool)> {
        let ask = i64::try_from(limit)
            .unwrap_or(i64::MAX - 1)
            .saturating_add(1);
        let rows: Vec<OwnRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(OWN)
                .bind(person.id.get())
                .bind(person.tenant.get())
                .bind(ask)
                .bind(before.map_or(i64::MAX, Position::get))
                .fetch_all(pool)
                .await
        })
        .map_err(failed)?;
        let more = rows.len() > limit;
        let rows = rows.into_iter().take(limit);
        let chats = rows.map(|row| called(row.chat, row.other_name));
        Ok((chats.collect::<Result<_>>()?, more))
    }

    /// Of these chats those that a person is in, with their membership.
    pub async fn joined_among(
        &self,
        person: &Person,
        chats: &[ChatId],
    ) -> Result<Vec<(Chat, Option<Membership>)>> {
        let ids: Vec<i64> = chats.iter().map(|chat| chat.get()).collect();
        let (person, tenant) = (person.id.get(), person.tenant.get());
        let rows: Vec<JoinedRow> = bounded(async {
            match self.inner.read.for_statement() {
                Either::Sqlite(pool) => {
                    let asked = sqlx::query_as(JOINED_SQLITE).bind(person).bind(tenant);
                    asked.bind(Json(ids)).fetch_all(pool).await
                }
                Either::Postgres(pool) => {
                    let asked = sqlx::query_as(JOINED_POSTGRES).bind(person).bind(tenant);
                    asked.bind(ids).fetch_all(pool).await
                }
            }
        })
        .await
        .map_err(failed)?;
        let chats = rows.into_iter();
        chats
            .map(|row| Ok((called(row.chat, row.other_name)?, row.place.membership()?)))
            .collect()
    }

    /// The chats a person is in, each with the change by which they came.
    pub async fn memberships(&self, person: PersonId) -> Result<Vec<(ChatId, Position)>> {
        let rows: Vec<(i64, i64)> = on!(&self.inner.read, pool => {
            sqlx::query_as(
                "select chat_id, joined_position from members where person_id = $1 and standing = 'in'",
            )
            .bind(person.get())
            .fetch_all(pool)
            .await
        })
        .map_err(failed)?;
        Ok(rows
            .into_iter()
            .map(|(chat, at)| (ChatId::new(chat), Position::new(at)))
            .collect())
    }
}
