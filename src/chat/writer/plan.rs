//! What becomes of each draft of a batch, and what the batch writes.

use std::{collections::HashMap, sync::Arc};

use crate::{
    chat::access::denied,
    chat::writer::{
        Command, Outcome, Placed, ReadDraft, SendDraft, actions, creations, digest::digest,
    },
    error::{Error, Kind, Result},
    model::{
        Audience, Change, ChangeKind, Chat, ChatId, ChatKind, ConversationStatus, Entry,
        MembershipStatus, MessageId, Person, PersonId, Position, Relation, Role, Seq, TenantId,
        Timestamp,
    },
    store::{
        Tx,
        batch::{
            ChatUpdate, MembershipUpdate, NewChange, ReadFacts, ReadLookup, SendFacts, SendLookup,
            WriteSet,
        },
    },
};

/// Carries out a batch inside its transaction: first what is rare, one by one, then the messages,
/// then the read marks, each kind in the order it came. Returns an outcome a job, and the changes
/// that are to be published once it is committed.
pub(super) async fn process_batch(
    tx: &mut Tx,
    commands: &[Command],
    head: Position,
    now: Timestamp,
) -> Result<(Vec<Outcome>, Vec<Change>)> {
    let mut outcomes: Vec<Option<Outcome>> = commands.iter().map(|_| None).collect();
    let mut changes = Vec::new();
    let mut next = head.plus(1);
    for (command, outcome) in commands.iter().zip(&mut outcomes) {
        let context = actions::TxContext { tx, next, now };
        *outcome = match command {
            Command::Create(draft, _) => Some(Outcome::Created(
                creations::create(context, draft, &mut changes).await?,
            )),
            Command::Action(draft, _) => Some(Outcome::Action(
                actions::act(context, draft, &mut changes).await?,
            )),
            Command::Send(..) | Command::Read(..) => None,
        };
        next = head.plus(1 + i64::try_from(changes.len()).unwrap_or(i64::MAX));
    }

    let sends: Vec<_> = commands
        .iter()
        .filter_map(|command| match command {
            Command::Send(draft, _) => Some(draft),
            _ => None,
        })
        .collect();
    let reads: Vec<_> = commands
        .iter()
        .filter_map(|command| match command {
            Command::Read(draft, _) => Some(draft),
            _ => None,
        })
        .collect();
    let lookups: Vec<_> = sends.iter().map(|draft| send_lookup(draft)).collect();
    let send_facts = tx.look_up_sends(&lookups).await?;
    let lookups: Vec<_> = reads.iter().map(|draft| read_lookup(draft)).collect();
    let read_facts = tx.look_up_reads(&lookups).await?;

    let agents = conversations_to_update(tx, &sends, &send_facts).await?;
    let mut plan = Plan::new(next, now, agents);
    let mut sent = sends
        .iter()
        .zip(send_facts)
        .map(|(draft, answer)| plan.send(draft, &answer))
        .collect::<Vec<_>>()
        .into_iter();
    let mut read = reads
        .iter()
        .zip(read_facts)
        .map(|(draft, answer)| plan.read(draft, answer))
        .collect::<Vec<_>>()
        .into_iter();
    let (set, planned) = plan.finish();
    if !planned.is_empty() {
        tx.write(&set, now).await?;
        changes.extend(planned);
    }

    let outcomes = commands
        .iter()
        .zip(outcomes)
        .map(|(command, outcome)| {
            let missing = || Error::internal("a draft without an outcome");
            match command {
                Command::Send(..) => Outcome::Sent(sent.next().ok_or_else(missing).flatten()),
                Command::Read(..) => Outcome::Read(read.next().ok_or_else(missing).flatten()),
                Command::Create(..) | Command::Action(..) => {
                    outcome.unwrap_or_else(|| Outcome::Action(Err(missing())))
                }
            }
        })
        .collect();
    Ok((outcomes, changes))
}

