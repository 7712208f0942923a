//! Pipelined events: they begin before earlier ones are answered, and are answered in their order.

use std::{collections::HashMap, sync::Arc};

use parlance_socketio::{
    MAX_OPEN, PipelinedAnswer,
    engine::DisconnectReason,
    server::{Event, Handler, Prepared, Socket},
};
use serde_json::json;
use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::{
    support::socketio::{builder, joined, launch},
    support::socketio_client::{Site, Ws, soon},
};

/// What the handler tells the test, in its order.
#[derive(Debug, PartialEq, Eq)]
enum Call {
    Begun(u64),
    Handled(String),
    Ended(DisconnectReason),
}

/// Pipelines `send`: the test decides when each is ready to be answered. Everything else is handled at once.
struct Pipelined {
    calls: mpsc::UnboundedSender<Call>,
    outcomes: std::sync::Mutex<HashMap<u64, oneshot::Receiver<()>>>,
    slow_begin: Option<Arc<Semaphore>>,
}

struct Test {
    site: Site,
    calls: mpsc::UnboundedReceiver<Call>,
    ready: HashMap<u64, oneshot::Sender<()>>,
}

impl Handler for Pipelined {
    async fn on_event(&self, socket: &Socket, mut event: Event) {
        let _ = self.calls.send(Call::Handled(event.name.clone()));
        event.acknowledge("handled");
        if event.name == "fill" {
            let text = "x".repeat(2000);
            let event = Prepared::event(socket.namespace(), "filler", text);
            while socket.try_emit(&event).is_ok() {}
        }
    }

    fn is_pipelined(&self, event: &Event) -> bool {
        event.name == "send"
    }

    async fn begin_event(&self, _socket: &Socket, mut event: Event) -> PipelinedAnswer {
        let number = event.args.get(0).and_then(serde_json::Value::as_u64);
        let number = number.expect("a number");
        if let Some(slow) = &self.slow_begin {
            slow.acquire().await.expect("it is open").forget();
        }
        let _ = self.calls.send(Call::Begun(number));
        assert!(number != 1013, "a bug in a handler");
        let outcome = self.outcomes.lock().expect("no panic").remove(&number);
        let outcome = async move {
            if let Some(outcome) = outcome {
                let _ = outcome.await;
            }
        };
        PipelinedAnswer::new(outcome, move |()| async move {
            assert!(number != 1014, "a bug in an answer");
            event.acknowledge(number);
        })
    }

    async fn on_disconnect(&self, _socket: &Socket, reason: DisconnectReason) {
        let _ = self.calls.send(Call::Ended(reason));
    }
}

impl Test {
    /// A server where the first `count` messages are answered when the test says so.
    async fn new(count: u64) -> Self {
        Self::with(count, None, |builder| builder).await
    }

    async fn with(
        count: u64,
        slow_begin: Option<Arc<Semaphore>>,
        build: impl FnOnce(parlance_socketio::Builder) -> parlance_socketio::Builder,
    ) -> Self {
        let (mut ready, mut outcomes) = (HashMap::new(), HashMap::new());
        for number in 0..count {
            let (sender, receiver) = oneshot::channel();
            ready.insert(number, sender);
            outcomes.insert(number, receiver);
        }
        let (sender, calls) = mpsc::unbounded_channel();
        let handler = Pipelined {
            calls: sender,
            outcomes: outcomes.into(),
            slow_begin,
        };
        let (site, _) = launch(build(builder()).namespace("/", handler)).await;
        Self { site, calls, ready }
    }

    /// The outcome of a message is known.
    fn ready(&mut self, number: u64) {
        let ready = self.ready.remove(&number).expect("it is under way");
        ready.send(()).expect("the server waits for it");
    }

    async fn call(&mut self) -> Call {
        soon(self.calls.recv()).await.expect("the handler is there")
    }

    async fn begun(&mut self, numbers: impl IntoIterator<Item = u64>) {
        for number in numbers {
            assert_eq!(self.call().await, Call::Begun(number));
        }
    }
}

