//! What becomes of each draft of a batch, and what the batch writes.

use std::{collections::HashMap, sync::Arc};

use sha2::{Digest, Sha256};

use crate::{
    chat::writer::{Job, Outcome, ReadDraft, SendDraft, Sent, acts},
    error::{Error, Kind, Result},
    model::{
        Audience, Change, Chat, ChatId, ChatKind, DeskStatus, Message, MessageId, Millis, Person,
        PersonId, Position, Role, Seq, Standing, TenantId, What,
    },
    store::{
        Tx,
        batch::{
            Bump, Mark, NewChange, ReadAnswer, ReadQuestion, SendAnswer, SendQuestion, WriteSet,
        },
    },
};

/// Carries out a batch inside its transaction: first what is rare, one by one, then the messages,
/// then the read marks, each kind in the order it came. Returns an outcome a job, and the changes
/// that are to be published once it is committed.
pub(super) async fn carry_out(
    tx: &mut Tx,
    jobs: &[Job],
    head: Position,
    now: Millis,
) -> Result<(Vec<Outcome>, Vec<Change>)> {
    let mut outcomes: Vec<Option<Outcome>> = jobs.iter().map(|_| None).collect();
    let mut changes = Vec::new();
    let mut next = head.plus(1);
    for (job, outcome) in jobs.iter().zip(&mut outcomes) {
        let step = acts::Step { tx, next, now };
        *outcome = match job {
            Job::Create(draft, _) => Some(Outcome::Created(
                acts::create(step, draft, &mut changes).await?,
            )),
            Job::Act(draft, _) => Some(Outcome::Acted(acts::act(step, draft, &mut changes).await?)),
            Job::Send(..) | Job::Read(..) => None,
        };
        next = head.plus(1 + i64::try_from(changes.len()).unwrap_or(i64::MAX));
    }

    let sends: Vec<_> = jobs
        .iter()
        .filter_map(|job| match job {
            Job::Send(draft, _) => Some(draft),
            _ => None,
        })
        .collect();
    let reads: Vec<_> = jobs
        .iter()
        .filter_map(|job| match job {
            Job::Read(draft, _) => Some(draft),
            _ => None,
        })
        .collect();
    let questions: Vec<_> = sends.iter().map(|draft| question_of_send(draft)).collect();
    let send_answers = tx.ask_sends(&questions).await?;
    let questions: Vec<_> = reads.iter().map(|draft| question_of_read(draft)).collect();
    let read_answers = tx.ask_reads(&questions).await?;

    let desks = desks_to_turn(tx, &sends, &send_answers).await?;
    let mut plan = Plan::new(next, now, desks);
    let mut sent = sends
        .iter()
        .zip(send_answers)
        .map(|(draft, answer)| plan.send(draft, &answer))
        .collect::<Vec<_>>()
        .into_iter();
    let mut read = reads
        .iter()
        .zip(read_answers)
        .map(|(draft, answer)| plan.read(draft, answer))
        .collect::<Vec<_>>()
        .into_iter();
    let (set, planned) = plan.finish();
    if !planned.is_empty() {
        tx.write(&set, now).await?;
        changes.extend(planned);
    }

    let outcomes = jobs
        .iter()
        .zip(outcomes)
        .map(|(job, outcome)| {
            let missing = || Error::internal("a draft without an outcome");
            match job {
                Job::Send(..) => Outcome::Sent(sent.next().ok_or_else(missing).flatten()),
                Job::Read(..) => Outcome::Read(read.next().ok_or_else(missing).flatten()),
                Job::Create(..) | Job::Act(..) => {
                    outcome.unwrap_or_else(|| Outcome::Acted(Err(missing())))
                }
            }
        })
        .collect();
    Ok((outcomes, changes))
}

fn question_of_send(draft: &SendDraft) -> SendQuestion {
    SendQuestion {
        tenant: draft.actor.tenant,
        chat: draft.chat,
        sender: draft.actor.id,
        client_id: draft.client_id.as_ref().map(|id| id.as_str().to_owned()),
    }
}

/// Where a message leaves a chat at a desk, if elsewhere than it stood.
fn turn(draft: &SendDraft, kind: ChatKind, status: Option<DeskStatus>) -> Option<DeskStatus> {
    match (kind, status, draft.actor.runs_desk()) {
        (ChatKind::Desk, Some(DeskStatus::Waiting | DeskStatus::Closed), true) => {
            Some(DeskStatus::Active)
        }
        (ChatKind::Desk, Some(DeskStatus::Closed), false) => Some(DeskStatus::Waiting),
        _ => None,
    }
}

