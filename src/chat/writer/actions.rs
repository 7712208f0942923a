//! The actions of a batch, one by one: joining and leaving, closing. What admins decide is in `governing`.

mod messages;

use std::{collections::HashSet, sync::Arc};

use crate::{
    chat::access::denied,
    chat::administration,
    chat::members,
    chat::writer::{
        ActionOutcome, ActionRequest, ChatAction, Right,
        plan::{Subject, audience_in, row_of},
    },
    error::{Error, Result},
    model::{
        Audience, Change, ChangeKind, Chat, ChatKind, ClientId, ConversationStatus, Entry,
        Membership, MembershipStatus, MessageId, Person, PersonId, Position, Relation, Role,
        TenantId, Timestamp,
    },
    store::{
        Tx,
        batch::{ChatUpdate, MembershipUpdate, WriteSet},
    },
};

/// An action's place in its batch.
pub(super) struct TxContext<'a> {
    pub(super) tx: &'a mut Tx,
    /// The place of its first change in the log.
    pub(super) next: Position,
    pub(super) now: Timestamp,
}

impl TxContext<'_> {
    /// For the changes of one action about a chat.
    pub(super) fn builder<'c>(&self, chat: &'c Chat) -> ChangeBuilder<'c> {
        ChangeBuilder {
            chat,
            next: self.next,
            now: self.now,
            changes: Vec::new(),
        }
    }

    /// The same place, for a part of the action.
    pub(super) fn reborrow(&mut self) -> TxContext<'_> {
        TxContext {
            tx: self.tx,
            next: self.next,
            now: self.now,
        }
    }

    /// Writes an action's changes, and adds them to those to be published.
    pub(super) async fn write(
        self,
        new: Vec<Change>,
        mut set: WriteSet,
        changes: &mut Vec<Change>,
    ) -> Result<()> {
        set.changes = new.iter().filter_map(row_of).collect();
        self.tx.write(&set, self.now).await?;
        changes.extend(new);
        Ok(())
    }
}

/// The changes of one action, each at the next position.
pub(super) struct ChangeBuilder<'a> {
    pub(super) chat: &'a Chat,
    pub(super) next: Position,
    pub(super) now: Timestamp,
    pub(super) changes: Vec<Change>,
}

impl ChangeBuilder<'_> {
    pub(super) fn push(
        &mut self,
        actor: &Arc<Person>,
        audience: Audience,
        what: ChangeKind,
    ) -> Position {
        let at = self
            .next
            .plus(i64::try_from(self.changes.len()).unwrap_or(i64::MAX));
        let subject = Subject {
            tenant: self.chat.tenant,
            chat: self.chat.id,
            actor,
        };
        self.changes
            .push(subject.change(at, self.now, audience, what));
        at
    }
}

/// The refusal that names the first of these people who does not belong to the tenant, or was deleted.
pub(super) async fn missing(
    tx: &mut Tx,
    tenant: TenantId,
    people: &[Arc<Person>],
) -> Result<Option<Error>> {
    let missing = tx.first_missing(tenant, &ids_of(people)).await?;
    Ok(missing.map(members::no_user))
}

fn ids_of(people: &[Arc<Person>]) -> Vec<PersonId> {
    people.iter().map(|person| person.id).collect()
}

/// Carries out a rare action in a chat. What an administrator of the server does is proved to be one's, and
/// written down.
pub(super) async fn act(
    mut context: TxContext<'_>,
    draft: &ActionRequest,
    changes: &mut Vec<Change>,
) -> Result<Result<ActionOutcome>> {
    if draft.right == Right::Administrator {
        let administrators = context.tx.administrators().await?;
        if !administrators.contains(&draft.actor.id) {
            return Ok(Err(administration::not_one()));
        }
    }
    let before = changes.len();
    let outcome = act_in_chat(context.reborrow(), draft, changes).await?;
    // What changes nothing is no act.
    if let (true, Some(audit)) = (changes.len() > before, &draft.audit) {
        let (by, record) = &**audit;
        context.tx.insert_audit(by, record, context.now).await?;
    }
    Ok(outcome)
}

