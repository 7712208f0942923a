//! What the writer does when the database fails it: one draft, or a commit whose answer is lost.

use std::{
    cell::Cell,
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicUsize, Ordering},
    },
};

use futures_util::future::join_all;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::RwLock,
};

use crate::{
    support::actor::{Actor, Told},
    support::commits::{Commits, STATEMENTS_AS_TEXT},
    support::place::{Beside, Place},
    support::world::World,
};

async fn say(actor: &Actor, chat: i64, content: &str) -> Told {
    actor
        .post(&format!("/api/chats/{chat}"), &[("content", content)])
        .await
}

/// Makes a message that says "poison" fail, and one that says "slow" slow, when it is committed.
async fn poison(place: &Place) {
    let mut beside = place.beside().await;
    let statements: &[&str] = match &beside {
        Beside::Sqlite(_) => &[
            "create table sound (id integer primary key)",
            "create table poison (id integer references sound (id) deferrable initially deferred)",
            "create trigger poisoned after insert on messages when new.content = 'poison' \
             begin insert into poison values (new.id); end",
        ],
        Beside::Postgres(_) => &[
            "create function poisoned() returns trigger language plpgsql as $$ begin \
             if new.content = 'poison' then raise exception 'poisoned'; end if; \
             if new.content = 'slow' then perform pg_sleep(1); end if; \
             return null; end $$",
            "create constraint trigger poisoned after insert on messages \
             deferrable initially deferred for each row execute function poisoned()",
        ],
    };
    for sql in statements {
        beside.run(sql).await;
    }
}

#[rocket::async_test]
async fn a_draft_that_fails_at_the_commit_fails_alone() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    poison(&world.place).await;
    let lines: Vec<_> = (0..30)
        .map(|number| {
            if number % 10 == 4 {
                "poison".to_owned()
            } else {
                format!("m{number}")
            }
        })
        .collect();
    let told = join_all(lines.iter().map(|line| say(&bo, chat, line))).await;
    for (line, told) in lines.iter().zip(told) {
        if line == "poison" {
            told.refused(500, "internal");
        } else {
            told.ok(201);
        }
    }
    let mut kept = ann.said(chat).await;
    kept.sort();
    let mut expected: Vec<_> = lines.into_iter().filter(|line| line != "poison").collect();
    expected.sort();
    assert_eq!(kept, expected, "each of the others is there, once");
    let mut beside = world.place.beside().await;
    beside.head_without_gaps().await;
    assert_eq!(bo.chat(chat).await["members_count"], 2);
    say(&ann, chat, "and it goes on").await.ok(201);
}

/// What the proxy does with the next commit.
const PASS: u8 = 0;
/// The server commits, and its answer is lost.
const LOSE_ANSWER: u8 = 1;
/// The commit is never forwarded.
const LOSE_COMMIT: u8 = 2;
/// The commit is forwarded, and the connection breaks before it is done.
const BREAK_MEANWHILE: u8 = 3;

/// A TCP proxy between the server under test and PostgreSQL, which breaks connections on demand.
#[derive(Clone, Default)]
struct Wire {
    order: Arc<AtomicU8>,
    commits: Arc<AtomicUsize>,
    /// No commit passes while this is locked.
    gate: Arc<RwLock<()>>,
}

impl Wire {
    /// Starts it, and returns its port.
    async fn lay(&self, upstream: String) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let wire = self.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&upstream)
                    .await
                    .expect("PostgreSQL answers");
                tokio::spawn(wire.clone().carry(client, server));
            }
        });
        port
    }

    async fn carry(self, mut client: TcpStream, mut server: TcpStream) {
        let (mut up, mut down) = (vec![0; 1 << 16], vec![0; 1 << 16]);
        let mut commits = Commits::default();
        loop {
            tokio::select! {
                read = client.read(&mut up) => {
                    let Ok(count @ 1..) = read else { return };
                    let order = self.order_for(&up[..count], &mut commits).await;
                    if order == LOSE_COMMIT || server.write_all(&up[..count]).await.is_err() {
                        return;
                    }
                    if order == LOSE_ANSWER {
                        drop(server.read(&mut down).await);
                    }
                    if order != PASS {
                        return;
                    }
                }
                read = server.read(&mut down) => {
                    let Ok(count @ 1..) = read else { return };
                    if client.write_all(&down[..count]).await.is_err() {
                        return;
                    }
                }
            }
        }
    }

    async fn order_for(&self, bytes: &[u8], commits: &mut Commits) -> u8 {
        if !commits.ends_messages(bytes) {
            return PASS;
        }
        self.commits.fetch_add(1, Ordering::AcqRel);
        let order = self.order.swap(PASS, Ordering::AcqRel);
        drop(self.gate.read().await);
        order
    }
}

