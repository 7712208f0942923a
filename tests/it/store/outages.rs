//! While the database cannot be written to, or does not answer: the errors, how soon they come, and that
//! service resumes by itself.

use std::{
    fs,
    future::Future,
    path::PathBuf,
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{future::join_all, poll};
use parlance::{
    chat::messages::{self, Draft},
    model::{ChatId, Content, MessageKind},
};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};

use crate::{
    support::actor::{Actor, Told, text},
    support::commits::{Commits, STATEMENTS_AS_TEXT},
    support::place::{Beside, Place},
    support::world::{FOREVER, World},
};

/// Whatever the database does, every request has an answer by then.
const IN_TIME: Duration = Duration::from_secs(10);

async fn say(actor: &Actor, chat: i64, content: &str) -> Told {
    actor
        .post(&format!("/api/chats/{chat}"), &[("content", content)])
        .await
}

/// The output of a future, checked to come in time.
async fn in_time<T>(work: impl Future<Output = T>) -> T {
    let began = Instant::now();
    let outcome = work.await;
    assert!(began.elapsed() < IN_TIME, "{:?}", began.elapsed());
    outcome
}

/// Checks that a request was refused with 503 and `Retry-After`.
#[track_caller]
fn busy(told: Told) {
    let told = told.refused(503, "busy");
    let wait: u64 = told
        .header("Retry-After")
        .parse()
        .expect("a number of seconds");
    assert!(wait >= 1);
}

/// Sends until it is accepted, which must be soon once nothing stands in the way.
async fn accepted_again(actor: &Actor, chat: i64, content: &str) {
    in_time(async {
        loop {
            let told = say(actor, chat, content).await;
            if told.status == 201 {
                return;
            }
            busy(told);
        }
    })
    .await;
}

/// Asks until the server is healthy.
async fn well(world: &World) {
    in_time(async {
        while world.get("/health").await.status != 200 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    world.get("/health/ready").await.with(200);
    let told = world.get("/health").await.with(200).json();
    let parts = told["parts"].as_object().expect("each part");
    let fails = |part: &Value| part["state"] == "failed";
    assert!(parts.len() > 3 && !parts.values().any(fails), "{told}");
}

async fn ill(world: &World) {
    let told = in_time(world.get("/health")).await;
    let json = told.json();
    let parts = json["parts"].as_object().expect("each part");
    let fails = |part: &Value| part["state"] == "failed" && part["error"] == json["error"];
    assert!(parts.values().any(fails), "{json}");
    busy(told);
    busy(in_time(world.get("/health/ready")).await);
    world.get("/health/live").await.with(200);
}

/// The state of a part, and since when.
async fn part(world: &World, name: &str) -> (String, String) {
    let told = world.get("/health").await.json();
    let part = &told["parts"][name];
    (text(part, "state"), text(part, "since"))
}

/// Everybody may read, nobody may write.
async fn hold(beside: &mut Beside) {
    let statements: &[&str] = match beside {
        Beside::Sqlite(_) => &["begin immediate"],
        Beside::Postgres(_) => &[
            "begin",
            "lock table log, people, logins, tenants, domains in exclusive mode",
        ],
    };
    for sql in statements {
        beside.run(sql).await;
    }
}

#[rocket::async_test]
async fn a_transaction_that_the_database_ends_by_itself_spoils_nothing() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    let mut beside = world.place.beside().await;
    // As with a full disk or an I/O error on SQLite: the whole transaction is rolled back at once.
    let statements: &[&str] = match &beside {
        Beside::Sqlite(_) => &[
            "create trigger ending after insert on messages when new.content = 'end' \
             begin select raise(rollback, 'ended'); end",
        ],
        Beside::Postgres(_) => &[
            "create function ending() returns trigger language plpgsql as $$ begin \
             if new.content = 'end' then perform pg_terminate_backend(pg_backend_pid()); end if; \
             return null; end $$",
            "create trigger ending after insert on messages for each row execute function ending()",
        ],
    };
    for sql in statements {
        beside.run(sql).await;
    }
    for round in 0..6 {
        let told = in_time(say(&bo, chat, "end")).await;
        assert!([500, 503].contains(&told.status), "{}", told.body);
        accepted_again(&bo, chat, &format!("m{round}")).await;
    }
    well(&world).await;
    assert_eq!(ann.said(chat).await, ["m0", "m1", "m2", "m3", "m4", "m5"]);
    beside.head_without_gaps().await;
}

#[rocket::async_test]
async fn while_nothing_can_be_written_everybody_is_told_in_time_and_reads_go_on() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    say(&ann, chat, "before").await.ok(201);
    well(&world).await;
    let mut beside = world.place.beside().await;
    hold(&mut beside).await;

    let posts = join_all((0..20).map(|n| {
        let bo = &bo;
        async move { in_time(say(bo, chat, &format!("lost {n}"))).await }
    }));
    for told in posts.await {
        busy(told);
    }
    ill(&world).await;
    let (state, since) = part(&world, "log").await;
    assert_eq!(state, "failed");
    assert_eq!(part(&world, "database").await.0, "ok", "it can be read");
    let began = Instant::now();
    busy(say(&bo, chat, "lost too").await);
    assert!(
        began.elapsed() < Duration::from_secs(2),
        "while it is known, it is said at once"
    );
    assert_eq!(bo.said(chat).await, ["before"]);
    ann.get("/api/events?after=now&timeout=0").await.with(200);
    ann.get("/api/me").await.with(200);

    assert_eq!(part(&world, "log").await.1, since, "all the time");
    beside.run("rollback").await;
    accepted_again(&bo, chat, "after").await;
    well(&world).await;
    assert!(part(&world, "log").await.1 > since);
    assert_eq!(ann.said(chat).await, ["before", "after"]);
    beside.head_without_gaps().await;
}