/// Reads the chats at desks whose standing the batch changes: few, for most messages change none.
async fn desks_to_turn(
    tx: &mut Tx,
    sends: &[&SendDraft],
    answers: &[SendAnswer],
) -> Result<HashMap<ChatId, (Chat, Arc<Person>)>> {
    let mut desks = HashMap::new();
    for (draft, answer) in sends.iter().zip(answers) {
        let Some(facts) = answer.chat else { continue };
        if facts.kind != ChatKind::Desk || desks.contains_key(&draft.chat) {
            continue;
        }
        let turns = turn(draft, facts.kind, facts.status).is_some();
        if turns
            && let Some(chat) = tx.chat(draft.actor.tenant, draft.chat).await?
            && let Some(guest) = tx.person(draft.actor.tenant, chat.maker).await?
        {
            desks.insert(draft.chat, (chat, Arc::new(guest)));
        }
    }
    Ok(desks)
}

/// Who hears what happens in a chat of a kind.
pub(super) fn audience_in(kind: ChatKind) -> Audience {
    match kind {
        ChatKind::Open | ChatKind::Private | ChatKind::Direct => Audience::Members,
        ChatKind::Desk => Audience::Desk,
    }
}

fn question_of_read(draft: &ReadDraft) -> ReadQuestion {
    ReadQuestion {
        tenant: draft.actor.tenant,
        chat: draft.chat,
        reader: draft.actor.id,
        up_to: draft.up_to,
    }
}

/// The digest by which a message sent again is known to say the same.
fn digest(draft: &SendDraft) -> String {
    let mut hasher = Sha256::new();
    hasher.update(draft.kind.as_str());
    hasher.update([0]);
    hasher.update(draft.content.as_str());
    hasher
        .finalize()
        .iter()
        .take(16)
        .fold(String::with_capacity(32), |mut hex, byte| {
            for nibble in [byte >> 4, byte & 15] {
                hex.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
            }
            hex
        })
}

/// The decisions of one batch so far, each seeing those before it.
struct Plan {
    next: Position,
    now: Millis,
    set: WriteSet,
    changes: Vec<Change>,
    bumps: HashMap<ChatId, Bump>,
    marks: HashMap<(ChatId, PersonId), Mark>,
    /// The chats at desks that this batch may turn, each with its guest.
    desks: HashMap<ChatId, (Chat, Arc<Person>)>,
    /// What was sent in this batch under a client id, and what it said.
    named: HashMap<(ChatId, PersonId, String), (String, Sent)>,
}

impl Plan {
    fn new(next: Position, now: Millis, desks: HashMap<ChatId, (Chat, Arc<Person>)>) -> Self {
        Self {
            desks,
            next,
            now,
            set: WriteSet::default(),
            changes: Vec::new(),
            bumps: HashMap::new(),
            marks: HashMap::new(),
            named: HashMap::new(),
        }
    }

    fn finish(mut self) -> (WriteSet, Vec<Change>) {
        self.set.bumps = self.bumps.into_iter().collect();
        self.set.marks = self
            .marks
            .into_iter()
            .map(|((chat, person), mark)| (chat, person, mark))
            .collect();
        (self.set, self.changes)
    }

    fn send(&mut self, draft: &SendDraft, answer: &SendAnswer) -> Result<Sent> {
        let no_chat = || Error::not_found("there is no such chat");
        let Some(chat) = answer.chat else {
            return Err(no_chat());
        };
        let place = (draft.chat, draft.actor.id);
        let standing = if self.marks.contains_key(&place) {
            Some(Standing::In)
        } else {
            answer.standing
        };
        let comes = match (chat.kind, standing) {
            (_, Some(Standing::In)) => false,
            (ChatKind::Open, _) if draft.actor.is_guest() => return Err(no_chat()),
            (ChatKind::Open, None | Some(Standing::Left)) => true,
            (ChatKind::Open, Some(Standing::Removed)) => {
                return Err(Error::forbidden("you were removed from this chat"));
            }
            (ChatKind::Desk, _) if draft.actor.runs_desk() => false,
            (ChatKind::Private | ChatKind::Direct | ChatKind::Desk, _) => return Err(no_chat()),
        };
        let audience = audience_in(chat.kind);
        let digest = draft.client_id.as_ref().map(|_| digest(draft));
        if let Some(sent) = self.sent_before(draft, digest.as_deref(), answer)? {
            return Ok(sent);
        }
        let mut bump = self.bumps.get(&draft.chat).copied().unwrap_or(Bump {
            last_seq: chat.last_seq,
            last_message: None,
            last_position: self.next,
            members: chat.members,
            status: None,
        });
        // Whoever comes to an empty chat runs it: a chat with members has an admin.
        let role = if comes && bump.members == 0 {
            Role::Admin
        } else {
            Role::Member
        };
        let mut joined = self.next;
        if comes {
            bump.members += 1;
            joined = self.note(draft, audience, What::Joined(role));
        }
        let seq = Seq::new(bump.last_seq.get() + 1);
        let id = MessageId::from(self.next);
        let text = draft.content.as_str();
        let message = Message {
            id,
            chat: draft.chat,
            seq,
            sender: draft.actor.id,
            kind: draft.kind,
            content: text.to_owned(),
            client_id: draft.client_id.as_ref().map(|id| id.as_str().to_owned()),
            at: self.now,
            edited_at: None,
            deleted_at: None,
        };
        self.set
            .messages
            .push((draft.actor.tenant, message.clone(), digest.clone()));
        let position = self.note(draft, audience, What::Message(message));
        bump.last_seq = seq;
        bump.last_message = Some(id);
        bump.last_position = position;
        if let Some(status) = turn(draft, chat.kind, bump.status.or(chat.status)) {
            bump.last_position = self.turn_desk(draft.chat, status, text);
            bump.status = Some(status);
        }
        self.bumps.insert(draft.chat, bump);
        self.mark(
            place,
            Mark {
                tenant: draft.actor.tenant,
                role,
                joined,
                read: id,
                read_seq: seq,
            },
        );
        let sent = Sent {
            id,
            seq,
            at: self.now,
            replayed: false,
        };
        if let (Some(client_id), Some(digest)) = (&draft.client_id, digest) {
            let name = (draft.chat, draft.actor.id, client_id.as_str().to_owned());
            self.named.insert(name, (digest, sent));
        }
        Ok(sent)
    }