fn send_lookup(draft: &SendDraft) -> SendLookup {
    SendLookup {
        tenant: draft.actor.tenant,
        chat: draft.chat,
        sender: draft.actor.id,
        client_id: draft.client_id.as_ref().map(|id| id.as_str().to_owned()),
    }
}

/// Where a message leaves a chat at a desk, if elsewhere than it stood.
fn next_status(
    draft: &SendDraft,
    kind: ChatKind,
    status: Option<ConversationStatus>,
) -> Option<ConversationStatus> {
    match (kind, status, draft.actor.is_agent()) {
        (
            ChatKind::Conversation,
            Some(ConversationStatus::Waiting | ConversationStatus::Closed),
            true,
        ) => Some(ConversationStatus::Active),
        (ChatKind::Conversation, Some(ConversationStatus::Closed), false) => {
            Some(ConversationStatus::Waiting)
        }
        _ => None,
    }
}

/// Reads the chats at desks whose standing the batch changes: few, for most messages change none.
async fn conversations_to_update(
    tx: &mut Tx,
    sends: &[&SendDraft],
    answers: &[SendFacts],
) -> Result<HashMap<ChatId, (Chat, Arc<Person>)>> {
    let mut agents = HashMap::new();
    for (draft, answer) in sends.iter().zip(answers) {
        let Some(facts) = answer.chat else { continue };
        if facts.kind != ChatKind::Conversation || agents.contains_key(&draft.chat) {
            continue;
        }
        let turns = next_status(draft, facts.kind, facts.status).is_some();
        if turns
            && let Some(chat) = tx.chat(draft.actor.tenant, draft.chat).await?
            && let Some(guest) = tx.person(draft.actor.tenant, chat.created_by).await?
        {
            agents.insert(draft.chat, (chat, Arc::new(guest)));
        }
    }
    Ok(agents)
}

/// Who hears what happens in a chat of a kind.
pub(super) fn audience_in(kind: ChatKind) -> Audience {
    match kind {
        ChatKind::Open | ChatKind::Private | ChatKind::Direct => Audience::Members,
        ChatKind::Conversation => Audience::Agents,
    }
}

fn read_lookup(draft: &ReadDraft) -> ReadLookup {
    ReadLookup {
        tenant: draft.actor.tenant,
        chat: draft.chat,
        reader: draft.actor.id,
        up_to: draft.up_to,
    }
}

/// The decisions of one batch so far, each seeing those before it.
struct Plan {
    next: Position,
    now: Timestamp,
    set: WriteSet,
    changes: Vec<Change>,
    chat_updates: HashMap<ChatId, ChatUpdate>,
    memberships: HashMap<(ChatId, PersonId), MembershipUpdate>,
    /// The chats at desks that this batch may turn, each with its guest.
    agents: HashMap<ChatId, (Chat, Arc<Person>)>,
    /// What was sent in this batch under a client id, and what it said.
    named: HashMap<(ChatId, PersonId, String), (String, Placed)>,
}

impl Plan {
    fn new(next: Position, now: Timestamp, agents: HashMap<ChatId, (Chat, Arc<Person>)>) -> Self {
        Self {
            agents,
            next,
            now,
            set: WriteSet::default(),
            changes: Vec::new(),
            chat_updates: HashMap::new(),
            memberships: HashMap::new(),
            named: HashMap::new(),
        }
    }

    fn finish(mut self) -> (WriteSet, Vec<Change>) {
        self.set.chat_updates = self.chat_updates.into_iter().collect();
        self.set.memberships = self
            .memberships
            .into_iter()
            .map(|((chat, person), update)| (chat, person, update))
            .collect();
        (self.set, self.changes)
    }

