//! Who is online at one server is so at the others, for as long as that server lives.

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::{
    support::actor::Actor,
    support::binary::{Started, parlance},
    support::nodes::{is_online, join, same_database, servers, stop},
    support::poll::hold,
    support::stream::Events,
    support::world::{World, soon_holds},
};

/// Hears who comes and goes.
async fn stream(world: &World, who: &Actor) -> Events {
    let path = "/api/events?types=presence";
    let mut stream = Events::open(&who.at(world), path, None).await;
    stream.next().await.expect("a beginning");
    stream
}

/// The next that is heard of somebody.
async fn turn_of(stream: &mut Events, who: &Actor) -> Value {
    loop {
        let told = stream.event().await.json();
        if told["person_id"] == who.id {
            return told["online"].clone();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_online_is_so_at_every_server_and_at_one_that_comes_later() {
    let Some(mut servers) = servers(2, "").await else {
        return;
    };
    let (ann, bo) = servers[0].ann_and_bo().await;
    let stranger = servers[0].actor("stranger").await;
    ann.make_private("tea", &[&bo]).await;
    let mut streams = Vec::new();
    for world in &servers {
        assert!(!is_online(world, &ann, &bo).await);
        streams.push(stream(world, &ann).await);
    }
    let held = hold(&bo, "/api/events?after=now&timeout=50");
    for stream in &mut streams {
        assert_eq!(turn_of(stream, &bo).await, true);
    }
    join(&mut servers).await;
    for world in &servers {
        soon_holds(async || is_online(world, &ann, &bo).await).await;
        let path = format!("/api/people/{}", bo.id);
        let told = stranger.at(world).get(&path).await.with(200).json();
        assert_eq!(
            told["online"],
            json!(null),
            "who shares no chat is not told"
        );
    }
    held.abort();
    stop(servers).await;
}

/// Another server of the database, as a process.
async fn binary(world: &World, folder: &std::path::Path) -> Started {
    let mut command = parlance(folder);
    same_database(&mut command, world);
    let begun = tokio::task::spawn_blocking(move || Started::begin(command));
    begun.await.expect("it starts")
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_connected_to_a_server_that_is_killed_is_not_online_any_more() {
    let Some(servers) = servers(2, "").await else {
        return;
    };
    let folder = tempdir().expect("a folder");
    let mut third = binary(&servers[0], folder.path()).await;
    let (ann, bo) = servers[0].ann_and_bo().await;
    let chat = ann.make_private("tea", &[&bo]).await;
    let mut hears = stream(&servers[1], &ann).await;
    let mut types = Events::open(&ann, "/api/events?types=typing", None).await;
    let at_third = |path: &str| {
        let http = servers[0].http.clone();
        let url = format!("http://127.0.0.1:{}{path}", third.port);
        let cookies = format!("user_id={}; token={}", bo.id, bo.token);
        (http, url, cookies)
    };
    let (http, url, cookies) = at_third("/api/events?after=now&timeout=50");
    let held = tokio::spawn(async move { http.get(url).header("Cookie", cookies).send().await });
    assert_eq!(turn_of(&mut hears, &bo).await, true);
    let (http, url, cookies) = at_third(&format!("/api/chats/{chat}/typing"));
    let typing = http.post(url).header("Cookie", cookies);
    let told = typing.form(&[("typing", "true")]).send().await;
    assert_eq!(told.expect("an answer").status(), 200);
    assert_eq!(types.event().await.json()["typing"], true);
    third.child.kill().expect("it is killed");
    for world in &servers {
        assert!(is_online(world, &ann, &bo).await, "for a moment");
    }
    // So is who types.
    assert_eq!(types.event().await.json()["typing"], false);
    assert_eq!(turn_of(&mut hears, &bo).await, false);
    for world in &servers {
        soon_holds(async || !is_online(world, &ann, &bo).await).await;
    }
    drop(held.await);
    stop(servers).await;
}
