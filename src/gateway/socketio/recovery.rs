//! Recovery: a client that reconnects continues where it was, also after a restart of the server.
//!
//! The offset of an event is the log's cursor. The hash of the private id is stored together with the
//! identities of the connection. So recovery needs nothing from the memory of the former process, and logins and
//! memberships are checked again.
//!
//! Clients learn offsets from events only, so a client that has received none has its private id alone.
//! That id therefore ends with the position at which it was issued, from which such a client continues.

use std::{fmt::Write as _, net::Ipv4Addr, sync::Arc};

use parlance_socketio::{
    engine::Revision,
    server::{Admission, Socket, SocketId},
};
use serde_json::Value;

use super::{
    connection::{ConnectionState, Recovery, Told},
    credentials::is_on,
};
use crate::{
    chat::{
        Caller, Services,
        callers::{self, KeyHolder},
        connections, cursors,
        logins::Token,
    },
    dialect::{self, ClientSession, DialectId, DialectMask},
    error::Result,
    model::{
        ChatId, Cursor, Lane, LoginId, PersonId, Place, Position, Positions, place::MOST_LANES,
    },
};

/// What would be stored for a connection that has no identity and has entered no chat.
pub(super) const NOTHING: &str = "|";

/// What is stored for one that is in more lanes than have room in an offset: it is not recovered.
const LOST: &str = "!|";

/// How many messages of the connection's own are stored with it.
const SENT: usize = 32;

/// A connection that can be recovered.
struct Returned {
    id: SocketId,
    private: String,
    /// What tells the connection that was lost from others.
    holder: i64,
    /// Where it was, in each lane.
    told: Told,
    /// Its identities, each with the dialects, and after which position it goes on.
    identities: Vec<(DialectMask, Caller, Position)>,
    /// The chats it had entered, each with the dialect.
    entered: Vec<(DialectId, ChatId)>,
    /// The positions of its own last messages.
    sent: Vec<Position>,
}

/// Whether the client wants recovery. Clients of revision 4 do not support it.
pub(super) fn is_asked_for(socket: &Socket) -> bool {
    is_on(socket, "recovery") && socket.handshake().revision() == Revision::V4
}

/// Whether the client shows the private id of an earlier connection.
pub(super) fn shows_private_id(socket: &Socket) -> bool {
    let shown = socket.auth().and_then(|auth| auth.get("pid"));
    shown.is_some_and(Value::is_string)
}

/// Separates the secret part of a private id from the position at which it was issued.
const AT: char = '@';

/// A new private id, issued at that position of the log.
pub(super) fn private_id(place: &Cursor) -> String {
    format!("{}{AT}{place}", Token::random().expose())
}

/// Where a client continues: at its offset, or where its private id was issued if that is later or there is no offset.
/// socket.io-client keeps the offset of a connection when it gets another one, until that tells it something.
fn place(private: &str, offset: Option<&str>) -> Option<Place> {
    let issued = private.rsplit_once(AT).map(|(_, issued)| issued);
    let issued = issued.and_then(|issued| issued.parse::<Place>().ok());
    let Some(offset) = offset else {
        return issued;
    };
    let mut place: Place = offset.parse().ok()?;
    let Some(issued) = issued else {
        return Some(place);
    };
    if issued.epoch != place.epoch {
        return Some(issued);
    }
    for (lane, position) in issued.positions.entries() {
        if place.positions.of(lane).is_some() {
            place.positions.raise_in(lane, position);
        }
    }
    Some(place)
}

/// A text that the client shows beside its credentials.
fn shown<'s>(socket: &'s Socket, name: &str) -> Option<&'s str> {
    socket.auth()?.get(name)?.as_str()
}

/// Where a client comes back to, once this server has read the log up to there; none if it comes back nowhere. This is before the
/// session acts for anybody: who acts receives from where this server is, and was told before what it has yet to read.
pub(super) async fn returns_to(services: &Services, socket: &Socket) -> Option<Place> {
    let place = place(shown(socket, "pid")?, shown(socket, "offset"))?;
    cursors::resume_socket(services, &place).await.ok()?;
    Some(place)
}

