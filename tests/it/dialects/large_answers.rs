//! Lists of long messages, of many people: every one of them arrives, at every endpoint, in pages of a
//! megabyte.

use std::collections::HashSet;

use futures_util::future::try_join_all;
use parlance::{
    chat::{Caller, messages},
    error::Kind,
    model::{ChatId, ClientId, Content, MessageKind},
};
use serde_json::{Value, json};

use crate::{
    support::actor::{Actor, Told, list, text},
    support::socketio::json_after,
    support::socketio_client::soon,
    support::support_world::Guest,
    support::world::World,
};

/// The most that a page has, with all that is around it.
const MAX_PAGE: usize = 1 << 20;
/// How many messages there are.
const COUNT: usize = 100;

/// The longest message there may be, which begins with its number.
fn long(number: usize) -> String {
    format!("{number:04}{}", "ж\"".repeat(16_380 / 3))
}

/// Which message it is that begins so.
fn number(content: &str) -> usize {
    content[..4].parse().expect("it begins with its number")
}

/// Says so many long messages. What a busy database refuses is said again, as clients do.
async fn say_long(world: &World, caller: &Caller, chat: ChatId, count: usize) {
    let services = world.services();
    for start in (0..count).step_by(10) {
        let sent = (start..count.min(start + 10)).map(|number| async move {
            loop {
                let draft = messages::Draft {
                    kind: MessageKind::Text,
                    content: Content::parse(long(number)).expect("it is short enough"),
                    reply_to: None,
                    client_id: ClientId::parse(&number.to_string()).ok(),
                };
                match messages::send(services, caller, chat, draft).await {
                    Err(busy) if busy.kind() == Kind::Unavailable => {
                        tokio::time::sleep(busy.retry_after().unwrap_or_default()).await;
                    }
                    sent => return sent,
                }
            }
        });
        try_join_all(sent).await.expect("it is written");
    }
}

/// A guest's chat with long messages.
async fn long_chat(world: &World) -> Guest {
    let guest = world.guest_of_new_site().await;
    let id = |hex: &str| i64::from_str_radix(hex, 16).expect("an id");
    let caller = world.caller(id(&guest.id), &guest.token).await;
    let chat = ChatId::new(id(&guest.chat));
    say_long(world, &caller, chat, COUNT).await;
    guest
}

