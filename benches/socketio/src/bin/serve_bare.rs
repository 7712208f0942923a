//! The ceiling: no server at all, only what a room must do. One write for each delivery, straight from
//! the speaker's words, on connections whose other needs nobody looks after.

use std::{cell::RefCell, io, rc::Rc};

use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpStream},
    task::LocalSet,
};

/// Everybody's connection.
type Room = Rc<RefCell<Vec<Rc<TcpStream>>>>;

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

async fn serve(mut stream: TcpStream, room: Room) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\n") {
        read.push(stream.read_u8().await?);
    }
    read.clear();
    stream.try_write(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")?;
    tell(&stream, &frame("0{}"))?;
    let stream = Rc::new(stream);
    loop {
        stream.readable().await?;
        match stream.try_read_buf(&mut read) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error),
        }
        while let Some(text) = take(&mut read) {
            if text == "40" {
                tell(&stream, &frame("40{}"))?;
            } else if text.starts_with("420") {
                room.borrow_mut().push(Rc::clone(&stream));
                tell(&stream, &frame("430[]"))?;
            } else if let Some(said) = text.strip_prefix("42[\"say\"") {
                let frame = frame(&format!("42[\"said\"{said}"));
                for other in room.borrow().iter() {
                    tell(other, &frame)?;
                }
            }
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port: u16 = std::env::args()
        .nth(1)
        .ok_or("a port is missing")?
        .parse()?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let room = Room::default();
    let local = LocalSet::new();
    local
        .run_until(async {
            loop {
                let (stream, _) = listener.accept().await?;
                // One that fails is closed, and the run is told that deliveries were lost.
                tokio::task::spawn_local(serve(stream, Rc::clone(&room)));
            }
        })
        .await
}
