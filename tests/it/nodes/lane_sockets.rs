//! Sockets that act for people of several lanes: what they come back to.

use serde_json::{Value, json};

use crate::{
    support::lanes::{SITES, act_for_all, connect, move_to, site, sites, told},
    support::nodes::{servers, stop},
    support::socketio::json_after,
    support::socketio_client::Ws,
};

/// The answer to `CONNECT`, and packets of messages, until as many were told as that.
async fn missed(ws: &mut Ws, count: usize) -> (Value, Vec<(String, Option<String>)>) {
    let reply = json_after(&ws.text().await, "40");
    let mut heard = Vec::new();
    while heard.len() < count {
        let packet = ws.text().await;
        if packet.starts_with("42[\"newMessage\"") {
            heard.push(told(&packet));
        }
    }
    (reply, heard)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_for_people_of_several_lanes_comes_back_with_what_it_missed_in_each() {
    let Some(servers) = servers(2, "").await else {
        return;
    };
    let people = sites(&servers).await;
    let mut ws = connect(&servers[0], &json!({})).await;
    let first = json_after(&ws.text_after("40").await, "40");
    act_for_all(&mut ws, &people).await;
    // One that has heard nothing has its private id alone.
    let mut offset: Option<String> = None;
    for round in 0..4 {
        drop(ws);
        let mut expected = Vec::new();
        for word in 0..3 {
            for (number, (_, guest)) in people.iter().enumerate() {
                let said = format!("{number} round {round} word {word}");
                let world = &servers[(round + number) % 2];
                guest.says(world, &said).await;
                expected.push(said);
            }
        }
        let auth = json!({"pid": first["pid"], "offset": offset});
        ws = connect(&servers[round % 2], &auth).await;
        let (reply, heard) = missed(&mut ws, expected.len()).await;
        assert_eq!(reply["sid"], first["sid"], "it is the same connection");
        let (said, offsets): (Vec<_>, Vec<_>) = heard.into_iter().unzip();
        for number in 0..SITES.len() {
            let own = |said: &&String| said.starts_with(&format!("{number} "));
            let (said, expected) = (said.iter().filter(own), expected.iter().filter(own));
            assert!(said.eq(expected), "site {number} in round {round}");
        }
        let last = offsets.last().expect("there is one").clone();
        let last = last.expect("it has an offset");
        assert!(last.starts_with("2.") && last.len() <= 64, "{last}");
        assert_eq!(last.split('-').count(), SITES.len(), "{last}");
        offset = Some(last);
    }
    // What nobody told is not recovered.
    drop(ws);
    let last = offset.expect("there is one");
    for auth in [
        json!({"pid": first["pid"], "offset": format!("{last}zz")}),
        json!({"pid": first["pid"], "offset": last.replace("2.", "3.")}),
    ] {
        let mut ws = connect(&servers[0], &auth).await;
        let reply = json_after(&ws.text_after("40").await, "40");
        assert_ne!(reply["sid"], first["sid"]);
    }
    stop(servers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_closed_when_a_tenant_of_it_moves_and_comes_back_with_all() {
    let Some(servers) = servers(2, "").await else {
        return;
    };
    let people = sites(&servers).await;
    let tenant = site(&mut servers[0].place.beside().await, SITES[0]).await;
    let mut ws = connect(&servers[0], &json!({})).await;
    let first = json_after(&ws.text_after("40").await, "40");
    act_for_all(&mut ws, &people).await;
    people[0].1.says(&servers[1], "0 before").await;
    let (_, offset) = told(&ws.text_after("42[\"newMessage\"").await);
    move_to(servers[1].store(), tenant, 3).await;
    while ws.next().await.is_some() {}
    for (number, (_, guest)) in people.iter().enumerate() {
        guest.says(&servers[1], &format!("{number} after")).await;
    }
    let auth = json!({"pid": first["pid"], "offset": offset});
    let mut ws = connect(&servers[1], &auth).await;
    let (reply, heard) = missed(&mut ws, people.len()).await;
    assert_eq!(reply["sid"], first["sid"], "it is the same connection");
    let mut said: Vec<_> = heard.into_iter().map(|(said, _)| said).collect();
    said.sort_unstable();
    assert_eq!(said, ["0 after", "1 after", "2 after"]);
    people[0].1.says(&servers[0], "0 at last").await;
    let (said, _) = told(&ws.text_after("42[\"newMessage\"").await);
    assert_eq!(said, "0 at last");
    stop(servers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_told_of_a_higher_lane_alone_comes_back_to_what_was_missed_in_a_lower_one() {
    let Some(servers) = servers(2, "").await else {
        return;
    };
    let people = sites(&servers).await;
    for lower in [1, 0] {
        let mut ws = connect(&servers[0], &json!({})).await;
        let first = json_after(&ws.text_after("40").await, "40");
        // The third site's lane alone is in the offset.
        act_for_all(&mut ws, &people[2..]).await;
        people[2].1.says(&servers[1], "2 before").await;
        let (_, offset) = told(&ws.text_after("42[\"newMessage\"").await);
        assert!(offset.as_deref().is_some_and(|it| it.starts_with("1.")));
        act_for_all(&mut ws, &people[lower..=lower]).await;
        drop(ws);
        for number in [2, lower] {
            let said = format!("{number} missed");
            people[number].1.says(&servers[0], &said).await;
        }
        let auth = json!({"pid": first["pid"], "offset": offset});
        let mut ws = connect(&servers[1], &auth).await;
        let (reply, heard) = missed(&mut ws, 2).await;
        assert_eq!(reply["sid"], first["sid"], "it is the same connection");
        let mut said: Vec<_> = heard.into_iter().map(|(said, _)| said).collect();
        said.sort_unstable();
        assert_eq!(said, [format!("{lower} missed"), "2 missed".to_owned()]);
        for number in [2, lower] {
            let said = format!("{number} at last");
            people[number].1.says(&servers[0], &said).await;
            assert_eq!(told(&ws.text_after("42[\"newMessage\"").await).0, said);
        }
    }
    stop(servers).await;
}