/// The other credentials of a client that reconnects: its tenant's key, and tokens.
type Shown<'a> = (Option<&'a KeyHolder>, &'a [&'a str]);

/// Finds the connection that a client wants to recover at a place, if it may.
async fn look_up(
    services: &Services,
    socket: &Socket,
    place: Place,
    credentials: Shown<'_>,
) -> Result<Option<Returned>> {
    let Some(private) = shown(socket, "pid") else {
        return Ok(None);
    };
    let told = Told::from(place);
    let address = socket.handshake().client_ip();
    let address = address.unwrap_or(Ipv4Addr::UNSPECIFIED.into());
    let Some(kept) = connections::find(services, private, address).await? else {
        return Ok(None);
    };
    let Some(id) = SocketId::parse(&kept.socket_id) else {
        return Ok(None);
    };
    let mut parts = kept.identities.split('|').map(|part| part.split(','));
    let mut part = || parts.next().into_iter().flatten();
    let (callers, entered, sent) = (part(), part(), part());
    let entered = entered.filter_map(|entry| {
        let (dialect, chat) = entry.split_once(':')?;
        Some((dialect.parse().ok()?, chat.parse().ok()?))
    });
    let entered = entered.collect();
    let sent = sent.filter_map(|position| position.parse().ok());
    let sent = sent.map(Position::new).collect();
    let mut identity = Vec::new();
    for entry in callers.filter(|entry| !entry.is_empty()) {
        let Some((dialects, caller, home)) = caller(services, entry, credentials).await? else {
            return Ok(None);
        };
        let Some(after) = home.after(&told.positions) else {
            return Ok(None);
        };
        identity.push((dialects, caller, after));
    }
    Ok(Some(Returned {
        id,
        private: private.to_owned(),
        holder: kept.holder,
        told,
        identities: identity,
        entered,
        sent,
    }))
}

/// The lane in which somebody was, and from where the connection received for them.
struct Home {
    lane: Lane,
    from: Option<Position>,
}

impl Home {
    /// After which position the connection goes on for them; none where that is not known.
    fn after(&self, place: &Positions) -> Option<Position> {
        if let Some(position) = place.of(self.lane) {
            return Some(self.from.map_or(position, |from| from.max(position)));
        }
        // Nothing was told in their lane since.
        let from = self.from?;
        if Lane::of(from) == self.lane {
            return Some(from);
        }
        // They have come from another lane. All that was told is of there, or how far that was is not known.
        let told = place.first();
        let is_of_there = place.lanes() == 1 && Lane::of(told) < self.lane;
        is_of_there.then(|| from.max(told))
    }
}

/// Parses one stored identity: its dialects, its login if any, its person, and its lane if that is not the first alone.
async fn caller(
    services: &Services,
    entry: &str,
    (key, tokens): Shown<'_>,
) -> Result<Option<(DialectMask, Caller, Home)>> {
    let parts: Vec<_> = entry.split(':').collect();
    let ([dialects, login, person] | [dialects, login, person, _, _]) = parts[..] else {
        return Ok(None);
    };
    let Some(home) = home(&parts[3..]) else {
        return Ok(None);
    };
    let (Ok(dialects), Ok(person)) = (dialects.parse(), person.parse::<PersonId>()) else {
        return Ok(None);
    };
    let caller = match login.parse::<LoginId>() {
        Ok(login) => callers::holder_of(services, login, tokens).await?,
        Err(_) => match key {
            Some(key) => callers::returned_by_key(services, key, person).await?,
            None => None,
        },
    };
    Ok(caller
        .filter(|caller| caller.id() == person)
        .map(|caller| (dialects, caller, home)))
}

/// Where somebody was: nothing is said where that was the first lane, and everybody of the connection was there.
fn home(parts: &[&str]) -> Option<Home> {
    let [lane, from] = parts else {
        let (lane, from) = (Lane::FIRST, None);
        return Some(Home { lane, from });
    };
    let from = from.parse().ok().map(Position::new)?;
    Some(Home {
        lane: Lane::new(lane.parse().ok()?)?,
        from: Some(from),
    })
}

