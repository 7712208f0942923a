//! Random histories: what some people do in some chats, and doing it.

use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::future::join_all;
use proptest::{
    collection::vec,
    prelude::{Just, Strategy, any, prop_oneof},
};
use reqwest::Method;

use crate::{
    support::actor::{Actor, Told},
    support::world::World,
};

pub(crate) const PEOPLE: usize = 3;
pub(crate) const CHATS: usize = 3;

/// One thing that one person does. Whether they may is the server's to say.
#[derive(Debug, Clone)]
pub(crate) enum Action {
    Create(usize),
    Join(usize),
    Leave(usize),
    Say(usize, u8),
    /// The same words under the same key are the same message.
    SayAs(usize, u8),
    Read(usize, u8),
    /// Changes what one of the messages says.
    Edit(u8, u8),
    Delete(u8),
    React(u8, u8, bool),
    /// Gets another name.
    Call(u8),
    Add(usize, usize),
    Remove(usize, usize),
    SetRole(usize, usize, &'static str),
    Rename(usize, u8),
    Describe(usize, u8),
    Open(usize, bool),
    Set(usize, u8),
    DeleteChat(usize),
    /// Asks for events with a small limit.
    Follow(u8),
    /// Asks, and gives up before the answer.
    Drop,
    /// Loses the state since the first snapshot.
    Rewind,
    /// Begins with a new snapshot.
    Reload,
}

fn action() -> impl Strategy<Value = Action> {
    let chat = || 0..CHATS;
    let member = || (0..CHATS, 0..PEOPLE);
    prop_oneof![
        2 => chat().prop_map(Action::Create),
        3 => chat().prop_map(Action::Join),
        2 => chat().prop_map(Action::Leave),
        6 => (chat(), any::<u8>()).prop_map(|(chat, word)| Action::Say(chat, word)),
        3 => (chat(), 0..3_u8).prop_map(|(chat, key)| Action::SayAs(chat, key)),
        3 => (chat(), any::<u8>()).prop_map(|(chat, which)| Action::Read(chat, which)),
        2 => any::<(u8, u8)>().prop_map(|(which, word)| Action::Edit(which, word)),
        1 => any::<u8>().prop_map(Action::Delete),
        3 => any::<(u8, u8, bool)>().prop_map(|(which, emoji, set)| Action::React(which, emoji, set)),
        1 => any::<u8>().prop_map(Action::Call),
        2 => member().prop_map(|(chat, person)| Action::Add(chat, person)),
        1 => member().prop_map(|(chat, person)| Action::Remove(chat, person)),
        2 => (member(), prop_oneof![Just("admin"), Just("member")])
            .prop_map(|((chat, person), role)| Action::SetRole(chat, person, role)),
        1 => (chat(), any::<u8>()).prop_map(|(chat, word)| Action::Rename(chat, word)),
        1 => (chat(), any::<u8>()).prop_map(|(chat, word)| Action::Describe(chat, word)),
        1 => (chat(), any::<bool>()).prop_map(|(chat, open)| Action::Open(chat, open)),
        2 => (chat(), any::<u8>()).prop_map(|(chat, what)| Action::Set(chat, what)),
        1 => chat().prop_map(Action::DeleteChat),
        3 => (1..6_u8).prop_map(Action::Follow),
        1 => Just(Action::Drop),
        1 => Just(Action::Rewind),
        1 => Just(Action::Reload),
    ]
}

/// Rounds of actions; those of one round run concurrently.
pub(crate) fn history() -> impl Strategy<Value = Vec<Vec<(usize, Action)>>> {
    vec(vec((0..PEOPLE, action()), 1..5), 1..14)
}

/// A message that was sent.
#[derive(Debug, Clone, Copy)]
struct Sent {
    id: i64,
    chat: i64,
    sender: usize,
}

/// What came of an action.
#[derive(Default)]
struct Done {
    made: Option<(usize, i64)>,
    sent: Option<Sent>,
}

/// The state of one history: its people, the chats they made, the messages they sent.
pub(crate) struct Stage {
    pub(crate) number: u32,
    pub(crate) people: Vec<Actor>,
    pub(crate) chats: Vec<Option<i64>>,
    sent: Vec<Sent>,
}

static STAGES: AtomicU32 = AtomicU32::new(0);

/// The answer to something that may be refused, but not fail.
fn settled(told: &Told) {
    let (status, body) = (told.status, &told.body);
    assert!(
        matches!(status, 200 | 201 | 403 | 404 | 409),
        "{status} {body}"
    );
}

impl Stage {
    pub(crate) async fn set(world: &World) -> Self {
        let number = STAGES.fetch_add(1, Ordering::Relaxed);
        let names: Vec<_> = (0..PEOPLE)
            .map(|person| format!("{person} of {number}"))
            .collect();
        let people = join_all(names.iter().map(|name| world.actor(name))).await;
        Self {
            number,
            people,
            chats: vec![None; CHATS],
            sent: Vec::new(),
        }
    }

