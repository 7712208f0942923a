//! A Socket.IO client that costs next to nothing, so that the server is what is measured.

use std::{cell::RefCell, future::poll_fn, io, pin::Pin};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf},
    net::TcpStream,
};

/// The pong, masked with zeros.
const PONG: &[u8] = b"\x81\x81\0\0\0\x003";

thread_local! {
    /// All clients read into one buffer: a read is looked through before the next one begins.
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; 64 * 1024]);
}

/// A client in the main namespace.
pub struct Client {
    stream: TcpStream,
    /// The beginning of a frame whose end has not come yet.
    partial: Vec<u8>,
}

impl Client {
    /// Connects over WebSocket and joins the main namespace.
    pub async fn open(port: u16) -> io::Result<Self> {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        let request = format!(
            "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\
             Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await?);
        }
        if !head.starts_with(b"HTTP/1.1 101") {
            return Err(io::Error::other("the upgrade was refused"));
        }
        let mut client = Self {
            stream,
            partial: Vec::new(),
        };
        client.wait_for(b"0").await?;
        client.send("40").await?;
        client.wait_for(b"40").await?;
        Ok(client)
    }

    /// Asks to be let into the room, and waits until it is.
    pub async fn join(&mut self) -> io::Result<()> {
        self.send("420[\"join\"]").await?;
        self.wait_for(b"430").await
    }

    /// Sends a text message, masked with zeros.
    pub async fn send(&mut self, text: &str) -> io::Result<()> {
        let mut frame = vec![0x81];
        match u8::try_from(text.len()) {
            Ok(length) if length < 126 => frame.push(0x80 | length),
            _ => {
                let length = u16::try_from(text.len()).map_err(io::Error::other)?;
                frame.push(0x80 | 0x7e);
                frame.extend(length.to_be_bytes());
            }
        }
        frame.extend([0; 4]);
        frame.extend(text.as_bytes());
        self.stream.write_all(&frame).await
    }

    async fn wait_for(&mut self, prefix: &[u8]) -> io::Result<()> {
        let mut found = false;
        while !found {
            self.read(|payload| found |= payload.starts_with(prefix))
                .await?;
        }
        Ok(())
    }

    /// Waits for bytes and looks at each whole message in them; pings are answered.
    pub async fn read(&mut self, mut each: impl FnMut(&[u8])) -> io::Result<()> {
        let Self { stream, partial } = self;
        let pinged = poll_fn(|cx| {
            BUFFER.with_borrow_mut(|buffer| {
                let mut read = ReadBuf::new(buffer);
                std::task::ready!(Pin::new(&mut *stream).poll_read(cx, &mut read))?;
                if read.filled().is_empty() {
                    return Err(io::ErrorKind::UnexpectedEof.into()).into();
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
                Ok::<_, io::Error>(pinged).into()
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
        let (start, length) = match bytes {
            [_, 126, high, low, ..] => (4, usize::from(u16::from_be_bytes([*high, *low]))),
            [_, length, ..] if *length < 126 => (2, usize::from(*length)),
            _ => return bytes,
        };
        let Some(payload) = bytes.get(start..start + length) else {
            return bytes;
        };
        each(payload);
        bytes = &bytes[start + length..];
    }
}
