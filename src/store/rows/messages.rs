//! Rows of messages, with what belongs to them: what they answer, whom they name, how they were reacted to.

use super::known;
use crate::{
    error::{Error, Result},
    model::{
        ChatId, Mentions, Message, MessageId, MessageKind, PersonId, Quote, Reaction, Seq,
        Timestamp,
    },
};

row! {
    /// What belongs to a message beside itself, each column under the name that [`beside_message`] gives it.
    pub(in crate::store) struct BesideRow {
        m_reply_to: Option<i64>,
        m_mentions: Option<String>,
        m_reactions: Option<String>,
        q_sender_id: Option<i64>,
        q_content: Option<String>,
        q_deleted_at: Option<i64>,
    }
}

/// The columns of a [`BesideRow`], from a message called `m` and the one that it answers, called `q`.
macro_rules! beside_message {
    () => {
        "m.reply_to as m_reply_to, m.mentions as m_mentions, m.reactions as m_reactions, \
         q.sender_id as q_sender_id, substr(q.content, 1, 200) as q_content, \
         q.deleted_at as q_deleted_at"
    };
}
pub(in crate::store) use beside_message;

/// The columns of a [`MessageRow`] but its sender's name, from the same two.
macro_rules! message_columns {
    () => {
        concat!(
            "m.id, m.chat_id, m.seq, m.sender_id, m.kind, m.content, m.client_id, \
             m.created_at, m.edited_at, m.deleted_at, ",
            $crate::store::rows::beside_message!()
        )
    };
}
pub(in crate::store) use message_columns;

impl BesideRow {
    pub(super) fn quote(&mut self) -> Option<Quote> {
        let (id, sender) = self.m_reply_to.zip(self.q_sender_id)?;
        Some(Quote {
            id: MessageId::new(id),
            sender: PersonId::new(sender),
            content: self.q_content.take().unwrap_or_default(),
            deleted_at: self.q_deleted_at.map(Timestamp::new),
        })
    }

    pub(super) fn reactions(&self) -> Result<Vec<Reaction>> {
        self.m_reactions
            .as_deref()
            .map_or(Ok(Vec::new()), reactions)
    }

    pub(super) fn mentions(&self) -> Result<Mentions> {
        self.m_mentions
            .as_deref()
            .map_or(Ok(Mentions::default()), mentions)
    }
}

/// Reads the column `messages.mentions`.
fn mentions(text: &str) -> Result<Mentions> {
    let mut mentions = Mentions::default();
    for word in text.split(' ') {
        match word.parse().ok() {
            Some(0) => mentions.everybody = true,
            person => {
                let person = known(person, "messages.mentions", text)?;
                mentions.people.push(PersonId::new(person));
            }
        }
    }
    Ok(mentions)
}

/// Writes the column `messages.mentions`.
pub(in crate::store) fn mentions_column(mentions: &Mentions) -> Option<String> {
    let everybody = mentions.everybody.then(|| "0".to_owned());
    let people = mentions.people.iter().map(PersonId::to_string);
    let words: Vec<_> = everybody.into_iter().chain(people).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// Reads the column `messages.reactions`.
fn reactions(text: &str) -> Result<Vec<Reaction>> {
    let words: Vec<_> = text.split(' ').collect();
    let pairs = words.chunks(2).map(|pair| match pair {
        [emoji, count] => Some(Reaction {
            emoji: (*emoji).to_owned(),
            count: count.parse().ok()?,
            mine: None,
        }),
        _ => None,
    });
    let pairs = pairs.map(|pair| known(pair, "messages.reactions", text));
    pairs.collect()
}

/// Writes the column `messages.reactions`.
pub(in crate::store) fn reactions_column(reactions: &[Reaction]) -> Option<String> {
    let pairs = reactions
        .iter()
        .map(|reaction| format!("{} {}", reaction.emoji, reaction.count));
    let pairs: Vec<_> = pairs.collect();
    (!pairs.is_empty()).then(|| pairs.join(" "))
}

row! {
    pub(in crate::store) struct MessageRow {
        id: i64,
        chat_id: i64,
        seq: i64,
        sender_id: i64,
        kind: String,
        content: String,
        client_id: Option<String>,
        created_at: i64,
        edited_at: Option<i64>,
        deleted_at: Option<i64>,
        pub(in crate::store) sender_name: String,
        ..beside: BesideRow,
    }
}

impl TryFrom<MessageRow> for Message {
    type Error = Error;

    fn try_from(mut row: MessageRow) -> Result<Self> {
        Ok(Self {
            reply_to: row.beside.quote(),
            mentions: row.beside.mentions()?,
            reactions: row.beside.reactions()?,
            id: MessageId::new(row.id),
            chat: ChatId::new(row.chat_id),
            seq: Seq::new(row.seq),
            sender: PersonId::new(row.sender_id),
            kind: known(
                MessageKind::from_stored(&row.kind),
                "messages.kind",
                &row.kind,
            )?,
            content: row.content,
            client_id: row.client_id,
            at: Timestamp::new(row.created_at),
            edited_at: row.edited_at.map(Timestamp::new),
            deleted_at: row.deleted_at.map(Timestamp::new),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::QUOTED_CHARS;

    #[test]
    fn as_much_is_quoted_as_the_model_says() {
        let cut = format!("substr(q.content, 1, {QUOTED_CHARS})");
        assert!(beside_message!().contains(&cut));
    }

    #[test]
    fn what_is_written_beside_a_message_is_read_again() {
        for (people, everybody) in [(vec![], false), (vec![3, 7], false), (vec![3], true)] {
            let mentions_of = Mentions {
                people: people.into_iter().map(PersonId::new).collect(),
                everybody,
            };
            let column = mentions_column(&mentions_of);
            let read = column.as_deref().map_or(Ok(Mentions::default()), mentions);
            assert_eq!(read.expect("it was written by us"), mentions_of);
        }
        let set: Vec<_> = [("\u{1f44d}", 3), ("1\u{fe0f}\u{20e3}", 1)]
            .map(|(emoji, count)| Reaction {
                emoji: emoji.to_owned(),
                count,
                mine: None,
            })
            .into();
        let column = reactions_column(&set).expect("there are two");
        assert_eq!(reactions(&column).expect("it was written by us"), set);
        assert_eq!(reactions_column(&[]), None);
        assert!(reactions("\u{1f44d} 1 \u{1f44d}").is_err());
        assert!(mentions("3 x").is_err());
    }
}
