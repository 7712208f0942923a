//! Everything that a person has open at once, in all four dialects, by polls, streams and sockets, ends with whatever
//! they had it by: the login, the account, the membership, the chat, the app or the site.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    support::actor::{Actor, PASSWORD, Told, list},
    support::administration::administrator,
    support::everything::{Everything, Viewer, Waits},
    support::security_world::Credentials,
    support::tenants::{CLOSED_SETTINGS, developer, send, sign_in, text},
    support::world::World,
};

/// A word that is said where somebody may not hear it any more, and the same as the service API tells it.
const SECRET: [&str; 2] = ["sesame", "c2VzYW1l"];

/// What ends the logins of a person at home.
#[derive(Debug, Clone, Copy)]
enum Cause {
    Logout,
    LogoutAll,
    EachLoginEnded,
    NewPassword,
    LoggedOutByAnAdministrator,
    Deactivated,
    Deleted,
    DeletedByAnAdministrator,
}

const CAUSES: [Cause; 8] = [
    Cause::Logout,
    Cause::LogoutAll,
    Cause::EachLoginEnded,
    Cause::NewPassword,
    Cause::LoggedOutByAnAdministrator,
    Cause::Deactivated,
    Cause::Deleted,
    Cause::DeletedByAnAdministrator,
];

