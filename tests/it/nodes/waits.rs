//! A newer wait of the same name takes over from an older one at another server.

use crate::{
    support::nodes::{next_millisecond, servers, stop},
    support::poll::{answer, hold},
    support::stream::Events,
    support::world::FOREVER,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_wait_of_the_same_name_ends_the_older_one_at_another_server() {
    let Some(servers) = servers(2, "").await else {
        return;
    };
    let (here, there) = (&servers[0], &servers[1]);
    let ann = here.actor("ann").await;
    let path = |name: &str| format!("/api/events?after=now&timeout=50&poll={name}");
    let other = hold(&ann, &path("other"));
    let unnamed = hold(&ann, "/api/events?after=now&timeout=50");
    let old = hold(&ann, &path("tab"));
    here.waiting(3).await;
    next_millisecond().await;
    let newer = hold(&ann.at(there), &path("tab"));
    let told = answer(old).await.with(200).json();
    assert_eq!(told["superseded"], true, "{told}");
    // A stream, in its turn, and a wait after it.
    next_millisecond().await;
    let stream = Events::open(&ann, "/api/events?poll=tab", None).await;
    let told = answer(newer).await.with(200).json();
    assert_eq!(told["superseded"], true, "{told}");
    next_millisecond().await;
    let newest = hold(&ann.at(there), &path("tab"));
    tokio::time::timeout(FOREVER, ended(stream))
        .await
        .expect("the stream ends");
    here.waiting(2).await;
    there.waiting(1).await;
    for held in [other, unnamed, newest] {
        assert!(!held.is_finished(), "nobody else is disturbed");
        held.abort();
    }
    stop(servers).await;
}

async fn ended(mut stream: Events) {
    while let Some(block) = stream.next().await {
        assert_eq!(block.data, None, "nothing is told");
    }
}
