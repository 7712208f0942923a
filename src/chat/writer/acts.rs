//! What a batch does one by one: making chats, coming and going, editing and deleting.

use std::{collections::HashSet, sync::Arc};

use crate::{
    chat::writer::{
        Act, ActDraft, Acted, CreateDraft, Right,
        plan::{Subject, audience_in, line_of},
    },
    error::{Error, Result},
    model::{
        Audience, Change, Chat, ChatId, ChatKind, ClientId, Content, DeskStatus, Membership,
        Message, MessageId, Millis, Person, PersonId, Position, Role, Seq, Standing, TenantId,
        What, chat::pair_key,
    },
    store::{
        Tx,
        batch::{Bump, Mark, NewChat, WriteSet},
    },
};

/// One act's place in its batch.
pub(super) struct Step<'a> {
    pub(super) tx: &'a mut Tx,
    /// The place of its first change in the log.
    pub(super) next: Position,
    pub(super) now: Millis,
}

impl Step<'_> {
    /// Writes what an act does, and adds it to what is to be published.
    async fn write(
        self,
        told: Vec<Change>,
        mut set: WriteSet,
        changes: &mut Vec<Change>,
    ) -> Result<()> {
        set.changes = told.iter().map(line_of).collect();
        self.tx.write(&set, self.now).await?;
        changes.extend(told);
        Ok(())
    }
}

/// The changes of one act, each at the next place.
struct Tale<'a> {
    chat: &'a Chat,
    next: Position,
    now: Millis,
    told: Vec<Change>,
}

impl Tale<'_> {
    fn tell(&mut self, actor: &Arc<Person>, audience: Audience, what: What) -> Position {
        let at = self
            .next
            .plus(i64::try_from(self.told.len()).unwrap_or(i64::MAX));
        let subject = Subject {
            tenant: self.chat.tenant,
            chat: self.chat.id,
            actor,
        };
        self.told.push(subject.change(at, self.now, audience, what));
        at
    }
}

/// Makes a chat and its first members.
pub(super) async fn create(
    step: Step<'_>,
    draft: &CreateDraft,
    changes: &mut Vec<Change>,
) -> Result<Result<ChatId>> {
    // A guest has one chat at the desk, however many connections begin it at once.
    if draft.kind == ChatKind::Desk
        && let Some(chat) = step.tx.chat_of_guest(draft.tenant, draft.maker.id).await?
    {
        return Ok(Ok(chat));
    }
    if let Some(refusal) = missing(step.tx, draft.tenant, &draft.members).await? {
        return Ok(Err(refusal));
    }
    let people = first_members(draft);
    let status = (draft.kind == ChatKind::Desk).then_some(DeskStatus::Waiting);
    let pair = match (draft.kind, &people[..]) {
        (ChatKind::Direct, [(one, _), (other, _)]) => Some(pair_key(one.id, other.id)),
        (ChatKind::Direct, _) => return Ok(Err(Error::invalid("a direct chat is of two people"))),
        _ => None,
    };
    let new = NewChat {
        tenant: draft.tenant,
        kind: draft.kind,
        title: draft.title.as_ref(),
        key: pair.as_deref(),
        maker: draft.maker.id,
        room: draft.room.as_deref(),
        extra: draft.extra.as_deref(),
        domain: draft.domain.as_deref(),
        status,
        position: step.next,
    };
    let Some(id) = step.tx.insert_chat(&new, step.now).await? else {
        return Ok(Err(Error::conflict(match draft.kind {
            ChatKind::Open => "an open chat has that title",
            ChatKind::Private | ChatKind::Direct | ChatKind::Desk => "a chat has that name",
        })));
    };
    let chat = Chat {
        id,
        tenant: draft.tenant,
        kind: draft.kind,
        title: draft.title.as_ref().map(|title| title.as_str().to_owned()),
        room: draft.room.clone(),
        extra: draft.extra.clone(),
        maker: draft.maker.id,
        domain: draft.domain.clone(),
        status,
        created_at: step.now,
        updated_at: step.now,
        deleted_at: None,
        members: i64::try_from(people.len()).unwrap_or(i64::MAX),
        last_seq: Seq::new(0),
        last_position: step.next,
    };
    let mut tale = Tale {
        chat: &chat,
        next: step.next,
        now: step.now,
        told: Vec::new(),
    };
    if draft.kind == ChatKind::Open {
        tale.tell(&draft.maker, Audience::Tenant, What::Chat(chat.clone()));
    }
    let mut marks = Vec::with_capacity(people.len());
    for (person, role) in &people {
        let joined = tale.tell(person, audience_in(draft.kind), What::Joined(*role));
        marks.push((id, person.id, newcomer(&chat, *role, joined)));
    }
    // Members hear of what is theirs alone once they are in it.
    match draft.kind {
        ChatKind::Open => {}
        ChatKind::Private | ChatKind::Direct => {
            tale.tell(&draft.maker, Audience::Members, What::Chat(chat.clone()));
        }
        ChatKind::Desk => {
            tale.tell(&draft.maker, Audience::Desk, What::Desk(chat.clone(), None));
        }
    }
    let told = tale.told;
    let set = WriteSet {
        bumps: vec![(id, bump(&chat, chat.members))],
        marks,
        ..WriteSet::default()
    };
    step.write(told, set, changes).await?;
    Ok(Ok(id))
}

