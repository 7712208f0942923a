//! A ceiling: what Rocket alone takes for a long-poll that answers what Parlance answers.
//!
//! `bare_rocket PORT`. One chat, nothing is stored, nobody is asked who they are.

use std::{sync::Mutex, time::Duration};

use rocket::{
    Config, State,
    config::LogLevel,
    form::{Form, FromForm},
    get,
    http::{ContentType, Header, Status},
    post,
    response::{Responder, status::Created},
    routes,
};
use tokio::{sync::watch, time::timeout};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The messages, each as it is told; a message's id is its place, from 1 on.
struct Chat {
    messages: Mutex<Vec<String>>,
    newest: watch::Sender<usize>,
}

impl Chat {
    /// What came after a place, at most a hundred.
    fn after(&self, place: usize) -> Vec<String> {
        let messages = self.messages.lock().expect("no holder panics");
        let newer = messages.get(place..).unwrap_or_default();
        newer.iter().take(100).cloned().collect()
    }
}

#[derive(FromForm)]
struct Post {
    content: String,
}

#[derive(Responder)]
struct Said {
    body: Created<&'static str>,
    id: Header<'static>,
}

#[post("/api/chats/1", data = "<said>")]
fn say(chat: &State<Chat>, said: Form<Post>) -> Said {
    let content = said.into_inner().content;
    let mut messages = chat.messages.lock().expect("no holder panics");
    let id = messages.len() + 1;
    messages.push(format!(
        r#"{{"id":{id},"content":"{content}","sender_id":1,"time":"2026-01-31T09:30:00.000Z","chat_id":1,"type":"text","client_id":null,"edited_at":null,"deleted_at":null}}"#
    ));
    drop(messages);
    chat.newest.send_replace(id);
    Said {
        body: Created::new(format!("/api/chats/1/messages/{id}")).body(r#"{"status":"ok"}"#),
        id: Header::new("X-Message-Id", id.to_string()),
    }
}

#[get("/api/chats/1?<after>&<timeout>")]
async fn poll(chat: &State<Chat>, after: usize, timeout: u64) -> (ContentType, String) {
    let messages = wait(chat, after, timeout).await;
    let cursor = after + messages.len();
    let messages = messages.join(",");
    let body = format!(
        r#"{{"messages":[{messages}],"cursor":"{cursor}","more":false,"retry_ms":0,"people":[{{"id":1,"name":"speaker"}}]}}"#
    );
    (ContentType::JSON, body)
}

async fn wait(chat: &Chat, after: usize, patience: u64) -> Vec<String> {
    let mut newest = chat.newest.subscribe();
    let look = async {
        loop {
            newest.borrow_and_update();
            let found = chat.after(after);
            if !found.is_empty() || newest.changed().await.is_err() {
                return found;
            }
        }
    };
    timeout(Duration::from_secs(patience), look)
        .await
        .unwrap_or_default()
}

#[get("/health/live")]
fn alive() -> Status {
    Status::Ok
}

#[rocket::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::args()
        .nth(1)
        .ok_or("usage: bare_rocket PORT")?
        .parse()?;
    let config = Config {
        port,
        log_level: LogLevel::Off,
        ..Config::release_default()
    };
    let chat = Chat {
        messages: Mutex::default(),
        newest: watch::Sender::new(0),
    };
    rocket::custom(config)
        .manage(chat)
        .mount("/", routes![alive, say, poll])
        .launch()
        .await?;
    Ok(())
}
