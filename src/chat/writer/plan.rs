//! What becomes of each draft of a batch, and what the batch writes.

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use crate::{
    chat::access::denied,
    chat::writer::{
        Command, Outcome, Placed, ReadDraft, SendDraft, actions, creations, digest::digest, people,
        references::References, sign_ups,
    },
    error::{Error, Kind, Result},
    model::{
        Audience, Change, ChangeKind, Chat, ChatId, ChatKind, ConversationStatus, Entry,
        MembershipStatus, MessageId, Person, PersonId, Position, Relation, Role, Seq, TenantId,
        Timestamp, ids::IdMap,
    },
    store::{
        Tx,
        batch::{
            ChatFacts, ChatUpdate, LastMessage, MembershipUpdate, NewChange, ReadFacts, ReadLookup,
            SendFacts, SendLookup, WriteSet,
        },
    },
};

/// Carries out a batch inside its transaction: first what is rare, one by one, then the messages,
/// then the read marks, each kind in the order it came. Returns an outcome for each command, and the changes
/// that are to be published once it is committed.
pub(super) async fn process_batch(
    tx: &mut Tx,
    commands: &[Command],
    head: Position,
    now: Timestamp,
) -> Result<(Vec<Outcome>, Vec<Change>)> {
    let mut changes = Vec::new();
    let mut rare = act_one_by_one(tx, commands, (head, now), &mut changes)
        .await?
        .into_iter();
    let next = following(head, &changes);
    let (sent, read, new) = plan_messages(tx, commands, (next, now)).await?;
    changes.extend(new);
    let (mut sent, mut read) = (sent.into_iter(), read.into_iter());
    let missing = || Error::internal("a draft without an outcome");
    let outcomes = commands.iter().map(|command| match command {
        Command::Send(..) => Outcome::Sent(sent.next().ok_or_else(missing).flatten()),
        Command::Read(..) => Outcome::Read(read.next().ok_or_else(missing).flatten()),
        Command::Create(..) | Command::Action(..) | Command::Person(..) | Command::SignUp(..) => {
            rare.next()
                .unwrap_or_else(|| Outcome::Action(Err(missing())))
        }
    });
    Ok((outcomes.collect(), changes))
}

/// The position after a log's head and the changes that come next.
fn following(head: Position, changes: &[Change]) -> Position {
    head.plus(1 + i64::try_from(changes.len()).unwrap_or(i64::MAX))
}

/// Carries out what is rare: an outcome for each command that is.
async fn act_one_by_one(
    tx: &mut Tx,
    commands: &[Command],
    (head, now): (Position, Timestamp),
    changes: &mut Vec<Change>,
) -> Result<Vec<Outcome>> {
    let mut outcomes = Vec::new();
    for command in commands {
        let next = following(head, changes);
        let context = actions::TxContext { tx, next, now };
        outcomes.push(match command {
            Command::Create(draft, _) => {
                Outcome::Created(creations::create(context, draft, changes).await?)
            }
            Command::Action(draft, _) => {
                Outcome::Action(actions::act(context, draft, changes).await?)
            }
            Command::Person(request, _) => {
                Outcome::Person(people::act(context, request, changes).await?)
            }
            Command::SignUp(draft, _) => {
                Outcome::SignedUp(sign_ups::sign_up(context, draft, changes).await?)
            }
            Command::Send(..) | Command::Read(..) => continue,
        });
    }
    Ok(outcomes)
}

/// The outcomes of the messages and of the read marks of a batch, and the changes they make.
type PlannedMessages = (Vec<Result<Placed>>, Vec<Result<()>>, Vec<Change>);

/// Looks up what the messages and the read marks of a batch depend on, decides, and writes.
async fn plan_messages(
    tx: &mut Tx,
    commands: &[Command],
    (next, now): (Position, Timestamp),
) -> Result<PlannedMessages> {
    let mut sends = Vec::with_capacity(commands.len());
    let mut reads = Vec::new();
    for command in commands {
        match command {
            Command::Send(draft, _) => sends.push(draft),
            Command::Read(draft, _) => reads.push(draft),
            Command::Create(..)
            | Command::Action(..)
            | Command::Person(..)
            | Command::SignUp(..) => {}
        }
    }
    let lookups: Vec<_> = sends.iter().map(|draft| send_lookup(draft)).collect();
    let send_facts = tx.look_up_sends(&lookups).await?;
    let lookups: Vec<_> = reads.iter().map(|draft| read_lookup(draft)).collect();
    let read_facts = tx.look_up_reads(&lookups).await?;
    let conversations = conversations_to_update(tx, &sends, &send_facts).await?;
    let mut plan = Plan {
        references: References::look_up(tx, &sends, &send_facts).await?,
        ..Plan::new(next, now, conversations)
    };
    let sent = sends.iter().zip(send_facts);
    let sent = sent
        .map(|(draft, facts)| plan.send(draft, &facts))
        .collect();
    let read = reads.iter().zip(read_facts);
    let read = read.map(|(draft, facts)| plan.read(draft, facts)).collect();
    let (set, changes) = plan.finish();
    if !changes.is_empty() {
        tx.write(&set, now).await?;
    }
    Ok((sent, read, changes))
}