async fn act_in_chat(
    context: TxContext<'_>,
    draft: &ActionRequest,
    changes: &mut Vec<Change>,
) -> Result<Result<ActionOutcome>> {
    let Some(chat) = context.tx.chat(draft.actor.tenant, draft.chat).await? else {
        return Ok(Err(no_chat()));
    };
    let place = context.tx.membership(chat.id, draft.actor.id).await?;
    let action = ActionContext {
        context,
        chat,
        place,
        draft,
        changes,
    };
    match &draft.action {
        ChatAction::Join => action.join().await,
        ChatAction::Leave => action.leave().await,
        ChatAction::Add(people) => action.add(people).await,
        ChatAction::Remove(people) => action.remove(people).await,
        ChatAction::Edit(message, content, places) => action.edit(*message, content, places).await,
        ChatAction::Delete(message) => action.delete(*message).await,
        ChatAction::React(message, emoji) => action.react(*message, *emoji).await,
        ChatAction::Unreact(message, emoji) => action.unreact(*message, *emoji).await,
        ChatAction::Invite(new) => action.invite(new).await,
        ChatAction::Uninvite(key) => action.uninvite(key).await,
        ChatAction::Accept(invite) => action.accept(invite).await,
        ChatAction::SetRole(person, role) => action.set_role(person, *role).await,
        ChatAction::Update(edit) => action.update(edit).await,
        ChatAction::Set(edit) => action.set(edit).await,
        ChatAction::DeleteChat => action.delete_chat().await,
        ChatAction::Close(key) => action.close(key.as_ref()).await,
    }
}

/// An action, and what it acts on.
pub(super) struct ActionContext<'a> {
    pub(super) context: TxContext<'a>,
    pub(super) chat: Chat,
    place: Option<Membership>,
    pub(super) draft: &'a ActionRequest,
    pub(super) changes: &'a mut Vec<Change>,
}

