//! A story's connections: what they are sent, held against what the story tells.

use std::{fmt, io::ErrorKind};

use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::pattern::{self, Names};
use crate::support::{
    conformity::breach_of_frame,
    socketio_client::{TIMEOUT, Ws},
};

/// What Engine.IO says first on every WebSocket.
const OPEN: &str = r#"0{"sid":"<sid>","upgrades":[],"pingInterval":25000,"pingTimeout":20000,
    "maxPayload":1000000}"#;
/// An event that no dialect has, and its answer: what was sent before it comes before it.
const ASK: &str = r#"42999["is there anything else?"]"#;
const ANSWER: &str = r#"43999[{"status":"error","error":"there is no such event"}]"#;

/// How a story and what happened differ.
#[derive(Debug)]
pub(super) struct Difference {
    pub(super) fault: String,
    /// What was expected and what came, where that is not the fault itself.
    pub(super) frames: Option<(String, String)>,
}

impl From<String> for Difference {
    fn from(fault: String) -> Self {
        Self {
            fault,
            frames: None,
        }
    }
}

impl Difference {
    pub(super) fn new(fault: impl Into<String>, expected: &str, actual: &str) -> Self {
        Self {
            fault: fault.into(),
            frames: Some((expected.to_owned(), actual.to_owned())),
        }
    }
}

/// A WebSocket to the server.
pub(super) struct Connection {
    ws: Ws,
    /// Whether the server asks for signs of life, as the newer protocol has it.
    is_asked: bool,
    /// Whether it is in the namespace.
    is_in: bool,
}

/// What came next.
enum Backlog {
    Frame(String),
    Closed,
    Silence,
}

impl fmt::Display for Backlog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Frame(frame) => f.write_str(frame),
            Self::Closed => f.write_str("the end of the connection"),
            Self::Silence => write!(f, "nothing within {} s", TIMEOUT.as_secs()),
        }
    }
}

impl Backlog {
    fn is(&self, expected: &str, names: &mut Names) -> Result<(), Difference> {
        let fault = match self {
            Self::Frame(frame) => match pattern::frame(expected, frame, names) {
                Ok(()) => match breach_of_frame(frame) {
                    None => return Ok(()),
                    Some(fault) => fault,
                },
                Err(fault) => fault,
            },
            Self::Closed | Self::Silence => "there is no frame".to_owned(),
        };
        Err(Difference::new(fault, expected, &self.to_string()))
    }
}

impl Connection {
    /// Connects to a server with a query.
    pub(super) async fn open(server: &str, query: &str) -> Result<Self, Difference> {
        let url = format!("{server}/socket.io/?transport=websocket&{query}");
        let url = url.replacen("http", "ws", 1);
        let opening = async {
            loop {
                match tokio_tungstenite::connect_async(&url).await {
                    // The second port opens a moment after the first.
                    Err(Error::Io(error)) if error.kind() == ErrorKind::ConnectionRefused => {
                        tokio::task::yield_now().await;
                    }
                    opened => return opened,
                }
            }
        };
        let opened = tokio::time::timeout(TIMEOUT, opening).await;
        let opened = opened.map_err(|_| format!("nobody answers at {url}"))?;
        let (ws, _) = opened.map_err(|error| format!("there is no WebSocket at {url}: {error}"))?;
        let mut connection = Self {
            ws: Ws(ws),
            is_asked: query.split('&').any(|pair| pair == "EIO=4"),
            is_in: false,
        };
        connection.next().await.is(OPEN, &mut Names::new())?;
        Ok(connection)
    }

    /// Sends a frame.
    pub(super) async fn says(&mut self, frame: &str) -> Result<(), Difference> {
        self.is_in &= frame != "41";
        let sent = self.ws.0.send(Message::text(frame)).await;
        sent.map_err(|error| Difference::from(format!("this cannot be sent: {error}")))
    }

    /// Checks that the next frame is this one.
    pub(super) async fn hears(
        &mut self,
        expected: &str,
        names: &mut Names,
    ) -> Result<(), Difference> {
        self.next().await.is(expected, names)?;
        self.is_in |= expected.starts_with("40");
        Ok(())
    }

    /// Checks that the server ends it now.
    pub(super) async fn hears_the_end(mut self) -> Result<(), Difference> {
        match self.next().await {
            Backlog::Closed => Ok(()),
            heard @ (Backlog::Frame(_) | Backlog::Silence) => {
                let (expected, actual) = (Backlog::Closed.to_string(), heard.to_string());
                Err(Difference::new("it goes on", &expected, &actual))
            }
        }
    }

    /// Ends it.
    pub(super) async fn close(mut self) -> Result<(), Difference> {
        if self.is_in {
            self.has_heard_all().await?;
        }
        let closed = self.ws.0.close(None).await;
        closed.map_err(|error| Difference::from(format!("this cannot be closed: {error}")))
    }

    /// Checks at a story's end that nothing was sent that it does not tell.
    pub(super) async fn ends(mut self) -> Result<(), Difference> {
        if self.is_in {
            return self.has_heard_all().await;
        }
        Err("it is in no namespace at the end: let it close"
            .to_owned()
            .into())
    }

    async fn has_heard_all(&mut self) -> Result<(), Difference> {
        self.says(ASK).await?;
        let heard = self.next().await;
        heard.is(ANSWER, &mut Names::new()).map_err(|_| {
            let fault = "there is more than the story tells";
            Difference::new(fault, "no more frames", &heard.to_string())
        })
    }

    /// The next frame. The heartbeat is the client's business, not the story's.
    async fn next(&mut self) -> Backlog {
        loop {
            let Ok(next) = tokio::time::timeout(TIMEOUT, self.ws.0.next()).await else {
                return Backlog::Silence;
            };
            match next {
                Some(Ok(Message::Text(text))) if text.as_str() == "2" && self.is_asked => {
                    // One that is over says so next.
                    let _ = self.says("3").await;
                }
                Some(Ok(Message::Text(text))) => return Backlog::Frame(text.to_string()),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Binary(bytes))) => return Backlog::Frame(format!("{bytes:?}")),
                Some(Ok(Message::Close(_) | Message::Frame(_)) | Err(_)) | None => {
                    return Backlog::Closed;
                }
            }
        }
    }
}