#[rocket::async_test]
async fn accounts_of_every_api_are_refused_with_503_in_its_own_shape() {
    let world =
        World::with("admin_email = 'root@example.com'\nadmin_password = 'correct horse'").await;
    world.actor("ann").await;
    let owner = [
        ("email", "own@shop.example"),
        ("password", "correct horse"),
        ("domain", "shop.example"),
    ];
    world.post("/owner/register", &owner).await.with(200);
    let mut beside = world.place.beside().await;
    hold(&mut beside).await;
    let messenger = [
        (
            "/api/reg",
            vec![
                ("name", "bo"),
                ("password", "correct horse"),
                ("email", "b@example.com"),
            ],
        ),
        (
            "/api/login",
            vec![("name", "ann"), ("password", "correct horse")],
        ),
    ];
    let support = [
        (
            "/owner/register",
            vec![
                ("email", "two@shop.example"),
                ("password", "correct horse"),
                ("domain", "other.example"),
            ],
        ),
        ("/owner/login", owner[..2].to_vec()),
        (
            "/api/events/getNewChat",
            vec![
                ("email", "g@example.com"),
                ("name", "Gus"),
                ("domain", "shop.example"),
            ],
        ),
    ];
    let service = [(
        "/auth/login",
        vec![("email", "root@example.com"), ("password", "correct horse")],
    )];
    let ask = |(path, form): (&'static str, Vec<(&'static str, &'static str)>)| {
        let world = &world;
        async move { (path, in_time(world.post(path, &form)).await) }
    };
    let messenger = join_all(messenger.map(ask));
    let support = join_all(support.map(ask));
    let service = join_all(service.map(ask));
    let (messenger, support, service) = tokio::join!(messenger, support, service);
    for (_, told) in messenger {
        busy(told);
    }
    for (path, told) in support {
        let told = told.with(503);
        let json = told.json();
        // An event's answer has the event's name around it.
        let json = if path.contains("/events/") {
            &json["data"]
        } else {
            &json
        };
        assert_eq!(
            (&json["statusCode"], &json["status"]),
            (&503.into(), &"error".into()),
            "{path}"
        );
        assert!(
            json["data"].is_string() && json["retryAfter"].is_number(),
            "{path}: {json}"
        );
    }
    for (path, told) in service {
        let told = told.with(503);
        assert!(!told.header("Retry-After").is_empty(), "{path}");
        let json = told.json();
        assert_eq!(json["status"], 503, "{path}");
        assert!(json["message"].is_string(), "{path}");
    }
    beside.run("rollback").await;
    well(&world).await;
    Actor::sign_in(&world, "ann", "correct horse").await;
}

