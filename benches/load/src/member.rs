//! A user of the embedded chat on a socket: says things, hears them, and keeps account of both.

use bench_wire::{ANSWER_TIMEOUT, Socket};
use memchr::memmem;
use serde_json::{Value, json};
use tokio::{task::JoinSet, time::timeout};

use crate::{
    Outcome,
    audit::{Audit, Sequence},
};

/// What people say, after who of them it is and how many it is of theirs.
const WORDS: &str = "The quick brown fox jumps over the lazy dog.";
/// How many sockets are opened at a time.
const AT_ONCE: usize = 64;

/// What has come in on a socket.
#[derive(Default)]
pub struct Heard {
    /// Answers to what was said on this socket.
    pub answers: Sequence,
    /// What each speaker of the chat said.
    pub speakers: [Sequence; 2],
    /// The last place that recovery goes on from.
    pub offset: Option<String>,
    refused: Option<String>,
}

impl Heard {
    /// Takes note of a message of the server's; returns whose words it was, and which of theirs.
    pub fn note(&mut self, payload: &[u8]) -> Option<(usize, u64)> {
        if let Some(answer) = payload.strip_prefix(b"43") {
            self.note_answer(answer);
            return None;
        }
        if !payload.starts_with(b"42[\"new-message\"") {
            return None;
        }
        let (speaker, number) = numbered(payload, br#""msg":""#)?;
        self.speakers.get_mut(speaker)?.note(number);
        Some((speaker, number))
    }

    fn note_answer(&mut self, answer: &[u8]) {
        let number = digits(answer);
        match number {
            Some(number) if memmem::find(answer, br#""status":"ok""#).is_some() => {
                self.answers.note(number);
            }
            _ => self.refused = Some(String::from_utf8_lossy(answer).into_owned()),
        }
    }

    pub fn refusal(&mut self) -> Outcome {
        match self.refused.take() {
            Some(refused) => Err(format!("a message was refused: {refused}").into()),
            None => Ok(()),
        }
    }
}

/// The speaker and the number that stand after a text, as in `"msg":"0:17 The quick…`.
pub fn numbered(payload: &[u8], before: &[u8]) -> Option<(usize, u64)> {
    let start = memmem::find(payload, before)? + before.len();
    let rest = &payload[start..];
    let colon = rest.iter().take(8).position(|byte| *byte == b':')?;
    let speaker = usize::try_from(digits(&rest[..colon])?).ok()?;
    Some((speaker, digits(&rest[colon + 1..])?))
}

fn digits(bytes: &[u8]) -> Option<u64> {
    let length = bytes
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    std::str::from_utf8(&bytes[..length]).ok()?.parse().ok()
}

/// What somebody says: who of the chat's speakers it is, how many it is of theirs, and some words.
pub fn words(speaker: usize, number: u64) -> String {
    format!("{speaker}:{number} {WORDS}")
}

/// A user on a socket of their own.
pub struct Member {
    pub socket: Socket,
    pub user: String,
    pub heard: Heard,
    pub said: u64,
    /// Which of the chat's speakers this one is.
    pub speaker: usize,
    chat: String,
}

impl Member {
    /// Connects and finds or makes the user.
    pub async fn connect(port: u16, name: &str) -> Outcome<Self> {
        let (socket, _) = Socket::connect(port, "", 0).await?;
        Self::on(socket, name).await
    }

    /// The user on a socket that is connected.
    pub async fn on(mut socket: Socket, name: &str) -> Outcome<Self> {
        let user = json!({"user": {"external_id": name, "name": name, "photo": ""}});
        let (told, offset) = ask(&mut socket, "create-user", &user).await?;
        Ok(Self {
            socket,
            user: text(&told["user"]["id"])?,
            heard: Heard {
                offset,
                ..Heard::default()
            },
            said: 0,
            speaker: 0,
            chat: String::new(),
        })
    }