/// Recovers a connection at the place that it returns to; `None` if it cannot be recovered. It is told what it has missed
/// once it is connected, see [`super::delivery::tell_missed`].
pub(super) async fn resume(
    socket: &Socket,
    connection: &Arc<ConnectionState>,
    session: &mut ClientSession,
    place: Place,
) -> Result<Option<Admission>> {
    let services = Arc::clone(&session.services);
    let key = match session.key_holder().await {
        Err(error) if dialect::is_refusal(&error) => return Ok(None),
        outcome => outcome?,
    };
    let credentials = (key.as_ref(), &session.shown_tokens()[..]);
    let Some(returned) = look_up(&services, socket, place, credentials).await? else {
        return Ok(None);
    };
    // A client with a token is recovered as its holder or not at all.
    if let (Some(token), None) = (session.credentials.token.clone(), &key) {
        let back = returned.identities.iter();
        let back: Vec<_> = back.map(|(_, caller, _)| caller.id()).collect();
        if !session.holds_one_of(&token, &back).await? {
            return Ok(None);
        }
    }
    let checked = heads_of(&services, &returned);
    for (dialects, caller, after) in &returned.identities {
        session.act_as_since(*dialects, caller, *after).await?;
    }
    for dialect in session.options.dialects.iter() {
        let entered = returned.entered.iter();
        let entered = entered.filter(|(of, _)| *of == dialect.id());
        let entered: Vec<_> = entered.map(|(_, chat)| *chat).collect();
        if !entered.is_empty() {
            dialect.on_resume(session, &entered).await?;
        }
    }
    for position in &returned.sent {
        session.note_sent(*position);
    }
    let told = Told {
        positions: session.lanes().cloned().unwrap_or(returned.told.positions),
        part: returned.told.part,
    };
    connection.set_recovery(Recovery::returned(
        (returned.private.clone(), returned.holder),
        session.epoch.clone(),
        told,
        checked,
    ));
    Ok(Some(Admission::recovered(
        returned.id,
        returned.private,
        Vec::new(),
    )))
}

/// The heads of the lanes of those for whom a connection comes back.
fn heads_of(services: &Services, returned: &Returned) -> Option<Positions> {
    let lanes = returned.identities.iter();
    let lanes = lanes.map(|(_, caller, _)| services.lane_of(caller.tenant()));
    let mut heads: Option<Positions> = None;
    for lane in lanes {
        let head = services.head_in(lane);
        match &mut heads {
            Some(heads) => heads.raise_in(lane, head),
            None => heads = Some(Positions::new(lane, head)),
        }
    }
    heads
}

/// A session's identities and the chats it has entered, as stored.
pub(super) fn encode_identities(session: &ClientSession) -> String {
    let lanes = session.lanes().map_or(0, Positions::lanes);
    if lanes > MOST_LANES {
        return LOST.to_owned();
    }
    let entries = session.identities().iter().map(|identity| {
        let login = identity
            .caller
            .login()
            .map(|login| login.login.id.to_string());
        let mut entry = format!(
            "{}:{}:{}",
            identity.dialects(),
            login.unwrap_or_default(),
            identity.caller.id()
        );
        if identity.lane() != Lane::FIRST || lanes > 1 {
            let _ = write!(entry, ":{}:{}", identity.lane(), identity.from());
        }
        entry
    });
    let entered = session.options.dialects.iter().flat_map(|dialect| {
        let entered = dialect.entered(session).into_iter();
        entered.map(move |chat| format!("{}:{chat}", dialect.id()))
    });
    format!(
        "{}|{}",
        entries.collect::<Vec<_>>().join(","),
        entered.collect::<Vec<_>>().join(",")
    )
}

/// The same for a lost connection, with its own last messages: they are not echoed to it after recovery.
/// Its client may not know which of them were stored.
pub(super) fn encode_lost(session: &ClientSession) -> String {
    let sent = session.last_sent(SENT).map(|sent| sent.to_string());
    let sent = sent.collect::<Vec<_>>().join(",");
    format!("{}|{sent}", encode_identities(session))
}