    /// Tells how a chat at a desk stands after a message.
    fn turn_desk(&mut self, id: ChatId, status: DeskStatus, text: &str) -> Position {
        let Some((chat, guest)) = self.desks.get(&id).cloned() else {
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
        self.change(subject, Audience::Desk, What::Desk(chat, last))
    }

    /// The message that this draft repeats, if it repeats one.
    fn sent_before(
        &self,
        draft: &SendDraft,
        digest: Option<&str>,
        answer: &SendAnswer,
    ) -> Result<Option<Sent>> {
        let (Some(client_id), Some(digest)) = (&draft.client_id, digest) else {
            return Ok(None);
        };
        let name = (draft.chat, draft.actor.id, client_id.as_str().to_owned());
        let earlier = match (&answer.earlier, self.named.get(&name)) {
            (Some(earlier), _) => {
                let sent = Sent {
                    id: earlier.id,
                    seq: earlier.seq,
                    at: earlier.at,
                    replayed: true,
                };
                (earlier.digest.as_str(), sent)
            }
            (None, Some((digest, sent))) => (
                digest.as_str(),
                Sent {
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

    fn read(&mut self, draft: &ReadDraft, answer: ReadAnswer) -> Result<()> {
        let place = (draft.chat, draft.actor.id);
        let no_chat = || Error::not_found("there is no such chat");
        let Some((kind, members)) = answer.chat else {
            return Err(no_chat());
        };
        let marked = self.marks.get(&place).map(|mark| mark.read);
        let is_in = marked.is_some() || answer.standing == Some(Standing::In);
        match kind {
            ChatKind::Desk if draft.actor.runs_desk() => {}
            _ if is_in => {}
            ChatKind::Open => return Err(Error::forbidden("join the chat first")),
            ChatKind::Private | ChatKind::Direct | ChatKind::Desk => return Err(no_chat()),
        }
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
            What::Read(newest),
        );
        self.mark(
            place,
            Mark {
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
    fn mark(&mut self, place: (ChatId, PersonId), mark: Mark) {
        self.marks
            .entry(place)
            .and_modify(|earlier| {
                earlier.read = mark.read;
                earlier.read_seq = mark.read_seq;
            })
            .or_insert(mark);
    }

    fn note(&mut self, draft: &SendDraft, audience: Audience, what: What) -> Position {
        let subject = Subject {
            tenant: draft.actor.tenant,
            chat: draft.chat,
            actor: &draft.actor,
        };
        self.change(subject, audience, what)
    }

    fn change(&mut self, subject: Subject<'_>, audience: Audience, what: What) -> Position {
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
        at: Millis,
        audience: Audience,
        what: What,
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
        What::Message(message) => ("message", Some(message.id), None),
        What::Edited(message) => ("edited", Some(message.id), None),
        What::Deleted(message) => ("deleted", Some(message.id), None),
        What::Chat(_) => ("chat", None, None),
        What::Joined(role) => ("joined", None, Some(role.as_str())),
        What::Desk(chat, _) => ("desk", None, chat.status.map(DeskStatus::as_str)),
        What::Left => ("left", None, None),
        What::Read(up_to) => ("read", Some(*up_to), None),
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
