//! A client's copy of its chats: a snapshot, kept up to date by events alone.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::{
    support::actor::{Actor, list, text},
    support::place::Beside,
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
    title: String,
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
        let page = actor
            .get(&format!("/api/chats/{id}?limit=200"))
            .await
            .with(200)
            .json();
        assert_eq!(page["has_more"], false, "the histories here are short");
        list(&page, "people")
            .iter()
            .for_each(|person| self.call(person));
        let messages: BTreeMap<_, _> = list(&page, "messages")
            .into_iter()
            .map(|message| (number(&message["id"]), message))
            .collect();
        let condition =
            format!("from members where chat_id = {id} and standing = 'in' order by person_id");
        let people = beside
            .numbers(&format!("select person_id {condition}"))
            .await;
        let reads = beside.numbers(&format!("select read_id {condition}")).await;
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
        let title = text(&actor.chat(id).await, "title");
        Some(Mirrored {
            title,
            messages,
            members,
            since: since.parse().ok()?,
        })
    }

    /// Asks once for the events since, and keeps the cursor if the answer never comes.
    pub(crate) async fn follow(&mut self, actor: &Actor, limit: u8, beside: &mut Beside) -> bool {
        let path = format!("/api/events?after={}&timeout=0&limit={limit}", self.cursor);
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
            // A person who joins knows nothing of the chat yet.
            match self.fetch(actor, id, beside).await {
                Some(mirrored) => drop(self.chats.insert(id, mirrored)),
                None => drop(self.chats.remove(&id)),
            }
            return;
        }
        let Some(chat) = self.chats.get_mut(&id).filter(|chat| position > chat.since) else {
            return;
        };
        match kind {
            "message" => {
                let message = &event["message"];
                chat.messages.insert(position, message.clone());
                let all = chat.messages.range(..=position).count();
                if let Some(sender) = chat.members.get_mut(&number(&message["sender_id"])) {
                    sender.read = all.max(sender.read);
                }
            }
            "member" => {
                let person = number(&event["person"]["id"]);
                if event["joined"] == false {
                    chat.members.remove(&person);
                } else {
                    let role = text(event, "role");
                    let all = chat.messages.range(..position).count();
                    let member = chat.members.entry(person);
                    member
                        .or_insert(Member {
                            role: String::new(),
                            read: all,
                        })
                        .role = role;
                }
            }
            "read" => {
                let read = chat.messages.range(..=number(&event["up_to"])).count();
                if let Some(reader) = chat.members.get_mut(&number(&event["person_id"])) {
                    reader.read = read.max(reader.read);
                }
            }
            "chat" => chat.title = text(&event["chat"], "title"),
            word => panic!("nobody did anything like {word}"),
        }
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
                "title": chat.title,
                "last_message": of_last("content"),
                "last_message_time": of_last("time"),
                "sender_id": of_last("sender_id"),
                "unread": chat.messages.len() - mine.read,
                "members_count": members.len(),
                "members": members,
                "messages": chat.messages.values().collect::<Vec<_>>(),
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
            "last_message",
            "last_message_time",
            "sender_id",
            "unread",
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
