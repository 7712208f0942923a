//! Doing what a random history says.

use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::future::join_all;
use reqwest::Method;

use crate::{
    support::actor::{Actor, PASSWORD, Told, text},
    support::history::{Action, CHATS, DIRECT, PEOPLE},
    support::world::World,
};

/// A message that was sent.
#[derive(Debug, Clone, Copy)]
struct Sent {
    id: i64,
    chat: i64,
    sender: usize,
}

/// An invitation that was made.
#[derive(Debug, Clone)]
struct Invited {
    chat: i64,
    code: String,
}

/// What came of an action.
#[derive(Default)]
struct Done {
    made: Option<(usize, i64)>,
    sent: Option<Sent>,
    invited: Option<Invited>,
    /// Whose account it deleted.
    erased: Option<usize>,
}

impl Done {
    /// A chat that was made, if one was.
    fn made(place: usize, told: &Told) -> Self {
        let id = told.header("Location").rsplit('/').next();
        let id = id.and_then(|id| id.parse().ok());
        Self {
            made: id.map(|id| (place, id)),
            ..Self::default()
        }
    }

    /// A message that was sent, if one was.
    fn sent(sender: usize, chat: i64, told: &Told) -> Self {
        let id = told.header("X-Message-Id").parse().ok();
        Self {
            sent: id.map(|id| Sent { id, chat, sender }),
            ..Self::default()
        }
    }
}

/// The state of one history: its people, the chats they made, the messages they sent.
pub(crate) struct Stage {
    pub(crate) number: u32,
    pub(crate) people: Vec<Actor>,
    pub(crate) chats: Vec<Option<i64>>,
    sent: Vec<Sent>,
    invited: Vec<Invited>,
    /// Whose account is deleted, or is being deleted in this round.
    gone: [bool; PEOPLE],
}

static STAGES: AtomicU32 = AtomicU32::new(0);
static NEWCOMERS: AtomicU32 = AtomicU32::new(0);