impl ActionContext<'_> {
    pub(super) fn relation(&self) -> Relation {
        Relation::new(self.chat.kind, &self.draft.actor, self.place.as_ref())
    }

    fn is_in(&self) -> bool {
        self.relation().is_in()
    }

    /// Refuses an actor who may not govern the chat.
    pub(super) fn ensure_can_govern(&self) -> Result<()> {
        match self.draft.right {
            Right::Tenant | Right::Administrator => Ok(()),
            Right::Own => self.relation().can_govern().map_err(denied),
        }
    }

    pub(super) fn audience(&self) -> Audience {
        audience_in(self.chat.kind)
    }

    async fn join(self) -> Result<Result<ActionOutcome>> {
        match self.relation().can_join() {
            Ok(Entry::Present) => return Ok(Ok(ActionOutcome::Done)),
            Ok(Entry::Joins) => {}
            Err(why) => return Ok(Err(denied(why))),
        }
        // A chat without members has no admin: the first to join becomes one.
        let role = match self.chat.members {
            0 => Role::Admin,
            _ => Role::Member,
        };
        let newcomers = vec![(Arc::clone(&self.draft.actor), role)];
        self.add_members(newcomers).await
    }

    async fn add(self, people: &[Arc<Person>]) -> Result<Result<ActionOutcome>> {
        if let Err(error) = self.ensure_can_govern() {
            return Ok(Err(error));
        }
        if let Some(refusal) = missing(self.context.tx, self.chat.tenant, people).await? {
            return Ok(Err(refusal));
        }
        let ids = ids_of(people);
        let members = self.context.tx.members_among(self.chat.id, &ids).await?;
        let mut seen: HashSet<_> = members.into_keys().collect();
        let newcomers = people.iter().filter(|person| seen.insert(person.id));
        let newcomers = newcomers.map(|person| (Arc::clone(person), Role::Member));
        let newcomers = newcomers.collect();
        self.add_members(newcomers).await
    }

    /// Adds members.
    pub(super) async fn add_members(
        self,
        newcomers: Vec<(Arc<Person>, Role)>,
    ) -> Result<Result<ActionOutcome>> {
        if newcomers.is_empty() {
            return Ok(Ok(ActionOutcome::Done));
        }
        let audience = self.audience();
        let Self {
            context,
            chat,
            changes,
            ..
        } = self;
        let mut builder = context.builder(&chat);
        let mut memberships = Vec::with_capacity(newcomers.len());
        for (person, role) in &newcomers {
            let joined = builder.push(person, audience, ChangeKind::Joined(*role));
            memberships.push((chat.id, person.id, newcomer(&chat, *role, joined)));
        }
        let new = builder.changes;
        let members = chat.members + i64::try_from(newcomers.len()).unwrap_or(0);
        let set = WriteSet {
            chat_updates: vec![(chat.id, chat_update(&chat, members))],
            memberships,
            ..WriteSet::default()
        };
        context.write(new, set, changes).await?;
        Ok(Ok(ActionOutcome::Done))
    }

    /// Writes the changes of an action that has written its own rows.
    pub(super) async fn log(
        self,
        tell: impl FnOnce(&mut ChangeBuilder<'_>),
    ) -> Result<Result<ActionOutcome>> {
        let Self {
            context,
            chat,
            changes,
            ..
        } = self;
        let mut builder = context.builder(&chat);
        tell(&mut builder);
        let new = builder.changes;
        context.write(new, WriteSet::default(), changes).await?;
        Ok(Ok(ActionOutcome::Done))
    }

    async fn leave(self) -> Result<Result<ActionOutcome>> {
        let is_in = self
            .place
            .is_some_and(|place| place.standing == MembershipStatus::In);
        if !is_in {
            let nothing = self.chat.kind == ChatKind::Open;
            return Ok(if nothing {
                Ok(ActionOutcome::Done)
            } else {
                Err(no_chat())
            });
        }
        let leaver = Arc::clone(&self.draft.actor);
        let admin_goes = self.place.is_some_and(|place| place.role == Role::Admin);
        self.end_memberships(vec![leaver], admin_goes, MembershipStatus::Left)
            .await
    }

    async fn remove(self, people: &[Arc<Person>]) -> Result<Result<ActionOutcome>> {
        if let Err(error) = self.ensure_can_govern() {
            return Ok(Err(error));
        }
        if let Some(refusal) = missing(self.context.tx, self.chat.tenant, people).await? {
            return Ok(Err(refusal));
        }
        let ids = ids_of(people);
        let mut members = self.context.tx.members_among(self.chat.id, &ids).await?;
        let mut admin_goes = false;
        let mut leavers = Vec::new();
        for person in people {
            if let Some(role) = members.remove(&person.id) {
                admin_goes |= role == Role::Admin;
                leavers.push(Arc::clone(person));
            }
        }
        if leavers.is_empty() {
            return Ok(Ok(ActionOutcome::Done));
        }
        self.end_memberships(leavers, admin_goes, MembershipStatus::Removed)
            .await
    }

    /// Ends memberships; when the last admin goes, the longest member becomes one.
    async fn end_memberships(
        self,
        leavers: Vec<Arc<Person>>,
        admin_goes: bool,
        standing: MembershipStatus,
    ) -> Result<Result<ActionOutcome>> {
        let audience = self.audience();
        let Self {
            context,
            chat,
            changes,
            ..
        } = self;
        let ids = ids_of(&leavers);
        context.tx.end_memberships(chat.id, &ids, standing).await?;
        let mut builder = context.builder(&chat);
        for person in &leavers {
            builder.push(person, audience, ChangeKind::Left);
        }
        if admin_goes
            && context.tx.admins(chat.id).await? == 0
            && let Some(heir) = context.tx.longest_member(chat.id).await?
        {
            context.tx.set_role(chat.id, heir.id, Role::Admin).await?;
            builder.push(&Arc::new(heir), audience, ChangeKind::Role(Role::Admin));
        }
        let new = builder.changes;
        let members = chat.members - i64::try_from(leavers.len()).unwrap_or(0);
        let set = WriteSet {
            chat_updates: vec![(chat.id, chat_update(&chat, members))],
            ..WriteSet::default()
        };
        context.write(new, set, changes).await?;
        Ok(Ok(ActionOutcome::Done))
    }

    /// Closes a conversation: its agents may, and its guest.
    async fn close(self, key: Option<&ClientId>) -> Result<Result<ActionOutcome>> {
        if self.chat.kind != ChatKind::Conversation || !self.is_in() {
            return Ok(Err(no_chat()));
        }
        if let Some(key) = key {
            let place = (self.chat.id, self.draft.actor.id);
            let is_new = self
                .context
                .tx
                .note_closing(place, key, self.context.now)
                .await?;
            if !is_new {
                return Ok(Ok(ActionOutcome::Done));
            }
        }
        if self.chat.status == Some(ConversationStatus::Closed) {
            return Ok(Ok(ActionOutcome::Done));
        }
        let Self {
            context,
            chat,
            changes,
            ..
        } = self;
        let Some(guest) = context.tx.person(chat.tenant, chat.created_by).await? else {
            return Ok(Err(no_chat()));
        };
        let mut builder = context.builder(&chat);
        let status = Some(ConversationStatus::Closed);
        let closed = Chat {
            status,
            ..chat.clone()
        };
        builder.push(
            &Arc::new(guest),
            Audience::Agents,
            ChangeKind::Conversation(closed, None),
        );
        let new = builder.changes;
        let chat_update = ChatUpdate {
            status,
            ..chat_update(&chat, chat.members)
        };
        let set = WriteSet {
            chat_updates: vec![(chat.id, chat_update)],
            ..WriteSet::default()
        };
        context.write(new, set, changes).await?;
        Ok(Ok(ActionOutcome::Done))
    }
}

fn no_chat() -> Error {
    Error::not_found("there is no such chat")
}

/// The chat's row with another number of members; joining and leaving do not count as activity.
pub(super) fn chat_update(chat: &Chat, members: i64) -> ChatUpdate {
    ChatUpdate {
        last_seq: chat.last_seq,
        last: None,
        last_position: chat.last_position,
        members,
        status: None,
    }
}

/// A new member has nothing unread.
pub(super) fn newcomer(chat: &Chat, role: Role, joined: Position) -> MembershipUpdate {
    MembershipUpdate {
        tenant: chat.tenant,
        standing: MembershipStatus::In,
        role,
        joined,
        read: MessageId::from(chat.last_position),
        read_seq: chat.last_seq,
    }
}
