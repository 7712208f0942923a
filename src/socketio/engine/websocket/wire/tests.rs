//! Frames leave together, in order, whatever the stream takes at a time.

use std::task::Waker;

use super::{super::super::frame::Body, *};

/// A stream that records what is written and counts the calls.
struct Stream {
    incoming: Vec<u8>,
    written: Vec<u8>,
    writes: usize,
    flushes: usize,
    /// How many bytes one write takes.
    write_size: usize,
    /// Every other write returns `Pending`.
    blocks_every_other: bool,
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.incoming.is_empty() {
            return Poll::Pending;
        }
        buffer.put_slice(&self.incoming);
        self.incoming.clear();
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.writes += 1;
        if self.blocks_every_other && self.writes.is_multiple_of(2) {
            return Poll::Pending;
        }
        let taken = bytes.len().min(self.write_size);
        self.written.extend_from_slice(&bytes[..taken]);
        Poll::Ready(Ok(taken))
    }

    fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.flushes += 1;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn wire(write_size: usize, blocks_every_other: bool) -> Wire<Stream> {
    let stream = Stream {
        incoming: Vec::new(),
        written: Vec::new(),
        writes: 0,
        flushes: 0,
        write_size,
        blocks_every_other,
    };
    Wire::new(stream, 1000)
}

fn frames(count: usize, length: usize) -> Vec<Frame> {
    let frame = |number| Frame::text(&format!("{number:0length$}"));
    (0..count).map(frame).collect()
}

fn bytes_of(frames: &[Frame]) -> Vec<u8> {
    let pieces = |frame: &Frame| -> Vec<u8> {
        let mut bytes = Vec::new();
        while bytes.len() < frame.len() {
            bytes.extend_from_slice(frame.piece(bytes.len()));
        }
        bytes
    };
    frames.iter().flat_map(pieces).collect()
}

fn write(wire: &mut Wire<Stream>) -> bool {
    let mut cx = Context::from_waker(Waker::noop());
    match wire.poll_write(&mut cx) {
        Poll::Ready(written) => {
            written.expect("it takes everything");
            true
        }
        Poll::Pending => false,
    }
}

#[test]
fn small_frames_leave_together_and_are_flushed_once() {
    let frames = frames(100, 100);
    let mut wire = wire(usize::MAX, false);
    wire.queue.extend(frames.iter().cloned());
    assert!(write(&mut wire));
    assert!(!wire.has_work());
    assert_eq!(wire.io.written, bytes_of(&frames));
    assert_eq!((wire.io.writes, wire.io.flushes), (1, 1));
    // Without a write there is no flush.
    assert!(write(&mut wire));
    assert_eq!((wire.io.writes, wire.io.flushes), (1, 1));
}

#[test]
fn frames_in_pieces_leave_together_as_whole_ones_do() {
    let body = "body".repeat(20).into();
    let frames = [
        Frame::around("43[", (&body, Body::Own), "]"),
        Frame::around("42[", (&body, Body::Borrowed), "]"),
        Frame::text("a whole one"),
        Frame::around("44[", (&body, Body::Borrowed), "]"),
    ];
    let mut wire = wire(usize::MAX, false);
    wire.queue.extend(frames.iter().cloned());
    assert!(write(&mut wire));
    assert_eq!(wire.io.written, bytes_of(&frames));
    assert_eq!((wire.io.writes, wire.io.flushes), (1, 1));
    // Of one alone too.
    wire.queue.extend(frames[..1].iter().cloned());
    assert!(write(&mut wire));
    assert_eq!((wire.io.writes, wire.io.flushes), (2, 2));
    // What is large is not copied: its start, itself, its end with what follows.
    let large = "x".repeat(2 * GATHERED).into();
    let frames = [
        Frame::around("43[", (&large, Body::Own), "]"),
        Frame::text("a whole one"),
    ];
    wire.io.written.clear();
    wire.queue.extend(frames.iter().cloned());
    assert!(write(&mut wire));
    assert_eq!(wire.io.written, bytes_of(&frames));
    assert_eq!((wire.io.writes, wire.io.flushes), (5, 3));
}

#[test]
fn more_than_is_gathered_takes_several_writes_and_one_flush() {
    // Two frames fit into one write, a third does not. The last one is too large to be copied.
    let mut frames = frames(5, GATHERED / 2 - 10);
    frames.push(Frame::text(&"x".repeat(3 * GATHERED)));
    let mut wire = wire(usize::MAX, false);
    wire.queue.extend(frames.iter().cloned());
    assert!(write(&mut wire));
    assert_eq!(wire.io.written, bytes_of(&frames));
    assert_eq!((wire.io.writes, wire.io.flushes), (4, 1));
}

#[test]
fn a_stream_of_small_writes_gets_every_byte_in_order() {
    let body = "body".repeat(20).into();
    let shared = [("4[", Body::Own), ("43[", Body::Borrowed)]
        .map(|(start, whose)| Frame::around(start, (&body, whose), "]"));
    for blocks_every_other in [false, true] {
        let frames = [
            frames(30, 1),
            shared.to_vec(),
            frames(30, 20),
            frames(1, 300),
        ]
        .concat();
        let mut wire = wire(7, blocks_every_other);
        wire.queue.extend(frames.iter().cloned());
        while !write(&mut wire) {
            assert!(blocks_every_other);
        }
        assert_eq!(wire.io.written, bytes_of(&frames));
        assert_eq!(wire.io.flushes, 1);
    }
}

/// The position of a pong among three frames of `length`, if the ping arrives while the first frame is
/// being written.
fn place_of_reply(length: usize) -> usize {
    let reply = b"\x8a\x02hi";
    let frames = frames(3, length);
    let mut wire = wire(7, true);
    wire.queue.extend(frames.iter().cloned());
    assert!(!write(&mut wire));
    // A ping, masked with zeros.
    wire.io.incoming = b"\x89\x82\0\0\0\0hi".to_vec();
    let mut cx = Context::from_waker(Waker::noop());
    let read = wire.poll_read(&mut cx);
    assert!(matches!(read, Poll::Ready(Ok(Message::Ping(_)))));
    assert!(wire.poll_read(&mut cx).is_pending());
    while !write(&mut wire) {}
    let mut written = wire.io.written;
    let mut places = written.windows(reply.len());
    let place = places.position(|bytes| bytes == reply);
    let place = place.expect("it was written");
    written.drain(place..place + reply.len());
    assert_eq!(written, bytes_of(&frames));
    place
}

#[test]
fn a_reply_comes_between_frames() {
    // Three writes take exactly the first frame.
    assert_eq!(place_of_reply(18), 21);
    // No write ends with the first frame: its rest is combined with the start of the second.
    assert_eq!(place_of_reply(20) % 23, 0);
}
