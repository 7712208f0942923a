//! Events and acknowledgements in both directions, and what disconnects a client.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use parlance_socketio::{
    engine::{DisconnectReason, SendError},
    packet::Args,
    server::{AckError, Events},
};
use serde_json::json;
use tokio::sync::{Barrier, Semaphore, mpsc};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::{
    support::socketio::{Ends, builder, echo, joined, json_after, launch},
    support::socketio_client::{TIMEOUT, soon},
};

#[tokio::test]
async fn text_and_binary_come_back() {
    let (site, _io) = launch(builder().namespace("/", echo())).await;
    let (mut ws, _) = joined(&site).await;
    ws.send(r#"42["message",1,"2",{"3":[true]}]"#).await;
    assert_eq!(ws.text().await, r#"42["message-back",1,"2",{"3":[true]}]"#);

    let holder = |index| json!({ "_placeholder": true, "num": index });
    let args = json!(["message", holder(0), { "deep": [holder(1)] }]);
    ws.send(&format!("452-{args}")).await;
    ws.send_binary(&[1, 2, 3]).await;
    ws.send_binary(&[4, 5, 6]).await;
    let back = json_after(&ws.text().await, "452-");
    assert_eq!(
        back,
        json!(["message-back", holder(0), { "deep": [holder(1)] }])
    );
    assert_eq!(ws.binary().await, [1, 2, 3]);
    assert_eq!(ws.binary().await, [4, 5, 6]);
}

#[tokio::test]
async fn an_answer_goes_to_the_number_of_the_question() {
    let (site, _io) = launch(builder().namespace("/", echo())).await;
    let (mut ws, _) = joined(&site).await;
    ws.send(r#"42456["message-with-ack",1,"2"]"#).await;
    assert_eq!(ws.text().await, r#"43456[1,"2"]"#);
    ws.send(r#"451-0["message-with-ack",{"_placeholder":true,"num":0}]"#)
        .await;
    ws.send_binary(&[7]).await;
    assert_eq!(ws.text().await, r#"461-0[{"_placeholder":true,"num":0}]"#);
    assert_eq!(ws.binary().await, [7]);
}

#[tokio::test]
async fn what_is_no_packet_hangs_up() {
    let (events, mut ends) = Ends::of(echo());
    let (site, _io) = launch(builder().namespace("/", events)).await;
    for wrong in [
        "42abc[\"message\"]",
        "42{}",
        "42",
        "42[]",
        "42[{}]",
        "42[null]",
        "4",
        "4abc",
        "49",
        r#"42["connect"]"#,
        r#"42["connect_error"]"#,
        r#"42["disconnect"]"#,
        r#"42["disconnecting"]"#,
        r#"42["newListener"]"#,
        r#"42["removeListener"]"#,
        r#"41["x"]"#,
        "41{}",
        "40",
        "40{}",
        r#"42/never,["message"]"#,
        "41/never",
        "43/never,1[]",
        r#"44{"message":"x"}"#,
        r#"4511-["message"]"#,
        r#"45["message"]"#,
        r#"451-["message",{"_placeholder":true,"num":1}]"#,
        "43[]",
        "431{}",
    ] {
        let (mut ws, _) = joined(&site).await;
        ws.send(wrong).await;
        let said = ws.closed().await.expect("it is told why");
        assert_eq!(
            (said.code, said.reason.as_str()),
            (CloseCode::Protocol, ""),
            "{wrong}"
        );
        assert_eq!(ends.next().await, DisconnectReason::ParseError, "{wrong}");
    }
}

#[tokio::test]
async fn attachments_are_neither_early_nor_late() {
    let (events, mut ends) = Ends::of(echo());
    let (site, _io) = launch(builder().namespace("/", events)).await;
    let (mut ws, _) = joined(&site).await;
    ws.send_binary(&[1]).await;
    ws.closed().await;
    assert_eq!(ends.next().await, DisconnectReason::ParseError);

    let (mut ws, _) = joined(&site).await;
    ws.send(r#"451-["message",{"_placeholder":true,"num":0}]"#)
        .await;
    ws.send(r#"42["message"]"#).await;
    ws.closed().await;
    assert_eq!(ends.next().await, DisconnectReason::ParseError);
}

#[tokio::test]
async fn a_number_is_a_name() {
    let (seen, mut saw) = mpsc::unbounded_channel();
    let events = Events::new().on_fallback(move |_, event| {
        let _ = seen.send(event.name);
        async {}
    });
    let (site, _io) = launch(builder().namespace("/", events)).await;
    let (mut ws, _) = joined(&site).await;
    ws.send("42[7]").await;
    assert_eq!(soon(saw.recv()).await.unwrap(), "7");
}

#[tokio::test]
async fn leaving_a_namespace_leaves_the_connection_up() {
    let (events, mut ends) = Ends::of(echo());
    let (site, _io) = launch(builder().namespace("/", events)).await;
    let (mut ws, first) = joined(&site).await;
    ws.send("41").await;
    assert_eq!(
        ends.next().await,
        DisconnectReason::ClientNamespaceDisconnect
    );
    ws.send("40").await;
    let again = json_after(&ws.text().await, "40");
    assert_ne!(again["sid"], first);
    // The comma is optional if nothing follows.
    ws.send("41/").await;
    assert_eq!(
        ends.next().await,
        DisconnectReason::ClientNamespaceDisconnect
    );
}

#[tokio::test]
async fn events_of_one_socket_wait_for_each_other_and_others_do_not() {
    let gate = Arc::new(Semaphore::new(0));
    let order = Arc::new(Mutex::new(Vec::new()));
    let (at_gate, handled) = (Arc::clone(&gate), Arc::clone(&order));
    let events = Events::new()
        .on("slow", move |_, event| {
            let (gate, order) = (Arc::clone(&at_gate), Arc::clone(&handled));
            async move {
                gate.acquire().await.expect("it stays open").forget();
                order
                    .lock()
                    .expect("nobody panicked")
                    .push(event.args.values()[0].clone());
            }
        })
        .on("done", |_, mut event| async move { event.acknowledge(()) });
    let (site, _io) = launch(builder().namespace("/", events)).await;
    let (mut one, _) = joined(&site).await;
    let (mut other, _) = joined(&site).await;
    for number in 0..20 {
        one.send(&format!(r#"42["slow",{number}]"#)).await;
    }
    one.send(r#"421["done"]"#).await;
    other.send(r#"425["done"]"#).await;
    assert_eq!(other.text().await, "435[]");
    assert!(order.lock().unwrap().is_empty());
    gate.add_permits(20);
    assert_eq!(one.text().await, "431[]");
    let expected: Vec<_> = (0..20).map(|number| json!(number)).collect();
    assert_eq!(*order.lock().unwrap(), expected);
}

/// Awaits an acknowledgement from its own client inside a handler.
fn asking() -> Events {
    Events::new().on("ask me", |socket, mut event| async move {
        let question = (1, Bytes::from_static(&[9]));
        let answer = socket.emit_with_ack("what is it", question, TIMEOUT).await;
        event.acknowledge(answer.unwrap_or_default());
    })
}

#[tokio::test]
async fn a_handler_may_ask_its_own_client() {
    let (site, _io) = launch(builder().namespace("/", asking())).await;
    let (mut ws, _) = joined(&site).await;
    ws.send(r#"423["ask me"]"#).await;
    let question = ws.text().await;
    assert_eq!(
        question,
        r#"451-0["what is it",1,{"_placeholder":true,"num":0}]"#
    );
    assert_eq!(ws.binary().await, [9]);
    // Unknown acknowledgements are ignored, and an id can be acknowledged once.
    ws.send(r#"4377["nobody asked"]"#).await;
    ws.send(r#"430["this"]"#).await;
    ws.send(r#"430["not this"]"#).await;
    assert_eq!(ws.text().await, r#"433["this"]"#);
}

#[tokio::test]
async fn each_side_numbers_its_own_questions() {
    let (site, _io) = launch(builder().namespace("/", asking())).await;
    let (mut ws, _) = joined(&site).await;
    ws.send(r#"420["ask me"]"#).await;
    assert!(ws.text().await.starts_with(r#"451-0["what is it","#));
    ws.binary().await;
    ws.send(r#"430["this"]"#).await;
    assert_eq!(ws.text().await, r#"430["this"]"#);
}

#[tokio::test]
async fn an_answer_may_fail_to_come() {
    let (results, mut result) = mpsc::unbounded_channel();
    let events = Events::new()
        .on("soon", {
            let results = results.clone();
            move |socket, _| {
                let results = results.clone();
                async move {
                    let short = Duration::from_millis(20);
                    let _ = results.send(socket.emit_with_ack("?", (), short).await);
                }
            }
        })
        .on("later", move |socket, _| {
            let results = results.clone();
            async move {
                let _ = results.send(socket.emit_with_ack("?", (), TIMEOUT).await);
            }
        });
    let (site, _io) = launch(builder().namespace("/", events)).await;
    let (mut ws, _) = joined(&site).await;
    ws.send(r#"42["soon"]"#).await;
    assert_eq!(soon(result.recv()).await, Some(Err(AckError::Timeout)));
    ws.text().await;
    ws.send(r#"42["later"]"#).await;
    ws.text().await;
    drop(ws);
    assert_eq!(soon(result.recv()).await, Some(Err(AckError::Disconnected)));
}

#[tokio::test]
async fn a_handler_that_panics_hurts_one_event() {
    let events = echo().on("panic", |_, _| async { panic!("this is part of the test") });
    let (site, _io) = launch(builder().namespace("/", events)).await;
    let (mut ws, _) = joined(&site).await;
    ws.send(r#"42["panic"]"#).await;
    ws.send(r#"42["message",1]"#).await;
    assert_eq!(ws.text().await, r#"42["message-back",1]"#);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn frames_of_one_packet_are_not_torn_apart() {
    const SPEAKERS: u8 = 8;
    const ROUNDS: u8 = 100;
    let events = Events::new().on("all", |socket, _| async move {
        let start = Arc::new(Barrier::new(SPEAKERS.into()));
        let speakers = (0..SPEAKERS).map(|session| {
            let (socket, start) = (socket.clone(), Arc::clone(&start));
            tokio::spawn(async move {
                start.wait().await;
                for round in 0..ROUNDS {
                    let twin = Bytes::from(vec![session, round]);
                    socket.emit("b", (json!([session, round]), twin.clone(), twin))?;
                    socket.emit("t", "between")?;
                }
                Ok::<_, SendError>(())
            })
        });
        for session in speakers.collect::<Vec<_>>() {
            assert_eq!(session.await.expect("it does not panic"), Ok(()));
        }
        let _ = socket.emit("end", ());
    });
    let (site, _io) = launch(builder().namespace("/", events)).await;
    let (mut ws, _) = joined(&site).await;
    ws.send(r#"42["all"]"#).await;
    let mut heard = [0; SPEAKERS as usize];
    loop {
        let text = ws.text().await;
        if text == r#"42["end"]"# {
            break;
        }
        if text.starts_with("452-") {
            let said = json_after(&text, "452-")[1].take();
            for _ in 0..2 {
                assert_eq!(json!(ws.binary().await), said);
            }
            // The events of each client are handled in order.
            let count = &mut heard[usize::try_from(said[0].as_u64().unwrap()).unwrap()];
            assert_eq!(said[1], json!(*count));
            *count += 1;
        }
    }
    assert_eq!(heard, [ROUNDS; SPEAKERS as usize]);
}

#[tokio::test]
async fn a_client_that_outruns_its_handler_is_read_no_further() {
    let gate = Arc::new(Semaphore::new(0));
    let at_gate = Arc::clone(&gate);
    let events = Events::new().on("slow", move |_, _| {
        let gate = Arc::clone(&at_gate);
        async move { gate.acquire().await.expect("it stays open").forget() }
    });
    let events = events.on("done", |_, mut event| async move { event.acknowledge(()) });
    let builder = builder()
        .max_http_buffer_size(100_000)
        .namespace("/", events);
    let (site, _io) = launch(builder).await;
    let (mut ws, _) = joined(&site).await;
    let event = format!(r#"42["slow","{}"]"#, "x".repeat(90_000));
    let mut sent = 0;
    // What the server does not read fills the kernel's buffers. Then sending blocks.
    while let Ok(()) = tokio::time::timeout(Duration::from_millis(300), ws.send(&event)).await {
        sent += 1;
        assert!(sent < 1000, "it reads on and on");
    }
    gate.add_permits(sent + 1);
    ws.send(r#"421["done"]"#).await;
    assert_eq!(ws.text().await, "431[]");
}

#[tokio::test]
async fn polling_carries_events_too() {
    let (site, _io) = launch(builder().namespace("/", echo())).await;
    let session = site.open("EIO=4").await;
    site.post(&session, "40").await;
    assert!(site.get(&session).await.text().starts_with("40{"));
    let event = r#"451-["message",{"_placeholder":true,"num":0}]"#;
    let back = event.replace("message", "message-back");
    site.post(&session, format!("{event}\x1ebAQI=")).await;
    assert_eq!(site.get(&session).await.text(), format!("{back}\x1ebAQI="));

    let session = site.open("EIO=3").await;
    assert_eq!(site.get(&session).await.text(), "2:40");
    let body = format!("{}:{event}6:b4AQI=", event.len());
    site.post(&session, body).await;
    let home = site.get(&session).await;
    let digits: Vec<u8> = back
        .len()
        .to_string()
        .bytes()
        .map(|digit| digit - b'0')
        .collect();
    let expected = [
        &[0],
        &digits[..],
        &[255],
        back.as_bytes(),
        &[1, 3, 255, 4, 1, 2],
    ]
    .concat();
    assert_eq!(home.bytes.as_ref(), expected);
}

#[tokio::test]
async fn args_of_one_kind_need_no_tuple() {
    let events = Events::new().on("all", |socket, _| async move {
        let _ = socket.emit("none", ());
        let _ = socket.emit("text", "a");
        let _ = socket.emit("json", json!({ "a": 1 }));
        let _ = socket.emit("bytes", Bytes::from_static(&[1]));
        let _ = socket.emit("args", Args::from(("a", 1, true)));
    });
    let (site, _io) = launch(builder().namespace("/", events)).await;
    let (mut ws, _) = joined(&site).await;
    ws.send(r#"42["all"]"#).await;
    for expected in [
        r#"42["none"]"#,
        r#"42["text","a"]"#,
        r#"42["json",{"a":1}]"#,
    ] {
        assert_eq!(ws.text().await, expected);
    }
    assert!(ws.text().await.starts_with("451-"));
    ws.binary().await;
    assert_eq!(ws.text().await, r#"42["args","a",1,true]"#);
}
