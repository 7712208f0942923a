//! For random histories: what statements let each person see is what the policy lets them see.

use std::{
    collections::{BTreeSet, HashMap},
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use parlance::{
    Error, Kind,
    chat::{
        Caller,
        accounts::{self, Device},
        callers::{self, KeyHolder},
        chats::{self, ChatEdit, NewChat, SettingsEdit, Visibility},
        conversations,
        members::{self, Authority},
        messages::{self, Draft},
        people::{self, Profile},
        rooms,
    },
    model::{
        Change, ChangeKind, Chat, ChatId, ChatKind, Clock, Content, ConversationStatus, Membership,
        MessageId, MessageKind, Name, Names, Person, PersonId, PersonKind, Position, Relation,
        Role, TenantId, TenantKind, Title, policy,
    },
    store::{ConversationPage, NewPerson, NewTenant},
};
use proptest::{
    collection::vec,
    prelude::{Strategy, any, prop_oneof},
    test_runner::{Config, TestRunner},
};
use tokio::runtime::Runtime;

use crate::{
    support::roles::{member_list, roles_of},
    support::world::World,
};

/// The people of the first tenant, then those of the second, who are to see nothing of the first.
const KINDS: [PersonKind; 10] = [
    PersonKind::Person,
    PersonKind::Person,
    PersonKind::Person,
    PersonKind::Owner,
    PersonKind::Owner,
    PersonKind::Guest,
    PersonKind::Guest,
    PersonKind::Person,
    PersonKind::Owner,
    PersonKind::Guest,
];
/// How many of them are of the first tenant.
const FIRST: usize = 7;
/// A page that histories overflow.
const PAGE: usize = 2;

/// One thing that one of the people does, or their tenant's server.
#[derive(Debug, Clone)]
enum Action {
    Make(Visibility, Vec<usize>),
    Direct(usize),
    Seat,
    Join(usize),
    Leave(usize),
    /// With the tenant's right or with their own.
    Add(usize, Vec<usize>, bool),
    Remove(usize, Vec<usize>, bool),
    /// Makes one of them an admin, or a member again.
    Rank(usize, usize, bool, bool),
    /// Opens a chat or closes it.
    Open(usize, bool),
    Set(usize, bool),
    Say(usize),
    Edit(usize),
    Delete(usize),
    Read(usize),
    Close(usize),
    DeleteChat(usize),
    /// They get another name.
    Rename(usize),
}

fn action() -> impl Strategy<Value = Action> {
    let some = || vec(any::<usize>(), 0..4);
    let chat = any::<usize>;
    prop_oneof![
        2 => some().prop_map(|people| Action::Make(Visibility::Open, people)),
        2 => some().prop_map(|people| Action::Make(Visibility::Private, people)),
        1 => chat().prop_map(Action::Direct),
        2 => any::<()>().prop_map(|()| Action::Seat),
        4 => chat().prop_map(Action::Join),
        3 => chat().prop_map(Action::Leave),
        4 => (chat(), some(), any::<bool>()).prop_map(|(chat, who, by)| Action::Add(chat, who, by)),
        3 => (chat(), some(), any::<bool>()).prop_map(|(chat, who, by)| Action::Remove(chat, who, by)),
        3 => (chat(), any::<usize>(), any::<bool>(), any::<bool>())
            .prop_map(|(chat, who, admin, by)| Action::Rank(chat, who, admin, by)),
        3 => (chat(), any::<bool>()).prop_map(|(chat, open)| Action::Open(chat, open)),
        1 => (chat(), any::<bool>()).prop_map(|(chat, pinned)| Action::Set(chat, pinned)),
        6 => chat().prop_map(Action::Say),
        1 => chat().prop_map(Action::Edit),
        1 => chat().prop_map(Action::Delete),
        2 => chat().prop_map(Action::Read),
        2 => chat().prop_map(Action::Close),
        1 => chat().prop_map(Action::DeleteChat),
        2 => any::<usize>().prop_map(Action::Rename),
    ]
}

fn history() -> impl Strategy<Value = Vec<(usize, Action)>> {
    vec((0..KINDS.len(), action()), 1..40)
}

/// Two tenants of one history, their people, and what these have made so far.
struct Stage<'a> {
    world: &'a World,
    holders: [KeyHolder; 2],
    people: Vec<Caller>,
    chats: Vec<ChatId>,
    sent: Vec<(ChatId, MessageId)>,
    /// The head of the log before the history.
    start: Position,
}