async fn send(ws: &mut Ws, number: u64) {
    ws.send(&format!(r#"42{number}["send",{number}]"#)).await;
}

async fn answered(ws: &mut Ws, number: u64) {
    assert_eq!(ws.text().await, format!("43{number}[{number}]"));
}

#[tokio::test]
async fn events_begin_before_earlier_ones_are_answered_and_answers_keep_their_order() {
    let mut test = Test::new(3).await;
    let (mut ws, _) = joined(&test.site).await;
    for number in 0..3 {
        send(&mut ws, number).await;
    }
    test.begun(0..3).await;
    // The later ones are ready first.
    test.ready(2);
    test.ready(1);
    test.ready(0);
    for number in 0..3 {
        answered(&mut ws, number).await;
    }
}

#[tokio::test]
async fn so_many_are_open_at_a_time() {
    let most = u64::try_from(MAX_OPEN).expect("a small number");
    let mut test = Test::new(most + 2).await;
    let (mut ws, _) = joined(&test.site).await;
    for number in 0..most + 2 {
        send(&mut ws, number).await;
    }
    test.begun(0..most).await;
    // The one after them begins with the answer to the first, and the next with that to the second.
    for first in 0..2 {
        assert!(
            test.calls.try_recv().is_err(),
            "{first}: one too many has begun"
        );
        test.ready(first);
        answered(&mut ws, first).await;
        test.begun([most + first]).await;
    }
}

#[tokio::test]
async fn every_other_event_waits_until_none_is_open_and_keeps_its_place() {
    let mut test = Test::new(3).await;
    let (mut ws, _) = joined(&test.site).await;
    send(&mut ws, 0).await;
    send(&mut ws, 1).await;
    ws.send(r#"427["look"]"#).await;
    send(&mut ws, 2).await;
    test.begun([0, 1]).await;
    test.ready(1);
    assert!(test.calls.try_recv().is_err(), "it looks before its time");
    test.ready(0);
    answered(&mut ws, 0).await;
    answered(&mut ws, 1).await;
    assert_eq!(ws.text().await, r#"437["handled"]"#);
    assert_eq!(test.call().await, Call::Handled("look".into()));
    test.begun([2]).await;
    test.ready(2);
    answered(&mut ws, 2).await;
}

#[tokio::test]
async fn a_disconnect_waits_for_what_is_open() {
    let mut test = Test::new(2).await;
    let (mut ws, _) = joined(&test.site).await;
    send(&mut ws, 0).await;
    send(&mut ws, 1).await;
    test.begun([0, 1]).await;
    drop(ws);
    test.ready(0);
    assert!(test.calls.try_recv().is_err(), "one is still open");
    test.ready(1);
    assert!(matches!(test.call().await, Call::Ended(_)));
}

#[tokio::test]
async fn a_panic_ends_its_own_event_alone() {
    let mut test = Test::new(1).await;
    let (mut ws, _) = joined(&test.site).await;
    send(&mut ws, 0).await;
    for number in [1013, 1014, 1015] {
        send(&mut ws, number).await;
    }
    test.begun([0, 1013, 1014, 1015]).await;
    test.ready(0);
    answered(&mut ws, 0).await;
    answered(&mut ws, 1015).await;
    ws.send(r#"427["look"]"#).await;
    assert_eq!(ws.text().await, r#"437["handled"]"#);
}

#[tokio::test]
async fn what_is_open_is_answered_while_the_next_one_begins() {
    let begin = Arc::new(Semaphore::new(1));
    let mut test = Test::with(2, Some(Arc::clone(&begin)), |builder| builder).await;
    let (mut ws, _) = joined(&test.site).await;
    send(&mut ws, 0).await;
    test.begun([0]).await;
    // The second waits for something in its beginning, perhaps for what the answer to the first has.
    send(&mut ws, 1).await;
    test.ready(0);
    answered(&mut ws, 0).await;
    begin.add_permits(1);
    test.begun([1]).await;
    test.ready(1);
    answered(&mut ws, 1).await;
}

#[tokio::test]
async fn events_count_as_pending_until_they_are_answered() {
    let mut test = Test::with(6, None, |builder| builder.max_http_buffer_size(4000)).await;
    let (mut ws, _) = joined(&test.site).await;
    let more = "y".repeat(2000);
    for number in 0..6_u64 {
        ws.send(&format!(r#"42{number}["send",{number},"{more}"]"#))
            .await;
    }
    // Two of them fill what may be pending; nothing more is read before one of them is answered.
    test.begun([0, 1]).await;
    for number in 0..4 {
        assert!(test.calls.try_recv().is_err(), "{number}: too much is read");
        test.ready(number);
        answered(&mut ws, number).await;
        test.begun([number + 2]).await;
    }
}

#[tokio::test]
async fn answers_wait_until_the_outbox_is_below_its_limit() {
    let mut test = Test::with(3, None, |builder| builder.outbox_bytes(8000)).await;
    // By polling, without a poll under way: all packets stay in the outbox.
    let session = test.site.open("EIO=4").await;
    test.site.post(&session, "40").await;
    assert!(test.site.get(&session).await.text().starts_with("40{"));
    test.site.post(&session, r#"42["fill"]"#).await;
    assert_eq!(test.call().await, Call::Handled("fill".into()));
    let body = (0..3).map(|n| format!(r#"42{n}["send",{n}]"#));
    test.site
        .post(&session, body.collect::<Vec<_>>().join("\x1e"))
        .await;
    test.begun([0, 1, 2]).await;
    for number in 0..3 {
        test.ready(number);
    }
    let mut answers = Vec::new();
    while answers.len() < 3 {
        let told = test.site.get(&session).await;
        let packets = told.text().split('\x1e').filter(|it| it.starts_with("43"));
        answers.extend(packets.map(str::to_owned));
    }
    assert_eq!(json!(answers), json!(["430[0]", "431[1]", "432[2]"]));
}