    /// Many of them, connected some at a time, in order.
    pub async fn crowd(port: u16, name: &'static str, size: usize) -> Outcome<Vec<Self>> {
        let mut crowd = Vec::with_capacity(size);
        let mut opening = JoinSet::new();
        for number in 0..size {
            opening
                .spawn_local(async move { Self::connect(port, &format!("{name}-{number}")).await });
            if opening.len() >= AT_ONCE || number + 1 == size {
                while let Some(member) = opening.join_next().await {
                    crowd.push(member??);
                }
            }
        }
        Ok(crowd)
    }

    /// Opens a chat of some users, this one among them; returns its id.
    pub async fn open_chat(&mut self, users: &[String]) -> Outcome<String> {
        let asked = json!({"chat": {"name": "chat"}, "users": users});
        let (told, _) = ask(&mut self.socket, "create-chat", &asked).await?;
        text(&told["chat"]["id"])
    }

    pub fn enter(&mut self, chat: &str) {
        chat.clone_into(&mut self.chat);
    }

    /// Says the next thing; the answer and what follows are read elsewhere.
    pub async fn say(&mut self) -> Outcome {
        let (ack, words) = (self.said, words(self.speaker, self.said));
        let frame = format!(
            r#"42{ack}["new-message",{{"chat":{{"id":"{}"}},"user":{{"id":"{}"}},"message":{{"value":"{words}","type":"text"}}}}]"#,
            self.chat, self.user
        );
        self.said += 1;
        Ok(self.socket.send(&frame).await?)
    }

    /// Reads what has come.
    pub async fn listen(&mut self) -> Outcome {
        let Self { socket, heard, .. } = self;
        socket
            .read(|payload| {
                heard.note(payload);
            })
            .await?;
        heard.refusal()
    }

    /// Listens until so much has been heard; false when nothing more comes.
    pub async fn until(&mut self, enough: impl Fn(&Heard) -> bool) -> Outcome<bool> {
        while !enough(&self.heard) {
            match timeout(ANSWER_TIMEOUT, self.listen()).await {
                Ok(listened) => listened?,
                Err(_) => return Ok(false),
            }
        }
        Ok(true)
    }

    /// The account of a member who heard so much of each speaker.
    pub fn audit(&self, expected: [u64; 2]) -> Audit {
        let mut audit = Audit::requests(self.said, self.heard.answers.delivered());
        for (speaker, expected) in self.heard.speakers.iter().zip(expected) {
            audit += speaker.audit(expected);
        }
        audit
    }
}

/// Emits an event and waits for the event that answers it; returns that, and its offset if it has one.
async fn ask(socket: &mut Socket, event: &str, asked: &Value) -> Outcome<(Value, Option<String>)> {
    socket.send(&format!(r#"42["{event}",{asked}]"#)).await?;
    let told = socket
        .wait_for(format!(r#"42["{event}""#).as_bytes())
        .await?;
    let told: Value = serde_json::from_str(&told[2..])?;
    if told[1]["status"] != "ok" {
        return Err(format!("{event} was refused: {told}").into());
    }
    let offset = told[2].as_str().map(str::to_owned);
    Ok((told[1].clone(), offset))
}

fn text(value: &Value) -> Outcome<String> {
    let text = value.as_str().ok_or("no text where text was expected")?;
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_is_told_by_speaker_and_number() {
        let payload = br#"42["new-message",{"id":"7","msg":"1:23 The quick"}]"#;
        let mut heard = Heard::default();
        assert_eq!(heard.note(payload), Some((1, 23)));
        assert_eq!(heard.speakers[1].delivered(), 1);
        assert_eq!(words(1, 23).split(' ').next(), Some("1:23"));
    }

    #[test]
    fn an_answer_that_refuses_is_an_error() {
        let mut heard = Heard::default();
        heard.note(br#"430[{"status":"ok"}]"#);
        assert!(heard.refusal().is_ok() && heard.answers.has(1));
        heard.note(br#"431[{"status":"error"}]"#);
        assert!(heard.refusal().is_err() && !heard.answers.has(2));
    }
}