static STAGES: AtomicU32 = AtomicU32::new(0);

impl<'a> Stage<'a> {
    async fn set(world: &'a World) -> Self {
        let number = STAGES.fetch_add(1, Ordering::Relaxed);
        let first = tenant(world, &format!("first {number}")).await;
        let second = tenant(world, &format!("second {number}")).await;
        let mut people = Vec::new();
        for (index, kind) in KINDS.into_iter().enumerate() {
            let holder = if index < FIRST { &first } else { &second };
            people.push(person(world, holder, kind).await);
        }
        Self {
            world,
            holders: [first, second],
            people,
            chats: Vec::new(),
            sent: Vec::new(),
            start: world.head(),
        }
    }

    /// People of the tenant of one of them.
    fn beside(&self, who: usize, others: &[usize]) -> Vec<PersonId> {
        let range = if who < FIRST {
            0..FIRST
        } else {
            FIRST..KINDS.len()
        };
        let mut ids = Vec::new();
        for other in others {
            let id = self.people[range.start + other % range.len()].id();
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        ids
    }

    /// Does one thing; what the policy refuses is no part of the history.
    #[expect(clippy::too_many_lines, reason = "one arm for each action")]
    async fn act(&mut self, who: usize, action: &Action) -> Result<(), Error> {
        let services = self.world.services();
        let caller = self.people[who].clone();
        let holder = self.holders[usize::from(who >= FIRST)].clone();
        let chat = |which: &usize| {
            let count = self.chats.len().max(1);
            let chat = self.chats.get(which % count).copied();
            chat.ok_or_else(|| Error::not_found("there is no chat yet"))
        };
        let message = |which: &usize| {
            let count = self.sent.len().max(1);
            let sent = self.sent.get(which % count).copied();
            sent.ok_or_else(|| Error::not_found("there is no message yet"))
        };
        let authority = |by_tenant: bool| {
            if by_tenant {
                Authority::Tenant(&holder)
            } else {
                Authority::Own
            }
        };
        match action {
            Action::Make(visibility, others) => {
                let title = format!("chat {} of {}", self.chats.len(), self.start);
                let new = NewChat {
                    visibility: *visibility,
                    title: Some(Title::parse(&title)?),
                    description: None,
                    members: &self.beside(who, others),
                    key: None,
                };
                let made = chats::create(services, &caller, new).await?;
                self.chats.push(made.chat);
            }
            Action::Direct(other) => {
                let other = self.beside(who, &[*other])[0];
                if other != caller.id() {
                    let new = NewChat {
                        visibility: Visibility::Direct,
                        title: None,
                        description: None,
                        members: &[other],
                        key: None,
                    };
                    let made = chats::create(services, &caller, new).await?;
                    self.chats.push(made.chat);
                }
            }
            Action::Seat if caller.person().is_guest() => {
                let address = Ipv4Addr::LOCALHOST.into();
                let device = Device {
                    client: None,
                    address,
                    network: address,
                    cookie: String::new(),
                };
                let opened = conversations::reopen(services, &caller, None, &device).await?;
                self.chats.push(opened.chat);
            }
            Action::Seat => {}
            Action::Join(which) => chats::join(services, &caller, chat(which)?).await?,
            Action::Leave(which) => chats::leave(services, &caller, chat(which)?).await?,
            Action::Add(which, others, by) => {
                let (chat, others) = (chat(which)?, self.beside(who, others));
                members::add(services, &caller, authority(*by), chat, &others).await?;
            }
            Action::Remove(which, others, by) => {
                let (chat, others) = (chat(which)?, self.beside(who, others));
                members::remove(services, &caller, authority(*by), chat, &others).await?;
            }
            Action::Rank(which, other, admin, by) => {
                let (chat, other) = (chat(which)?, self.beside(who, &[*other])[0]);
                let role = if *admin { Role::Admin } else { Role::Member };
                members::set_role(services, &caller, authority(*by), chat, (other, role)).await?;
            }
            Action::Open(which, open) => {
                let kind = if *open {
                    ChatKind::Open
                } else {
                    ChatKind::Private
                };
                let edit = ChatEdit {
                    kind: Some(kind),
                    ..ChatEdit::default()
                };
                chats::update(services, &caller, chat(which)?, edit).await?;
            }
            Action::Set(which, pinned) => {
                let edit = SettingsEdit {
                    pinned: Some(*pinned),
                    ..SettingsEdit::default()
                };
                chats::set(services, &caller, chat(which)?, edit).await?;
            }
            Action::Say(which) => {
                let (chat, content) = (chat(which)?, Content::parse("words".to_owned())?);
                let draft = Draft {
                    kind: MessageKind::Text,
                    content,
                    reply_to: None,
                    client_id: None,
                };
                let sent = messages::send(services, &caller, chat, draft).await?;
                self.sent.push((chat, sent.message.id));
            }
            Action::Edit(which) => {
                let (chat, id) = message(which)?;
                let content = Content::parse("other words".to_owned())?;
                messages::edit(services, &caller, chat, id, content).await?;
            }
            Action::Delete(which) => {
                let (chat, id) = message(which)?;
                messages::delete(services, &caller, chat, id).await?;
            }
            Action::Read(which) => {
                let (chat, id) = message(which)?;
                chats::read(services, &caller, chat, id).await?;
            }
            Action::Close(which) => {
                conversations::close(services, &caller, chat(which)?, None).await?;
            }
            Action::DeleteChat(which) => {
                rooms::delete(services, &holder, chat(which)?).await?;
            }
            Action::Rename(number) => {
                let profile = Profile {
                    name: Name::parse(&format!("somebody {number}"))?,
                    names: Some(Names::default()),
                    photo: Some(None),
                };
                people::describe(services, &caller, &profile).await?;
            }
        }
        Ok(())
    }

    async fn play(&mut self, history: &[(usize, Action)]) {
        for (who, action) in history {
            if let Err(error) = self.act(*who, action).await {
                let refused = matches!(
                    error.kind(),
                    Kind::NotFound | Kind::Forbidden | Kind::Conflict | Kind::Invalid
                );
                assert!(refused, "{action:?}: {error:?}");
            }
        }
    }

    /// Everything that the history added to the log.
    async fn log(&self) -> Vec<Change> {
        let log = self.world.store().changes(self.start, 100_000).await;
        log.expect("the log")
    }
}

async fn tenant(world: &World, name: &str) -> KeyHolder {
    let new = NewTenant {
        kind: TenantKind::Site,
        name: name.to_owned(),
        application_id: name.to_owned(),
        owner: None,
        verify_url: None,
        require_auth: false,
    };
    let inserted = world.store().write(accounts::HOME, move |tx| {
        Box::pin(async move { tx.insert_tenant(&new, Clock.now()).await })
    });
    inserted.await.expect("a tenant");
    let holder = callers::key_holder(world.services(), name, None, None).await;
    holder.expect("the key is known")
}

async fn person(world: &World, holder: &KeyHolder, kind: PersonKind) -> Caller {
    let tenant = holder.tenant().id;
    let new = NewPerson {
        tenant,
        kind,
        name: Name::parse("somebody").expect("a sound name"),
        names: Names::default(),
        email: None,
        photo: None,
        external_id: None,
        account_key: None,
        password_hash: None,
    };
    let id = world.store().write(tenant, move |tx| {
        Box::pin(async move { tx.insert_person(&new, Clock.now()).await })
    });
    let found = world
        .store()
        .person(tenant, id.await.expect("a person"))
        .await;
    let person = found.expect("an answer").expect("they are there");
    callers::impersonate(holder, Arc::new(person)).expect("they are the tenant's")
}

/// Who is in which chat, by the log alone: each with the change by which they came.
fn members_of(log: &[Change]) -> HashMap<(ChatId, PersonId), Position> {
    let mut members = HashMap::new();
    for change in log {
        let place = (change.chat, change.actor.id);
        match change.what {
            ChangeKind::Joined(_) => {
                members.entry(place).or_insert(change.position);
            }
            ChangeKind::Left => {
                members.remove(&place);
            }
            _ => {}
        }
    }
    members
}

fn hears(
    person: &Person,
    change: &Change,
    (members, deleted): (&HashMap<(ChatId, PersonId), Position>, &BTreeSet<ChatId>),
) -> bool {
    let is_actor = change.actor.id == person.id;
    let is_passage = matches!(change.what, ChangeKind::Joined(_) | ChangeKind::Left);
    let joined = |chat: &ChatId| members.get(&(*chat, person.id));
    let is_of_facts = matches!(change.what, ChangeKind::Chat(_));
    let is_there = !deleted.contains(&change.chat)
        || policy::outlives_chat(change.audience, is_actor && is_passage, is_of_facts);
    is_there
        && change.tenant == person.tenant
        && policy::hears(change.audience, person, (is_actor, is_passage), || {
            let mut joined = change.chats().iter().filter_map(joined);
            joined.any(|joined| *joined <= change.position)
        })
}

fn run(cases: u32, name: &str, check: &impl AsyncFn(&Stage<'_>)) {
    let runtime = Runtime::new().expect("a runtime");
    let world = runtime.block_on(World::new());
    let mut runner = TestRunner::new(Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 300,
        ..Config::default()
    });
    let tried = runner.run(&history(), |history| {
        runtime.block_on(async {
            let mut stage = Stage::set(&world).await;
            stage.play(&history).await;
            check(&stage).await;
        });
        Ok(())
    });
    runtime.block_on(world.stop());
    tried.unwrap_or_else(|broken| panic!("{name}: {broken}"));
}

#[test]
fn the_log_tells_each_person_what_the_policy_lets_them_hear() {
    run(64, "what the log tells", &async |stage| {
        let log = stage.log().await;
        let members = members_of(&log);
        let deleted = deleted_in(&log);
        let head = stage.world.head();
        for caller in &stage.people {
            let person = caller.person();
            let range = (stage.start, head);
            let told = stage.world.store().changes_for(person, range, 100_000);
            let told: Vec<_> = told.await.expect("the log");
            let heard = log
                .iter()
                .filter(|change| hears(person, change, (&members, &deleted)));
            let heard: Vec<_> = heard.map(|change| change.position).collect();
            let told: Vec<_> = told.iter().map(|change| change.position).collect();
            assert_eq!(told, heard, "{person:?}");
        }
    });
}

#[test]
fn lists_show_each_person_the_chats_that_the_policy_lets_them_read() {
    run(64, "what lists show", &async |stage| {
        let log = stage.log().await;
        let members = members_of(&log);
        for caller in &stage.people {
            let mut readable = BTreeSet::new();
            let mut own = BTreeSet::new();
            for id in stage.chats.iter().copied() {
                let Some((chat, membership)) = found(stage, caller, id).await else {
                    continue;
                };
                let is_in = members.contains_key(&(id, caller.id()));
                let count = members.keys().filter(|(chat, _)| *chat == id).count();
                assert_eq!(usize::try_from(chat.members), Ok(count), "members of {id}");
                let relation = Relation::new(chat.kind, caller.person(), membership.as_ref());
                assert_eq!(
                    relation.status == Some(parlance::model::MembershipStatus::In),
                    is_in,
                    "the log and the store differ about {} in {id}",
                    caller.id()
                );
                if relation.can_read() {
                    readable.insert(id);
                    let listed = member_list(stage.world, caller, id).await;
                    assert_eq!(listed, roles_of(&log, id), "who is in {id}");
                }
                if is_in {
                    own.insert(id);
                }
            }
            assert_eq!(
                listed(stage, caller).await,
                readable,
                "{:?}",
                caller.person()
            );
            assert_eq!(
                own_listed(stage, caller).await,
                own,
                "{:?}",
                caller.person()
            );
            assert_eq!(
                memberships(stage, caller).await,
                memberships_of(&members, caller)
            );
            if caller.person().is_agent() {
                queues_show_conversations(stage, caller, &readable).await;
            }
        }
    });
}

/// The chats that are deleted.
fn deleted_in(log: &[Change]) -> BTreeSet<ChatId> {
    let deleted = log.iter().filter_map(|change| match &change.what {
        ChangeKind::Chat(chat) if chat.deleted_at.is_some() => Some(chat.id),
        _ => None,
    });
    deleted.collect()
}

/// A chat of the caller's tenant, with their membership; nothing once it is deleted.
async fn found(
    stage: &Stage<'_>,
    caller: &Caller,
    chat: ChatId,
) -> Option<(Chat, Option<Membership>)> {
    let found = stage.world.store().chat(caller.tenant(), chat, caller.id());
    found.await.expect("an answer")
}

/// Everything that the pages of the caller's list show.
async fn listed(stage: &Stage<'_>, caller: &Caller) -> BTreeSet<ChatId> {
    let (mut ids, mut before) = (BTreeSet::new(), None);
    loop {
        let page = chats::list(stage.world.services(), caller, before, PAGE).await;
        let page = page.expect("a page");
        for listed in &page.chats {
            assert!(ids.insert(listed.chat.id), "a chat is listed twice");
            before = Some(listed.chat.last_position);
        }
        assert!(
            !page.more || page.chats.len() == PAGE,
            "a page has room left"
        );
        if !page.more {
            return ids;
        }
    }
}

/// The same of the chats that they are in.
async fn own_listed(stage: &Stage<'_>, caller: &Caller) -> BTreeSet<ChatId> {
    let (mut ids, mut before) = (BTreeSet::new(), None);
    loop {
        let page = chats::list_own(stage.world.services(), caller, before, PAGE).await;
        let (chats, more) = page.expect("a page");
        for (chat, people) in &chats {
            assert!(people.contains(&caller.id()), "they are in it");
            assert!(ids.insert(chat.id), "a chat is listed twice");
            before = Some(chat.last_position);
        }
        if !more {
            return ids;
        }
    }
}

/// What a subscriber begins with.
async fn memberships(stage: &Stage<'_>, caller: &Caller) -> BTreeSet<(ChatId, Position)> {
    let memberships = stage.world.store().memberships(caller.id()).await;
    memberships.expect("an answer").into_iter().collect()
}

fn memberships_of(
    members: &HashMap<(ChatId, PersonId), Position>,
    caller: &Caller,
) -> BTreeSet<(ChatId, Position)> {
    let own = members.iter().filter(|((_, who), _)| *who == caller.id());
    own.map(|((chat, _), joined)| (*chat, *joined)).collect()
}

/// An agent's queues hold the conversations that they may read, each in one of them.
async fn queues_show_conversations(stage: &Stage<'_>, agent: &Caller, readable: &BTreeSet<ChatId>) {
    let mut queued = BTreeSet::new();
    for status in [
        ConversationStatus::Waiting,
        ConversationStatus::Active,
        ConversationStatus::Closed,
    ] {
        let page = ConversationPage {
            slice: (0, 1_000),
            after: None,
            query: None,
        };
        let key: (TenantId, PersonId) = (agent.tenant(), agent.id());
        let chats = stage.world.store().guest_chats(key, status, &page).await;
        for entry in chats.expect("a queue") {
            assert!(queued.insert(entry.chat.id), "a chat is queued twice");
        }
    }
    let mut conversations = BTreeSet::new();
    for id in readable {
        if let Some((chat, _)) = found(stage, agent, *id).await
            && chat.kind == ChatKind::Conversation
        {
            conversations.insert(*id);
        }
    }
    assert_eq!(queued, conversations, "{:?}", agent.person());
}
