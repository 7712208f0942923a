//! Handles the events of the service dialect: authentication, one verb, the reply.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use serde_json::Value;

use crate::{
    chat::{
        Caller, Services, access,
        bus::{self, Movement, RoomEvent},
        chats::{self, READS_SHOWN_UP_TO},
        messages,
        presence::{self, Place},
        rooms, signals,
    },
    dialect::{
        ClientSession, Emitted, EventReply, Handled, Okay, OutgoingEvent, OwnAction, Recipients,
        Sending, page,
        service::{
            ID,
            events::{self, Request},
            wire,
        },
    },
    error::{Error, Kind, Result},
    model::{
        Audience, Change, ChangeKind, Chat, ChatId, ClientId, Content, Message, MessageId,
        MessageKind, PersonId,
    },
};

/// What a connection is told whose token nobody has, or whose app says that it is not good.
const MISMATCH: &str = "token key mismatch";
/// What it is told when the app cannot be asked.
const UNVERIFIED: &str = "token verification unavailable";
/// When to try again then.
const UNVERIFIED_FOR: Duration = Duration::from_secs(5);
/// The most rooms that one connection listens to.
const ROOMS: usize = 100;

/// What is kept of a connection.
#[derive(Default)]
struct Memory {
    who: Option<Caller>,
    /// The current room first, then those that are only listened to.
    rooms: VecDeque<Place>,
}

/// A chat as a room that is joined.
fn place_of(chat: &Chat) -> Place {
    Place {
        chat: chat.id,
        tenant: chat.tenant,
        name: rooms::name_of(chat),
    }
}

/// The Socket.IO room of the connections that have joined a chat's room.
fn transport_room(chat: ChatId) -> String {
    format!("service/{chat}")
}

/// Takes a connection's token for who holds it, or refuses it.
pub(super) async fn on_connect(session: &mut ClientSession) -> Result<()> {
    let Some(token) = session.credentials.token.clone() else {
        return Ok(());
    };
    let caller = session
        .holder(&token)
        .await
        .map_err(|error| match error.kind() {
            Kind::Unauthenticated => {
                Error::new(Kind::Unauthenticated, MISMATCH).with_hint(error.hint())
            }
            Kind::TooMany | Kind::Forbidden => error,
            _ => Error::unavailable(UNVERIFIED, UNVERIFIED_FOR).because(error),
        })?;
    session.act_as(ID, &caller).await?;
    session.memory::<Memory>().who = Some(caller);
    Ok(())
}

/// An HTTP request means a room: it is present nowhere, and acts as if it had joined.
pub(super) async fn enter(session: &mut ClientSession, room: &str) -> Result<()> {
    let caller = who(session).await?;
    let services = Arc::clone(&session.services);
    let chat = find(&services, &caller, room).await?;
    session.memory::<Memory>().rooms = VecDeque::from([place_of(&chat)]);
    Ok(())
}

/// The rooms that a connection has joined, the current one first.
pub(super) fn entered(session: &ClientSession) -> Vec<ChatId> {
    let memory = session.remembered::<Memory>();
    let rooms = memory.into_iter().flat_map(|memory| &memory.rooms);
    rooms.map(|room| room.chat).collect()
}