#[rocket::async_test]
async fn a_full_queue_of_passwords_is_503_in_every_api() {
    let world = World::with("bcrypt_cost = 9\nbcrypt_parallel = 1").await;
    let form = [
        ("name", "nobody"),
        ("email", "n@example.com"),
        ("password", "correct horse"),
    ];
    let ask = |path: &'static str| {
        let (world, form) = (&world, &form);
        async move { join_all((0..80).map(|_| world.post(path, form))).await }
    };
    let (messenger, support, service) =
        tokio::join!(ask("/api/login"), ask("/owner/login"), ask("/auth/login"));
    for (name, told) in [
        ("messenger", messenger),
        ("support", support),
        ("service", service),
    ] {
        let turned_away: Vec<_> = told.iter().filter(|told| told.status == 503).collect();
        assert!(!turned_away.is_empty(), "{name}");
        for told in turned_away {
            assert_eq!(told.header("Retry-After"), "2", "{name}: {}", told.body);
            assert!(
                told.body.contains("too many people are signing in"),
                "{name}: {}",
                told.body
            );
        }
        assert!(
            told.iter()
                .all(|told| told.status == 503 || told.status < 500),
            "{name}"
        );
    }
}

#[rocket::async_test]
async fn a_server_stops_in_time_while_nothing_can_be_written() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let chat = ChatId::new(ann.make("tea").await);
    let caller = world.caller(ann.id, &ann.token).await;
    let services = Arc::clone(world.services());
    let mut beside = world.place.beside().await;
    hold(&mut beside).await;
    let draft = Draft {
        kind: MessageKind::Text,
        content: Content::parse("lost".to_owned()).expect("it is short"),
        reply_to: None,
        client_id: None,
    };
    let mut sending = pin!(messages::send(&services, &caller, chat, draft));
    // From here on the writer has the message, and cannot write it.
    assert!(poll!(&mut sending).is_pending());
    let began = Instant::now();
    let answered = async { (sending.await, began.elapsed()) };
    let ((sent, answered_after), place) = tokio::join!(answered, in_time(world.stop()));
    let error = sent.expect_err("nothing can be written");
    assert!(
        error.text().contains("not known whether this was written"),
        "{error}"
    );
    // Before connections are cut, which is two seconds after the signal by default.
    assert!(
        answered_after < Duration::from_secs(2),
        "{answered_after:?}"
    );
    beside.run("rollback").await;
    let mut beside = place.beside().await;
    beside.head_without_gaps().await;
}

/// The SQLite file of a world, and what else belongs to it.
fn file(place: &Place, end: &str) -> Option<PathBuf> {
    match place {
        Place::Sqlite(folder) => Some(folder.path().join(format!("data/chat.db{end}"))),
        Place::Postgres { .. } => None,
    }
}

#[rocket::async_test]
async fn a_file_that_is_moved_away_is_missed_before_anybody_is_told_that_all_is_well() {
    let world = World::new().await;
    let Some(path) = file(&world.place, "") else {
        return;
    };
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    let aside = path.with_extension("aside");
    fs::rename(&path, &aside).expect("moved");
    for round in 0..3 {
        busy(in_time(say(&bo, chat, &format!("lost {round}"))).await);
    }
    let told = world.get("/health").await;
    assert!(
        told.body.contains("moved, replaced or deleted"),
        "{}",
        told.body
    );
    busy(told);
    assert_eq!(part(&world, "disk").await.0, "failed");
    assert_eq!(part(&world, "epoch").await.0, "ok");
    assert_eq!(bo.said(chat).await, [""; 0]);
    // Another file in its place is as bad as none.
    fs::copy(&aside, &path).expect("copied");
    busy(in_time(say(&bo, chat, "lost again")).await);
    fs::rename(&aside, &path).expect("moved back");
    accepted_again(&bo, chat, "kept").await;
    well(&world).await;
    let world = world.restart().await;
    assert_eq!(ann.at(&world).said(chat).await, ["kept"]);
}

#[rocket::async_test]
async fn a_log_that_is_deleted_is_missed_and_a_stop_saves_what_was_in_it() {
    let world = World::new().await;
    let Some(log) = file(&world.place, "-wal") else {
        return;
    };
    let ann = world.actor("ann").await;
    let chat = ann.make("tea").await;
    say(&ann, chat, "kept").await.ok(201);
    fs::remove_file(log).expect("deleted");
    busy(in_time(say(&ann, chat, "lost")).await);
    ill(&world).await;
    let world = world.restart().await;
    let ann = ann.at(&world);
    assert_eq!(ann.said(chat).await, ["kept"]);
    say(&ann, chat, "and on").await.ok(201);
}

/// What a proxy forwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Carries {
    Everything,
    /// Nothing more once a commit of messages has been forwarded to PostgreSQL.
    UntilCommit,
    Nothing,
}

/// A TCP proxy before PostgreSQL that can stop forwarding without closing: as a paused server does, or
/// a network that swallows what is sent.
struct Wire(watch::Sender<Carries>);

