//! Searching the messages of one's chats.
//!
//! # Why
//! An index makes a search cheap, and adding to it must not make sending dearer: so it is filled behind the log
//! (`indexer`), when the writer has time for it. Answers are exact all the same: what is newer than the index
//! is read from the messages themselves, and what the index answers is compared with each message's
//! present text.
//!
//! No search occupies the server, however long the history: it goes back from the newest message in steps whose costs are
//! known before (`strides`), and stops when its budget is spent, which counts work and not time. Then, as at the end of a page, the answer
//! says how far back it looked, and from which message to go on.

mod budget;
mod indexer;
mod strides;
mod walk;

use std::collections::HashMap;

use tokio::sync::{Mutex, watch};

use crate::{
    chat::{
        Caller, Services,
        access::{self, denied},
        limits::Who,
    },
    error::Result,
    model::{
        Chat, ChatId, Denied, Lane, Membership, Message, MessageId, PersonId, PersonName, Position,
        Relation, TenantId, Timestamp,
        search::{Excerpt, Match, Query, excerpt},
    },
    store::{IndexProgress, Store},
};

pub use indexer::catch_up;
pub(super) use indexer::{look_again, run};

use budget::BUDGET;
use walk::{Part, Walk};

/// As many requests as a search counts as.
const COSTS: usize = 4;

/// What somebody searches for.
#[derive(Debug)]
pub struct Search {
    /// The words.
    pub query: Query,
    /// The chat that is searched; none: all that they are in.
    pub chat: Option<ChatId>,
    /// Whose messages are searched; none: everybody's.
    pub from: Option<PersonId>,
    /// Only messages before this one.
    pub before: Option<MessageId>,
    /// The most hits.
    pub limit: usize,
}

/// A message that was found.
#[derive(Debug)]
pub struct Hit {
    /// The message.
    pub message: Message,
    /// Its sender.
    pub sender: PersonName,
    /// Its chat, under the title that the searcher sees.
    pub chat: Chat,
    /// Where it says what was searched for.
    pub excerpt: Excerpt,
}

/// What was found, newest first.
#[derive(Debug)]
pub struct Hits {
    /// The hits.
    pub hits: Vec<Hit>,
    /// From where to go on, if there may be more: what is before this message was not searched.
    pub before: Option<MessageId>,
    /// When the oldest message was sent that was searched, if there may be more.
    pub looked_back_to: Option<Timestamp>,
    /// What it cost, as its budget counts.
    pub spent: i64,
}

/// How far the index of a lane has come, as this server knows. It may have come further.
#[derive(Debug)]
pub(super) struct Index {
    progress: watch::Sender<IndexProgress>,
    /// Held by who adds to it.
    adding: Mutex<()>,
}

impl Index {
    pub(super) async fn open(store: &Store, lane: Lane) -> Result<Self> {
        Ok(Self {
            progress: watch::Sender::new(store.index_progress(lane).await?),
            adding: Mutex::default(),
        })
    }

    /// One that has nothing.
    #[cfg(test)]
    pub(super) fn empty() -> Self {
        let nothing = IndexProgress {
            to: Position::START,
            from: MessageId::new(1),
        };
        Self {
            progress: watch::Sender::new(nothing),
            adding: Mutex::default(),
        }
    }

    pub(super) fn progress(&self) -> IndexProgress {
        *self.progress.borrow()
    }
}

/// Searches the messages of the chats that the caller is in.
pub async fn search(services: &Services, caller: &Caller, search: &Search) -> Result<Hits> {
    search_within(services, caller, search, BUDGET).await
}

/// The same with a budget of one's own: however small it is, the search comes further.
pub async fn search_within(
    services: &Services,
    caller: &Caller,
    search: &Search,
    budget: i64,
) -> Result<Hits> {
    if let Some(login) = caller.login() {
        let login = Who::Login(login.login.id);
        services.limits.count_many(login, COSTS)?;
    }
    if let Some(chat) = search.chat {
        let reader = access::reader(services, caller, chat).await?;
        let relation = Relation::new(reader.chat().kind, caller.person(), reader.membership());
        if !relation.is_in() {
            return Err(denied(Denied::NotMember));
        }
    }
    let _turn = services.lists.take(caller.tenant()).await?;
    let parts = parts(services, caller.tenant());
    let walk = Walk::new(&services.store, caller.person(), search, parts, budget);
    let walked = walk.run().await?;
    let (before, spent) = (walked.before, walked.spent);
    let last = walked.found.last().map(|(message, ..)| message);
    let looked_back_to = match (before, last) {
        (Some(before), Some(last)) if last.id == before => Some(last.at),
        (Some(before), _) => services.store.sent_from(before.get()).await?,
        (None, _) => None,
    };
    let hits = with_chats(services, caller, walked.found).await?;
    Ok(Hits {
        hits,
        before,
        looked_back_to,
        spent,
    })
}

/// The parts of a tenant's log, the newest last.
fn parts(services: &Services, tenant: TenantId) -> Vec<Part> {
    // The index first: what it has not by now is among what is read of the messages after.
    let progress = services
        .lanes
        .all()
        .map(|log| (log.lane, log.index.progress()));
    let progress: Vec<_> = progress.collect();
    let mut newer = Vec::new();
    let mut parts = Vec::new();
    for (after, until) in services.lanes.parts(tenant) {
        let lane = Lane::of(until);
        let found = progress.iter().find(|(of, _)| *of == lane);
        if let Some((_, progress)) = found {
            newer.push(progress.to);
            let is_newest = parts.is_empty();
            parts.push(Part {
                progress: *progress,
                after,
                head: if is_newest {
                    until.max(progress.to)
                } else {
                    until
                },
                edited_since: newer.clone(),
            });
        }
    }
    parts.reverse();
    parts
}

/// The hits with their chats, without those of chats that the caller is not in any more.
async fn with_chats(
    services: &Services,
    caller: &Caller,
    found: Vec<(Message, PersonName, Vec<Match>)>,
) -> Result<Vec<Hit>> {
    let mut ids: Vec<ChatId> = found.iter().map(|(message, ..)| message.chat).collect();
    ids.sort();
    ids.dedup();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let joined = services.store.joined_among(caller.person(), &ids).await?;
    let is_in = |(chat, membership): &(Chat, Option<Membership>)| {
        Relation::new(chat.kind, caller.person(), membership.as_ref()).is_in()
    };
    let chats: HashMap<ChatId, Chat> = joined
        .into_iter()
        .filter(is_in)
        .map(|(chat, _)| (chat.id, chat))
        .collect();
    let hits = found.into_iter().filter_map(|(message, sender, matches)| {
        let chat = chats.get(&message.chat)?.clone();
        let excerpt = excerpt(&message.content, &matches);
        Some(Hit {
            message,
            sender,
            chat,
            excerpt,
        })
    });
    Ok(hits.collect())
}

/// The first position after another, as an id.
fn after(position: Position) -> i64 {
    position.get().saturating_add(1)
}
