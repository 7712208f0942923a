//! People who write without a pause, in all kinds of ways, and what they were answered.

use std::{
    future::Future,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    time::Instant,
};

use tokio::task::JoinHandle;

use crate::{
    support::actor::{Actor, PASSWORD, Told},
    support::place::Place,
    support::world::{FOREVER, World},
};

/// Who writes, until they are told to stop.
pub(crate) struct Traffic {
    /// Where most of the messages are.
    pub(crate) chat: i64,
    shared: Arc<Shared>,
    writing: Vec<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    is_over: AtomicBool,
    /// How many writes were acknowledged.
    written: AtomicUsize,
    /// How many were refused.
    refused: AtomicUsize,
    acknowledged: Mutex<Acknowledged>,
}

/// What was acknowledged.
#[derive(Debug, Default, Clone)]
pub(crate) struct Acknowledged {
    /// Messages: their ids, and what they say at last; both, where it is not known whether one was edited.
    pub(crate) messages: Vec<(i64, Vec<String>)>,
    /// Reactions: the messages that have one.
    pub(crate) reactions: Vec<i64>,
    /// The names of people, and the tokens that they were given.
    pub(crate) people: Vec<(String, String)>,
    /// Whether somebody has a chat pinned at last.
    pub(crate) pinned: Option<(i64, bool)>,
    /// Read marks: a chat, and how far it was read.
    pub(crate) read: Option<(i64, i64)>,
}

impl Shared {
    /// Counts an answer; whether it is an acknowledgement. What is refused is refused as the contract says.
    fn count(&self, told: &Told) -> bool {
        if (200..300).contains(&told.status) {
            self.written.fetch_add(1, Ordering::AcqRel);
            return true;
        }
        assert_eq!(told.status, 503, "{}", told.body);
        assert!(!told.header("Retry-After").is_empty(), "{:?}", told.headers);
        self.refused.fetch_add(1, Ordering::AcqRel);
        false
    }

    fn note(&self, change: impl FnOnce(&mut Acknowledged)) {
        change(&mut self.acknowledged.lock().expect("nobody panics here"));
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }
}

/// How many answers of each kind there were, for who looks on from a thread of its own.
#[derive(Debug, Clone)]
pub(crate) struct Counts(Arc<Shared>);

impl Counts {
    pub(crate) fn written(&self) -> usize {
        self.0.written.load(Ordering::Acquire)
    }

    pub(crate) fn refused(&self) -> usize {
        self.0.refused.load(Ordering::Acquire)
    }

    /// Returns when something more was acknowledged; blocks the thread.
    pub(crate) fn until_more_is_written(&self) {
        let before = self.written();
        until(|| self.written() > before);
    }

    /// Returns when something more was refused; blocks the thread.
    pub(crate) fn until_more_is_refused(&self) {
        let before = self.refused();
        until(|| self.refused() > before);
    }
}

/// Blocks the thread until something holds; fails when that takes too long.
fn until(holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < FOREVER, "it comes to hold");
        std::thread::yield_now();
    }
}

impl Traffic {
    /// Begins to write at a server.
    pub(crate) async fn begin(world: &World) -> Self {
        let ann = world.actor("ann of the traffic").await;
        let chat = ann.make("traffic").await;
        let (one, two) = (ann.make("spare one").await, ann.make("spare two").await);
        let shared = Arc::<Shared>::default();
        let writing = vec![
            spawn(&shared, sends(ann.clone(), chat, Arc::clone(&shared))),
            spawn(&shared, changes(ann.clone(), chat, Arc::clone(&shared))),
            spawn(
                &shared,
                renames(ann.clone(), (one, two), Arc::clone(&shared)),
            ),
            spawn(&shared, sign_ups(ann, Arc::clone(&shared))),
        ];
        Self {
            chat,
            shared,
            writing,
        }
    }

    pub(crate) fn counts(&self) -> Counts {
        Counts(Arc::clone(&self.shared))
    }

    /// Ends it, and returns what was acknowledged.
    pub(crate) async fn end(self) -> Acknowledged {
        self.shared.is_over.store(true, Ordering::Release);
        for writing in self.writing {
            writing.await.expect("who writes does not fail");
        }
        let acknowledged = self.shared.acknowledged.lock();
        acknowledged.expect("nobody panics here").clone()
    }
}

