//! A client's copy of its chats: a snapshot, kept up to date by events alone.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::{
    support::actor::{Actor, list, text},
    support::place::Beside,
    support::poll::but_presence,
};

/// A member of a chat, as far as everybody in it knows.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Member {
    role: String,
    /// How many of the chat's messages they have read.
    read: usize,
}

/// A chat that its owner is in.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mirrored {
    /// What a `chat` event tells of it: its title, its description, whether it is open.
    facts: Value,
    /// The other one of a direct chat, whose name is its title.
    other: Option<i64>,
    /// What its owner has set for themselves.
    settings: Value,
    messages: BTreeMap<i64, Value>,
    members: BTreeMap<i64, Member>,
    /// Events up to here are in it already.
    since: i64,
}

/// Everything that a person's client knows, and its cursor.
#[derive(Debug, Clone)]
pub(crate) struct Mirror {
    me: i64,
    cursor: String,
    chats: BTreeMap<i64, Mirrored>,
    /// What everybody is called of whom it was told.
    names: BTreeMap<i64, String>,
}

/// How many characters of a message an answer shows.
const QUOTED: usize = 200;

impl Mirrored {
    /// Somebody comes, goes or gets a role.
    fn member(&mut self, event: &Value, position: i64) {
        let person = number(&event["person"]["id"]);
        if event["joined"] == false {
            self.members.remove(&person);
            return;
        }
        let read = self.messages.range(..position).count();
        let member = self.members.entry(person).or_insert(Member {
            role: String::new(),
            read,
        });
        member.role = text(event, "role");
    }

    /// A message says something else, or nothing any more; so do the quotes of it.
    fn rewritten(&mut self, event: &Value) {
        let mut message = plain(event["message"].clone());
        let id = number(&message["id"]);
        for answer in self.messages.values_mut() {
            let quote = &mut answer["reply_to"];
            if quote["id"] == id {
                let quoted = text(&message, "content").chars().take(QUOTED).collect();
                quote["content"] = Value::String(quoted);
                quote["deleted_at"] = message["deleted_at"].clone();
            }
        }
        let known = self.messages.get_mut(&id);
        let known = known.expect("it was told before");
        if event["type"] == "edited" {
            // Which of them are mine, the event does not say.
            message["reactions"] = known["reactions"].take();
        }
        *known = message;
    }

    /// What their owner has not read, and is still there.
    fn unread(&self, me: i64) -> impl Iterator<Item = &Value> {
        let read = self.members[&me].read;
        let unread = self.messages.values().skip(read);
        unread.filter(|message| message["deleted_at"].is_null())
    }

    /// Somebody sets a reaction or takes it back.
    fn reaction(&mut self, event: &Value, me: i64) {
        let message = self.messages.get_mut(&number(&event["message_id"]));
        let reactions = &mut message.expect("it was told before")["reactions"];
        let reaction = &mut reactions[text(event, "emoji")];
        let added = event["added"] == true;
        let mine = if event["person_id"] == me {
            added
        } else {
            reaction[1] == true
        };
        // A message that was told late has them already: the number is set, not counted.
        let count = number(&event["count"]);
        *reaction = if count > 0 {
            json!([count, mine])
        } else {
            Value::Null
        };
    }
}

/// Whether a message names somebody.
fn names(message: &Value, person: i64) -> bool {
    let mut people = message["mentions"].as_array().into_iter().flatten();
    message["mentions_all"] == true || people.any(|named| *named == person)
}

/// A message with its reactions by their emoji: how many, and whether one is mine.
fn plain(mut message: Value) -> Value {
    let mut reactions = json!({});
    for reaction in list(&message, "reactions") {
        let mine = reaction["me"] == true;
        reactions[text(&reaction, "emoji")] = json!([reaction["count"], mine]);
    }
    message["reactions"] = reactions;
    message
}

/// The same as a snapshot has it, without those that were taken back.
fn without_none(message: &Value) -> Value {
    let mut message = message.clone();
    if let Some(reactions) = message["reactions"].as_object_mut() {
        reactions.retain(|_, reaction| !reaction.is_null());
    }
    message
}

fn facts(chat: &Value) -> Value {
    json!({"title": chat["title"], "description": chat["description"], "open": chat["open"]})
}

