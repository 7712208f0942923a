//! What the messages of a batch refer to: the messages that they answer, and the members whom they name.

use std::collections::{HashMap, HashSet};

use crate::{
    chat::writer::SendDraft,
    error::{Error, Result},
    model::{
        ChatId, Mentions, Message, MessageId, PersonId, Quote, Relation, TenantId,
        text::{Candidates, EVERYBODY},
    },
    store::{
        Tx,
        batch::{NamedMembers, SendFacts},
    },
};

/// The most people whom one message names one by one.
const MOST_NAMED: usize = 100;

/// What the messages of a batch refer to. Most refer to nothing, and for those nothing is looked up.
#[derive(Debug, Default)]
pub(super) struct References {
    quotes: HashMap<MessageId, (ChatId, Quote)>,
    named: NamedMembers,
    /// Who may name everybody, of those who do.
    governing: HashSet<(ChatId, PersonId)>,
}

impl References {
    /// Looks up what these messages refer to.
    pub(super) async fn look_up(
        tx: &mut Tx,
        sends: &[&SendDraft],
        facts: &[SendFacts],
    ) -> Result<Self> {
        let answered: Vec<_> = sends.iter().filter_map(|draft| draft.reply_to).collect();
        let mut names = HashSet::new();
        let mut governing = HashSet::new();
        for (draft, facts) in sends.iter().zip(facts) {
            let (tenant, chat) = (draft.actor.tenant, draft.chat);
            names.extend(names_of(&draft.mentions, (tenant, chat)));
            if let Some(facts) = facts.chat
                && names_everybody(&draft.mentions)
            {
                let place = tx.membership(chat, draft.actor.id).await?;
                let relation = Relation::new(facts.kind, &draft.actor, place.as_ref());
                if relation.can_govern().is_ok() {
                    governing.insert((chat, draft.actor.id));
                }
            }
        }
        Ok(Self {
            quotes: tx.quotes(&answered).await?,
            named: tx.members_named(names).await?,
            governing,
        })
    }

    /// What a draft refers to.
    pub(super) fn of(&self, draft: &SendDraft) -> Result<Referred> {
        Ok(Referred {
            reply_to: self.quote(draft)?,
            mentions: self.mentions(draft),
        })
    }

    /// The message of the same chat that a draft answers.
    fn quote(&self, draft: &SendDraft) -> Result<Option<Quote>> {
        let Some(answered) = draft.reply_to else {
            return Ok(None);
        };
        match self.quotes.get(&answered) {
            Some((chat, quote)) if *chat == draft.chat => Ok(Some(quote.clone())),
            Some(_) | None => {
                let sentence = "reply_to must be a message of this chat";
                Err(Error::invalid_field("reply_to", sentence))
            }
        }
    }

    /// Whom a draft names.
    fn mentions(&self, draft: &SendDraft) -> Mentions {
        let may_name_all = self.governing.contains(&(draft.chat, draft.actor.id));
        mentions(&draft.mentions, draft.chat, &self.named, may_name_all)
    }
}

/// What one message refers to.
#[derive(Debug)]
pub(super) struct Referred {
    reply_to: Option<Quote>,
    mentions: Mentions,
}

impl Referred {
    /// The message with what it refers to.
    pub(super) fn by(self, message: Message) -> Message {
        Message {
            reply_to: self.reply_to,
            mentions: self.mentions,
            ..message
        }
    }
}

/// Whom the text of a message names by these places, as the members of its chat are now.
pub(super) async fn mentions_in(
    tx: &mut Tx,
    places: &[Candidates],
    (tenant, chat): (TenantId, ChatId),
    may_name_all: bool,
) -> Result<Mentions> {
    let names = names_of(places, (tenant, chat)).collect();
    let named = tx.members_named(names).await?;
    Ok(mentions(places, chat, &named, may_name_all))
}

fn names_of(
    places: &[Candidates],
    (tenant, chat): (TenantId, ChatId),
) -> impl Iterator<Item = (TenantId, ChatId, &str)> {
    let names = places.iter().flatten();
    names.map(move |name| (tenant, chat, name.as_str()))
}

fn names_everybody(places: &[Candidates]) -> bool {
    places.iter().flatten().any(|name| name == EVERYBODY)
}

/// At each place the longest name that somebody has. Who may name everybody does so with the word for it, also where
/// somebody is called that.
fn mentions(
    places: &[Candidates],
    chat: ChatId,
    named: &NamedMembers,
    may_name_all: bool,
) -> Mentions {
    let mut mentions = Mentions::default();
    for candidates in places {
        for name in candidates {
            if may_name_all && name == EVERYBODY {
                mentions.everybody = true;
                break;
            }
            if let Some(people) = named.get(&(chat, name.clone())) {
                mentions.people.extend(people);
                break;
            }
        }
    }
    mentions.people.sort_unstable();
    mentions.people.dedup();
    mentions.people.truncate(MOST_NAMED);
    mentions
}
