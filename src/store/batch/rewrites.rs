//! What a batch does to messages that are there: quoting, editing and deleting them, and reactions.

use std::collections::HashMap;

use crate::{
    error::Result,
    model::{ChatId, Message, MessageId, PersonId, Quote, Reaction, Timestamp},
    store::{
        EngineSql, Tx, failed,
        rows::{MessageRow, mentions_column, message_columns, reactions_column},
    },
};

const QUOTES: EngineSql = EngineSql {
    sqlite: "select id, chat_id, sender_id, substr(content, 1, 200) as content, deleted_at \
     from messages where id in (select value from json_each($1))",
    postgres: "select id, chat_id, sender_id, substr(content, 1, 200) as content, deleted_at \
     from messages where id = any($1)",
};

row! {
    struct QuoteRow {
        id: i64,
        chat_id: i64,
        sender_id: i64,
        content: String,
        deleted_at: Option<i64>,
    }
}

impl From<QuoteRow> for (ChatId, Quote) {
    fn from(row: QuoteRow) -> Self {
        let quote = Quote {
            id: MessageId::new(row.id),
            sender: PersonId::new(row.sender_id),
            content: row.content,
            deleted_at: row.deleted_at.map(Timestamp::new),
        };
        (ChatId::new(row.chat_id), quote)
    }
}

impl Tx {
    /// These messages as answers to them show them, each with its chat.
    pub async fn quotes(
        &mut self,
        messages: &[MessageId],
    ) -> Result<HashMap<MessageId, (ChatId, Quote)>> {
        if messages.is_empty() {
            return Ok(HashMap::new());
        }
        let ids: Vec<_> = messages.iter().map(|message| message.get()).collect();
        let rows: Vec<QuoteRow> = self
            .query(QUOTES)
            .bind(ids)
            .fetch_all()
            .await
            .map_err(failed)?;
        let quotes = rows.into_iter().map(<(ChatId, Quote)>::from);
        Ok(quotes.map(|found| (found.1.id, found)).collect())
    }

    /// A message of a chat, deleted or not, as this transaction sees it.
    pub async fn message(&mut self, chat: ChatId, message: MessageId) -> Result<Option<Message>> {
        let row: Option<MessageRow> = self
            .query(concat!(
                "select ",
                message_columns!(),
                ", '' as sender_name from messages m left join messages q on q.id = m.reply_to \
                 where m.chat_id = $1 and m.id = $2",
            ))
            .bind(chat.get())
            .bind(message.get())
            .fetch_optional()
            .await
            .map_err(failed)?;
        row.map(Message::try_from).transpose()
    }

    /// Updates a message's content, its mentions and reactions, and when it was edited or deleted.
    pub async fn rewrite_message(&mut self, message: &Message) -> Result<()> {
        self.query(
            "update messages set content = $2, edited_at = $3, deleted_at = $4, mentions = $5, \
             reactions = $6 where id = $1",
        )
        .bind(message.id.get())
        .bind(message.content.as_str())
        .bind(message.edited_at.map(Timestamp::get))
        .bind(message.deleted_at.map(Timestamp::get))
        .bind(mentions_column(&message.mentions))
        .bind(reactions_column(&message.reactions))
        .execute()
        .await
        .map(drop)
        .map_err(failed)
    }

    /// Updates how often which emoji is set on a message.
    pub async fn set_reactions(
        &mut self,
        message: MessageId,
        reactions: &[Reaction],
    ) -> Result<()> {
        self.query("update messages set reactions = $2 where id = $1")
            .bind(message.get())
            .bind(reactions_column(reactions))
            .execute()
            .await
            .map(drop)
            .map_err(failed)
    }

    /// Sets a person's reaction on a message; returns `false` if it was set before.
    pub async fn add_reaction(
        &mut self,
        (message, person): (MessageId, PersonId),
        emoji: &str,
        now: Timestamp,
    ) -> Result<bool> {
        let added: Option<i64> = self
            .query(
                "insert into reactions (message_id, person_id, emoji, created_at) \
                 values ($1, $2, $3, $4) on conflict do nothing returning message_id",
            )
            .bind(message.get())
            .bind(person.get())
            .bind(emoji)
            .bind(now.get())
            .scalar_optional()
            .await
            .map_err(failed)?;
        Ok(added.is_some())
    }

    /// Takes a person's reaction back; returns `false` if it was not set.
    pub async fn remove_reaction(
        &mut self,
        (message, person): (MessageId, PersonId),
        emoji: &str,
    ) -> Result<bool> {
        let removed = self
            .query("delete from reactions where message_id = $1 and person_id = $2 and emoji = $3")
            .bind(message.get())
            .bind(person.get())
            .bind(emoji)
            .execute()
            .await
            .map_err(failed)?;
        Ok(removed > 0)
    }

    /// Takes all reactions of a message back.
    pub async fn remove_reactions(&mut self, message: MessageId) -> Result<()> {
        self.query("delete from reactions where message_id = $1")
            .bind(message.get())
            .execute()
            .await
            .map(drop)
            .map_err(failed)
    }
}
