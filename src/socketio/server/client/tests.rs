//! A client may send as soon as the `CONNECT` packet is queued for it.

use std::{sync::Arc, task::Wake, time::Duration};

use super::*;
use crate::{
    engine::fixture::{session, wake_transport_by},
    server::options::{Overflow, ServerOptions},
};

/// A client that sends an event on the thread that queues the `CONNECT` packet, before that thread goes on.
struct FastClient(EngineConnection);

impl Wake for FastClient {
    fn wake(self: Arc<Self>) {
        self.0.on_message(Message::Text(r#"2["message",1]"#));
    }
}

#[tokio::test]
async fn an_event_is_accepted_as_soon_as_the_connect_packet_is_queued() {
    let session = session();
    let options = ServerOptions {
        connect_timeout: Duration::from_secs(45),
        recovery: None,
        overflow: Overflow::default(),
        pending_bytes: 1_000,
    };
    let namespaces = Namespaces::new(options, Vec::new(), Vec::new());
    let client = Client::new(Arc::clone(&session), namespaces);
    let waker = Waker::from(Arc::new(FastClient(EngineConnection(Arc::clone(&client)))));
    wake_transport_by(&session, &waker);
    let main = NamespaceName::MAIN;
    assert!(client.connect(&main, None).is_ok());
    let socket = client.find(&main).expect("it connects");
    while socket.member.phase() == Phase::Connecting && !session.is_closed() {
        tokio::task::yield_now().await;
    }
    assert!(
        !session.is_closed(),
        "the event is no violation of the protocol"
    );
    assert!(socket.is_connected());
}
