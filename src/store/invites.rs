//! Invitations to chats.

use crate::{
    error::Result,
    model::{
        Chat, ChatId, Invitation, Invite, InviteHash, InviteId, InviteKey, Person, PersonId,
        TenantId, Timestamp,
    },
    store::{
        Store, Tx,
        chats::PlaceRow,
        failed,
        rows::{ChatRow, PersonRow, chat_columns, membership_columns, person_columns},
    },
};

macro_rules! invite_columns {
    () => {
        "i.id as i_id, i.chat_id as i_chat_id, i.prefix as i_prefix, \
         i.created_by as i_created_by, i.created_at as i_created_at, \
         i.expires_at as i_expires_at, i.uses_left as i_uses_left"
    };
}

/// The invitation with a code, unless its chat or its maker is gone.
const INVITATION: &str = concat!(
    "select ",
    invite_columns!(),
    ", ",
    chat_columns!(),
    ", ",
    person_columns!(),
    ", ",
    membership_columns!(),
    " from invites i \
     join chats c on c.id = i.chat_id and c.deleted_at is null \
     join people p on p.id = i.created_by and p.deleted_at is null and p.deactivated_at is null \
     left join members m on m.chat_id = i.chat_id and m.person_id = i.created_by \
     where i.code_hash = $1"
);

row! {
    struct InviteRow {
        i_id: i64,
        i_chat_id: i64,
        i_prefix: String,
        i_created_by: i64,
        i_created_at: i64,
        i_expires_at: i64,
        i_uses_left: Option<i64>,
    }
}

impl From<InviteRow> for Invite {
    fn from(row: InviteRow) -> Self {
        Self {
            id: InviteId::new(row.i_id),
            chat: ChatId::new(row.i_chat_id),
            prefix: row.i_prefix,
            created_by: PersonId::new(row.i_created_by),
            created_at: Timestamp::new(row.i_created_at),
            expires_at: Timestamp::new(row.i_expires_at),
            uses_left: row.i_uses_left,
        }
    }
}

row! {
    struct InvitationRow {
        ..invite: InviteRow,
        ..chat: ChatRow,
        ..host: PersonRow,
        ..place: PlaceRow,
    }
}

impl InvitationRow {
    fn invitation(self) -> Result<Invitation> {
        Ok(Invitation {
            invite: self.invite.into(),
            chat: Chat::try_from(self.chat)?,
            host: Person::try_from(self.host)?,
            membership: self.place.membership()?,
        })
    }
}

/// The values of a new invitation.
#[derive(Debug, Clone)]
pub struct NewInvite {
    /// The hash of its code.
    pub hash: InviteHash,
    /// The first characters of its code.
    pub prefix: String,
    /// Until when it is good.
    pub expires_at: Timestamp,
    /// How many may come by it; any number, where that is none.
    pub uses: Option<i64>,
}

impl Store {
    /// The invitation with a code, unless its chat or its maker is gone.
    pub async fn invitation(&self, hash: &InviteHash) -> Result<Option<Invitation>> {
        let row: Option<InvitationRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(INVITATION).bind(hash.as_str()).fetch_optional(pool).await
        })
        .map_err(failed)?;
        row.map(InvitationRow::invitation).transpose()
    }

    /// The invitations to a chat that are neither over nor used up, those before one, the latest first.
    pub async fn invites(
        &self,
        chat: ChatId,
        now: Timestamp,
        before: Option<InviteId>,
        limit: usize,
    ) -> Result<Vec<Invite>> {
        let rows: Vec<InviteRow> = on!(&self.inner.read, pool => {
            sqlx::query_as(concat!(
                "select ",
                invite_columns!(),
                " from invites i where i.chat_id = $1 and i.expires_at > $2 \
                 and (i.uses_left is null or i.uses_left > 0) and i.id < $3 \
                 order by i.id desc limit $4",
            ))
            .bind(chat.get())
            .bind(now.get())
            .bind(before.map_or(i64::MAX, InviteId::get))
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(pool)
            .await
        })
        .map_err(failed)?;
        Ok(rows.into_iter().map(Invite::from).collect())
    }
}

impl Tx {
    /// The same as [`Store::invitation`], as this transaction sees it.
    pub async fn invitation(&mut self, hash: &InviteHash) -> Result<Option<Invitation>> {
        let row: Option<InvitationRow> = self
            .query(INVITATION)
            .bind(hash.as_str())
            .fetch_optional()
            .await
            .map_err(failed)?;
        row.map(InvitationRow::invitation).transpose()
    }

    /// Forgets the invitations to a chat that are over or used up, and counts the others.
    pub async fn count_invites(&mut self, chat: ChatId, now: Timestamp) -> Result<i64> {
        self.query(
            "delete from invites where chat_id = $1 and (expires_at <= $2 or uses_left = 0)",
        )
        .bind(chat.get())
        .bind(now.get())
        .execute()
        .await
        .map_err(failed)?;
        self.query("select count(*) from invites where chat_id = $1")
            .bind(chat.get())
            .scalar()
            .await
            .map_err(failed)
    }

    /// Adds an invitation.
    pub async fn insert_invite(
        &mut self,
        (tenant, chat, by): (TenantId, ChatId, PersonId),
        new: &NewInvite,
        now: Timestamp,
    ) -> Result<()> {
        self.query(
            "insert into invites (tenant_id, chat_id, code_hash, prefix, created_by, created_at, \
             expires_at, uses_left) values ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(tenant.get())
        .bind(chat.get())
        .bind(new.hash.as_str())
        .bind(new.prefix.as_str())
        .bind(by.get())
        .bind(now.get())
        .bind(new.expires_at.get())
        .bind(new.uses)
        .execute()
        .await
        .map(drop)
        .map_err(failed)
    }

    /// Counts that somebody came by an invitation.
    pub async fn use_invite(&mut self, invite: InviteId) -> Result<()> {
        self.query("update invites set uses_left = uses_left - 1 where id = $1")
            .bind(invite.get())
            .execute()
            .await
            .map(drop)
            .map_err(failed)
    }

    /// Takes an invitation to a chat back; returns whether there was one.
    pub async fn delete_invite(&mut self, chat: ChatId, invite: &InviteKey) -> Result<bool> {
        let deleted = match invite {
            InviteKey::Id(id) => {
                let delete = "delete from invites where chat_id = $1 and id = $2";
                self.query(delete)
                    .bind(chat.get())
                    .bind(id.get())
                    .execute()
                    .await
            }
            InviteKey::Code(hash) => {
                let delete = "delete from invites where chat_id = $1 and code_hash = $2";
                self.query(delete)
                    .bind(chat.get())
                    .bind(hash.as_str())
                    .execute()
                    .await
            }
        };
        deleted.map(|rows| rows > 0).map_err(failed)
    }
}
