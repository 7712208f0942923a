//! A server that only writes: the most that any chat server could deliver on this machine.
//!
//! One write for each delivery, straight from the bytes of the sender. Nothing is stored, and nothing of what
//! connections need otherwise is done.

use std::{cell::RefCell, io, rc::Rc};

use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpStream},
    task::{LocalSet, spawn_local},
};

/// The connections that have joined.
pub type Members = Rc<RefCell<Vec<Rc<TcpStream>>>>;

/// What a server does with a packet of a connection.
pub type React = fn(&str, &Rc<TcpStream>, &Members) -> io::Result<()>;

/// Writes all of a frame; what a socket cannot take at once would be lost, so the run would fail.
pub fn write(stream: &TcpStream, frame: &[u8]) -> io::Result<()> {
    match stream.try_write(frame)? {
        all if all == frame.len() => Ok(()),
        _ => Err(io::Error::other("a socket is full")),
    }
}

/// Serves on a port, until the process is ended.
pub async fn run(port: u16, react: React) -> io::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let members = Members::default();
    LocalSet::new()
        .run_until(async {
            loop {
                let (stream, _) = listener.accept().await?;
                // One that fails is closed, and the driver finds that deliveries were lost.
                spawn_local(serve(stream, Rc::clone(&members), react));
            }
        })
        .await
}

async fn serve(mut stream: TcpStream, members: Members, react: React) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\n") {
        read.push(stream.read_u8().await?);
    }
    if !read.starts_with(b"GET /socket.io/") {
        // The driver asks whether the server is up.
        return write(&stream, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    }
    read.clear();
    write(&stream, b"HTTP/1.1 101 Switching Protocols\r\n\r\n")?;
    write(&stream, &crate::frame("0{}")?)?;
    let stream = Rc::new(stream);
    let ended = packets(&stream, &mut read, &members, react).await;
    members
        .borrow_mut()
        .retain(|other| !Rc::ptr_eq(other, &stream));
    ended
}

async fn packets(
    stream: &Rc<TcpStream>,
    read: &mut Vec<u8>,
    members: &Members,
    react: React,
) -> io::Result<()> {
    loop {
        stream.readable().await?;
        match stream.try_read_buf(read) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error),
        }
        while let Some(text) = crate::frames::take_masked(read) {
            react(&text, stream, members)?;
        }
    }
}
