//! What the admins of a chat write, and what a member sets for themselves.

use crate::{
    error::Result,
    model::{Chat, ChatId, Notify, PersonId, Timestamp},
    store::{Tx, failed, rows},
};

/// What a member has set for a chat, as it is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StoredSettings {
    /// Of what they are notified; none where the chat's size decides.
    pub notify: Option<Notify>,
    /// Whether it is first in their list.
    pub pinned: bool,
    /// Until when they are notified of nothing.
    pub muted_until: Option<Timestamp>,
}

row! {
    struct SettingsRow {
        notify: Option<String>,
        pinned: bool,
        muted_until: Option<i64>,
    }
}

impl Tx {
    /// Whether another open chat has the title that this one has, or is to have where a key is given.
    pub async fn is_open_title_taken(&mut self, chat: &Chat, key: Option<&str>) -> Result<bool> {
        let count: i64 = self
            .query(
                "select count(*) from chats where tenant_id = $1 and kind = 'open' \
                 and deleted_at is null and id <> $2 and title_key = \
                 coalesce($3, (select x.title_key from chats x where x.id = $2))",
            )
            .bind(chat.tenant.get())
            .bind(chat.id.get())
            .bind(key)
            .scalar()
            .await
            .map_err(failed)?;
        Ok(count > 0)
    }

    /// Writes what a chat is called, what it is about and who may find it; the key is a new title's.
    pub async fn update_chat(&mut self, chat: &Chat, key: Option<&str>) -> Result<()> {
        self.query(
            "update chats set title = $2, title_key = coalesce($3, title_key), description = $4, \
             kind = $5, updated_at = $6 where id = $1",
        )
        .bind(chat.id.get())
        .bind(chat.title.as_deref())
        .bind(key)
        .bind(chat.description.as_deref())
        .bind(chat.kind.as_str())
        .bind(chat.updated_at.get())
        .execute()
        .await
        .map(drop)
        .map_err(failed)
    }

    /// What a member has set for a chat.
    pub async fn settings(&mut self, (chat, person): (ChatId, PersonId)) -> Result<StoredSettings> {
        let row: Option<SettingsRow> = self
            .query(
                "select notify, pinned, muted_until from members \
                 where chat_id = $1 and person_id = $2",
            )
            .bind(chat.get())
            .bind(person.get())
            .fetch_optional()
            .await
            .map_err(failed)?;
        let Some(row) = row else {
            return Ok(StoredSettings::default());
        };
        Ok(StoredSettings {
            notify: row.notify.as_deref().map(rows::notify).transpose()?,
            pinned: row.pinned,
            muted_until: row.muted_until.map(Timestamp::new),
        })
    }

    /// Keeps what a member sets for a chat.
    pub async fn set_settings(
        &mut self,
        (chat, person): (ChatId, PersonId),
        settings: StoredSettings,
    ) -> Result<()> {
        self.query(
            "update members set notify = $3, pinned = $4, muted_until = $5 \
             where chat_id = $1 and person_id = $2",
        )
        .bind(chat.get())
        .bind(person.get())
        .bind(settings.notify.map(Notify::as_str))
        .bind(settings.pinned)
        .bind(settings.muted_until.map(Timestamp::get))
        .execute()
        .await
        .map(drop)
        .map_err(failed)
    }
}
