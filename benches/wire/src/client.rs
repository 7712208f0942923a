//! A Socket.IO client that costs next to nothing, so that the server is what is measured.

use std::{
    cell::RefCell, future::poll_fn, io, net::Ipv4Addr, pin::Pin, task::ready, time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

use crate::frames::{masked_frame, whole_frames};

/// The pong, masked with zeros.
const PONG: &[u8] = b"\x81\x81\0\0\0\x003";
/// How long an answer may take before it counts as lost.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
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
    pub async fn open(port: u16, query: &str, number: usize) -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        if number >= PER_ADDRESS {
            let last = u8::try_from(1 + number / PER_ADDRESS).map_err(io::Error::other)?;
            socket.bind((Ipv4Addr::new(127, 0, 0, last), 0).into())?;
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
            head.push(timeout(ANSWER_TIMEOUT, stream.read_u8()).await??);
        }
        if !head.starts_with(b"HTTP/1.1 101") {
            let head = String::from_utf8_lossy(&head);
            return Err(io::Error::other(format!("the upgrade was refused: {head}")));
        }
        let partial = Vec::new();
        let mut socket = Self { stream, partial };
        socket.wait_for(b"0").await?;
        Ok(socket)
    }

    /// Opens one and enters the main namespace; returns what the server said to that.
    pub async fn connect(port: u16, query: &str, number: usize) -> io::Result<(Self, String)> {
        let mut socket = Self::open(port, query, number).await?;
        socket.send("40").await?;
        let said = socket.wait_for(b"40").await?;
        Ok((socket, said))
    }

    /// Sends a text message.
    pub async fn send(&mut self, text: &str) -> io::Result<()> {
        self.stream.write_all(&masked_frame(text)?).await
    }

    /// Waits for a message that begins so.
    pub async fn wait_for(&mut self, prefix: &[u8]) -> io::Result<String> {
        let mut found = None;
        while found.is_none() {
            let read = self.read(|payload| {
                if payload.starts_with(prefix) {
                    found = Some(String::from_utf8_lossy(payload).into_owned());
                }
            });
            let lost = |_| io::Error::other(format!("no {}", String::from_utf8_lossy(prefix)));
            timeout(ANSWER_TIMEOUT, read).await.map_err(lost)??;
        }
        Ok(found.unwrap_or_default())
    }

    /// Waits for bytes and looks at each whole message in them; pings are answered.
    pub async fn read(&mut self, mut each: impl FnMut(&[u8])) -> io::Result<()> {
        let Self { stream, partial } = self;
        let pinged = poll_fn(|context| {
            BUFFER.with_borrow_mut(|buffer| {
                let mut read = ReadBuf::new(buffer);
                ready!(Pin::new(&mut *stream).poll_read(context, &mut read))?;
                if read.filled().is_empty() {
                    return Err(io::Error::other("the server closed a socket")).into();
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