    fn send(&mut self, draft: &SendDraft, answer: &SendFacts) -> Result<Placed> {
        let no_chat = || Error::not_found("there is no such chat");
        let Some(chat) = answer.chat else {
            return Err(no_chat());
        };
        let place = (draft.chat, draft.actor.id);
        let standing = if self.memberships.contains_key(&place) {
            Some(MembershipStatus::In)
        } else {
            answer.standing
        };
        let relation = Relation::with_status(chat.kind, &draft.actor, standing);
        let comes = relation.can_post().map_err(denied)? == Entry::Joins;
        let audience = audience_in(chat.kind);
        let digest = draft.client_id.as_ref().map(|_| {
            let said = [draft.kind.as_str(), draft.content.as_str()];
            digest(said)
        });
        if let Some(sent) = self.find_replay(draft, digest.as_deref(), answer)? {
            return Ok(sent);
        }
        let mut chat_update = self
            .chat_updates
            .get(&draft.chat)
            .copied()
            .unwrap_or(ChatUpdate {
                last_seq: chat.last_seq,
                last_message: None,
                last_position: self.next,
                members: chat.members,
                status: None,
            });
        // Whoever comes to an empty chat runs it: a chat with members has an admin.
        let role = if comes && chat_update.members == 0 {
            Role::Admin
        } else {
            Role::Member
        };
        let mut joined = self.next;
        if comes {
            chat_update.members += 1;
            joined = self.note(draft, audience, ChangeKind::Joined(role));
        }
        let seq = Seq::new(chat_update.last_seq.get() + 1);
        let id = MessageId::from(self.next);
        let text = draft.content.as_str();
        let sent = Placed {
            id,
            seq,
            at: self.now,
            replayed: false,
        };
        let message = draft.clone().at(sent).message;
        self.set
            .messages
            .push((draft.actor.tenant, message.clone(), digest.clone()));
        let position = self.note(draft, audience, ChangeKind::Message(message));
        chat_update.last_seq = seq;
        chat_update.last_message = Some(id);
        chat_update.last_position = position;
        if let Some(status) = next_status(draft, chat.kind, chat_update.status.or(chat.status)) {
            chat_update.last_position = self.change_status(draft.chat, status, text);
            chat_update.status = Some(status);
        }
        self.chat_updates.insert(draft.chat, chat_update);
        self.update(
            place,
            MembershipUpdate {
                tenant: draft.actor.tenant,
                role,
                joined,
                read: id,
                read_seq: seq,
            },
        );
        if let (Some(client_id), Some(digest)) = (&draft.client_id, digest) {
            let name = (draft.chat, draft.actor.id, client_id.as_str().to_owned());
            self.named.insert(name, (digest, sent));
        }
        Ok(sent)
    }

    /// Tells how a chat at a desk stands after a message.
    fn change_status(&mut self, id: ChatId, status: ConversationStatus, text: &str) -> Position {
        let Some((chat, guest)) = self.agents.get(&id).cloned() else {
            return self.next.plus(-1);
        };
        let subject = Subject {
            tenant: chat.tenant,
            chat: id,
            actor: &guest,
        };
        let last = Some((text.to_owned(), self.now));
        let chat = Chat {
            status: Some(status),
            ..chat
        };
        self.change(
            subject,
            Audience::Agents,
            ChangeKind::Conversation(chat, last),
        )
    }

    /// The message that this draft repeats, if it repeats one.
    fn find_replay(
        &self,
        draft: &SendDraft,
        digest: Option<&str>,
        answer: &SendFacts,
    ) -> Result<Option<Placed>> {
        let (Some(client_id), Some(digest)) = (&draft.client_id, digest) else {
            return Ok(None);
        };
        let name = (draft.chat, draft.actor.id, client_id.as_str().to_owned());
        let earlier = match (&answer.earlier, self.named.get(&name)) {
            (Some(earlier), _) => {
                let sent = Placed {
                    id: earlier.id,
                    seq: earlier.seq,
                    at: earlier.at,
                    replayed: true,
                };
                (earlier.digest.as_str(), sent)
            }
            (None, Some((digest, sent))) => (
                digest.as_str(),
                Placed {
                    replayed: true,
                    ..*sent
                },
            ),
            (None, None) => return Ok(None),
        };
        if earlier.0 == digest {
            Ok(Some(earlier.1))
        } else {
            Err(Error::new(
                Kind::Mismatch,
                "this client_id was used for another message in this chat",
            ))
        }
    }

