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
    /// What belongs to a message beside itself, as [`beside_message`] writes it; nothing for most messages.
    pub(in crate::store) struct BesideRow {
        m_beside: Option<String>,
    }
}

/// What stands on the lines of [`beside_message`].
enum Line {
    EditedAt,
    DeletedAt,
    Mentions,
    Reactions,
    ReplyTo,
    QuotedSender,
    QuotedDeletedAt,
    /// The last, since it may have lines of its own.
    QuotedContent,
}

/// How many these are.
const LINES: usize = 8;

/// The column of a [`BesideRow`], from a message called `m` and the one that it answers, called `q`: one column
/// with a line for each value, since every column of every row costs time, and few messages have any of them.
macro_rules! beside_message {
    () => {
        "case when m.edited_at is not null or m.deleted_at is not null or m.mentions is not null \
         or m.reactions is not null or m.reply_to is not null \
         then coalesce(cast(m.edited_at as text), '') || '\n' \
         || coalesce(cast(m.deleted_at as text), '') || '\n' \
         || coalesce(m.mentions, '') || '\n' || coalesce(m.reactions, '') || '\n' \
         || coalesce(cast(m.reply_to as text), '') || '\n' \
         || coalesce(cast(q.sender_id as text), '') || '\n' \
         || coalesce(cast(q.deleted_at as text), '') || '\n' \
         || coalesce(substr(q.content, 1, 200), '') end as m_beside"
    };
}
pub(in crate::store) use beside_message;

/// The columns of a [`MessageRow`] but its sender's name, from the same two.
macro_rules! message_columns {
    () => {
        concat!(
            "m.id, m.chat_id, m.seq, m.sender_id, m.kind, m.content, m.client_id, \
             m.created_at, ",
            $crate::store::rows::beside_message!()
        )
    };
}
pub(in crate::store) use message_columns;

impl BesideRow {
    /// The text of a line, if there is any.
    fn line(&self, line: Line) -> Option<&str> {
        let mut lines = self.m_beside.as_deref()?.splitn(LINES, '\n');
        lines.nth(line as usize).filter(|text| !text.is_empty())
    }

    pub(super) fn edited_at(&self) -> Result<Option<Timestamp>> {
        Ok(self.number(Line::EditedAt)?.map(Timestamp::new))
    }

    pub(super) fn deleted_at(&self) -> Result<Option<Timestamp>> {
        Ok(self.number(Line::DeletedAt)?.map(Timestamp::new))
    }

    /// The number on a line, if there is any.
    fn number(&self, line: Line) -> Result<Option<i64>> {
        let text = self.line(line);
        let number = |text: &str| known(text.parse().ok(), "m_beside", text);
        text.map(number).transpose()
    }

    pub(super) fn quote(&self) -> Result<Option<Quote>> {
        let id = self.number(Line::ReplyTo)?;
        let Some((id, sender)) = id.zip(self.number(Line::QuotedSender)?) else {
            return Ok(None);
        };
        let deleted_at = self.number(Line::QuotedDeletedAt)?;
        Ok(Some(Quote {
            id: MessageId::new(id),
            sender: PersonId::new(sender),
            content: self.line(Line::QuotedContent).unwrap_or_default().into(),
            deleted_at: deleted_at.map(Timestamp::new),
        }))
    }

    pub(super) fn reactions(&self) -> Result<Vec<Reaction>> {
        self.line(Line::Reactions).map_or(Ok(Vec::new()), reactions)
    }

    pub(super) fn mentions(&self) -> Result<Mentions> {
        self.line(Line::Mentions)
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
        pub(in crate::store) sender_name: String,
        ..beside: BesideRow,
    }
}

impl TryFrom<MessageRow> for Message {
    type Error = Error;

    fn try_from(row: MessageRow) -> Result<Self> {
        Ok(Self {
            reply_to: row.beside.quote()?,
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
            edited_at: row.beside.edited_at()?,
            deleted_at: row.beside.deleted_at()?,
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
    fn each_line_beside_a_message_is_read_by_itself() -> Result<()> {
        let beside = |text: Option<&str>| BesideRow {
            m_beside: text.map(str::to_owned),
        };
        let none = beside(None);
        assert_eq!((none.quote()?, none.edited_at()?), (None, None));
        assert_eq!(none.mentions()?, Mentions::default());
        let reply = beside(Some("\n\n\n\n7\n3\n\ntwo\nlines\n"));
        let quote = reply.quote()?.expect("it answers one");
        assert_eq!((quote.id.get(), quote.sender.get()), (7, 3));
        assert_eq!(quote.content, "two\nlines\n");
        assert_eq!((quote.deleted_at, reply.edited_at()?), (None, None));
        let gone = beside(Some("4\n5\n2 0\n\u{1f44d} 1\n7\n3\n6\n"));
        assert_eq!(gone.edited_at()?, Some(Timestamp::new(4)));
        assert_eq!(gone.deleted_at()?, Some(Timestamp::new(5)));
        assert!(gone.mentions()?.everybody);
        assert_eq!(gone.reactions()?.len(), 1);
        let quote = gone.quote()?.expect("it answers one");
        assert_eq!(quote.deleted_at, Some(Timestamp::new(6)));
        // What it answered is no longer there.
        assert_eq!(beside(Some("\n\n\n\n7\n\n\n")).quote()?, None);
        assert!(beside(Some("x\n\n\n\n\n\n\n")).edited_at().is_err());
        Ok(())
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
