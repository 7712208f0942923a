//! A Socket.IO client that costs next to nothing, so that the server is what is measured.

use std::{cell::RefCell, future::poll_fn, net::Ipv4Addr, pin::Pin, task::ready, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

use crate::Outcome;

/// The pong, masked with zeros.
const PONG: &[u8] = b"\x81\x81\0\0\0\x003";
/// How long an answer may take before it counts as lost.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// How many connections one address of the loopback opens: fewer than it has ports.
const PER_ADDRESS: usize = 10_000;

thread_local! {
    /// All clients read into one buffer: a read is looked through before the next one begins.
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; 64 * 1024]);
}

/// A client over WebSocket.
pub struct Socket {
    stream: TcpStream,
    /// The beginning of a frame whose end has not come yet.
    partial: Vec<u8>,
}

impl Socket {
    /// Opens a WebSocket; `query` begins with `&`, and `number` tells which address to come from.
    pub async fn open(port: u16, query: &str, number: usize) -> Outcome<Self> {
        let socket = TcpSocket::new_v4()?;
        if number >= PER_ADDRESS {
            let address = Ipv4Addr::new(127, 0, 0, u8::try_from(1 + number / PER_ADDRESS)?);
            socket.bind((address, 0).into())?;
        }
        let mut stream = socket.connect((Ipv4Addr::LOCALHOST, port).into()).await?;
        stream.set_nodelay(true)?;
        let request = format!(
            "GET /socket.io/?EIO=4&transport=websocket{query} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\
             Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(timeout(PATIENCE, stream.read_u8()).await??);
        }
        if !head.starts_with(b"HTTP/1.1 101") {
            let head = String::from_utf8_lossy(&head);
            return Err(format!("the upgrade was refused: {head}").into());
        }
        let partial = Vec::new();
        let mut socket = Self { stream, partial };
        socket.wait_for(b"0").await?;
        Ok(socket)
    }

    /// Opens one and enters the default namespace; returns what the server said to that.
    pub async fn connect(port: u16, query: &str, number: usize) -> Outcome<(Self, String)> {
        let mut socket = Self::open(port, query, number).await?;
        socket.send("40").await?;
        let said = socket.wait_for(b"40").await?;
        Ok((socket, said))
    }

    /// Sends a text message, masked with zeros.
    pub async fn send(&mut self, text: &str) -> Outcome {
        let mut frame = Vec::with_capacity(text.len() + 8);
        frame.push(0x81);
        match u8::try_from(text.len()) {
            Ok(length) if length < 126 => frame.push(0x80 | length),
            _ => {
                frame.push(0x80 | 0x7e);
                frame.extend(u16::try_from(text.len())?.to_be_bytes());
            }
        }
        frame.extend([0; 4]);
        frame.extend(text.as_bytes());
        self.stream.write_all(&frame).await?;
        Ok(())
    }

    /// Waits for a message that begins so.
    pub async fn wait_for(&mut self, prefix: &[u8]) -> Outcome<String> {
        let mut found = None;
        while found.is_none() {
            let read = self.read(|payload| {
                if payload.starts_with(prefix) {
                    found = Some(String::from_utf8_lossy(payload).into_owned());
                }
            });
            let lost = || format!("no {}", String::from_utf8_lossy(prefix));
            timeout(PATIENCE, read).await.map_err(|_| lost())??;
        }
        Ok(found.unwrap_or_default())
    }

    /// Waits for bytes and looks at each whole message in them; pings are answered.
    pub async fn read(&mut self, mut each: impl FnMut(&[u8])) -> Outcome {
        let Self { stream, partial } = self;
        let pinged = poll_fn(|context| {
            BUFFER.with_borrow_mut(|buffer| {
                let mut read = ReadBuf::new(buffer);
                ready!(Pin::new(&mut *stream).poll_read(context, &mut read))?;
                if read.filled().is_empty() {
                    return Err("the server closed a socket".into()).into();
                }
                let mut pinged = false;
                let mut look = |payload: &[u8]| {
                    pinged |= payload == b"2";
                    each(payload);
                };
                if partial.is_empty() {
                    let rest = whole_frames(read.filled(), &mut look);
                    partial.extend_from_slice(rest);
                } else {
                    partial.extend_from_slice(read.filled());
                    let rest = whole_frames(partial, &mut look).len();
                    partial.drain(..partial.len() - rest);
                }
                Outcome::Ok(pinged).into()
            })
        })
        .await?;
        if pinged {
            self.stream.write_all(PONG).await?;
        }
        Ok(())
    }
}

/// Looks at the payload of every whole frame, and returns what is left.
fn whole_frames<'b>(mut bytes: &'b [u8], each: &mut impl FnMut(&[u8])) -> &'b [u8] {
    loop {
        let (start, length): (usize, usize) = match bytes {
            [_, 127, rest @ ..] => {
                let Some(length) = rest.first_chunk() else {
                    return bytes;
                };
                let length = u64::from_be_bytes(*length);
                (10, usize::try_from(length).unwrap_or(usize::MAX))
            }
            [_, 126, high, low, ..] => (4, usize::from(u16::from_be_bytes([*high, *low]))),
            [_, length, ..] if *length < 126 => (2, usize::from(*length)),
            _ => return bytes,
        };
        let Some(payload) = bytes.get(start..length.saturating_add(start)) else {
            return bytes;
        };
        each(payload);
        bytes = &bytes[start + length..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_frames_are_looked_at_and_the_rest_is_kept() {
        let mut bytes = b"\x81\x02ab".to_vec();
        bytes.extend([0x81, 126, 1, 0]);
        bytes.extend([b'x'; 256]);
        bytes.extend(b"\x81\x05abc");
        let mut seen = Vec::new();
        let rest = whole_frames(&bytes, &mut |payload| seen.push(payload.to_vec()));
        assert_eq!(rest, b"\x81\x05abc");
        assert_eq!(seen, [b"ab".to_vec(), vec![b'x'; 256]]);
    }
}