/// Begins one kind of writing.
fn spawn(
    shared: &Arc<Shared>,
    writing: impl Future<Output = ()> + Send + 'static,
) -> JoinHandle<()> {
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        writing.await;
        assert!(shared.is_over());
    })
}

/// Whether a refusal says that nothing was written: another one may come after the commit.
fn is_known(refused: &Told) -> bool {
    refused.body.contains("is being moved")
}

fn id_of(told: &Told) -> i64 {
    let id = told.header("X-Message-Id").parse();
    id.expect("a message's id is a number")
}

/// Sends messages under keys of their own.
async fn sends(ann: Actor, chat: i64, shared: Arc<Shared>) {
    for number in 0.. {
        if shared.is_over() {
            return;
        }
        let said = format!("sent {number}");
        let told = ann.say_as(chat, &said, &format!("sent-{number}")).await;
        if shared.count(&told) {
            shared.note(|all| all.messages.push((id_of(&told), vec![said])));
        }
    }
}

/// Sends a message, changes it, reacts to it, reads up to it, and deletes one.
async fn changes(ann: Actor, chat: i64, shared: Arc<Shared>) {
    for number in 0.. {
        if shared.is_over() {
            return;
        }
        let said = format!("first {number}");
        let told = ann.say_as(chat, &said, &format!("first-{number}")).await;
        if !shared.count(&told) {
            continue;
        }
        let id = id_of(&told);
        let changed = format!("changed {number}");
        let told = ann.edit(chat, id, &changed).await;
        let said = if shared.count(&told) {
            vec![changed]
        } else if is_known(&told) {
            vec![said]
        } else {
            vec![said, changed]
        };
        shared.note(|all| all.messages.push((id, said)));
        if shared.count(&ann.react(chat, id, "👍").await) {
            shared.note(|all| all.reactions.push(id));
        }
        let up_to = id.to_string();
        let path = format!("/api/chats/{chat}/read");
        if shared.count(&ann.post(&path, &[("up_to", &up_to)]).await) {
            shared.note(|all| all.read = Some((chat, id)));
        }
        let told = ann.say_as(chat, "gone", &format!("gone-{number}")).await;
        if shared.count(&told) {
            shared.count(&ann.unsay(chat, id_of(&told)).await);
        }
    }
}

/// Gives one chat a name, takes it away again, and gives it to the other: a name is one chat's at a time.
async fn renames(ann: Actor, (mut one, mut two): (i64, i64), shared: Arc<Shared>) {
    for number in 0.. {
        if shared.is_over() {
            return;
        }
        let spare = format!("spare {number}");
        for (chat, title) in [(one, "the name"), (one, spare.as_str()), (two, "the name")] {
            let told = ann
                .patch(&format!("/api/chats/{chat}"), &[("title", title)])
                .await;
            // After a refusal the name may be the other's still.
            if told.status != 409 {
                shared.count(&told);
            }
        }
        std::mem::swap(&mut one, &mut two);
        let pinned = number % 2 == 0;
        let form = [("pinned", if pinned { "true" } else { "false" })];
        let path = format!("/api/chats/{}/settings", one.min(two));
        let told = ann.patch(&path, &form).await;
        if shared.count(&told) {
            shared.note(|all| all.pinned = Some((one.min(two), pinned)));
        } else if !is_known(&told) {
            shared.note(|all| all.pinned = None);
        }
    }
}

/// Signs people up, and in.
async fn sign_ups(ann: Actor, shared: Arc<Shared>) {
    for number in 0.. {
        if shared.is_over() {
            return;
        }
        let name = format!("newcomer {number}");
        let form = [
            ("name", name.as_str()),
            ("password", PASSWORD),
            ("email", "a@example.com"),
        ];
        let told = ann.post("/api/reg", &form).await;
        if shared.count(&told) {
            let token = told.cookie("token").expect("a login sets both cookies").0;
            shared.note(|all| all.people.push((name, token)));
        }
    }
}

/// The question whether a message says one of these.
pub(crate) fn says_one_of(id: i64, said: &[String]) -> String {
    let said = said.join("', '");
    format!("select count(*) from messages where id = {id} and content in ('{said}')")
}