/// Ends two logins of somebody who has a third one.
async fn end(cause: Cause, root: &Actor, [first, second, third]: [&Actor; 3]) {
    let administered = format!("/api/admin/people/{}", first.id);
    match cause {
        Cause::Logout => {
            first.get("/api/logout").await.with(200);
            second.get("/api/logout").await.with(200);
        }
        Cause::LogoutAll => drop(third.post("/api/logout-all", &[]).await.with(200)),
        Cause::EachLoginEnded => {
            for login in [first, second] {
                let logins = login.get("/api/logins").await.with(200).json();
                let logins = list(&logins, "logins");
                let own = logins.iter().find(|login| login["current"] == true);
                let path = format!("/api/logins/{}", own.expect("it is there")["id"]);
                third.delete(&path).await.with(200);
            }
        }
        Cause::NewPassword => {
            let form = [("password", PASSWORD), ("new_password", "battery staple")];
            third.post("/api/password", &form).await.with(200);
        }
        Cause::LoggedOutByAnAdministrator => {
            root.post(&format!("{administered}/logout"), &[])
                .await
                .with(200);
        }
        Cause::Deactivated => {
            root.post(&format!("{administered}/deactivate"), &[])
                .await
                .with(200);
        }
        Cause::Deleted => {
            let request = third.request(Method::DELETE, "/api/me");
            let request = request.form(&[("password", PASSWORD)]);
            Told::of(request).await.with(200);
        }
        Cause::DeletedByAnAdministrator => drop(root.delete(&administered).await.with(200)),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_login_ends_everything_that_it_has_open() {
    let world = World::new().await;
    let root = administrator(&world, "root").await;
    let ann = world.actor("ann").await;
    let cy = world.actor("cy").await;
    let elsewhere = Viewer::of(&cy, cy.make_private("elsewhere", &[]).await);
    let mut bystanders = 0;
    let mut bystander = Everything::open(&world, &elsewhere, Waits::Polls, &mut bystanders).await;
    for cause in CAUSES {
        let name = format!("bo {cause:?}");
        let bo = world.actor(&name).await;
        let phone = Actor::sign_in(&world, &name, PASSWORD).await;
        let third = Actor::sign_in(&world, &name, PASSWORD).await;
        let chat = ann.make_private("tea", &[&bo]).await;
        let mut count = bystanders;
        let mut opened = Vec::new();
        for (login, waits) in [(&bo, Waits::Polls), (&phone, Waits::Streams)] {
            let viewer = Viewer::of(login, chat);
            opened.push(Everything::open(&world, &viewer, waits, &mut count).await);
        }
        end(cause, &root, [&bo, &phone, &third]).await;
        for everything in opened {
            everything.ended(&name).await;
        }
        world.waiting(bystanders).await;
        bystander.stands().await;
    }
    world.stop().await;
}

/// How somebody loses a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Loss {
    Removed,
    Left,
    /// They have read it, as everybody may, and were no member.
    Closed,
    Deleted,
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_chat_everything_falls_silent_that_was_open_on_it() {
    let world = World::new().await;
    let (ann, bo) = world.ann_and_bo().await;
    for loss in [Loss::Removed, Loss::Left, Loss::Closed, Loss::Deleted] {
        let name = format!("tea {loss:?}");
        let chat = if loss == Loss::Closed {
            ann.make(&name).await
        } else {
            ann.make_private(&name, &[&bo]).await
        };
        let path = format!("/api/chats/{chat}");
        let logins = [
            Actor::sign_in(&world, "bo", PASSWORD).await,
            Actor::sign_in(&world, "bo", PASSWORD).await,
        ];
        let mut count = 0;
        let mut opened = Vec::new();
        for (login, waits) in logins.iter().zip([Waits::Polls, Waits::Streams]) {
            let viewer = Viewer::of(login, chat);
            opened.push(Everything::open(&world, &viewer, waits, &mut count).await);
        }
        match loss {
            Loss::Removed => ann.delete(&format!("{path}/members/{}", bo.id)).await,
            Loss::Left => bo.post(&format!("{path}/leave"), &[]).await,
            Loss::Closed => ann.patch(&path, &[("private", "true")]).await,
            Loss::Deleted => ann.delete(&path).await,
        }
        .ok(200);
        let poll = opened[0].take_chat_poll().expect("it is there");
        assert_eq!(poll.ended().await.0, 404, "{loss:?}");
        // What is said there now, and that somebody types, is for others.
        let is_there = loss != Loss::Deleted;
        let said = ann.post(&path, &[("content", SECRET[0])]).await.status;
        assert_eq!(said, if is_there { 201 } else { 404 });
        let typing = format!("{path}/typing");
        let typed = ann.post(&typing, &[("typing", "true")]).await.status;
        assert_eq!(typed, if is_there { 200 } else { 404 });
        // By a change of their own they hear that all before was told.
        let after = bo.make(&format!("after {loss:?}")).await;
        bo.say(after, "marker").await;
        for login in &logins {
            login.get("/api/logout").await.with(200);
        }
        for everything in opened {
            let heard = everything.ended(&name).await;
            let is_told = |word: &str| heard.iter().any(|it| it.contains(word));
            assert!(!SECRET.into_iter().any(is_told), "{loss:?}: {heard:?}");
            assert!(!is_told("typing"), "{loss:?}: {heard:?}");
        }
        world.waiting(0).await;
    }
    world.stop().await;
}

/// An app with two users in a room: its id and its key, the room, and who they are.
struct App {
    id: i64,
    key: String,
    room: i64,
    users: [(i64, String); 2],
}

async fn app(world: &World, developer: &str, number: usize) -> App {
    let admin = [("Authorization", developer.to_owned())];
    let app = json!({"name": format!("app {number}")});
    let app = send(world, "POST", "/app", &admin, &app).await.with(201);
    let key = text(&app.json()["applicationId"]);
    let mut users = Vec::new();
    for name in ["ann", "bo"] {
        let token = format!("token of {name} {number}");
        let user = json!({"appId": key, "appUserId": name, "firstName": "A", "token": token});
        let user = send(world, "POST", "/user", &admin, &user).await.with(200);
        users.push((user.json()["id"].as_i64().expect("an id"), token));
    }
    let room = json!({"room": "tea", "appId": key, "users": ["ann", "bo"]});
    let room = send(world, "POST", "/room", &admin, &room).await.with(200);
    App {
        id: app.json()["id"].as_i64().expect("an id"),
        key,
        room: room.json()["id"].as_i64().expect("an id"),
        users: users.try_into().expect("two of them"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_an_apps_user_and_with_the_app_ends_everything_that_they_have_open() {
    let world = World::with(CLOSED_SETTINGS).await;
    let root = administrator(&world, "root").await;
    let admin = sign_in(&world).await;
    let developer = developer(&world, &admin, "dee@example.com").await;
    let headers = [("Authorization", developer.clone())];
    for (number, cause) in ["users", "suspended", "app"].into_iter().enumerate() {
        let app = app(&world, &developer, number).await;
        let mut count = 0;
        let mut opened = Vec::new();
        for ((user, token), waits) in app.users.iter().zip([Waits::Polls, Waits::Streams]) {
            let viewer = Viewer {
                cookies: Credentials::cookies(*user, token),
                person: *user,
                chat: app.room,
                room: "tea".to_owned(),
            };
            opened.push(Everything::open(&world, &viewer, waits, &mut count).await);
        }
        match cause {
            "users" => {
                let headers = [("appId", app.key.clone()), headers[0].clone()];
                for (user, _) in &app.users {
                    let path = format!("/user/{user}");
                    let told = send(&world, "DELETE", &path, &headers, &Value::Null).await;
                    told.with(200);
                }
            }
            "suspended" => {
                let tenants = root.get("/api/admin/tenants").await.with(200).json();
                let tenants = list(&tenants, "tenants");
                let tenant = tenants.first().expect("the latest, the app")["id"].clone();
                let path = format!("/api/admin/tenants/{tenant}/suspend");
                root.post(&path, &[]).await.with(200);
            }
            _ => {
                let path = format!("/app/{}", app.id);
                let told = send(&world, "DELETE", &path, &headers, &Value::Null).await;
                told.with(200);
            }
        }
        for everything in opened {
            everything.ended(cause).await;
        }
        world.waiting(0).await;
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_an_agents_login_and_with_the_site_ends_everything_that_they_have_open() {
    let world = World::new().await;
    let root = administrator(&world, "root").await;
    for cause in ["logout", "suspended"] {
        let domain = format!("{cause}.example");
        let owner = world.owner(&domain).await;
        let again = world.owner_again(&domain).await;
        let guest = world.guest(&domain).await;
        guest.says(&world, "hello").await;
        let mut count = 0;
        let mut opened = Vec::new();
        for (login, waits) in [(&owner, Waits::Polls), (&again, Waits::Streams)] {
            let id = i64::from_str_radix(&login.id, 16).expect("an id");
            let chat = i64::from_str_radix(&guest.chat, 16).expect("an id");
            let viewer = Viewer {
                cookies: Credentials::cookies(id, &login.token),
                person: id,
                chat,
                room: format!("chat-{chat}"),
            };
            opened.push(Everything::open(&world, &viewer, waits, &mut count).await);
        }
        if cause == "logout" {
            for login in [&owner, &again] {
                let token = [("token", login.token.as_str())];
                world.post("/owner/logout", &token).await.with(200);
            }
        } else {
            let tenants = root.get("/api/admin/tenants").await.with(200).json();
            let tenants = list(&tenants, "tenants");
            let tenant = tenants.first().expect("the latest, the site")["id"].clone();
            let path = format!("/api/admin/tenants/{tenant}/suspend");
            root.post(&path, &[]).await.with(200);
        }
        for everything in opened {
            everything.ended(cause).await;
        }
        world.waiting(0).await;
    }
    world.stop().await;
}
