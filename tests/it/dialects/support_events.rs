//! What owners and guests subscribe, and that no argument whatever breaks an event.

use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use serde_json::{Value, json};

use crate::{support::actor::text, support::world::World};

const EVENTS: [&str; 9] = [
    "getNewChat",
    "newMessage",
    "getChatMessages",
    "getActiveChats",
    "getWaitingChats",
    "getClosedChats",
    "closeChat",
    "typing",
    "seen",
];

fn names(events: &[(String, Value)]) -> Vec<&str> {
    events.iter().map(|(name, _)| name.as_str()).collect()
}

#[rocket::async_test]
async fn owners_overhear_their_site_and_guests_their_chat() {
    let world = World::new().await;
    let (owner, stranger) = (world.owner("here").await, world.owner("there").await);
    let (_, start) = world.events_since(&owner.token, "now").await;
    let (guest, other) = (world.guest("here").await, world.guest("here").await);
    guest.says(&world, "hi").await;
    owner.answers(&world, &guest, "hello").await;
    let listed = json!({"chatId": guest.chat, "token": owner.token});
    let listed = world.said("getChatMessages", listed).await;
    let first = &listed["data"][0];
    let seen = json!({"chatId": guest.chat, "token": owner.token, "_id": listed["data"][1]["_id"]});
    world.said("seen", seen).await;
    let close = json!({"chatId": guest.chat, "token": owner.token});
    world.said("closeChat", close).await;

    let (told, _) = world.events_since(&owner.token, &start).await;
    let expected = [
        "waitingChat",
        "waitingChat",
        "newMessage",
        "newMessage",
        "closeChat",
    ];
    assert_eq!(names(&told), expected);
    let chat = &told[0].1;
    assert_eq!(
        (&chat["_id"], &chat["name"]),
        (&json!(guest.chat), &json!("Name"))
    );
    assert_eq!(chat.get("unread"), None);
    let message = json!({
        "message": {"message": "hi", "from": guest.id}, "chatId": guest.chat,
        "_id": first["_id"], "time": first["time"],
    });
    assert_eq!(told[2].1, message);

    let (told, _) = world.events_since(&guest.token, &start).await;
    assert_eq!(names(&told), ["newMessage", "newMessage", "closeChat"]);
    assert_eq!(text(&told[1].1["message"], "message"), "hello");
    assert_eq!(told[2].1, json!({"chatId": guest.chat}));
    for token in [&other.token, &stranger.token] {
        let (told, _) = world.events_since(token, &start).await;
        assert!(told.is_empty(), "{told:?}");
    }
}

#[rocket::async_test]
async fn the_first_documents_push_is_a_setting() {
    let world = World::with("support_push = \"v1\"").await;
    let owner = world.owner("localhost").await;
    let (_, start) = world.events_since(&owner.token, "now").await;
    let guest = world.guest("localhost").await;
    guest.says(&world, "hi").await;
    let (told, _) = world.events_since(&owner.token, &start).await;
    assert_eq!(told[1].1, json!({"message": "hi", "chatId": guest.chat}));
}

#[rocket::async_test]
async fn owners_are_told_again_of_a_chat_that_waits_again() {
    let world = World::new().await;
    let owner = world.owner("localhost").await;
    let guest = world.guest("localhost").await;
    let close = json!({"chatId": guest.chat, "token": owner.token});
    world.said("closeChat", close).await;
    let (_, start) = world.events_since(&owner.token, "now").await;
    guest.says(&world, "one more thing").await;
    let (told, _) = world.events_since(&owner.token, &start).await;
    assert_eq!(names(&told), ["newMessage", "waitingChat"]);
    assert_eq!(told[1].1["lastMessage"], "one more thing");
    let (told, _) = world.events_since(&guest.token, &start).await;
    assert_eq!(names(&told), ["newMessage"]);
}

