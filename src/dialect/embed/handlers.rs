//! Carries out what a client of the embed dialect wants: who they are, one verb, the answer.

use std::{sync::Arc, time::Duration};

use serde_json::Value;

use crate::{
    chat::{
        Caller, Services,
        access::{self, Reader},
        accounts,
        callers::{self, KeyHolder},
        chats::{self, CreateKey, NewChat, Visibility},
        members, messages, people, signals,
    },
    config::{EmbedOpen, EmbedTwin},
    dialect::{
        ClientSession, Data, EventReply, Handled, Okay, OwnAction, Sending,
        embed::{
            ID,
            events::{
                self, CreateChat, CreateUser, EditMessage, ListChats, ListMessages, Membership,
                NewMessage, Request, Seen, Typing, Where, Who,
            },
            texts, wire,
        },
        page,
    },
    error::{Error, Kind, Result},
    model::{Change, ChangeKind, ChatId, MessageId, Person, PersonId, Timestamp},
};

/// The most users that a connection without a key acts for.
const OPEN_USERS: usize = 1_000;
/// When to come back with more.
const LATER: Duration = Duration::from_secs(10);
const SAY_WHO: &str = "say who you are: connect with key (a tenant's application id) or token (a \
                       signed-in user's) in auth or in the query";

/// What is kept of a connection.
#[derive(Default)]
struct Memory {
    /// The chat under whose own event this connection emitted first: it receives such events.
    twin: Option<ChatId>,
}

/// For whom a connection acts.
enum Authority {
    /// A tenant's server: all its users'.
    Server(KeyHolder),
    /// Somebody signed in: their own.
    User(Caller),
    /// Anybody: those they created or fetched.
    Open(KeyHolder),
}

impl Authority {
    /// By what right it changes who is in a chat.
    fn over_members(&self) -> members::Authority<'_> {
        match self {
            Self::Server(tenant) => members::Authority::Tenant(tenant),
            Self::User(_) | Self::Open(_) => members::Authority::Own,
        }
    }
}

/// Whether a change is sent to this connection: not if it was answered for it. A new message has no other
/// answer.
pub(super) fn should_deliver(session: &ClientSession, change: &Change) -> bool {
    match &change.what {
        ChangeKind::Read(_) | ChangeKind::Edited(_) | ChangeKind::Deleted(_) => {
            !session.is_echo(ID, change)
        }
        ChangeKind::Message(_)
        | ChangeKind::Reaction(_)
        | ChangeKind::Chat(_)
        | ChangeKind::Joined(_)
        | ChangeKind::Role(_)
        | ChangeKind::Settings(_)
        | ChangeKind::Left
        | ChangeKind::Conversation(..) => true,
        // There is no word for it: names come with what people say and do.
        ChangeKind::Person(_) => false,
    }
}

/// Whether a connection receives messages under their chat's own event too.
pub(super) fn wants_twin(session: &ClientSession) -> bool {
    let has_emitted = || {
        let memory = session.remembered::<Memory>();
        memory.is_some_and(|memory| memory.twin.is_some())
    };
    session.options.settings.embed_twin == EmbedTwin::Always
        || session.credentials.twin
        || has_emitted()
}

/// The chat that shows that a connection receives them, to be kept for its recovery.
pub(super) fn entered(session: &ClientSession) -> Vec<ChatId> {
    let memory = session.remembered::<Memory>();
    memory.and_then(|memory| memory.twin).into_iter().collect()
}

/// A connection is back that may have emitted under a chat's own event.
pub(super) fn on_resume(session: &mut ClientSession, entered: &[ChatId]) {
    session.memory::<Memory>().twin = entered.first().copied();
}

