//! What has ended at one server is good for nothing at the others.

use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::{
    support::actor::{Actor, PASSWORD, Told},
    support::administration::administrator,
    support::cluster::{Cluster, Way},
    support::nodes::{servers, stop},
    support::poll::{answer, hold},
    support::security_world::{CONNECTIONS, Connection, Credentials, Held},
    support::stream::Events,
    support::tenants::{CLOSED_SETTINGS, send, sign_in, text},
    support::world::{World, soon_holds},
};

/// Connections of every kind at a server that end with somebody's login.
struct Open {
    poll: JoinHandle<Told>,
    stream: Events,
    sockets: Vec<Connection>,
}

impl Open {
    /// Beside one wait that stays.
    async fn at(world: &World, actor: &Actor) -> Self {
        let stream = Events::open(actor, "/api/events", None).await;
        let poll = hold(actor, "/api/events?after=now&timeout=50");
        world.waiting(3).await;
        let mut sockets = Vec::new();
        for by in CONNECTIONS {
            let socket = Connection::open(world, by, &Credentials::of(actor)).await;
            sockets.push(socket.expect("it is let in"));
        }
        Self {
            poll,
            stream,
            sockets,
        }
    }

    /// All of them end, and nothing is let in again.
    async fn end(mut self, actor: &Actor) {
        answer(self.poll).await.refused(401, "unauthenticated");
        while let Some(block) = self.stream.next().await {
            assert_eq!(block.data, None, "nothing more is told");
        }
        for socket in self.sockets {
            socket.ended().await;
        }
        actor
            .get("/api/chats")
            .await
            .refused(401, "unauthenticated");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_ends_at_one_server_ends_at_the_others() {
    let Some(servers) = servers(2, "").await else {
        return;
    };
    let (here, there) = (&servers[0], &servers[1]);
    let root = administrator(here, "root").await;
    let ann = here.actor("ann").await;
    let stays = here.actor("stays").await.at(there);
    let kept = hold(&stays, "/api/events?after=now&timeout=50");
    there.waiting(1).await;
    for way in [
        "logout",
        "logout-all",
        "logins",
        "password",
        "administrator",
        "deactivated",
    ] {
        let login = Actor::sign_in(here, "ann", PASSWORD).await;
        let beside = Actor::sign_in(here, "ann", PASSWORD).await;
        there.waiting(1).await;
        let open = Open::at(there, &login.at(there)).await;
        match way {
            "logout" => drop(login.get("/api/logout").await.with(200)),
            "logout-all" => drop(beside.post("/api/logout-all", &[]).await.with(200)),
            "logins" => {
                let logins = login.get("/api/logins").await.with(200).json();
                let mut logins = logins["logins"].as_array().expect("a list").iter();
                let own = logins.find(|login| login["current"] == true).expect("mine");
                let path = format!("/api/logins/{}", own["id"]);
                beside.delete(&path).await.with(200);
            }
            "password" => {
                let form = [("password", PASSWORD), ("new_password", PASSWORD)];
                beside.post("/api/password", &form).await.with(200);
            }
            "administrator" => {
                let path = format!("/api/admin/people/{}/logout", ann.id);
                root.post(&path, &[]).await.with(200);
            }
            _ => {
                let path = format!("/api/admin/people/{}/deactivate", ann.id);
                root.post(&path, &[]).await.with(200);
            }
        }
        open.end(&login.at(there)).await;
    }
    // Nobody else is disturbed.
    assert!(!kept.is_finished());
    stays.get("/api/chats").await.with(200);
    stop(servers).await;
}

/// An app with a user, and the user's token.
async fn app(world: &World, admin: &str, token: &str) -> (i64, String, i64) {
    let headers = [("Authorization", admin.to_owned())];
    let app = json!({"name": "app", "requireAuth": false});
    let app = send(world, "POST", "/app", &headers, &app).await.with(201);
    let app = app.json();
    let key = text(&app["applicationId"]);
    let user = json!({"appId": key, "appUserId": 1, "firstName": "A", "token": token});
    let user = send(world, "POST", "/user", &headers, &user)
        .await
        .with(200);
    let user = user.json()["id"].as_i64().expect("a number");
    (app["id"].as_i64().expect("a number"), key, user)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_replaced_and_an_app_that_is_deleted_are_so_at_every_server() {
    let Some(servers) = servers(2, CLOSED_SETTINGS).await else {
        return;
    };
    let (here, there) = (&servers[0], &servers[1]);
    let admin = sign_in(here).await;
    let (number, key, user) = app(here, &admin, "a token of hers").await;
    let token = Credentials::default().asking("token", "a token of hers");
    let by_key = Credentials::default().asking("key", &key);
    let embed = format!("/api/events?timeout=50&dialect=embed&user={user}");
    let with_key = Held::begin(there, &by_key, &embed, 1).await;
    let path = "/api/events?timeout=50&dialect=service";
    let with_token = Held::begin(there, &token, path, 2).await;
    let mut sockets = Vec::new();
    for by in CONNECTIONS {
        for credentials in [&token, &by_key] {
            let socket = Connection::open(there, by, credentials).await;
            sockets.push(socket.expect("it is let in"));
        }
    }
    let status = async |credentials: &Credentials, path: &str| {
        let method = reqwest::Method::GET;
        let told = credentials.request(there, method, path, None).await;
        told.status().as_u16()
    };
    let with_new = Credentials::default().asking("token", "another one");
    let replaced = json!({"appId": key, "appUserId": 1, "firstName": "A", "token": "another one"});
    send(here, "POST", "/user", &[], &replaced).await.with(200);
    let now = "/api/events?timeout=0&dialect=service";
    soon_holds(async || status(&token, now).await == 401).await;
    assert_eq!(status(&with_new, now).await, 200);
    assert!(with_token.is_open(), "who is connected stays so");
    let headers = [("Authorization", admin)];
    let path = format!("/app/{number}");
    send(here, "DELETE", &path, &headers, &Value::Null)
        .await
        .with(200);
    for held in [with_key, with_token] {
        assert_eq!(held.ended().await.0, 401);
    }
    for socket in sockets {
        socket.ended().await;
    }
    let now = format!("/api/events?timeout=0&dialect=embed&user={user}");
    assert_eq!(status(&by_key, &now).await, 401);
    assert_eq!(
        status(&with_new, "/api/events?timeout=0&dialect=service").await,
        401
    );
    stop(servers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_cannot_see_what_has_ended_refuses_all_that_needs_a_login() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    cluster.make_database().await;
    let way = Way::to(&cluster).await;
    let world = way.world("").await;
    let ann = world.actor("ann").await;
    ann.make("tea").await;
    // Everything that this needs is in memory.
    let cached = async || ann.get("/api/events?after=now&timeout=0").await.status;
    assert_eq!(cached().await, 200);
    let held = hold(&ann, "/api/events?after=now&timeout=50");
    world.waiting(1).await;
    let mut sockets = Vec::new();
    for by in CONNECTIONS {
        let socket = Connection::open(&world, by, &Credentials::of(&ann)).await;
        sockets.push(socket.expect("it is let in"));
    }
    cluster.stop();
    soon_holds(async || cached().await == 503).await;
    let refused = ann.get("/api/events?after=now&timeout=0").await;
    let refused = refused.refused(503, "busy");
    assert_ne!(refused.header("Retry-After"), "");
    for socket in &mut sockets {
        let told = socket.ask("leave", &Value::Null).await.expect("it stands");
        assert_eq!(told["code"], "busy", "{told}");
    }
    assert!(!held.is_finished(), "who waits goes on waiting");
    // Who connects is not refused, after which a client would stay away, but comes back by itself.
    let query = format!("&token={}", ann.token);
    let mut ws = world.websocket(&query, &[]).await;
    ws.send("40").await;
    while let Some(message) = ws.next().await {
        assert!(!message.is_text(), "{message:?}");
    }
    cluster.start_again();
    soon_holds(async || cached().await == 200).await;
    for socket in &mut sockets {
        socket.ask("leave", &Value::Null).await.expect("it stands");
    }
    drop(held);
    world.stop().await;
}