impl Wire {
    async fn lay(upstream: String) -> (Self, u16) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let order = watch::Sender::new(Carries::Everything);
        let wire = Self(order.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&upstream)
                    .await
                    .expect("PostgreSQL answers");
                tokio::spawn(carry(order.clone(), client, server));
            }
        });
        (wire, port)
    }

    fn order(&self, carries: Carries) {
        self.0.send_replace(carries);
    }

    async fn has_stopped(&self) {
        let mut order = self.0.subscribe();
        let stopped = order.wait_for(|order| *order == Carries::Nothing);
        drop(
            tokio::time::timeout(FOREVER, stopped)
                .await
                .expect("a commit"),
        );
    }
}

async fn carry(order: watch::Sender<Carries>, mut client: TcpStream, mut server: TcpStream) {
    let (mut up, mut down) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let mut carries = order.subscribe();
    let mut commits = Commits::default();
    loop {
        if carries
            .wait_for(|order| *order != Carries::Nothing)
            .await
            .is_err()
        {
            return;
        }
        let stopped = async {
            let mut order = order.subscribe();
            drop(order.wait_for(|order| *order == Carries::Nothing).await);
        };
        tokio::select! {
            biased;
            () = stopped => {}
            read = client.read(&mut up) => {
                let Ok(count @ 1..) = read else { return };
                if server.write_all(&up[..count]).await.is_err() {
                    return;
                }
                if commits.ends_messages(&up[..count]) {
                    order.send_if_modified(|order| {
                        let now = *order == Carries::UntilCommit;
                        if now {
                            *order = Carries::Nothing;
                        }
                        now
                    });
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

/// A server whose PostgreSQL is behind such a proxy.
async fn wired() -> Option<(World, Wire)> {
    let place = Place::make().await;
    let Place::Postgres { server, name } = &place else {
        // SQLite has no connection to cut.
        return None;
    };
    let (login, upstream) = server.rsplit_once('@').expect("user@host:port");
    let (wire, port) = Wire::lay(upstream.to_owned()).await;
    let url = format!("{login}@127.0.0.1:{port}/{name}?sslmode=disable&{STATEMENTS_AS_TEXT}");
    Some((
        World::on(place, &url, "databases.chat.connect_timeout = 5").await,
        wire,
    ))
}

#[rocket::async_test]
async fn a_database_that_does_not_answer_is_waited_for_no_longer_than_our_clock_says() {
    let Some((world, wire)) = wired().await else {
        return;
    };
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    say(&ann, chat, "before").await.ok(201);
    wire.order(Carries::Nothing);
    let form = [("name", "ann"), ("password", "correct horse")];
    let (post, keyed, read, sign_in, health) = tokio::join!(
        in_time(say(&bo, chat, "lost")),
        in_time(bo.say_as(chat, "again", "key")),
        in_time(ann.get("/api/chats")),
        in_time(world.post("/api/login", &form)),
        in_time(world.get("/health")),
    );
    for told in [post, keyed, read, sign_in, health] {
        busy(told);
    }
    ill(&world).await;
    wire.order(Carries::Everything);
    accepted_again(&bo, chat, "after").await;
    bo.say_as(chat, "again", "key").await.ok(201);
    well(&world).await;
    assert_eq!(ann.said(chat).await, ["before", "after", "again"]);
    let mut beside = world.place.beside().await;
    let head = beside.head_without_gaps().await;
    assert_eq!(world.head().get(), head);
}

#[rocket::async_test]
async fn a_commit_of_which_nothing_is_heard_is_settled_before_anything_else_is_written() {
    let Some((world, wire)) = wired().await else {
        return;
    };
    let (ann, bo) = world.ann_and_bo().await;
    let chat = ann.make("tea").await;
    wire.order(Carries::UntilCommit);
    let post = in_time(bo.say_as(chat, "one", "key"));
    let (told, ()) = tokio::join!(post, wire.has_stopped());
    assert!(
        told.body.contains("not known whether this was written"),
        "{}",
        told.body
    );
    busy(told);
    wire.order(Carries::Everything);
    accepted_again(&bo, chat, "two").await;
    let again = bo.say_as(chat, "one", "key").await.ok(201);
    assert_eq!(again.header("Idempotency-Replayed"), "true");
    assert_eq!(
        ann.said(chat).await,
        ["one", "two"],
        "once, and in the order of the log"
    );
    let mut beside = world.place.beside().await;
    let head = beside.head_without_gaps().await;
    assert_eq!(world.head().get(), head, "and all of it was told");
}