/// Answers an event.
pub(super) async fn handle(
    session: &mut ClientSession,
    event: &str,
    argument: Option<&Value>,
) -> Result<Handled> {
    if let Some(chat) = events::twin(event).and_then(|chat| chat.parse().ok()) {
        session.memory::<Memory>().twin.get_or_insert(chat);
    }
    let authority = authority(session).await?;
    let services = Arc::clone(&session.services);
    let mut context = Context {
        session,
        services: &services,
        authority,
        event,
    };
    // Each but the most frequent one on the heap, or every message would have room for all of them.
    let reply = match events::decode(event, argument)? {
        Request::NewMessage(request) => {
            return context.new_message(request).await.map(Handled::Sending);
        }
        Request::CreateUser(request) => Box::pin(context.create_user(request)).await,
        Request::CreateChat(request) => Box::pin(context.create_chat(request)).await,
        Request::ListChats(request) => Box::pin(context.list_chats(request)).await,
        Request::ListMessages(request) => Box::pin(context.list_messages(request)).await,
        Request::Typing(request) => Box::pin(context.typing(&request)).await,
        Request::Seen(request) => Box::pin(context.seen(&request)).await,
        Request::EditMessage(request) => Box::pin(context.edit(request)).await,
        Request::DeleteMessage(place, message) => Box::pin(context.delete(place, message)).await,
        Request::AddUsers(request) => Box::pin(context.add_users(request)).await,
        Request::RemoveUsers(request) => Box::pin(context.remove_users(request)).await,
    };
    reply.map(Handled::Answered)
}

/// Finds out for whom the connection acts.
async fn authority(session: &mut ClientSession) -> Result<Authority> {
    if let Some(holder) = session.key_holder().await? {
        return Ok(Authority::Server(holder));
    }
    if let Some(token) = session.credentials.token.clone() {
        return session.holder(&token).await.map(Authority::User);
    }
    if let Some(caller) = session.cookie_holder().await? {
        return Ok(Authority::User(caller));
    }
    if !is_open(session) {
        return Err(Error::new(Kind::Unauthenticated, SAY_WHO));
    }
    callers::open_tenant(&session.services)
        .await
        .map(Authority::Open)
}

/// Whether the operator allows embedding without a key on this connection.
fn is_open(session: &ClientSession) -> bool {
    let options = &session.options;
    match options.settings.embed_open {
        EmbedOpen::Loopback => options.is_own && session.credentials.is_local,
        EmbedOpen::Always => true,
        EmbedOpen::Never => false,
    }
}

/// One event, and who sent it.
struct Context<'a> {
    session: &'a mut ClientSession,
    services: &'a Services,
    authority: Authority,
    event: &'a str,
}