/// Recovers the rooms that a connection had joined, those whose member its person still is.
pub(super) async fn on_resume(session: &mut ClientSession, entered: &[ChatId]) -> Result<()> {
    let known = session.memory::<Memory>().who.clone();
    let mut identity = session.identities().iter();
    let holder = identity.find(|identity| identity.is_active_in(ID));
    let Some(caller) = known.or_else(|| holder.map(|holder| holder.caller.clone())) else {
        return Ok(());
    };
    let mut rooms = VecDeque::new();
    for chat in entered {
        match access::reader(&session.services, &caller, *chat).await {
            Ok(reader) => rooms.push_back(place_of(reader.chat())),
            Err(error) if error.kind() == Kind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    let memory = session.memory::<Memory>();
    memory.who = Some(caller);
    memory.rooms = rooms;
    Ok(())
}

/// Tells the rooms that a connection is back in, and it, who is present.
pub(super) fn on_ready(session: &mut ClientSession) {
    let Some(memory) = session.remembered::<Memory>() else {
        return;
    };
    let Some(caller) = memory.who.clone() else {
        return;
    };
    for room in memory.rooms.clone() {
        arrive(session, &caller, &room);
        let present = present(&session.services, &room);
        session
            .transport
            .tell(&transport_room(room.chat), Recipients::All, &present);
    }
}

/// Whether a connection has joined a chat's room.
pub(super) fn is_present(session: &ClientSession, chat: ChatId) -> bool {
    session
        .remembered::<Memory>()
        .is_some_and(|memory| memory.rooms.iter().any(|room| room.chat == chat))
}

/// Takes a connection out of a room that is gone, or whose member it is no more: it is seen there no
/// longer, and gets no events of who comes and goes.
pub(super) fn on_change(session: &mut ClientSession, change: &Change) {
    let memory = session.memory::<Memory>();
    let Some(caller) = memory.who.clone() else {
        return;
    };
    let is_over = match &change.what {
        ChangeKind::Left => change.actor.id == caller.id(),
        // A chat that was closed is no more for those who were not in it.
        ChangeKind::Chat(chat) => chat.deleted_at.is_some() || change.audience == Audience::Others,
        _ => false,
    };
    if !is_over {
        return;
    }
    let place = memory
        .rooms
        .iter()
        .position(|room| room.chat == change.chat);
    if let Some(room) = place.and_then(|place| memory.rooms.remove(place)) {
        depart(session, &caller, &room);
    }
}

/// Whether a change is sent to this connection: one of a room that it has joined, unless it was answered for
/// it. A message that is new or was changed has no other answer.
pub(super) fn should_deliver(session: &ClientSession, change: &Change) -> bool {
    let is_answered = match &change.what {
        ChangeKind::Read(_) => change.audience == Audience::Actor || session.is_echo(ID, change),
        ChangeKind::Message(_)
        | ChangeKind::Edited(_)
        | ChangeKind::Deleted(_)
        | ChangeKind::Reaction(_)
        | ChangeKind::Chat(_)
        | ChangeKind::Joined(_)
        | ChangeKind::Role(_)
        | ChangeKind::Settings(_)
        | ChangeKind::Left
        | ChangeKind::Conversation(..)
        | ChangeKind::Person(_) => false,
    };
    !is_answered && is_present(session, change.chat)
}

/// Answers an event.
pub(super) async fn handle(
    session: &mut ClientSession,
    event: &str,
    argument: Option<&Value>,
) -> Result<Handled> {
    let caller = who(session).await?;
    let services = Arc::clone(&session.services);
    let mut context = Context {
        session,
        services: &services,
        caller,
    };
    let reply = match events::decode(event, argument)? {
        Request::Send(content, client_id) => {
            let sending = context.send(content, client_id).await;
            return sending.map(Handled::Sending);
        }
        Request::Join(room) => context.join(&room).await,
        Request::Typing(typing, value) => context.typing(typing, &value).await,
        Request::Seen => context.seen().await,
        Request::LoadMore {
            before,
            skipped,
            limit,
        } => context.load_more(before, (skipped, limit)).await,
        Request::Leave => Ok(context.leave()),
        Request::Update(message, content) => context.edit(message, content).await,
        Request::Delete(message) => context.delete(message).await,
    };
    reply.map(Handled::Answered)
}

/// The person of a connection: the holder of the token or, without one, of the cookies.
async fn who(session: &mut ClientSession) -> Result<Caller> {
    let nobody = || Error::new(Kind::Unauthenticated, events::NO_TOKEN);
    if let Some(caller) = &session.memory::<Memory>().who {
        return Some(caller.clone())
            .filter(|caller| !caller.is_gone())
            .ok_or_else(nobody);
    }
    let caller = session.cookie_holder().await?.ok_or_else(nobody)?;
    session.act_as(ID, &caller).await?;
    session.memory::<Memory>().who = Some(caller.clone());
    Ok(caller)
}

/// The room of that name, if the caller is in it.
async fn find(services: &Services, caller: &Caller, room: &str) -> Result<Chat> {
    let chat = rooms::find_named(services, caller.tenant(), room).await?;
    let reader = access::reader(services, caller, chat.id).await?;
    Ok(reader.chat().clone())
}

/// One event, and who sent it.
struct Context<'a> {
    session: &'a mut ClientSession,
    services: &'a Services,
    caller: Caller,
}

impl Context<'_> {
    fn memory(&mut self) -> &mut Memory {
        self.session.memory()
    }

    /// The current room.
    fn room(&mut self) -> Result<Place> {
        let room = self.memory().rooms.front().cloned();
        room.ok_or_else(|| Error::invalid(events::NO_ROOM))
    }

    async fn join(&mut self, room: &str) -> Result<EventReply> {
        let chat = find(self.services, &self.caller, room).await?;
        let joined = place_of(&chat);
        let listens = self.session.is_subscriber();
        let memory = self.memory();
        let again = memory.rooms.iter().any(|other| other.chat == chat.id);
        if !again {
            if memory.rooms.len() >= ROOMS {
                return Err(Error::invalid("this connection has joined too many rooms"));
            }
            memory.rooms.push_back(joined.clone());
        }
        if !again && listens {
            arrive(self.session, &self.caller, &joined);
        }
        let room = rooms::with_people(self.services, chat).await?;
        let row = wire::Room::new(&room.chat, joined.name.clone()).with_users(&room.people);
        let present = present(self.services, &joined);
        self.session
            .transport
            .tell(&transport_room(joined.chat), Recipients::Others, &present);
        let outgoing = vec![
            Emitted::Other(events::info("You have joined the room")),
            Emitted::Data("room_info".into()),
            Emitted::Other(present),
        ];
        Ok(events::done(row, outgoing))
    }

    async fn typing(&mut self, typing: bool, value: &Value) -> Result<EventReply> {
        let room = self.room()?;
        let reader = access::reader(self.services, &self.caller, room.chat).await?;
        let told = (typing, value.to_string());
        let connection = self.session.number;
        let ends = signals::Ends::WithConnection;
        signals::typing(self.services, &self.caller, &reader, told, connection, ends)?;
        Ok(events::done(ok(), Vec::new()))
    }

    async fn seen(&mut self) -> Result<EventReply> {
        let room = self.room()?;
        let reader = access::reader(self.services, &self.caller, room.chat).await?;
        let page = messages::before(self.services, &reader, None, 1).await?;
        let row = wire::User::from(&**self.caller.person());
        let read = reader.membership().map(|membership| membership.read);
        let newest = page.messages.last().map(|(newest, _)| newest.id);
        let moved = newest.filter(|newest| Some(*newest) > read);
        if let Some(up_to) = moved {
            let before = self.services.head(self.caller.tenant());
            chats::read(self.services, &self.caller, room.chat, up_to).await?;
            let span = self.session.span_since(self.caller.tenant(), before);
            let read = OwnAction::Read(room.chat, self.caller.id(), span);
            self.session.note_action(ID, read);
        }
        if moved.is_none() || reader.chat().members > READS_SHOWN_UP_TO {
            // Of this the log tells the others nothing.
            tell_everywhere(self.session, room.chat, &events::seen_by(&row));
        }
        Ok(events::done(row, vec![Emitted::Data("seen_by".into())]))
    }

    async fn send(&mut self, content: Content, client_id: Option<ClientId>) -> Result<Sending> {
        let room = self
            .room()
            .map_err(|_| Error::invalid(events::NO_MESSAGE))?;
        let draft = messages::Draft {
            kind: MessageKind::Text,
            content,
            reply_to: None,
            client_id,
        };
        let message = self
            .session
            .begin_message(&self.caller, room.chat, draft)
            .await;
        Ok(Sending::new(message, |_, sent| {
            let sent = sent?;
            let body = wire::MessageWire::from(&sent.message);
            // A replay is published to nobody, so its sender gets the event with the reply.
            let outgoing = if sent.replayed {
                vec![Emitted::Data("message".into())]
            } else {
                Vec::new()
            };
            Ok(events::done(body, outgoing))
        }))
    }

    async fn load_more(
        &mut self,
        before: Option<MessageId>,
        (skipped, limit): (i64, i64),
    ) -> Result<EventReply> {
        let room = self.room()?;
        let reader = access::reader(self.services, &self.caller, room.chat).await?;
        let services = self.services;
        let listed = messages::newest(services, &reader, before, (skipped, limit)).await?;
        // A list has no room to say that there are more: a client that wants them asks with `before`.
        let (listed, _) = page::fitting(listed.iter().map(wire::ListedMessage::from));
        let event = Emitted::Data("load_more".into());
        Ok(events::done(listed, vec![event]))
    }

    fn leave(&mut self) -> EventReply {
        let left = self.memory().rooms.pop_front();
        if let Some(room) = left {
            depart(self.session, &self.caller, &room);
        }
        events::done(ok(), Vec::new())
    }

    async fn edit(&mut self, message: MessageId, content: Content) -> Result<EventReply> {
        let chat = self.room()?.chat;
        let edited = messages::edit(self.services, &self.caller, chat, message, content).await;
        rewritten(edited)
    }

    async fn delete(&mut self, message: MessageId) -> Result<EventReply> {
        let chat = self.room()?.chat;
        rewritten(messages::delete(self.services, &self.caller, chat, message).await)
    }
}