fn settings(chat: &Value) -> Value {
    let keys = ["notify", "notify_chosen", "pinned", "muted_until"];
    keys.iter()
        .map(|key| ((*key).to_owned(), chat[key].clone()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// What goes for a member who has chosen nothing follows the size of the chat.
fn notify(settings: &Value, members: usize) -> Value {
    match (settings["notify_chosen"] == true, members) {
        (true, _) => settings["notify"].clone(),
        (false, ..=20) => json!("all"),
        (false, _) => json!("mentions"),
    }
}

impl Mirror {
    /// A fresh snapshot: the cursor first, then what there is.
    pub(crate) async fn take(actor: &Actor, beside: &mut Beside) -> Self {
        let (listed, cursor) = actor.chats().await;
        let mut mirror = Self {
            me: actor.id,
            cursor,
            chats: BTreeMap::new(),
            names: BTreeMap::new(),
        };
        for chat in listed.iter().filter(|chat| chat["member"] == true) {
            let id = number(&chat["id"]);
            if let Some(mirrored) = mirror.fetch(actor, id, beside).await {
                mirror.chats.insert(id, mirrored);
            }
        }
        mirror
    }

    /// What there is to know of one chat now; nothing when its owner is not in it.
    async fn fetch(&mut self, actor: &Actor, id: i64, beside: &mut Beside) -> Option<Mirrored> {
        let told = actor.get(&format!("/api/chats/{id}?limit=200")).await;
        if told.status == 404 {
            // They were in it, and are not any more.
            return None;
        }
        let page = told.with(200).json();
        assert_eq!(page["has_more"], false, "the histories here are short");
        for person in list(&page, "people") {
            self.call(&person);
        }
        let messages: BTreeMap<_, _> = list(&page, "messages")
            .into_iter()
            .map(|message| (number(&message["id"]), plain(message)))
            .collect();
        let condition = format!(
            "from members m join chats c on c.id = m.chat_id \
             where m.chat_id = {id} and m.standing = 'in' order by m.person_id"
        );
        let people = beside
            .numbers(&format!("select person_id {condition}"))
            .await;
        let reads = beside
            .numbers(&format!(
                "select case when c.last_sender_id = m.person_id and c.last_message_id > m.read_id \
                 then c.last_message_id else m.read_id end {condition}"
            ))
            .await;
        let admins: BTreeSet<_> = beside
            .numbers(&format!(
                "select case role when 'admin' then person_id else 0 end {condition}"
            ))
            .await
            .into_iter()
            .collect();
        let members: BTreeMap<_, _> = people
            .into_iter()
            .zip(reads)
            .map(|(person, read)| {
                let role = if admins.contains(&person) {
                    "admin"
                } else {
                    "member"
                };
                let read = messages.range(..=read).count();
                (
                    person,
                    Member {
                        role: role.to_owned(),
                        read,
                    },
                )
            })
            .collect();
        let (_, since) = text(&page, "cursor")
            .rsplit_once('.')
            .map(|(a, b)| (a.to_owned(), b.to_owned()))?;
        members.contains_key(&self.me).then_some(())?;
        let listed = actor.chat(id).await;
        let other = listed["person_id"].as_i64();
        if let Some(other) = other {
            self.names.insert(other, text(&listed, "title"));
        }
        Some(Mirrored {
            facts: facts(&listed),
            other,
            settings: settings(&listed),
            messages,
            members,
            since: since.parse().ok()?,
        })
    }

    /// Asks once for the events since, and keeps the cursor if the answer never comes.
    pub(crate) async fn follow(&mut self, actor: &Actor, limit: u8, beside: &mut Beside) -> bool {
        let path = format!("/api/events?after={}&timeout=0&limit={limit}", self.cursor);
        let path = but_presence(&path);
        let told = actor.get(&path).await.with(200).json();
        for event in list(&told, "events") {
            self.apply(actor, &event, beside).await;
        }
        self.cursor = text(&told, "cursor");
        told["more"] == true
    }

    fn call(&mut self, person: &Value) {
        self.names
            .insert(number(&person["id"]), text(person, "name"));
    }

    async fn apply(&mut self, actor: &Actor, event: &Value, beside: &mut Beside) {
        let told = event["people"].as_array().into_iter().flatten();
        let told = told.chain(event.get("person"));
        told.for_each(|person| self.call(person));
        if event["type"] == "person" {
            assert!(
                event.get("chat_id").is_none(),
                "it belongs to no chat: {event}"
            );
            return;
        }
        let (id, position) = (number(&event["chat_id"]), number(&event["position"]));
        let kind = event["type"].as_str().expect("a type");
        let own = kind == "member" && event["person"]["id"] == self.me;
        if own && event["joined"] == false {
            self.chats.remove(&id);
            return;
        }
        if own {
            if let Some(chat) = self.chats.get_mut(&id) {
                // They are in it already, and have another role.
                if position > chat.since {
                    chat.member(event, position);
                }
                return;
            }
            // A person who joins knows nothing of the chat yet.
            match self.fetch(actor, id, beside).await {
                Some(mirrored) => drop(self.chats.insert(id, mirrored)),
                None => drop(self.chats.remove(&id)),
            }
            return;
        }
        let me = self.me;
        let Some(chat) = self.chats.get_mut(&id).filter(|chat| position > chat.since) else {
            return;
        };
        match kind {
            "message" => {
                let message = &event["message"];
                chat.messages.insert(position, plain(message.clone()));
                let all = chat.messages.range(..=position).count();
                if let Some(sender) = chat.members.get_mut(&number(&message["sender_id"])) {
                    sender.read = all.max(sender.read);
                }
            }
            "edited" | "deleted" => chat.rewritten(event),
            "reaction" => chat.reaction(event, me),
            "member" => chat.member(event, position),
            "settings" => chat.settings = settings(&event["settings"]),
            "read" => {
                let read = chat.messages.range(..=number(&event["up_to"])).count();
                if let Some(reader) = chat.members.get_mut(&number(&event["person_id"])) {
                    reader.read = read.max(reader.read);
                }
            }
            "chat" if !event["chat"]["deleted_at"].is_null() => drop(self.chats.remove(&id)),
            "chat" => chat.facts = facts(&event["chat"]),
            word => panic!("nobody did anything like {word}"),
        }
    }

    /// The position up to which it has been told everything.
    pub(crate) fn position(&self) -> i64 {
        let (_, position) = self.cursor.rsplit_once('.').expect("a cursor");
        position.parse().expect("a number")
    }

    /// Goes back to an earlier cursor, as a client does that lost its later state.
    pub(crate) fn rewind(&mut self, earlier: &Self) {
        self.clone_from(earlier);
    }

    /// What this client would show: the list of its chats, and each chat.
    pub(crate) fn shown(&self) -> Value {
        let show = |(id, chat): (&i64, &Mirrored)| {
            let last = chat.messages.values().next_back();
            let of_last = |key: &str| last.map_or(Value::Null, |message| message[key].clone());
            let mine = &chat.members[&self.me];
            let members: Vec<_> = chat
                .members
                .iter()
                .map(|(person, member)| json!([person, member.role, member.read]))
                .collect();
            json!({
                "id": id,
                "title": chat.other.map_or(chat.facts["title"].clone(), |other| {
                    self.names[&other].as_str().into()
                }),
                "description": chat.facts["description"],
                "open": chat.facts["open"],
                "role": mine.role,
                "notify": notify(&chat.settings, members.len()),
                "notify_chosen": chat.settings["notify_chosen"],
                "pinned": chat.settings["pinned"],
                "muted_until": chat.settings["muted_until"],
                "last_message": of_last("content"),
                "last_message_time": of_last("time"),
                "sender_id": of_last("sender_id"),
                "unread": chat.unread(self.me).count(),
                "first_unread": chat.unread(self.me).next().map(|message| &message["id"]),
                "unread_mentions": chat.unread(self.me)
                    .filter(|message| names(message, self.me))
                    .count(),
                "members_count": members.len(),
                "members": members,
                "messages": chat.messages.values().map(without_none).collect::<Vec<_>>(),
                "senders": chat.messages.values()
                    .map(|message| &self.names[&number(&message["sender_id"])])
                    .collect::<Vec<_>>(),
            })
        };
        self.chats.iter().map(show).collect()
    }

    /// Compares the server's list of chats with this copy.
    pub(crate) async fn agrees_with_the_list(&self, actor: &Actor) {
        let (listed, _) = actor.chats().await;
        let keys = [
            "id",
            "title",
            "description",
            "open",
            "role",
            "notify",
            "notify_chosen",
            "pinned",
            "muted_until",
            "last_message",
            "last_message_time",
            "sender_id",
            "unread",
            "first_unread",
            "unread_mentions",
            "members_count",
        ];
        let pick = |chat: &Value| Value::from(keys.map(|key| chat[key].clone()).to_vec());
        let mut theirs: Vec<_> = listed
            .iter()
            .filter(|chat| chat["member"] == true)
            .map(pick)
            .collect();
        theirs.sort_by_key(|chat| number(&chat[0]));
        let ours: Vec<_> = self
            .shown()
            .as_array()
            .expect("a list")
            .iter()
            .map(pick)
            .collect();
        assert_eq!(ours, theirs);
    }
}

fn number(value: &Value) -> i64 {
    value.as_i64().expect("a number")
}