impl Context<'_> {
    /// A user for whom this connection may act; from now on it receives what they receive.
    async fn act_for(&mut self, user: PersonId) -> Result<Caller> {
        let caller = match &self.authority {
            Authority::User(caller) if caller.id() == user => caller.clone(),
            Authority::User(caller) => {
                let sentence = format!("your token speaks for user {} alone", caller.id());
                return Err(Error::forbidden(sentence));
            }
            Authority::Server(tenant) => match self.session.acts_for(ID, user) {
                Some(caller) if caller.tenant() == tenant.tenant().id => return Ok(caller.clone()),
                Some(_) | None => people::find(self.services, tenant, user).await?,
            },
            Authority::Open(tenant) => match self.session.acts_for(ID, user) {
                Some(caller) => return Ok(caller.clone()),
                // An HTTP request keeps no state: a client that knows the id may fetch them anyway.
                None if !self.session.is_subscriber() => {
                    people::find(self.services, tenant, user).await?
                }
                None => return Err(not_yours(user)),
            },
        };
        self.session.act_as(ID, &caller).await?;
        Ok(caller)
    }

    async fn create_user(&mut self, request: CreateUser) -> Result<EventReply> {
        let CreateUser { who, name, photo } = request;
        let profile = people::Profile {
            name,
            names: None,
            photo: Some(Some(photo)),
        };
        let person = match &self.authority {
            Authority::User(caller) => {
                let caller = caller.clone();
                if !is_meant(caller.person(), &who) {
                    return Err(Error::forbidden("your token speaks for yourself alone"));
                }
                // At home a name is an account's own and is not changed from here.
                let named = if caller.tenant() == accounts::HOME {
                    caller.person().name.to_string()
                } else {
                    profile.name.as_str().to_owned()
                };
                let profile = people::Profile {
                    name: crate::model::Name::parse(&named)?,
                    ..profile
                };
                let person = Box::pin(people::describe(self.services, &caller, &profile)).await?;
                self.session.act_as(ID, &caller).await?;
                person
            }
            Authority::Server(tenant) | Authority::Open(tenant) => {
                let tenant = tenant.clone();
                let registered = find_or_make(self.services, &tenant, &who, profile).await?;
                let people::Registered { caller, made_after } = registered;
                let is_new = self.session.acts_for(ID, caller.id()).is_none();
                let is_open = matches!(self.authority, Authority::Open(_));
                if is_new && is_open && self.session.identities().len() >= OPEN_USERS {
                    let sentence = "this connection has created or fetched too many users";
                    return Err(Error::too_many(sentence, LATER));
                }
                self.session
                    .act_as_registered(ID, &caller, made_after)
                    .await?;
                Person::clone(caller.person())
            }
        };
        let body = Data::text(&texts::UserText::from(&person));
        Ok(EventReply::reply(200, self.event.to_owned(), body))
    }

    async fn create_chat(&mut self, request: CreateChat) -> Result<EventReply> {
        let CreateChat {
            title,
            users,
            client_id,
        } = request;
        let mut created_by = None;
        for user in &users {
            match self.act_for(*user).await {
                Ok(caller) => created_by = Some(caller),
                Err(error) if error.kind() == Kind::Forbidden => {}
                Err(error) => return Err(error),
            }
            if created_by.is_some() {
                break;
            }
        }
        let created_by = created_by.ok_or_else(|| {
            Error::forbidden("users must name somebody whom this connection speaks for")
        })?;
        // The keys are the server's own, whichever user it names first.
        let person = match self.authority {
            Authority::Server(_) => None,
            Authority::User(_) | Authority::Open(_) => Some(created_by.id()),
        };
        let new = NewChat {
            visibility: Visibility::Private,
            title: Some(title),
            description: None,
            members: &users,
            key: client_id.map(|client_id| CreateKey { person, client_id }),
        };
        let chat = chats::create(self.services, &created_by, new).await?.chat;
        let reader = match &self.authority {
            Authority::Server(tenant) => access::tenant_reader(self.services, tenant, chat).await?,
            Authority::User(_) | Authority::Open(_) => {
                access::reader(self.services, &created_by, chat).await?
            }
        };
        let members = members::ids(self.services, &reader).await?;
        let body = wire::ChatTold {
            status: Okay,
            chat: wire::ChatWire::new(reader.chat(), &members),
        };
        Ok(events::reply(self.event, body))
    }

    async fn list_chats(&mut self, request: ListChats) -> Result<EventReply> {
        let ListChats {
            user,
            limit,
            before,
        } = request;
        let caller = self.act_for(user).await?;
        let before = match before {
            None => None,
            Some(chat) => {
                let reader = access::reader(self.services, &caller, chat).await?;
                Some(reader.chat().last_position)
            }
        };
        let (listed, more) = chats::list_own(self.services, &caller, before, limit).await?;
        let chats = listed
            .iter()
            .map(|(chat, users)| wire::ChatWire::new(chat, users));
        let (chats, left) = page::fitting(chats);
        let body = wire::ChatsTold {
            status: Okay,
            chats,
            has_more: more || left,
        };
        Ok(events::reply(self.event, body))
    }

    /// Proof that this connection may read a chat.
    async fn reader(&mut self, chat: ChatId, user: Option<PersonId>) -> Result<Reader> {
        if let Some(user) = user {
            let caller = self.act_for(user).await?;
            return access::reader(self.services, &caller, chat).await;
        }
        match &self.authority {
            Authority::Server(tenant) => access::tenant_reader(self.services, tenant, chat).await,
            Authority::User(caller) => access::reader(self.services, caller, chat).await,
            Authority::Open(tenant) => {
                let session = &*self.session;
                let acts_for = |person| session.acts_for(ID, person);
                access::member_reader(self.services, tenant, chat, acts_for).await
            }
        }
    }

    async fn list_messages(&mut self, request: ListMessages) -> Result<EventReply> {
        let reader = self.reader(request.chat, request.user).await?;
        let span = (
            request.from.unwrap_or(Timestamp::new(i64::MIN)),
            request.to.unwrap_or(Timestamp::new(i64::MAX)),
        );
        let page =
            messages::between(self.services, &reader, request.before, span, request.limit).await?;
        // The newest have room first.
        let listed = page.messages.iter().rev();
        let listed = listed.map(|(message, _)| wire::MessageWire::from(message));
        let (mut listed, left) = page::fitting(listed);
        listed.reverse();
        let body = wire::MessagesTold {
            status: Okay,
            messages: listed,
            has_more: page.more || left,
        };
        Ok(events::reply(self.event, body))
    }

    async fn new_message(&mut self, request: NewMessage) -> Result<Sending> {
        let NewMessage {
            place,
            kind,
            content,
            client_id,
        } = request;
        let caller = self.act_for(place.user).await?;
        let draft = messages::Draft {
            kind,
            content,
            reply_to: None,
            client_id,
        };
        let message = self.session.begin_message(&caller, place.chat, draft).await;
        let event = self.event.to_owned();
        Ok(Sending::new(message, move |_, sent| {
            let sent = sent?;
            let body = events::message(&sent.message);
            // A replay is published to nobody, so its sender gets the event with the reply.
            Ok(if sent.replayed {
                EventReply::reply(200, event, body)
            } else {
                events::heard(body)
            })
        }))
    }

    async fn typing(&mut self, request: &Typing) -> Result<EventReply> {
        let Typing { place, typing } = *request;
        let caller = self.act_for(place.user).await?;
        let reader = access::reader(self.services, &caller, place.chat).await?;
        let told = (typing, typing.to_string());
        let connection = self.session.number;
        let ends = signals::Ends::WithConnection;
        signals::typing(self.services, &caller, &reader, told, connection, ends)?;
        let body = wire::TypingTold {
            status: Okay,
            chat: place.chat.into(),
            user: wire::User::from(&**caller.person()),
            typing,
        };
        Ok(events::reply(self.event, body))
    }

    async fn seen(&mut self, request: &Seen) -> Result<EventReply> {
        let Seen { place, message } = *request;
        let caller = self.act_for(place.user).await?;
        let up_to = match message {
            Some(message) => Some(message),
            None => {
                let reader = access::reader(self.services, &caller, place.chat).await?;
                let page = messages::before(self.services, &reader, None, 1).await?;
                page.messages.last().map(|(newest, _)| newest.id)
            }
        };
        if let Some(up_to) = up_to {
            let before = self.services.head(caller.tenant());
            chats::read(self.services, &caller, place.chat, up_to).await?;
            let span = self.session.span_since(caller.tenant(), before);
            let read = OwnAction::Read(place.chat, caller.id(), span);
            self.session.note_action(ID, read);
        }
        let body = wire::SeenTold {
            status: Okay,
            chat: place.chat.into(),
            user: wire::User::from(&**caller.person()),
            message: up_to.map(wire::Named::from),
        };
        Ok(events::reply(self.event, body))
    }

    async fn edit(&mut self, request: EditMessage) -> Result<EventReply> {
        let EditMessage {
            place,
            message,
            content,
        } = request;
        let caller = self.act_for(place.user).await?;
        let edited = messages::edit(self.services, &caller, place.chat, message, content).await?;
        let action = OwnAction::Edited(edited.id, edited.edited_at);
        self.session.note_action(ID, action);
        let body = wire::EditedTold {
            status: Okay,
            chat: place.chat.into(),
            user: wire::User::from(&**caller.person()),
            message: wire::MessageWire::from(&edited),
        };
        Ok(events::reply(self.event, body))
    }

    async fn delete(&mut self, place: Where, message: MessageId) -> Result<EventReply> {
        let caller = self.act_for(place.user).await?;
        let deleted = messages::delete(self.services, &caller, place.chat, message).await?;
        self.session.note_action(ID, OwnAction::Deleted(deleted.id));
        let body = wire::DeletedTold {
            status: Okay,
            chat: place.chat.into(),
            user: wire::User::from(&**caller.person()),
            message: wire::Deleted::from(&deleted),
        };
        Ok(events::reply(self.event, body))
    }

    async fn add_users(&mut self, request: Membership) -> Result<EventReply> {
        let caller = self.act_for(request.place.user).await?;
        let (chat, users) = (request.place.chat, &request.users);
        let right = self.authority.over_members();
        members::add(self.services, &caller, right, chat, users).await?;
        Ok(self.members_changed(&caller, &request))
    }

    async fn remove_users(&mut self, request: Membership) -> Result<EventReply> {
        let caller = self.act_for(request.place.user).await?;
        let (chat, users) = (request.place.chat, &request.users);
        let right = self.authority.over_members();
        members::remove(self.services, &caller, right, chat, users).await?;
        Ok(self.members_changed(&caller, &request))
    }

    fn members_changed(&self, caller: &Caller, request: &Membership) -> EventReply {
        let users = request.users.iter().map(PersonId::to_string).collect();
        let body = wire::MembersTold {
            status: Okay,
            chat: request.place.chat.into(),
            user: wire::User::from(&**caller.person()),
            users,
        };
        events::reply(self.event, body)
    }
}

