//! A receiver of webhooks that answers when, and as, a test says.

use std::{collections::HashMap, net::SocketAddr};

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

use crate::support::world::FOREVER;

/// See the module.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    requests: mpsc::UnboundedReceiver<Received>,
    listening: JoinHandle<()>,
}

/// A request that waits for its answer.
pub(crate) struct Received {
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: String,
    answer: oneshot::Sender<String>,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await;
        Self::on(listener.expect("a free port"))
    }

    /// One that listens where another one did.
    pub(crate) async fn again(address: SocketAddr) -> Self {
        Self::on(TcpListener::bind(address).await.expect("the port is free"))
    }

    fn on(listener: TcpListener) -> Self {
        let address = listener.local_addr().expect("it is bound");
        let (sender, requests) = mpsc::unbounded_channel();
        let listening = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, sender.clone()));
            }
        });
        Self {
            address,
            requests,
            listening,
        }
    }

    /// Where it is.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// The next request.
    pub(crate) async fn next(&mut self) -> Received {
        let next = tokio::time::timeout(FOREVER, self.requests.recv()).await;
        next.expect("it is told").expect("it listens")
    }

    /// The next request, received well.
    pub(crate) async fn takes(&mut self) -> Value {
        let next = self.next().await;
        let body = next.json();
        next.answer(204);
        body
    }

    /// Whether there is a request that nobody has looked at.
    pub(crate) fn has_more(&mut self) -> bool {
        !self.requests.is_empty()
    }

    /// Listens no more.
    pub(crate) async fn stop(mut self) -> SocketAddr {
        self.listening.abort();
        drop((&mut self.listening).await);
        self.address
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn serve(mut stream: TcpStream, requests: mpsc::UnboundedSender<Received>) {
    let mut read = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        if let Some((head, body)) = whole(&read) {
            let (answer, answered) = oneshot::channel();
            let received = Received {
                headers: head,
                body,
                answer,
            };
            if requests.send(received).is_err() {
                return;
            }
            if let Ok(answer) = answered.await {
                drop(stream.write_all(answer.as_bytes()).await);
            }
            return;
        }
        match stream.read(&mut buffer).await {
            Ok(count) if count > 0 => read.extend_from_slice(&buffer[..count]),
            Ok(_) | Err(_) => return,
        }
    }
}

/// A request's headers and its body, if all of it is there.
fn whole(bytes: &[u8]) -> Option<(HashMap<String, String>, String)> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let lines = head.lines().skip(1);
    let headers: HashMap<_, _> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length: usize = headers.get("content-length")?.parse().ok()?;
    (body.len() == length).then(|| (headers, body.to_owned()))
}

impl Received {
    /// Its body.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("the body is JSON")
    }

    /// Its id.
    pub(crate) fn id(&self) -> &str {
        &self.headers["webhook-id"]
    }

    /// Answers with a status.
    pub(crate) fn answer(self, status: u16) {
        self.answer_with(status, "");
    }

    /// Answers with a status and more headers.
    pub(crate) fn answer_with(self, status: u16, headers: &str) {
        let answer = format!(
            "HTTP/1.1 {status} Said\r\n{headers}Content-Length: 0\r\nConnection: close\r\n\r\n"
        );
        // A server that was stopped has no use for it.
        drop(self.answer.send(answer));
    }

    /// Whether one of its signatures is by this secret.
    pub(crate) fn is_signed_by(&self, secret: &str) -> bool {
        let key = secret.strip_prefix("whsec_").expect("a secret");
        let key = STANDARD.decode(key).expect("a secret is base64");
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("a key");
        let timestamp = &self.headers["webhook-timestamp"];
        mac.update(format!("{}.{timestamp}.{}", self.id(), self.body).as_bytes());
        let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
        let mut signatures = self.headers["webhook-signature"].split(' ');
        signatures.any(|signature| signature == expected)
    }
}