/// What is said, and with what it is refused. $mine is the session's chat, $theirs another guest's.
const REFUSALS: &str = r#"
getNewChat {"email":"a@b","name":"N","domain":"nowhere"} -> 400 Owner for this domain not found
getNewChat {"email":"a@b","name":"N","domain":"no domain"} -> 400 Owner for this domain not found
getNewChat {"name":"N"} -> 400 email is required
newMessage {"token":"$token","message":"hi"} -> 400 chatId is required
newMessage {"chatId":7,"token":"$token"} -> 400 chatId must be 24 hex digits
newMessage {"chatId":"$mine","token":"$token"} -> 400 message is required
newMessage {"chatId":"$mine","message":"hi"} -> 400 token is required
newMessage {"chatId":"$mine","message":"hi","token":"x"} -> 401 Guest not found
newMessage {"chatId":"$theirs","message":"hi","token":"$token"} -> 404 Chat not found
getChatMessages {"chatId":"$theirs","token":"$token"} -> 404 Chat not found
getChatMessages {"chatId":"59f708172b16261fc0165f54","token":"$token"} -> 404 Chat not found
getChatMessages {"chatId":"$mine","token":"$token","skip":-1} -> 400 skip must be a whole number, not negative
getActiveChats {"token":"$token"} -> 401 Owner not found
getWaitingChats {"token":"x"} -> 401 Owner not found
getClosedChats {"token":"$token"} -> 401 Owner not found
getActiveChats {"token":"$token","before":7} -> 400 before must be 24 hex digits
getClosedChats {"token":"$owner","before":"59f708172b16261fc0165f54"} -> 400 before must name a chat of this site
getWaitingChats {"token":"$owner","query":7} -> 400 query must be text
getNewChat {"email":"a@b","name":"N","domain":"localhost","client_id":"short"} -> 400 client_id must have at least 32 characters here: it opens the chat
closeChat {"chatId":"$mine","token":"$token","client_id":""} -> 400 client_id must be 1 to 64 visible characters
closeChat {"chatId":"$theirs","token":"$token"} -> 404 Chat not found
typing {"chatId":"$mine","token":"$token"} -> 400 typing is required
typing {"chatId":"$theirs","token":"$token","typing":true} -> 404 Chat not found
seen {"chatId":"$theirs","token":"$token","_id":"$mine"} -> 404 Chat not found
seen {"chatId":"$mine","token":"$token","_id":"x"} -> 400 _id must be 24 hex digits
"#;

#[rocket::async_test]
async fn every_refusal_is_a_sentence_with_its_status() {
    let world = World::new().await;
    let owner = world.owner("localhost").await;
    let guest = world.guest("localhost").await;
    let other = world.guest("localhost").await;
    for line in REFUSALS.trim().lines() {
        let line = line
            .replace("$mine", &guest.chat)
            .replace("$theirs", &other.chat)
            .replace("$owner", &owner.token)
            .replace("$token", &guest.token);
        let (said, refusal) = line.split_once(" -> ").expect("an arrow");
        let (event, argument) = said.split_once(' ').expect("an argument");
        let (status, sentence) = refusal.split_once(' ').expect("a sentence");
        let argument = serde_json::from_str(argument).expect("JSON");
        let status = status.parse().expect("a status");
        let told = world.refused(event, argument, status).await;
        assert_eq!(told, sentence, "{line}");
    }
}

#[rocket::async_test]
async fn what_is_no_chat_of_the_site_is_refused() {
    let world = World::new().await;
    let owner = world.owner("localhost").await;
    let guest = world.guest("localhost").await;
    let (mine, token) = (guest.chat.as_str(), guest.token.as_str());
    let long = json!({"chatId": mine, "token": token, "message": "x".repeat(16_385)});
    let told = world.refused("newMessage", long, 400).await;
    assert_eq!(told, "message must have at most 16384 bytes of UTF-8");
    // Somebody of home holds a token too, and is neither.
    let ann = world.actor("ann").await;
    let argument = json!({"chatId": mine, "token": ann.token, "message": "hi"});
    assert_eq!(
        world.refused("newMessage", argument, 401).await,
        "Guest not found"
    );
    // An open chat of the site is no chat at its desk.
    let cookie = format!("user_id={}; token={}", owner.id, owner.token);
    let request = world.http.post(format!("{}/api/chats", world.base()));
    let made = request.header("Cookie", cookie).form(&[("title", "open")]);
    let made = crate::support::actor::Told::of(made).await.with(201);
    let id = made.header("Location").rsplit('/').next().expect("an id");
    let chat = format!("{:024x}", id.parse::<i64>().expect("a number"));
    let argument = json!({"chatId": chat, "token": owner.token, "message": "hi"});
    assert_eq!(
        world.refused("newMessage", argument, 404).await,
        "Chat not found"
    );
}

#[rocket::async_test]
async fn no_argument_breaks_an_event() {
    let world = World::new().await;
    let guest = world.guest_of_new_site().await;
    let mut runner = TestRunner::deterministic();
    let field = prop_oneof![
        Just(json!(null)),
        Just(json!({"_id": guest.chat})),
        Just(json!(guest.chat)),
        Just(json!(guest.token)),
        any::<i64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        Just(json!([[], {}])),
    ];
    let name = prop::sample::select(vec![
        "chatId",
        "token",
        "message",
        "email",
        "name",
        "domain",
        "limit",
        "skip",
        "typing",
        "_id",
        "guestToken",
        "client_id",
        "before",
        "query",
    ]);
    let argument = prop::collection::btree_map(name, field, 0..6);
    for event in EVENTS {
        for _ in 0..40 {
            let fields = argument.new_tree(&mut runner).expect("a value").current();
            let mut argument = json!({"token": guest.token, "chatId": guest.chat});
            for (key, value) in fields {
                argument[key] = value;
            }
            let (status, data) = world.say(event, argument.clone()).await;
            assert!(
                matches!(status, 200 | 400 | 401 | 404 | 422),
                "{event} {argument} {data}"
            );
        }
    }
}