    async fn act(&self, who: usize, action: &Action) -> Done {
        let actor = &self.people[who];
        match action {
            Action::Create(chat) => return self.create(actor, *chat).await,
            Action::Edit(which, _) | Action::Delete(which) | Action::React(which, ..) => {
                self.act_on(who, *which, action).await;
            }
            Action::Call(number) => {
                let name = format!("{who} of {} once {number}", self.number);
                let told = actor.patch("/api/me", &[("name", &name)]).await.with(200);
                assert_eq!(told.json()["name"], name.as_str());
            }
            Action::Drop => {
                let request = actor.request(Method::GET, "/api/events?after=now&timeout=5");
                let asked = tokio::spawn(request.send());
                tokio::task::yield_now().await;
                asked.abort();
            }
            Action::Follow(_) | Action::Rewind | Action::Reload => {}
            Action::Join(chat)
            | Action::Leave(chat)
            | Action::Say(chat, _)
            | Action::SayAs(chat, _)
            | Action::Read(chat, _)
            | Action::Add(chat, _)
            | Action::Remove(chat, _)
            | Action::SetRole(chat, ..)
            | Action::Rename(chat, _)
            | Action::Describe(chat, _)
            | Action::Open(chat, _)
            | Action::Set(chat, _)
            | Action::DeleteChat(chat) => {
                if let Some(chat) = self.chats[*chat] {
                    let told = self.act_in(who, chat, action).await;
                    settled(&told);
                    let id = told.header("X-Message-Id").parse().ok();
                    let sent = id.map(|id| Sent {
                        id,
                        chat,
                        sender: who,
                    });
                    return Done { made: None, sent };
                }
            }
        }
        Done::default()
    }

    async fn create(&self, actor: &Actor, chat: usize) -> Done {
        let title = format!("chat {chat} of {}", self.number);
        let told = actor.post("/api/chats", &[("title", &title)]).await;
        settled(&told);
        let id = told.header("Location").rsplit('/').next();
        let id = id.and_then(|id| id.parse().ok());
        Done {
            made: id.map(|id| (chat, id)),
            sent: None,
        }
    }

    /// Sends the request of an action in a chat.
    async fn act_in(&self, who: usize, chat: i64, action: &Action) -> Told {
        let actor = &self.people[who];
        let path = format!("/api/chats/{chat}");
        let member = |person: &usize| format!("{path}/members/{}", self.people[*person].id);
        match action {
            Action::Join(_) => actor.post(&format!("{path}/join"), &[]).await,
            Action::Leave(_) => actor.post(&format!("{path}/leave"), &[]).await,
            Action::Say(_, word) => {
                let content = format!("word {word}");
                actor.post(&path, &[("content", &content)]).await
            }
            Action::SayAs(_, key) => {
                actor
                    .say_as(chat, &format!("key {key}"), &format!("k{key}"))
                    .await
            }
            Action::Read(_, which) => {
                let sent = self.sent.get(usize::from(*which) % self.sent.len().max(1));
                let up_to = sent.map_or(1, |sent| sent.id).to_string();
                actor
                    .post(&format!("{path}/read"), &[("up_to", &up_to)])
                    .await
            }
            Action::Add(_, person) => {
                let person = self.people[*person].id.to_string();
                actor
                    .post(&format!("{path}/members"), &[("members", &person)])
                    .await
            }
            Action::Remove(_, person) => actor.delete(&member(person)).await,
            Action::SetRole(_, person, role) => {
                actor.patch(&member(person), &[("role", role)]).await
            }
            Action::Rename(_, word) => {
                let title = format!("title {} of {}", word % 4, self.number);
                actor.patch(&path, &[("title", &title)]).await
            }
            Action::Describe(_, word) => {
                let text = ["", "one", "another"][usize::from(word % 3)];
                actor.patch(&path, &[("description", text)]).await
            }
            Action::Open(_, open) => {
                let open = open.to_string();
                actor.patch(&path, &[("open", &open)]).await
            }
            Action::Set(_, what) => {
                let set = [
                    ("notify", "none"),
                    ("notify", "mentions"),
                    ("pinned", "true"),
                    ("pinned", "false"),
                    ("muted_until", "2099-01-31T09:30:00Z"),
                    ("muted_until", ""),
                ][usize::from(what % 6)];
                actor.patch(&format!("{path}/settings"), &[set]).await
            }
            Action::DeleteChat(_) => actor.delete(&path).await,
            other => panic!("{other:?} happens in no chat"),
        }
    }

    /// Changes or deletes one of the messages in its sender's name, or reacts to it.
    async fn act_on(&self, who: usize, which: u8, action: &Action) {
        let count = self.sent.len().max(1);
        let Some(sent) = self.sent.get(usize::from(which) % count) else {
            return;
        };
        let (actor, sender) = (&self.people[who], &self.people[sent.sender]);
        let path = format!("/api/chats/{}/messages/{}", sent.chat, sent.id);
        let told = match action {
            Action::Edit(_, word) => {
                let content = format!("edited {word}");
                sender.patch(&path, &[("content", &content)]).await
            }
            Action::React(_, emoji, set) => {
                let emoji = ["%F0%9F%91%8D", "%F0%9F%8E%89"][usize::from(emoji % 2)];
                let method = if *set { Method::PUT } else { Method::DELETE };
                Told::of(actor.request(method, &format!("{path}/reactions/{emoji}"))).await
            }
            _ => sender.delete(&path).await,
        };
        settled(&told);
    }

    /// Runs all actions of one round concurrently.
    pub(crate) async fn round(&mut self, round: &[(usize, Action)]) {
        let actions = round.iter();
        let done = join_all(actions.map(|(who, action)| self.act(*who, action))).await;
        for Done { made, sent } in done {
            if let Some((chat, id)) = made {
                self.chats[chat] = Some(id);
            }
            self.sent.extend(sent);
        }
    }
}