/// A user whom the id or the product's own name means; made where only the latter is new.
async fn find_or_make(
    services: &Services,
    tenant: &KeyHolder,
    who: &Who,
    profile: people::Profile,
) -> Result<people::Registered> {
    let (id, external) = match who {
        Who::Id(id) => (Some(id), None),
        Who::External(external) => (None, Some(external)),
        Who::Either(id, external) => (Some(id), Some(external)),
    };
    if let Some(id) = id {
        let found = match id.parse() {
            Ok(number) => people::find(services, tenant, number).await,
            Err(_) => Err(Error::not_found(format!(
                "there is no user {}",
                id.chars().take(64).collect::<String>()
            ))),
        };
        match (found, external) {
            (Ok(caller), _) => {
                let person = Box::pin(people::describe(services, &caller, &profile)).await?;
                return Ok(people::Registered {
                    caller: callers::impersonate(tenant, Arc::new(person))?,
                    made_after: None,
                });
            }
            (Err(error), Some(_)) if error.kind() == Kind::NotFound => {}
            (Err(error), _) => return Err(error),
        }
    }
    let external = external.ok_or_else(|| Error::invalid("user.external_id is missing"))?;
    people::register(services, tenant, external, &profile).await
}

/// Whether somebody signed in means themselves.
fn is_meant(person: &Person, who: &Who) -> bool {
    let by_id = |id: &str| id.parse() == Ok(person.id);
    let by_external = |external: &str| person.external_id.as_deref() == Some(external);
    match who {
        Who::Id(id) => by_id(id),
        Who::External(external) => by_external(external),
        Who::Either(id, external) => by_id(id) || by_external(external),
    }
}

fn not_yours(user: PersonId) -> Error {
    let sentence =
        format!("this connection does not speak for user {user}: send create-user first");
    Error::forbidden(sentence)
}