/// Who is in a new chat, each once: its maker first, where they join it.
fn first_members(draft: &CreateDraft) -> Vec<(Arc<Person>, Role)> {
    let maker = draft.joins_as.map(|role| (&draft.maker, role));
    let others = draft.members.iter().map(|person| (person, Role::Member));
    let mut seen = HashSet::new();
    maker
        .into_iter()
        .chain(others)
        .filter(|(person, _)| seen.insert(person.id))
        .map(|(person, role)| (Arc::clone(person), role))
        .collect()
}

/// The refusal that names the first of these people who is not a person of the tenant any more.
async fn missing(tx: &mut Tx, tenant: TenantId, people: &[Arc<Person>]) -> Result<Option<Error>> {
    let missing = tx.first_missing(tenant, &ids_of(people)).await?;
    Ok(missing.map(|id| Error::not_found(format!("there is no user {id}"))))
}

fn ids_of(people: &[Arc<Person>]) -> Vec<PersonId> {
    people.iter().map(|person| person.id).collect()
}

/// Does something rare in a chat.
pub(super) async fn act(
    step: Step<'_>,
    draft: &ActDraft,
    changes: &mut Vec<Change>,
) -> Result<Result<Acted>> {
    let Some(chat) = step.tx.chat(draft.actor.tenant, draft.chat).await? else {
        return Ok(Err(no_chat()));
    };
    let place = step.tx.membership(chat.id, draft.actor.id).await?;
    let scene = Scene {
        step,
        chat,
        place,
        draft,
        changes,
    };
    match &draft.act {
        Act::Join => scene.join().await,
        Act::Leave => scene.leave().await,
        Act::Add(people) => scene.add(people).await,
        Act::Remove(people) => scene.remove(people).await,
        Act::Edit(message, content) => scene.rewrite(*message, Some(content)).await,
        Act::Delete(message) => scene.rewrite(*message, None).await,
        Act::DeleteChat => scene.delete_chat().await,
        Act::Close(key) => scene.close(key.as_ref()).await,
    }
}

/// An act, and what it acts on.
struct Scene<'a> {
    step: Step<'a>,
    chat: Chat,
    place: Option<Membership>,
    draft: &'a ActDraft,
    changes: &'a mut Vec<Change>,
}