/// One of a list, if it has any.
fn one_of<T>(list: &[T], which: u8) -> Option<&T> {
    list.get(usize::from(which) % list.len().max(1))
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
            chats: vec![None; CHATS + 1],
            sent: Vec::new(),
            invited: Vec::new(),
            gone: [false; PEOPLE],
        }
    }

    /// Whether somebody's account is deleted.
    pub(crate) fn is_gone(&self, who: usize) -> bool {
        self.gone[who]
    }

    /// An answer to something that may be refused, but not fail.
    fn settled(&self, who: usize, told: &Told) {
        let (status, body) = (told.status, &told.body);
        let is_settled = match status {
            200 | 201 | 403 | 404 | 409 => true,
            401 => self.gone[who],
            // Whom they would bring in is gone.
            400 => self.gone.contains(&true) && body.contains("there is no user"),
            _ => false,
        };
        assert!(is_settled, "{status} {body}");
    }

    /// Words, of which some name people by what they are called or were, or everybody; and some are longer than a quote.
    fn words(&self, word: u8) -> String {
        let person = usize::from(word / 8) % PEOPLE;
        let name = format!("{person} of {}", self.number);
        match word % 8 {
            0 | 1 => format!("word {word} for @{name}"),
            2 => format!("@{name} once {}, word {word}", word % 3),
            3 => format!("@all: word {word}"),
            4 => format!("word {word} {}", "\u{e9}".repeat(220)),
            _ => format!("word {word}"),
        }
    }

    async fn act(&self, who: usize, action: &Action) -> Done {
        let actor = &self.people[who];
        match action {
            Action::Create(chat) => return self.create(who, *chat).await,
            Action::Direct(person) if *person != who => return self.direct(who, *person).await,
            Action::Reply(which, word) => return self.reply(who, *which, *word).await,
            Action::Uninvite(which) | Action::Accept(which) | Action::SignUp(which) => {
                self.act_on_invitation(who, *which, action).await;
            }
            Action::Erase => {
                let request = actor.request(Method::DELETE, "/api/me");
                let told = Told::of(request.form(&[("password", PASSWORD)])).await;
                // Another one at the same time may have ended the login, or taken the password.
                let is_known = match told.status {
                    200 | 401 => true,
                    400 => told.body.contains("the present password is wrong"),
                    _ => false,
                };
                assert!(is_known, "{} {}", told.status, told.body);
                return Done {
                    erased: (told.status == 200).then_some(who),
                    ..Done::default()
                };
            }
            Action::Edit(which, _) | Action::Delete(which) | Action::React(which, ..) => {
                self.act_on(who, *which, action).await;
            }
            Action::Call(number) => {
                let name = format!("{who} of {} once {}", self.number, number % 3);
                let told = actor.patch("/api/me", &[("name", &name)]).await;
                self.settled(who, &told);
                if told.status == 200 {
                    assert_eq!(told.json()["name"], name.as_str());
                }
            }
            Action::Drop => {
                let request = actor.request(Method::GET, "/api/events?after=now&timeout=5");
                let asked = tokio::spawn(request.send());
                tokio::task::yield_now().await;
                asked.abort();
            }
            Action::Direct(_) | Action::Follow(_) | Action::Rewind | Action::Reload => {}
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
            | Action::Invite(chat, _)
            | Action::DeleteChat(chat) => {
                if let Some(chat) = self.chats[*chat] {
                    let told = self.act_in(who, chat, action).await;
                    self.settled(who, &told);
                    let is_invitation = matches!(action, Action::Invite(..)) && told.status == 200;
                    let invited = is_invitation.then(|| Invited {
                        chat,
                        code: text(&told.json(), "code"),
                    });
                    return Done {
                        invited,
                        ..Done::sent(who, chat, &told)
                    };
                }
            }
        }
        Done::default()
    }

    async fn create(&self, who: usize, chat: usize) -> Done {
        let title = format!("chat {chat} of {}", self.number);
        let form = [("title", title.as_str())];
        let told = self.people[who].post("/api/chats", &form).await;
        self.settled(who, &told);
        Done::made(chat, &told)
    }

    /// The direct chat of two people.
    async fn direct(&self, who: usize, person: usize) -> Done {
        let other = self.people[person].id.to_string();
        let form = [("members", other.as_str())];
        let told = self.people[who].post("/api/chats", &form).await;
        self.settled(who, &told);
        Done::made(DIRECT, &told)
    }

    async fn reply(&self, who: usize, which: u8, word: u8) -> Done {
        let Some(Sent { id, chat, .. }) = one_of(&self.sent, which).copied() else {
            return Done::default();
        };
        let (content, to) = (self.words(word), id.to_string());
        let form = [("content", content.as_str()), ("reply_to", &to)];
        let path = format!("/api/chats/{chat}");
        let told = self.people[who].post(&path, &form).await;
        self.settled(who, &told);
        Done::sent(who, chat, &told)
    }

    /// Takes an invitation back, or comes by it.
    async fn act_on_invitation(&self, who: usize, which: u8, action: &Action) {
        let Some(Invited { chat, code }) = one_of(&self.invited, which) else {
            return;
        };
        let actor = &self.people[who];
        let told = match action {
            Action::Uninvite(_) => {
                let path = format!("/api/chats/{chat}/invites/{code}");
                actor.delete(&path).await
            }
            Action::Accept(_) => actor.post(&format!("/api/invites/{code}"), &[]).await,
            _ => {
                let number = NEWCOMERS.fetch_add(1, Ordering::Relaxed);
                let name = format!("newcomer {number}");
                let form = [
                    ("name", name.as_str()),
                    ("password", PASSWORD),
                    ("email", "new@example.com"),
                    ("invite", code),
                ];
                let told = actor.post("/api/reg", &form).await;
                // The invitation may be over.
                assert!(matches!(told.status, 201 | 400), "{}", told.body);
                return;
            }
        };
        self.settled(who, &told);
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
                let content = self.words(*word);
                actor.post(&path, &[("content", &content)]).await
            }
            Action::SayAs(_, key) => {
                actor
                    .say_as(chat, &format!("key {key}"), &format!("k{key}"))
                    .await
            }
            Action::Read(_, which) => {
                let sent = one_of(&self.sent, *which);
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
            Action::Invite(_, uses) => {
                let uses = uses.to_string();
                let form = [("uses", uses.as_str())];
                let form = if uses == "0" { &[][..] } else { &form };
                actor.post(&format!("{path}/invites"), form).await
            }
            Action::DeleteChat(_) => actor.delete(&path).await,
            other => panic!("{other:?} happens in no chat"),
        }
    }

    /// Changes or deletes one of the messages in its sender's name, or reacts to it.
    async fn act_on(&self, who: usize, which: u8, action: &Action) {
        let Some(sent) = one_of(&self.sent, which) else {
            return;
        };
        let asks = match action {
            Action::React(..) => who,
            _ => sent.sender,
        };
        if self.gone[asks] && asks != who {
            return;
        }
        let (actor, sender) = (&self.people[who], &self.people[sent.sender]);
        let path = format!("/api/chats/{}/messages/{}", sent.chat, sent.id);
        let told = match action {
            Action::Edit(_, word) => {
                let content = format!("edited {}", self.words(*word));
                sender.patch(&path, &[("content", &content)]).await
            }
            Action::React(_, emoji, set) => {
                let emoji = ["%F0%9F%91%8D", "%F0%9F%8E%89"][usize::from(emoji % 2)];
                let method = if *set { Method::PUT } else { Method::DELETE };
                Told::of(actor.request(method, &format!("{path}/reactions/{emoji}"))).await
            }
            _ => sender.delete(&path).await,
        };
        self.settled(asks, &told);
    }

    /// Runs all actions of one round concurrently.
    pub(crate) async fn round(&mut self, round: &[(usize, Action)]) {
        let was_gone = self.gone;
        for (who, action) in round {
            self.gone[*who] |= matches!(action, Action::Erase);
        }
        let actions = round.iter().filter(|(who, _)| !was_gone[*who]);
        let done = join_all(actions.map(|(who, action)| self.act(*who, action))).await;
        let erased: Vec<_> = done.iter().filter_map(|done| done.erased).collect();
        for who in (0..PEOPLE).filter(|who| self.gone[*who] && !was_gone[*who]) {
            assert!(
                erased.contains(&who),
                "the account of {who} is deleted by one of those who asked"
            );
        }
        for Done {
            made,
            sent,
            invited,
            ..
        } in done
        {
            if let Some((chat, id)) = made {
                self.chats[chat] = Some(id);
            }
            self.sent.extend(sent);
            self.invited.extend(invited);
        }
    }
}
