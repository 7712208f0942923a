//! Stories: wire transcripts, written down as data and played against a server.
//!
//! Each `stories/*.story` is one conversation, frame by frame, as it goes over the wire. A story has a
//! server of its own and is played from its first line to its last:
//!
//! ```text
//! # A comment. A line that begins with a space goes on with the line before.
//! with support_push = "v1"                       a setting of this story's server
//!
//! POST /owner/login {"email":"…"}                a request: JSON, or a form without braces
//! GET /room [appId: {app}]                       the same with a header
//! 200 {"statusCode":200,"data":"<app:uuid>",…}   what it must be answered
//!
//! ann opens EIO=4&token={token}                  a WebSocket, with its query; Engine.IO has said `0{…}`
//! guest opens EIO=3 on socket_port               the same on the second port
//! ann > 42["join","usr-1-2"]                     a frame that is sent
//! ann < 42["info","You have joined the room"]    the next frame that must come
//! ann < nothing                                  see below
//! ann < closed                                   the server ends the connection
//! ann closes                                     the client does
//! ```
//!
//! **Frames.** What is before the JSON is compared byte for byte, the rest as JSON. Objects are compared
//! exactly: a key too many is as wrong as one too few, unless the object says `…`, which means "and
//! more keys". A body that is only `…` may be anything. Every frame that comes must be told: a
//! connection is never read past a frame. Only the heartbeat is left out.
//!
//! **Names.** `{name}` stands for what a `<name:kind>` before has captured, in frames, paths, headers
//! and queries alike; `{server}` is the server's address. `<name:kind>` also checks the shape, and
//! `<kind>` does no more than that. Between quotes it means a text, without them a number. The kinds
//! are in [`pattern`].
//!
//! **Nothing.** Nobody can wait for nothing, so a story proves it: the next frame of this connection must
//! be one that somebody else brings about afterwards. What a connection receives comes in the order of the
//! log, so that frame could not have overtaken what is not to be there. A story is refused where that
//! proves nothing: when somebody is not answered yet who acted before, when nothing comes afterwards,
//! when the connection sends first itself (an answer may overtake news), when the next frame does not
//! come by the log (typing, and who is present). And when a connection closes, or the story ends, it
//! asks for an event that does not exist: the answer must be the next frame, so nothing had been sent
//! that the story does not tell.

mod connection;
mod faults;
mod pattern;
mod play;
mod script;

use std::{collections::BTreeSet, fs, path::Path};

use parlance::dialect::DIALECTS;

use crate::support::world::World;
use script::{ChatAction, Script};

macro_rules! stories {
    ($($name:ident)*) => {
        /// The stories that are played, each by a test that is called so.
        const PLAYED: &[&str] = &[$(stringify!($name)),*];
        $(
            #[rocket::async_test]
            async fn $name() {
                let name = stringify!($name);
                if let Err(fault) = play::play(&file(name), &read(name)).await {
                    panic!("{fault}");
                }
            }
        )*
    };
}

stories! {
    embed
    embed_recovery
    embed_refusals
    embed_standing
    embed_twin
    embed_twin_always
    four_dialects
    service
    service_recovery
    service_refusals
    service_rest
    service_status_200
    support
    support_recovery
    support_refusals
    support_v1
}

/// The routes that stories are about begin so; the messenger's have tests of their own.
const ROUTES: [&str; 5] = ["/owner", "/auth", "/app", "/user", "/room"];

#[test]
fn every_story_is_played() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/stories");
    let found: BTreeSet<_> = fs::read_dir(folder)
        .expect("the folder of stories")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "story")
        })
        .map(|path| {
            path.file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    let played: BTreeSet<_> = PLAYED.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(found, played, "the folder and the list at the top differ");
}

#[test]
fn every_event_is_told_in_a_story() {
    let said = said();
    for dialect in DIALECTS.iter() {
        for event in dialect.events().iter().map(|event| event.name) {
            let begins = format!("[\"{event}\"");
            assert!(
                said.iter().any(|frame| frame.contains(&begins)),
                "no story tells of {event}, which {} has",
                dialect.name()
            );
        }
    }
}

#[rocket::async_test]
async fn every_route_is_told_in_a_story() {
    let world = World::new().await;
    let described = world.get("/openapi.json").await.with(200).json();
    let asked: Vec<_> = PLAYED
        .iter()
        .flat_map(|name| script(name).lines)
        .filter_map(|line| {
            let ChatAction::Asks(request) = line.act else {
                return None;
            };
            Some((request.method.to_lowercase(), request.path))
        })
        .collect();
    let mut count = 0;
    for (path, methods) in described["paths"].as_object().expect("paths") {
        // Webhooks are the same in each API, and have tests of their own.
        let is_told = ROUTES.iter().any(|route| path.starts_with(route));
        if !is_told || path.starts_with("/owner/webhooks") {
            continue;
        }
        for method in methods.as_object().expect("methods").keys() {
            count += 1;
            assert!(
                asked.iter().any(|(by, at)| by == method && is_at(path, at)),
                "no story tells of {method} {path}"
            );
        }
    }
    assert_eq!(count, 21, "18 of the documents, and those of domains");
}

/// Whether a path, with its query, is one that a description with `{names}` means.
fn is_at(described: &str, path: &str) -> bool {
    let path = path.split('?').next().unwrap_or_default();
    let (described, path): (Vec<_>, Vec<_>) =
        (described.split('/').collect(), path.split('/').collect());
    described.len() == path.len()
        && described
            .iter()
            .zip(&path)
            .all(|(named, part)| named == part || named.starts_with('{'))
}

/// Every frame that a client sends in a story.
fn said() -> Vec<String> {
    PLAYED
        .iter()
        .flat_map(|name| script(name).lines)
        .filter_map(|line| {
            let ChatAction::Says(_, frame) = line.act else {
                return None;
            };
            Some(frame)
        })
        .collect()
}

fn script(name: &str) -> Script {
    Script::parse(&read(name))
        .unwrap_or_else(|(line, fault)| panic!("{}:{line}: {fault}", file(name)))
}

/// Where a story is, as a failure names it.
fn file(name: &str) -> String {
    format!("tests/it/stories/{name}.story")
}

fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file(name));
    fs::read_to_string(path).expect("every story of the list is in the folder")
}