impl Acknowledged {
    /// All of it is in a database.
    pub(crate) async fn is_in(&self, place: &Place) {
        let mut beside = place.beside().await;
        for (id, said) in &self.messages {
            let sql = says_one_of(*id, said);
            assert_eq!(beside.number(&sql).await, 1, "{id}: {said:?}");
        }
        for id in &self.reactions {
            let sql = format!("select count(*) from reactions where message_id = {id}");
            assert_eq!(beside.number(&sql).await, 1, "a reaction to {id}");
        }
        for (name, _) in &self.people {
            let sql = format!(
                "select count(*) from people p join logins l on l.person_id = p.id where p.name = '{name}'"
            );
            assert_eq!(beside.number(&sql).await, 1, "{name}");
        }
        if let Some((chat, pinned)) = self.pinned {
            let sql = format!(
                "select count(*) from members where chat_id = {chat} and pinned = {pinned}"
            );
            assert_eq!(beside.number(&sql).await, 1, "pinned: {pinned}");
        }
        if let Some((chat, id)) = self.read {
            let sql = format!(
                "select count(*) from members m join chats c on c.id = m.chat_id where m.chat_id = {chat} \
                 and (m.read_id >= {id} or c.last_sender_id = m.person_id)"
            );
            assert_eq!(beside.number(&sql).await, 1, "read up to {id}");
        }
        assert!(!self.messages.is_empty() && !self.people.is_empty());
    }
}

/// Somebody who sends at a server that may be killed, and edits what they sent. Of an edit without an answer nobody
/// knows whether it was written: the message says either, and is there.
pub(crate) struct Sender {
    pub(crate) port: u64,
    cookies: String,
    chat: String,
    number: usize,
    pub(crate) answered: Vec<(i64, Vec<String>)>,
}

impl Sender {
    pub(crate) async fn sign_up(port: u64) -> Self {
        let http = reqwest::Client::new();
        let form = [
            ("name", "ann"),
            ("password", "correct horse"),
            ("email", "a@example.com"),
        ];
        let told = http.post(format!("http://127.0.0.1:{port}/api/reg"));
        let told = told.form(&form).send().await.expect("it answers");
        assert_eq!(told.status(), 201);
        let cookies = told.headers().get_all("Set-Cookie").iter();
        let cookies = cookies.filter_map(|line| line.to_str().ok()?.split(';').next());
        let cookies = cookies.collect::<Vec<_>>().join("; ");
        let told = http.post(format!("http://127.0.0.1:{port}/api/chats"));
        let told = told.header("Cookie", &cookies).form(&[("title", "tea")]);
        let told = told.send().await.expect("it answers");
        let chat = told.headers()["Location"]
            .to_str()
            .expect("text")
            .to_owned();
        Self {
            port,
            cookies,
            chat,
            number: 0,
            answered: Vec::new(),
        }
    }

    /// Sends until it is told to stop, and notes what is answered.
    pub(crate) fn send_until(mut self, is_over: mpsc::Receiver<()>) -> JoinHandle<Self> {
        tokio::spawn(async move {
            let http = reqwest::Client::new();
            while is_over.try_recv().is_err() {
                let said = format!("sent {}", self.number);
                self.number += 1;
                let chat = format!("http://127.0.0.1:{}{}", self.port, self.chat);
                let Some(told) = self.request(http.post(&chat), &said).await else {
                    continue;
                };
                if told.status() != 201 {
                    continue;
                }
                let id = told.headers()["X-Message-Id"].to_str().expect("text");
                let message = format!("{chat}/messages/{id}");
                let id = id.parse().expect("a number");
                let changed = format!("{said}, changed");
                let told = self.request(http.patch(message), &changed).await;
                let said = match told {
                    Some(told) if told.status() == 200 => vec![changed],
                    Some(_) | None => vec![said, changed],
                };
                self.answered.push((id, said));
            }
            self
        })
    }

    /// The answer to what is said there; none where the server was killed before it.
    async fn request(&self, to: reqwest::RequestBuilder, said: &str) -> Option<reqwest::Response> {
        let request = to.header("Cookie", &self.cookies);
        let told = request.form(&[("content", said)]).send().await.ok()?;
        let status = told.status();
        assert!(status.is_success() || status == 503, "{status}");
        Some(told)
    }
}