fn numbers_of(messages: &[Value], key: &str) -> Vec<usize> {
    let numbers = messages.iter().map(|message| number(&text(message, key)));
    numbers.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_support_chat_of_long_messages_is_read_in_pages() {
    let world = World::new().await;
    let guest = long_chat(&world).await;
    let mut read = Vec::new();
    let mut pages = 0;
    while {
        let argument = json!({"chatId": guest.chat, "token": guest.token, "limit": 500,
                              "skip": read.len()});
        let data = world.said("getChatMessages", argument).await;
        assert!(data.to_string().len() <= MAX_PAGE);
        read.extend(numbers_of(&list(&data, "data"), "message"));
        pages += 1;
        data["has_more"] == true
    } {}
    assert_eq!(read, (0..COUNT).collect::<Vec<_>>());
    assert!(pages > 2);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_arrives_by_every_transport_and_revision_with_its_acknowledgement() {
    let world = World::new().await;
    let guest = long_chat(&world).await;
    let ask = json!(["getChatMessages", {"chatId": guest.chat, "token": guest.token}]);
    let assert_page = |event: &str, acknowledged: &str, offset: bool| {
        let event = json_after(event, "42");
        let acknowledged = json_after(acknowledged, "431");
        assert_eq!(event[0], "getChatMessages");
        assert_eq!(
            event.as_array().map(Vec::len),
            Some(2 + usize::from(offset))
        );
        assert_eq!(event[1], acknowledged[0]);
        assert_eq!(event[1]["has_more"], true);
        assert!(list(&event[1], "data").len() > 20);
    };
    // Thrice, since what was told must not count for ever.
    for (connect, recovery) in [("40", ""), ("40", "&recovery=1")] {
        let mut ws = world.websocket(recovery, &[]).await;
        ws.send(connect).await;
        assert!(ws.text().await.starts_with("40"));
        for _ in 0..3 {
            ws.send(&format!("421{ask}")).await;
            assert_page(&ws.text().await, &ws.text().await, !recovery.is_empty());
        }
        let path = world.polled(&[]).await;
        world.posted(&path, &[], connect, "40{").await;
        for _ in 0..3 {
            let event = world.posted(&path, &[], &format!("421{ask}"), "42").await;
            let told = soon(world.get_with(&path, &[])).await;
            assert_page(&event, &told.body, false);
        }
    }
    world.stop().await;
}

/// Somebody's chat with long messages, and in it bo.
async fn ann_and_her_long_chat(world: &World) -> (Actor, i64) {
    let ann = world.actor("ann").await;
    let chat = ann.make("tea").await;
    let session = world.caller(ann.id, &ann.token).await;
    say_long(world, &session, ChatId::new(chat), COUNT).await;
    (ann, chat)
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_and_events_of_the_messenger_are_read_in_pages() {
    let world = World::new().await;
    let (ann, chat) = ann_and_her_long_chat(&world).await;
    let mut read: Vec<usize> = Vec::new();
    let mut before = String::new();
    while {
        let told = ann
            .get(&format!("/api/chats/{chat}?limit=200{before}"))
            .await;
        assert!(told.body.len() <= MAX_PAGE);
        let json = told.with(200).json();
        let messages = list(&json, "messages");
        let numbers = numbers_of(&messages, "content");
        assert!(numbers.is_sorted());
        read.splice(0..0, numbers);
        before = format!("&before={}", messages[0]["id"]);
        assert_eq!(list(&json, "people").len(), 1);
        json["has_more"] == true
    } {}
    assert_eq!(read, (0..COUNT).collect::<Vec<_>>());
    let path = format!("/api/chats/{chat}?after=0&limit=200");
    assert!(ann.get(&path).await.with(200).body.len() <= MAX_PAGE);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn chats_whose_last_messages_are_long_are_listed_in_pages() {
    let world = World::new().await;
    let owner = world.owner("localhost").await;
    let ann = world.actor("ann").await;
    for number in 0..80 {
        let chat = ann.make(&format!("chat {number}")).await;
        ann.say(chat, &long(number)).await;
    }
    let mut seen = Vec::new();
    let mut before = String::new();
    while {
        let told = ann.get(&format!("/api/chats?limit=200{before}")).await;
        assert!(told.body.len() <= MAX_PAGE);
        let json = told.with(200).json();
        let chats = list(&json, "chats");
        seen.extend(numbers_of(&chats, "last_message"));
        let last = chats.last().expect("a page is never empty");
        before = format!("&before={}", last["last_position"]);
        json["has_more"] == true
    } {}
    assert_eq!(seen, (0..80).rev().collect::<Vec<_>>());

    for number in 0..70 {
        let guest = world.guest("localhost").await;
        guest.says(&world, &long(number)).await;
    }
    let mut waiting = Vec::new();
    while {
        let argument = json!({"token": owner.token, "limit": 500, "skip": waiting.len()});
        let data = world.said("getWaitingChats", argument).await;
        assert!(data.to_string().len() <= MAX_PAGE);
        waiting.extend(numbers_of(&list(&data, "data"), "lastMessage"));
        data["has_more"] == true
    } {}
    assert_eq!(waiting, (0..70).collect::<Vec<_>>());
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_embed_and_of_the_service_are_read_in_pages() {
    let world = World::new().await;
    let (ann, chat) = ann_and_her_long_chat(&world).await;
    let say = async |event: &str, argument: Value| {
        let path = format!("/api/events/{event}&token={}", ann.token);
        let request = world.http.post(format!("{}{path}", world.base()));
        let told = Told::of(request.json(&argument)).await.with(200);
        assert!(told.body.len() <= MAX_PAGE);
        told.json()["data"].clone()
    };
    let mut read: Vec<usize> = Vec::new();
    let mut query = json!({});
    while {
        let argument = json!({"chat": {"id": chat.to_string()}, "query": query});
        let data = say("list-messages?dialect=embed", argument).await;
        let messages = list(&data, "messages");
        let numbers = numbers_of(&messages, "msg");
        assert!(numbers.is_sorted());
        read.splice(0..0, numbers);
        query = json!({"before": messages[0]["id"]});
        data["has_more"] == true
    } {}
    assert_eq!(read, (0..COUNT).collect::<Vec<_>>());

    let mut read = 0;
    let mut argument = json!({"limit": 200});
    loop {
        let event = format!("load_more?dialect=service&room=chat-{chat}");
        let data = say(&event, argument.clone()).await;
        let Some(last) = data.as_array().and_then(|messages| messages.last()) else {
            break;
        };
        read += data.as_array().map_or(0, Vec::len);
        argument["before"] = last["id"].clone();
    }
    assert_eq!(read, COUNT);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_long_messages_are_told_in_answers_of_a_megabyte_in_every_dialect() {
    let world = World::new().await;
    let (ann, chat) = ann_and_her_long_chat(&world).await;
    let guest = long_chat(&world).await;
    let owner = world.owner_again("localhost").await;
    let start = world.cursor().to_string();
    let epoch = start.rsplit_once('.').expect("a cursor has parts").0;
    for (query, key) in [
        (format!("dialect=support&token={}", owner.token), "message"),
        (format!("dialect=embed&token={}", ann.token), "msg"),
        (
            format!("dialect=service&token={}&room=chat-{chat}", ann.token),
            "",
        ),
    ] {
        let mut after = format!("{epoch}.0");
        let (mut heard, mut answers) = (HashSet::new(), 0);
        while {
            let path = format!("/api/events?{query}&after={after}&timeout=0&limit=200");
            let told = world.get(&path).await.with(200);
            assert!(told.body.len() <= MAX_PAGE + 1_000, "{}", told.body.len());
            let json = told.json();
            for event in list(&json, "events") {
                let data = &event["data"];
                let in_chat = data["chatId"] == guest.chat.as_str();
                let said = match key {
                    "message" if in_chat => data["message"]["message"].as_str().map(str::to_owned),
                    "msg" => data["msg"].as_str().map(str::to_owned),
                    "" => data["id"].as_i64().map(|id| id.to_string()),
                    _ => None,
                };
                heard.extend(said);
            }
            after = text(&json, "cursor");
            answers += 1;
            json["more"] == true
        } {}
        assert_eq!(heard.len(), COUNT, "{query}");
        assert!(answers > 2, "{query}");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn chats_of_embed_are_listed_from_a_chat_on() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    for number in 0..5 {
        ann.make(&format!("chat {number}")).await;
    }
    let mut seen = Vec::new();
    let mut query = json!({"limit": 2});
    while {
        let argument = json!({"user": {"id": ann.id.to_string()}, "query": query});
        let path = format!("/api/events/list-chats?token={}", ann.token);
        let request = world.http.post(format!("{}{path}", world.base()));
        let data = Told::of(request.json(&argument)).await.with(200).json()["data"].clone();
        let chats = list(&data, "chats");
        seen.extend(chats.iter().map(|chat| text(chat, "name")));
        query["before"] = chats.last().expect("a page is never empty")["id"].clone();
        data["has_more"] == true
    } {}
    assert_eq!(seen, ["chat 4", "chat 3", "chat 2", "chat 1", "chat 0"]);
    world.stop().await;
}

/// A room of so many members, and the app's secret.
async fn crowd(world: &World, count: i64) -> String {
    let account = json!({"email": "admin@example.com", "password": "correct horse"});
    let post = async |path: &str, token: &str, body: &Value| {
        let request = world.http.post(format!("{}{path}", world.base()));
        let told = Told::of(request.header("Authorization", token).json(body)).await;
        assert!(told.status < 300, "{}", told.body);
        told.json()
    };
    let admin = text(&post("/auth/login", "", &account).await, "token");
    let app = post("/app", &admin, &json!({"name": "an app"})).await;
    let key = text(&app, "applicationId");
    let user = json!({"appId": key, "appUserId": "first", "firstName": "Ann", "lastName": "A",
                      "token": "token of ann"});
    post("/user", "", &user).await;
    let room = json!({"appId": key, "room": "tea", "users": ["first"]});
    post("/room", "", &room).await;
    let mut beside = world.place.beside().await;
    let numbers = format!(
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < {count})"
    );
    // As registering them one by one would leave them.
    beside
        .run(&format!(
            "insert into people (tenant_id, kind, name, name_key, first_name, last_name, \
             external_id, created_at, updated_at) {numbers} select p.tenant_id, p.kind, p.name, \
             p.name_key, 'Firstname', 'Lastname', 'user ' || n.i, p.created_at, p.updated_at \
             from people p join n on true where p.external_id = 'first'"
        ))
        .await;
    beside
        .run(
            "insert into members (chat_id, person_id, tenant_id, role, standing, joined_at, \
             joined_position, read_id, read_seq) select m.chat_id, p.id, m.tenant_id, m.role, \
             m.standing, m.joined_at, m.joined_position, m.read_id, m.read_seq from members m \
             join people p on p.tenant_id = m.tenant_id and p.external_id like 'user %'",
        )
        .await;
    key
}

/// The settings under which apps may be registered.
const ADMIN: &str = "admin_email = \"admin@example.com\"\nadmin_password = \"correct horse\"";

#[tokio::test(flavor = "multi_thread")]
async fn a_room_of_three_thousand_is_joined() {
    let world = World::with(ADMIN).await;
    crowd(&world, 2_999).await;
    let mut ws = world.websocket("&token=token%20of%20ann", &[]).await;
    ws.send("40").await;
    assert!(ws.text().await.starts_with("40"));
    ws.send(r#"421["join","tea"]"#).await;
    assert_eq!(ws.text().await, r#"42["info","You have joined the room"]"#);
    let told = json_after(&ws.text().await, "42");
    assert_eq!(
        (&told[0], list(&told[1], "users").len()),
        (&json!("room_info"), 3_000)
    );
    assert!(told[1].get("has_more").is_none());
    assert_eq!(json_after(&ws.text().await, "42")[0], "roomData");
    assert_eq!(json_after(&ws.text().await, "431"), json!([told[1]]));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_users_of_a_room_and_of_an_app_are_listed_in_pages() {
    let count = 6_000;
    let world = World::with(ADMIN).await;
    let key = crowd(&world, count - 1).await;
    let mut seen = HashSet::new();
    while {
        let path = format!("/room/tea?skip={}", seen.len());
        let request = world.http.get(format!("{}{path}", world.base()));
        let told = Told::of(request.header("appId", &key)).await.with(200);
        assert!(told.body.len() <= MAX_PAGE);
        let room = told.json();
        seen.extend(list(&room, "users").iter().map(|user| user["id"].as_i64()));
        room["has_more"] == true
    } {}
    assert_eq!(i64::try_from(seen.len()), Ok(count));

    let mut seen = HashSet::new();
    let mut pages = 0;
    let mut query = String::new();
    while {
        let told = world.get(&format!("/user/{key}{query}")).await.with(200);
        assert!(told.body.len() <= MAX_PAGE);
        let users = told.json();
        let users = users.as_array().expect("a list");
        seen.extend(users.iter().map(|user| user["id"].as_i64()));
        let link = told.header("Link");
        query = link
            .trim_start_matches('<')
            .trim_end_matches(">; rel=\"next\"")
            .to_owned();
        pages += 1;
        !link.is_empty()
    } {}
    assert_eq!(i64::try_from(seen.len()), Ok(count));
    assert!(pages > 1);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_an_outbox_that_was_missed_is_told_to_who_comes_back() {
    let world = World::new().await;
    let ann = world.actor("ann").await;
    let chat = ann.make("tea").await;
    let bo = world.actor("bo").await;
    bo.join(chat).await;
    let auth = json!({"token": bo.token, "recovery": true});
    let mut ws = world.websocket("", &[]).await;
    ws.send(&format!("40{auth}")).await;
    let reply = json_after(&ws.text().await, "40");
    // It acts in embed, whose messages are told under two names, with its first event there.
    let ask = json!(["list-chats", {"user": {"id": bo.id.to_string()}}]);
    ws.send(&format!("42{ask}")).await;
    ws.text_after("42[\"list-chats\"").await;
    drop(ws);
    let session = world.caller(ann.id, &ann.token).await;
    say_long(&world, &session, ChatId::new(chat), COUNT).await;

    let mut back = world.websocket("", &[]).await;
    let auth = json!({"token": bo.token, "recovery": true, "pid": reply["pid"]});
    back.send(&format!("40{auth}")).await;
    let (mut heard, mut is_in) = (Vec::new(), false);
    while heard.len() < COUNT {
        let packet = back.text().await;
        if packet.starts_with("40") {
            assert_eq!(json_after(&packet, "40"), reply);
            // A client would keep what comes before the reply, and get it again if the connection was lost just then.
            assert!(heard.is_empty());
            is_in = true;
            continue;
        }
        let told = json_after(&packet, "42");
        if told[0] == "new-message" {
            heard.push(number(&text(&told[1], "msg")));
        }
    }
    assert!(is_in);
    assert_eq!(heard, (0..COUNT).collect::<Vec<_>>());
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recoverable_connection_of_nobody_costs_no_row() {
    let world = World::new().await;
    let mut beside = world.place.beside().await;
    let ann = world.actor("ann").await;
    for auth in [String::new(), json!({"recovery": true}).to_string()] {
        let mut ws = world.websocket("&recovery=1", &[]).await;
        ws.send(&format!("40{auth}")).await;
        assert!(json_after(&ws.text().await, "40")["pid"].is_string());
        drop(ws);
    }
    // One that is somebody's is written down, and the others went before it.
    let auth = json!({"token": ann.token});
    let mut ws = world.websocket("&recovery=1", &[]).await;
    ws.send(&format!("40{auth}")).await;
    ws.text_after("40").await;
    drop(ws);
    let lost = "select count(*) from connections where left_at is not null";
    soon(async {
        while beside.number(lost).await == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let all = "select count(*) from connections";
    assert_eq!(beside.number(all).await, 1);
    world.stop().await;
}
