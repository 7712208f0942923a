//! A ceiling: no server at all, only what a chat must do. `bare_writes PORT`.
//!
//! Everybody who says who they are is in the one chat.

use std::{io, rc::Rc};

use bench_wire::{
    bare::{self, Members, write},
    frame,
};
use tokio::net::TcpStream;

/// The text between two others.
fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    text.split_once(before)?.1.split(after).next()
}

fn message(text: &str) -> Option<String> {
    let value = between(text, r#""value":""#, "\"")?;
    Some(format!(
        r#"{{"status":"ok","id":"1","_id":"1","msg":"{value}","type":"text","user_id":"1","chat_id":"1","created_at":"2026-01-31T09:30:00.000Z","modified_at":"2026-01-31T09:30:00.000Z","updated_at":"2026-01-31T09:30:00.000Z"}}"#
    ))
}

fn react(text: &str, stream: &Rc<TcpStream>, members: &Members) -> io::Result<()> {
    if text.starts_with("40") {
        return write(stream, &frame("40{}")?);
    }
    if text.contains(r#"["create-user""#) {
        members.borrow_mut().push(Rc::clone(stream));
        return write(
            stream,
            &frame(r#"42["create-user",{"status":"ok","user":{"id":"1"}}]"#)?,
        );
    }
    if text.contains(r#"["create-chat""#) {
        return write(
            stream,
            &frame(r#"42["create-chat",{"status":"ok","chat":{"id":"1"}}]"#)?,
        );
    }
    let (Some(ack), Some(message)) = (between(text, "42", "["), message(text)) else {
        return Ok(());
    };
    write(stream, &frame(&format!("43{ack}[{message}]"))?)?;
    let pushed = frame(&format!(r#"42["new-message",{message}]"#))?;
    for member in members.borrow().iter() {
        // One that is gone is passed over.
        match write(member, &pushed) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::args().nth(1).ok_or("usage: bare_writes PORT")?;
    Ok(bare::run(port.parse()?, react).await?)
}