/// The answer to a message that was edited or deleted.
fn rewritten(outcome: Result<Message>) -> Result<EventReply> {
    let message = outcome.map_err(|error| match error.kind() {
        // Not the room: that was joined.
        Kind::NotFound => Error::invalid("there is no such message").because(error),
        _ => error,
    })?;
    Ok(events::done(wire::MessageWire::from(&message), Vec::new()))
}

/// Tells the rooms that a connection has joined that it is gone.
pub(super) fn on_disconnect(session: &mut ClientSession) {
    let memory = session.memory::<Memory>();
    let joined = std::mem::take(&mut memory.rooms);
    if let Some(caller) = memory.who.clone() {
        for room in &joined {
            depart(session, &caller, room);
        }
    }
}

fn arrive(session: &ClientSession, caller: &Caller, room: &Place) {
    let transport = transport_room(room.chat);
    presence::enter(&session.services, room, session.number, caller.id());
    let info = joined(caller.id());
    session.transport.join(&transport);
    session
        .transport
        .tell(&transport, Recipients::Others, &info);
}

fn depart(session: &ClientSession, caller: &Caller, room: &Place) {
    if !session.is_subscriber() {
        return;
    }
    let transport = transport_room(room.chat);
    presence::leave(&session.services, room.chat, session.number);
    let info = left(caller.id());
    session
        .transport
        .tell(&transport, Recipients::Others, &info);
    let present = present(&session.services, room);
    session
        .transport
        .tell(&transport, Recipients::Others, &present);
    session.transport.leave(&transport);
}