    fn read(&mut self, draft: &ReadDraft, answer: ReadFacts) -> Result<()> {
        let place = (draft.chat, draft.actor.id);
        let no_chat = || Error::not_found("there is no such chat");
        let Some((kind, members)) = answer.chat else {
            return Err(no_chat());
        };
        let marked = self.memberships.get(&place).map(|update| update.read);
        let standing = match marked {
            Some(_) => Some(MembershipStatus::In),
            None => answer.standing,
        };
        Relation::with_status(kind, &draft.actor, standing)
            .can_signal()
            .map_err(denied)?;
        let Some((newest, seq)) = answer.newest else {
            return Ok(());
        };
        if newest <= marked.unwrap_or(answer.read) {
            return Ok(());
        }
        let audience = if members <= super::READS_SHOWN_UP_TO {
            audience_in(kind)
        } else {
            Audience::Actor
        };
        let joined = self.next;
        self.change(
            Subject {
                tenant: draft.actor.tenant,
                chat: draft.chat,
                actor: &draft.actor,
            },
            audience,
            ChangeKind::Read(newest),
        );
        self.update(
            place,
            MembershipUpdate {
                tenant: draft.actor.tenant,
                role: Role::Member,
                joined,
                read: newest,
                read_seq: seq,
            },
        );
        Ok(())
    }

    /// Moves somebody's read mark, and makes them a member if they are none.
    fn update(&mut self, place: (ChatId, PersonId), update: MembershipUpdate) {
        self.memberships
            .entry(place)
            .and_modify(|earlier| {
                earlier.read = update.read;
                earlier.read_seq = update.read_seq;
            })
            .or_insert(update);
    }

    fn note(&mut self, draft: &SendDraft, audience: Audience, what: ChangeKind) -> Position {
        let subject = Subject {
            tenant: draft.actor.tenant,
            chat: draft.chat,
            actor: &draft.actor,
        };
        self.change(subject, audience, what)
    }

    fn change(&mut self, subject: Subject<'_>, audience: Audience, what: ChangeKind) -> Position {
        let position = self.next;
        let change = subject.change(position, self.now, audience, what);
        self.set.changes.push(line_of(&change));
        self.changes.push(change);
        self.next = position.plus(1);
        position
    }
}

/// Where something changes, and whom it is about.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) tenant: TenantId,
    pub(super) chat: ChatId,
    pub(super) actor: &'a Arc<Person>,
}

impl Subject<'_> {
    pub(super) fn change(
        self,
        position: Position,
        at: Timestamp,
        audience: Audience,
        what: ChangeKind,
    ) -> Change {
        let Self {
            tenant,
            chat,
            actor,
        } = self;
        Change {
            position,
            tenant,
            chat,
            actor: Arc::clone(actor),
            at,
            audience,
            what,
        }
    }
}

/// The line of the log that tells of a change.
pub(super) fn line_of(change: &Change) -> NewChange {
    let (kind, target, word) = match &change.what {
        ChangeKind::Message(message) => ("message", Some(message.id), None),
        ChangeKind::Edited(message) => ("edited", Some(message.id), None),
        ChangeKind::Deleted(message) => ("deleted", Some(message.id), None),
        ChangeKind::Chat(_) => ("chat", None, None),
        ChangeKind::Joined(role) => ("joined", None, Some(role.as_str())),
        ChangeKind::Conversation(chat, _) => {
            ("desk", None, chat.status.map(ConversationStatus::as_str))
        }
        ChangeKind::Left => ("left", None, None),
        ChangeKind::Read(up_to) => ("read", Some(*up_to), None),
    };
    NewChange {
        position: change.position,
        tenant: change.tenant,
        chat: change.chat,
        kind,
        audience: change.audience,
        actor: change.actor.id,
        target,
        word,
    }
}