/// What a repeat under the same key must have in common with the message that was sent.
fn digest_of(draft: &SendDraft) -> String {
    let answered = draft.reply_to.map(|message| message.to_string());
    let said = [draft.kind.as_str(), draft.content.as_str()];
    digest(said.into_iter().chain(answered.as_deref()))
}

fn send_lookup(draft: &SendDraft) -> SendLookup {
    SendLookup {
        tenant: draft.actor.tenant,
        chat: draft.chat,
        sender: draft.actor.id,
        client_id: draft.client_id.as_ref().map(|id| id.as_str().to_owned()),
    }
}

/// The status of a conversation after a message, if the message changes it.
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

/// Reads the conversations whose status the batch changes: few, for most messages change none.
async fn conversations_to_update(
    tx: &mut Tx,
    sends: &[&SendDraft],
    answers: &[SendFacts],
) -> Result<HashMap<ChatId, (Chat, Arc<Person>)>> {
    let mut conversations = HashMap::new();
    for (draft, answer) in sends.iter().zip(answers) {
        let Some(facts) = answer.chat else { continue };
        if facts.kind != ChatKind::Conversation || conversations.contains_key(&draft.chat) {
            continue;
        }
        let changes = next_status(draft, facts.kind, facts.status).is_some();
        if changes
            && let Some(chat) = tx.chat(draft.actor.tenant, draft.chat).await?
            && let Some(guest) = tx.person(draft.actor.tenant, chat.created_by).await?
        {
            conversations.insert(draft.chat, (chat, Arc::new(guest)));
        }
    }
    Ok(conversations)
}

/// The audience of what happens in a chat of a kind.
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
    chat_updates: IdMap<ChatId, ChatUpdate>,
    memberships: IdMap<(ChatId, PersonId), MembershipUpdate>,
    /// What was read by those who sent a chat's last message before somebody else did.
    marks: IdMap<(ChatId, PersonId), MembershipUpdate>,
    /// The conversations whose status this batch may change, each with its guest.
    conversations: HashMap<ChatId, (Chat, Arc<Person>)>,
    /// What the messages refer to.
    references: References,
    /// What was sent in this batch under a client id, with the digest of its content.
    named: HashMap<(ChatId, PersonId, String), (String, Placed)>,
}

impl Plan {
    fn new(
        next: Position,
        now: Timestamp,
        conversations: HashMap<ChatId, (Chat, Arc<Person>)>,
    ) -> Self {
        Self {
            conversations,
            references: References::default(),
            next,
            now,
            set: WriteSet::default(),
            changes: Vec::new(),
            chat_updates: IdMap::default(),
            memberships: IdMap::default(),
            marks: IdMap::default(),
            named: HashMap::new(),
        }
    }

    fn finish(mut self) -> (WriteSet, Vec<Change>) {
        for (place, mark) in std::mem::take(&mut self.marks) {
            self.update(place, mark);
        }
        self.set.chat_updates = self.chat_updates.into_iter().collect();
        self.set.memberships = self
            .memberships
            .into_iter()
            .map(|((chat, person), update)| (chat, person, update))
            .collect();
        (self.set, self.changes)
    }

    fn send(&mut self, draft: &SendDraft, facts: &SendFacts) -> Result<Placed> {
        let Some(chat) = facts.chat else {
            return Err(Error::not_found("there is no such chat"));
        };
        let relation = self.relation(&draft.actor, (draft.chat, chat.kind), facts.standing);
        let entry = relation.can_post().map_err(denied)?;
        let joins = entry == Entry::Joins;
        let digest = draft.client_id.as_ref().map(|_| digest_of(draft));
        if let Some(sent) = self.find_replay(draft, digest.as_deref(), facts)? {
            return Ok(sent);
        }
        let referred = self.references.of(draft)?;
        let mut chat_update = self.chat_update_of(draft.chat, chat);
        let audience = audience_in(chat.kind);
        // A chat without members has no admin: the first to join becomes one.
        let role = if joins && chat_update.members == 0 {
            Role::Admin
        } else {
            Role::Member
        };
        let mut joined = self.next;
        if joins {
            chat_update.members += 1;
            joined = self.note(draft, audience, ChangeKind::Joined(role));
        }
        let sent = Placed {
            id: MessageId::from(self.next),
            seq: Seq::new(chat_update.last_seq.get() + 1),
            at: self.now,
            replayed: false,
        };
        let message = referred.by(draft.clone().at(sent).message);
        let row = (draft.actor.tenant, message.clone(), digest.clone());
        self.set.messages.push(row);
        self.note_last(draft, sent, &mut chat_update);
        chat_update.last_position = self.note(draft, audience, ChangeKind::Message(message));
        if let Some(status) = next_status(draft, chat.kind, chat_update.status.or(chat.status)) {
            let text = draft.content.as_str();
            chat_update.last_position = self.change_status(draft.chat, status, text);
            chat_update.status = Some(status);
        }
        self.chat_updates.insert(draft.chat, chat_update);
        // The chat's row says that they have read it: their own is written where there is none, or they join.
        if joins || facts.standing.is_none() {
            let update = MembershipUpdate {
                tenant: draft.actor.tenant,
                standing: relation.status_after(entry),
                role,
                joined,
                read: sent.id,
                read_seq: sent.seq,
            };
            self.update((draft.chat, draft.actor.id), update);
        }
        if let (Some(client_id), Some(digest)) = (&draft.client_id, digest) {
            let key = (draft.chat, draft.actor.id, client_id.as_str().to_owned());
            self.named.insert(key, (digest, sent));
        }
        Ok(sent)
    }