impl Scene<'_> {
    fn is_in(&self) -> bool {
        self.place
            .is_some_and(|place| place.standing == Standing::In)
            || (self.chat.kind == ChatKind::Desk && self.draft.actor.runs_desk())
    }

    /// Refuses who may not govern the chat.
    fn governs(&self) -> Result<()> {
        let admin = self
            .place
            .is_some_and(|place| place.standing == Standing::In && place.role == Role::Admin)
            && !self.draft.actor.is_guest();
        match self.draft.right {
            Right::Tenant => Ok(()),
            Right::Own if admin => Ok(()),
            Right::Own if self.is_in() || self.chat.kind == ChatKind::Open => {
                Err(Error::forbidden("only an admin of the chat may do that"))
            }
            Right::Own => Err(no_chat()),
        }
    }

    fn audience(&self) -> Audience {
        audience_in(self.chat.kind)
    }

    async fn join(self) -> Result<Result<Acted>> {
        let standing = self.place.map(|place| place.standing);
        match (self.chat.kind, standing) {
            (_, Some(Standing::In)) => return Ok(Ok(Acted::Done)),
            (ChatKind::Open, _) if self.draft.actor.is_guest() => return Ok(Err(no_chat())),
            (ChatKind::Open, None | Some(Standing::Left)) => {}
            (ChatKind::Open, Some(Standing::Removed)) => {
                return Ok(Err(Error::forbidden("you were removed from this chat")));
            }
            (ChatKind::Private | ChatKind::Direct | ChatKind::Desk, _) => {
                return Ok(Err(no_chat()));
            }
        }
        // A chat that everybody left has no admin: who comes back first becomes one.
        let role = match self.chat.members {
            0 => Role::Admin,
            _ => Role::Member,
        };
        let newcomers = vec![(Arc::clone(&self.draft.actor), role)];
        self.bring(newcomers).await
    }

    async fn add(self, people: &[Arc<Person>]) -> Result<Result<Acted>> {
        if let Err(error) = self.governs() {
            return Ok(Err(error));
        }
        if let Some(refusal) = missing(self.step.tx, self.chat.tenant, people).await? {
            return Ok(Err(refusal));
        }
        let ids = ids_of(people);
        let members = self.step.tx.members_among(self.chat.id, &ids).await?;
        let mut seen: HashSet<_> = members.into_keys().collect();
        let newcomers = people.iter().filter(|person| seen.insert(person.id));
        let newcomers = newcomers.map(|person| (Arc::clone(person), Role::Member));
        let newcomers = newcomers.collect();
        self.bring(newcomers).await
    }

    /// Makes people members who are none.
    async fn bring(self, newcomers: Vec<(Arc<Person>, Role)>) -> Result<Result<Acted>> {
        if newcomers.is_empty() {
            return Ok(Ok(Acted::Done));
        }
        let audience = self.audience();
        let Self {
            step,
            chat,
            changes,
            ..
        } = self;
        let mut tale = Tale {
            chat: &chat,
            next: step.next,
            now: step.now,
            told: Vec::new(),
        };
        let mut marks = Vec::with_capacity(newcomers.len());
        for (person, role) in &newcomers {
            let joined = tale.tell(person, audience, What::Joined(*role));
            marks.push((chat.id, person.id, newcomer(&chat, *role, joined)));
        }
        let told = tale.told;
        let members = chat.members + i64::try_from(newcomers.len()).unwrap_or(0);
        let set = WriteSet {
            bumps: vec![(chat.id, bump(&chat, members))],
            marks,
            ..WriteSet::default()
        };
        step.write(told, set, changes).await?;
        Ok(Ok(Acted::Done))
    }

    async fn leave(self) -> Result<Result<Acted>> {
        let is_in = self
            .place
            .is_some_and(|place| place.standing == Standing::In);
        if !is_in {
            let nothing = self.chat.kind == ChatKind::Open;
            return Ok(if nothing {
                Ok(Acted::Done)
            } else {
                Err(no_chat())
            });
        }
        let leaver = Arc::clone(&self.draft.actor);
        let admin_goes = self.place.is_some_and(|place| place.role == Role::Admin);
        self.take(vec![leaver], admin_goes, Standing::Left).await
    }

    async fn remove(self, people: &[Arc<Person>]) -> Result<Result<Acted>> {
        if let Err(error) = self.governs() {
            return Ok(Err(error));
        }
        if let Some(refusal) = missing(self.step.tx, self.chat.tenant, people).await? {
            return Ok(Err(refusal));
        }
        let ids = ids_of(people);
        let mut members = self.step.tx.members_among(self.chat.id, &ids).await?;
        let mut admin_goes = false;
        let mut leavers = Vec::new();
        for person in people {
            if let Some(role) = members.remove(&person.id) {
                admin_goes |= role == Role::Admin;
                leavers.push(Arc::clone(person));
            }
        }
        if leavers.is_empty() {
            return Ok(Ok(Acted::Done));
        }
        self.take(leavers, admin_goes, Standing::Removed).await
    }

    /// Ends memberships; when the last admin goes, the longest member becomes one.
    async fn take(
        self,
        leavers: Vec<Arc<Person>>,
        admin_goes: bool,
        standing: Standing,
    ) -> Result<Result<Acted>> {
        let audience = self.audience();
        let Self {
            step,
            chat,
            changes,
            ..
        } = self;
        let ids = ids_of(&leavers);
        step.tx.end_memberships(chat.id, &ids, standing).await?;
        let mut tale = Tale {
            chat: &chat,
            next: step.next,
            now: step.now,
            told: Vec::new(),
        };
        for person in &leavers {
            tale.tell(person, audience, What::Left);
        }
        if admin_goes
            && step.tx.admins(chat.id).await? == 0
            && let Some(heir) = step.tx.longest_member(chat.id).await?
        {
            step.tx.set_role(chat.id, heir.id, Role::Admin).await?;
            tale.tell(&Arc::new(heir), audience, What::Joined(Role::Admin));
        }
        let told = tale.told;
        let members = chat.members - i64::try_from(leavers.len()).unwrap_or(0);
        let set = WriteSet {
            bumps: vec![(chat.id, bump(&chat, members))],
            ..WriteSet::default()
        };
        step.write(told, set, changes).await?;
        Ok(Ok(Acted::Done))
    }

    /// Changes what a message says, or deletes it: its sender may.
    async fn rewrite(self, id: MessageId, content: Option<&Content>) -> Result<Result<Acted>> {
        if !self.is_in() {
            return Ok(Err(no_chat()));
        }
        let Some(message) = self.step.tx.message(self.chat.id, id).await? else {
            return Ok(Err(Error::not_found("there is no such message")));
        };
        if message.sender != self.draft.actor.id {
            return Ok(Err(Error::forbidden(
                "only its sender may change a message",
            )));
        }
        let audience = self.audience();
        let Self {
            step,
            chat,
            draft,
            changes,
            ..
        } = self;
        let now = step.now;
        let message = match content {
            Some(content) => Message {
                content: content.as_str().to_owned(),
                edited_at: Some(now),
                ..message
            },
            None => Message {
                content: String::new(),
                deleted_at: Some(now),
                ..message
            },
        };
        step.tx.rewrite_message(&message).await?;
        let mut tale = Tale {
            chat: &chat,
            next: step.next,
            now,
            told: Vec::new(),
        };
        let what = match content {
            Some(_) => What::Edited(message.clone()),
            None => What::Deleted(message.clone()),
        };
        tale.tell(&draft.actor, audience, what);
        let told = tale.told;
        step.write(told, WriteSet::default(), changes).await?;
        Ok(Ok(Acted::Message(Box::new(message))))
    }

    async fn delete_chat(self) -> Result<Result<Acted>> {
        if let Err(error) = self.governs() {
            return Ok(Err(error));
        }
        let audience = match self.chat.kind {
            ChatKind::Open => Audience::Tenant,
            kind => audience_in(kind),
        };
        let Self {
            step,
            chat,
            draft,
            changes,
            ..
        } = self;
        step.tx.delete_chat(chat.id, step.now).await?;
        let mut tale = Tale {
            chat: &chat,
            next: step.next,
            now: step.now,
            told: Vec::new(),
        };
        let gone = Chat {
            deleted_at: Some(step.now),
            updated_at: step.now,
            ..chat.clone()
        };
        tale.tell(&draft.actor, audience, What::Chat(gone));
        let told = tale.told;
        step.write(told, WriteSet::default(), changes).await?;
        Ok(Ok(Acted::Done))
    }

    /// Ends a conversation at a desk: who runs it may, and its guest.
    async fn close(self, key: Option<&ClientId>) -> Result<Result<Acted>> {
        if self.chat.kind != ChatKind::Desk || !self.is_in() {
            return Ok(Err(no_chat()));
        }
        if let Some(key) = key {
            let place = (self.chat.id, self.draft.actor.id);
            let is_new = self.step.tx.note_closing(place, key, self.step.now).await?;
            if !is_new {
                return Ok(Ok(Acted::Done));
            }
        }
        if self.chat.status == Some(DeskStatus::Closed) {
            return Ok(Ok(Acted::Done));
        }
        let Self {
            step,
            chat,
            changes,
            ..
        } = self;
        let Some(guest) = step.tx.person(chat.tenant, chat.maker).await? else {
            return Ok(Err(no_chat()));
        };
        let mut tale = Tale {
            chat: &chat,
            next: step.next,
            now: step.now,
            told: Vec::new(),
        };
        let status = Some(DeskStatus::Closed);
        let closed = Chat {
            status,
            ..chat.clone()
        };
        tale.tell(&Arc::new(guest), Audience::Desk, What::Desk(closed, None));
        let told = tale.told;
        let bump = Bump {
            status,
            ..bump(&chat, chat.members)
        };
        let set = WriteSet {
            bumps: vec![(chat.id, bump)],
            ..WriteSet::default()
        };
        step.write(told, set, changes).await?;
        Ok(Ok(Acted::Done))
    }
}

fn no_chat() -> Error {
    Error::not_found("there is no such chat")
}

/// The chat's row with another number of members; coming and going is no activity to sort by.
fn bump(chat: &Chat, members: i64) -> Bump {
    Bump {
        last_seq: chat.last_seq,
        last_message: None,
        last_position: chat.last_position,
        members,
        status: None,
    }
}

/// Who comes to a chat has nothing unread in it.
fn newcomer(chat: &Chat, role: Role, joined: Position) -> Mark {
    Mark {
        tenant: chat.tenant,
        role,
        joined,
        read: MessageId::from(chat.last_position),
        read_seq: chat.last_seq,
    }
}