/// Tells an event to all other connections in a room, to whatever server.
fn tell_everywhere(session: &ClientSession, chat: ChatId, event: &OutgoingEvent) {
    let room = transport_room(chat);
    session.transport.tell(&room, Recipients::Others, event);
    if session.is_subscriber() {
        let (name, data) = (event.name.to_string(), event.data.to_json().into_owned());
        bus::tell_room(&session.services, RoomEvent { room, name, data });
    }
}

/// What those in a room are told of connections to another server that have entered it or left it; nothing where
/// nobody is in it.
pub(super) fn encode_movement(
    services: &Services,
    movement: &Movement,
) -> Option<(String, Vec<OutgoingEvent>)> {
    let room = presence::place(services, movement.chat)?;
    let left = movement.left.iter().copied().map(left);
    let joined = movement.entered.iter().copied().map(joined);
    let mut outgoing: Vec<_> = left.chain(joined).collect();
    outgoing.push(present(services, &room));
    Some((transport_room(movement.chat), outgoing))
}

fn joined(person: PersonId) -> OutgoingEvent {
    events::info(format!("{person} has joined!"))
}

fn left(person: PersonId) -> OutgoingEvent {
    events::info(format!("{person} has left"))
}

/// `roomData`: the connections in a room.
fn present(services: &Services, room: &Place) -> OutgoingEvent {
    let users = presence::list(services, room.chat).into_iter();
    let users = users.map(|present| wire::Present {
        app_id: room.tenant.get(),
        room: room.name.clone(),
        room_id: room.chat.get(),
        sender: present.person.get(),
        id: present.name,
    });
    let (users, has_more) = page::fitting(users);
    events::room_data(&wire::RoomData {
        room: room.name.clone(),
        users,
        has_more,
    })
}

fn ok() -> wire::Done {
    wire::Done { status: Okay }
}