    /// A message is a chat's last one now. If somebody else sent the one before, they have a read mark of their own.
    fn note_last(&mut self, draft: &SendDraft, sent: Placed, chat: &mut ChatUpdate) {
        if let Some(last) = chat.last.filter(|last| last.sender != draft.actor.id) {
            let mark = MembershipUpdate {
                tenant: draft.actor.tenant,
                // They have a row, whose status stays.
                standing: MembershipStatus::Observer,
                role: Role::Member,
                joined: self.next,
                read: last.id,
                read_seq: chat.last_seq,
            };
            self.marks.insert((draft.chat, last.sender), mark);
        }
        chat.last_seq = sent.seq;
        chat.last = Some(LastMessage {
            id: sent.id,
            sender: draft.actor.id,
        });
    }

    /// What a person is to a chat, after the commands before.
    fn relation(
        &self,
        person: &Person,
        (chat, kind): (ChatId, ChatKind),
        stored: Option<MembershipStatus>,
    ) -> Relation {
        let update = self.memberships.get(&(chat, person.id));
        let status = update.map(|update| update.standing).or(stored);
        Relation::with_status(kind, person, status)
    }

    /// The new values of a chat's row so far.
    fn chat_update_of(&self, id: ChatId, chat: ChatFacts) -> ChatUpdate {
        let so_far = self.chat_updates.get(&id).copied();
        so_far.unwrap_or(ChatUpdate {
            last_seq: chat.last_seq,
            last: chat.last,
            last_position: self.next,
            members: chat.members,
            status: None,
        })
    }

    /// Tells the new status of a conversation.
    fn change_status(&mut self, id: ChatId, status: ConversationStatus, text: &str) -> Position {
        let Some((chat, guest)) = self.conversations.get(&id).cloned() else {
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
        let marked = self.marked(place);
        let relation = self.relation(&draft.actor, (draft.chat, kind), answer.standing);
        relation.can_signal().map_err(denied)?;
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
                standing: relation.status_after(Entry::Present),
                role: Role::Member,
                joined,
                read: newest,
                read_seq: seq,
            },
        );
        Ok(())
    }

    /// What a person has read by what this batch did before.
    fn marked(&self, place: (ChatId, PersonId)) -> Option<MessageId> {
        let last = self.chat_updates.get(&place.0).and_then(|chat| chat.last);
        let sent = last.filter(|last| last.sender == place.1);
        let updates = [self.memberships.get(&place), self.marks.get(&place)];
        let read = updates.into_iter().flatten().map(|update| update.read);
        read.chain(sent.map(|last| last.id)).max()
    }

    /// Moves a person's read mark, and makes them a member if they join.
    fn update(&mut self, place: (ChatId, PersonId), update: MembershipUpdate) {
        self.memberships
            .entry(place)
            .and_modify(|earlier| {
                earlier.read = earlier.read.max(update.read);
                earlier.read_seq = earlier.read_seq.max(update.read_seq);
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
        self.set.changes.extend(row_of(&change));
        self.changes.push(change);
        self.next = position.plus(1);
        position
    }
}

/// Where something changes, and who changes it.
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

/// The row of the log for a change; none for a message, which is its own.
pub(super) fn row_of(change: &Change) -> Option<NewChange> {
    let (kind, target, word) = match &change.what {
        ChangeKind::Message(_) => return None,
        ChangeKind::Edited(message) => ("edited", Some(message.id), None),
        ChangeKind::Deleted(message) => ("deleted", Some(message.id), None),
        ChangeKind::Reaction(reaction) => {
            let sign = if reaction.added { '+' } else { '-' };
            let word = format!("{sign}{}", reaction.emoji);
            ("reaction", Some(reaction.message), Some(word.into()))
        }
        ChangeKind::Chat(_) => ("chat", None, None),
        ChangeKind::Joined(role) => ("joined", None, Some(role.as_str().into())),
        ChangeKind::Role(role) => ("role", None, Some(role.as_str().into())),
        ChangeKind::Conversation(chat, _) => {
            let status = chat.status.map(ConversationStatus::as_str);
            ("desk", None, status.map(Cow::Borrowed))
        }
        ChangeKind::Settings(_) => ("settings", None, None),
        ChangeKind::Left => ("left", None, None),
        ChangeKind::Read(up_to) => ("read", Some(*up_to), None),
        ChangeKind::Person(person) => ("person", None, person.gone.then_some("gone".into())),
    };
    Some(NewChange {
        position: change.position,
        tenant: change.tenant,
        chat: change.chat,
        kind,
        audience: change.audience,
        actor: change.actor.id,
        target,
        word,
    })
}
