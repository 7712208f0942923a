//! A ceiling: no server at all, only what a chat must do. `bare_writes PORT`.
//!
//! One write for each delivery, straight from the speaker's words, on connections whose other needs nobody
//! looks after. Nothing is stored, and everybody who says who they are is in the one chat.

use std::{cell::RefCell, io, rc::Rc};

use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpStream},
    task::{LocalSet, spawn_local},
};

/// Everybody's connection.
type Chat = Rc<RefCell<Vec<Rc<TcpStream>>>>;

fn frame(text: &str) -> Vec<u8> {
    let mut frame = vec![0x81];
    match u8::try_from(text.len()) {
        Ok(length) if length < 126 => frame.push(length),
        _ => {
            frame.push(126);
            let length = u16::try_from(text.len()).expect("nothing longer is said here");
            frame.extend(length.to_be_bytes());
        }
    }
    frame.extend(text.as_bytes());
    frame
}

/// Writes all of it; what a socket cannot take at once would be lost, so the run would fail.
fn tell(stream: &TcpStream, frame: &[u8]) -> io::Result<()> {
    match stream.try_write(frame)? {
        all if all == frame.len() => Ok(()),
        _ => Err(io::Error::other("a socket is full")),
    }
}

/// Takes one whole frame, masked with zeros, out of what was read.
fn take(read: &mut Vec<u8>) -> Option<String> {
    let (start, length) = match read[..] {
        [_, 254, high, low, ..] => (8, usize::from(u16::from_be_bytes([high, low]))),
        [_, length, ..] if length < 254 => (6, usize::from(length & 0x7f)),
        _ => return None,
    };
    let payload = read.get(start..start + length)?;
    let text = String::from_utf8_lossy(payload).into_owned();
    read.drain(..start + length);
    Some(text)
}

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

fn react(text: &str, stream: &Rc<TcpStream>, chat: &Chat) -> io::Result<()> {
    if text.starts_with("40") {
        return tell(stream, &frame("40{}"));
    }
    if text.contains(r#"["create-user""#) {
        chat.borrow_mut().push(Rc::clone(stream));
        return tell(
            stream,
            &frame(r#"42["create-user",{"status":"ok","user":{"id":"1"}}]"#),
        );
    }
    if text.contains(r#"["create-chat""#) {
        return tell(
            stream,
            &frame(r#"42["create-chat",{"status":"ok","chat":{"id":"1"}}]"#),
        );
    }
    let (Some(ack), Some(message)) = (between(text, "42", "["), message(text)) else {
        return Ok(());
    };
    tell(stream, &frame(&format!("43{ack}[{message}]")))?;
    let told = frame(&format!(r#"42["new-message",{message}]"#));
    for hearer in chat.borrow().iter() {
        // Who has gone hears nothing.
        match tell(hearer, &told) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

async fn serve(mut stream: TcpStream, chat: Chat) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\n") {
        read.push(stream.read_u8().await?);
    }
    if !read.starts_with(b"GET /socket.io/") {
        return stream
            .try_write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            .map(drop);
    }
    read.clear();
    stream.try_write(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")?;
    tell(&stream, &frame("0{}"))?;
    let stream = Rc::new(stream);
    loop {
        stream.readable().await?;
        match stream.try_read_buf(&mut read) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
            Err(_) => break,
        }
        while let Some(text) = take(&mut read) {
            react(&text, &stream, &chat)?;
        }
    }
    chat.borrow_mut()
        .retain(|other| !Rc::ptr_eq(other, &stream));
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port: u16 = std::env::args()
        .nth(1)
        .ok_or("usage: bare_writes PORT")?
        .parse()?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let chat = Chat::default();
    LocalSet::new()
        .run_until(async {
            loop {
                let (stream, _) = listener.accept().await?;
                // One that fails is closed, and the run is told that deliveries were lost.
                spawn_local(serve(stream, Rc::clone(&chat)));
            }
        })
        .await
}