/// How often a batch is made to wait before that is taken for a fault.
const ATTEMPTS: usize = 5;

/// What the draft of a number says: one of them takes its time at the commit.
fn line(number: usize) -> String {
    if number == 7 {
        "slow".to_owned()
    } else {
        number.to_string()
    }
}

/// Has a batch of twenty tampered with while another one is held at its commit: what is accepted is there, once, and nothing
/// else. Whether the held one was accepted.
async fn tampered(world: &World, ann: &Actor, wire: &Wire, order: u8) -> bool {
    let chat = ann.make(&format!("chat {order}")).await;
    let commits = wire.commits.load(Ordering::Acquire);
    // While this one is committed the others form one batch.
    let held = wire.gate.write().await;
    let is_given_up = Cell::new(false);
    let first = async {
        let told = say(ann, chat, "first").await;
        is_given_up.set(told.status != 201);
        told
    };
    let others = async {
        while wire.commits.load(Ordering::Acquire) == commits {
            tokio::task::yield_now().await;
        }
        wire.order.store(order, Ordering::Release);
        let lines = (0..20).map(line);
        join_all(lines.map(async |line| say(ann, chat, &line).await)).await
    };
    let let_go = async {
        while world.services().drafts_waiting() < 20 && !is_given_up.get() {
            tokio::task::yield_now().await;
        }
        drop(held);
    };
    let (first, others, ()) = tokio::join!(first, others, let_go);
    assert_eq!(
        wire.order.load(Ordering::Acquire),
        PASS,
        "a commit was tampered with"
    );
    let mut accepted = Vec::new();
    let is_whole = first.status == 201;
    if is_whole {
        accepted.push("first".to_owned());
    } else {
        first.refused(503, "busy");
    }
    for (number, told) in others.into_iter().enumerate() {
        if (order == LOSE_COMMIT || !is_whole) && told.status == 503 {
            told.refused(503, "busy");
        } else {
            told.ok(201);
            accepted.push(line(number));
        }
    }
    let mut kept = ann.said(chat).await;
    kept.sort();
    accepted.sort();
    assert_eq!(
        kept, accepted,
        "order {order}: what was accepted, once, and nothing else"
    );
    is_whole
}

#[rocket::async_test]
async fn a_commit_whose_answer_is_lost_is_neither_lost_nor_doubled() {
    let place = Place::make().await;
    let Place::Postgres { server, name } = &place else {
        // SQLite has no connection to break.
        return;
    };
    let (login, upstream) = server.rsplit_once('@').expect("user@host:port");
    let wire = Wire::default();
    let port = wire.lay(upstream.to_owned()).await;
    let url = format!("{login}@127.0.0.1:{port}/{name}?sslmode=disable&{STATEMENTS_AS_TEXT}");
    let world = World::on(place, &url, "").await;
    poison(&world.place).await;
    let ann = world.actor("ann").await;
    for order in [LOSE_ANSWER, LOSE_COMMIT, BREAK_MEANWHILE] {
        // On a slow machine the one that is held may be given up before the others wait.
        let mut is_whole = false;
        for _ in 0..ATTEMPTS {
            is_whole = is_whole || tampered(&world, &ann, &wire, order).await;
        }
        assert!(
            is_whole,
            "order {order}: the one that is held is given up each time"
        );
    }
    let mut beside = world.place.beside().await;
    let head = beside.head_without_gaps().await;
    assert_eq!(world.head().get(), head, "and all of it was told");
}
