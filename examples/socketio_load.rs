//! Measures a running `chat_room`: memory of idle sockets, and CPU and speed of a fan-out.
//!
//! `--url 127.0.0.1:8000 --pid <server> --sockets 1000 --messages 2000 --window 1`. It speaks the least
//! there is to speak, so that on a small machine the server and not the measuring is what is measured.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::Notify,
};

/// What the command line says.
struct Flags {
    url: String,
    pid: u32,
    sockets: u64,
    messages: u64,
    /// How many messages are under way at once. With one, no two can share a write.
    window: u64,
}

impl Flags {
    fn read() -> Result<Self, Box<dyn std::error::Error>> {
        let mut flags = Self {
            url: "127.0.0.1:8000".into(),
            pid: 0,
            sockets: 1000,
            messages: 0,
            window: 1,
        };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let value = words.next().ok_or("a flag needs a value")?;
            match word.as_str() {
                "--url" => flags.url = value,
                "--pid" => flags.pid = value.parse()?,
                "--sockets" => flags.sockets = value.parse()?,
                "--window" => flags.window = value.parse()?,
                "--messages" => flags.messages = value.parse()?,
                other => return Err(format!("unknown flag {other}").into()),
            }
        }
        Ok(flags)
    }
}

/// The server's resident memory, in KiB.
fn memory(pid: u32) -> Result<u64, Box<dyn std::error::Error>> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find(|line| line.starts_with("VmRSS"));
    let field = line.and_then(|line| line.split_whitespace().nth(1));
    Ok(field.ok_or("no VmRSS")?.parse()?)
}

/// The server's CPU time so far, of which Linux counts hundredths of a second.
fn cpu(pid: u32) -> Result<Duration, Box<dyn std::error::Error>> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let fields: Vec<&str> = stat.split_whitespace().collect();
    let ticks: u64 = fields[13].parse::<u64>()? + fields[14].parse::<u64>()?;
    Ok(Duration::from_millis(ticks * 10))
}

/// A text frame of a client, masked with zeros.
fn frame(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).expect("short texts only");
    let mut frame = vec![0x81];
    if length < 126 {
        frame.push(0x80 | length);
    } else {
        frame.extend([0xfe, 0, length]);
    }
    frame.extend([0; 4]);
    frame.extend(text.bytes());
    frame
}

struct Client {
    reads: OwnedReadHalf,
    writes: OwnedWriteHalf,
    buffer: Vec<u8>,
}

impl Client {
    async fn connect(url: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let stream = TcpStream::connect(url).await?;
        stream.set_nodelay(true)?;
        let (reads, writes) = stream.into_split();
        let mut client = Self {
            reads,
            writes,
            buffer: Vec::new(),
        };
        let request = format!(
            "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {url}\r\n\
             Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        client.writes.write_all(request.as_bytes()).await?;
        client.until("maxPayload").await?;
        client.say("40").await?;
        client.until("40{").await?;
        Ok(client)
    }

    async fn say(&mut self, text: &str) -> std::io::Result<()> {
        self.writes.write_all(&frame(text)).await
    }

    /// Reads until a text comes by.
    async fn until(&mut self, text: &str) -> std::io::Result<()> {
        loop {
            let seen = String::from_utf8_lossy(&self.buffer);
            if seen.contains(text) {
                self.buffer = Vec::new();
                return Ok(());
            }
            let mut more = [0; 1024];
            let count = self.reads.read(&mut more).await?;
            if count == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            self.buffer.extend_from_slice(&more[..count]);
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let flags = Flags::read()?;
    let before = memory(flags.pid)?;
    let mut clients = Vec::new();
    for _ in 0..flags.sockets {
        let client = Client::connect(&flags.url).await;
        clients.push(client.map_err(|error| error.to_string())?);
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    let grown = memory(flags.pid)?.saturating_sub(before);
    #[expect(clippy::cast_precision_loss, reason = "it is for people to read")]
    let each = grown as f64 / flags.sockets as f64;
    println!(
        "{} idle sockets: {each:.2} KiB each ({before} KiB before)",
        flags.sockets
    );
    if flags.messages == 0 {
        return Ok(());
    }
    fan_out(&flags, clients).await
}

/// Everybody is in one room; the first one speaks, everybody hears.
async fn fan_out(
    flags: &Flags,
    mut clients: Vec<Client>,
) -> Result<(), Box<dyn std::error::Error>> {
    for client in clients.iter_mut().rev() {
        client.say(r#"421["join","r","n"]"#).await?;
        client.until("431[").await?;
        // Earlier ones hear who joins; that is read away below.
    }
    let text = "x".repeat(64);
    let event = format!(r#"42["say","{text}"]"#);
    let heard_as = format!(r#"42["said","n","{text}"]"#);
    let size = heard_as.len() as u64 + 2;
    drain(&mut clients).await?;

    let heard = Arc::new(AtomicU64::new(0));
    let moved = Arc::new(Notify::new());
    let mut speaker = None;
    for (index, client) in clients.into_iter().enumerate() {
        let Client {
            mut reads, writes, ..
        } = client;
        if index == 0 {
            speaker = Some(writes);
        } else {
            // A dropped half would close its stream.
            std::mem::forget(writes);
        }
        let (heard, moved) = (Arc::clone(&heard), Arc::clone(&moved));
        tokio::spawn(async move {
            let mut buffer = vec![0; 4096];
            while let Ok(count @ 1..) = reads.read(&mut buffer).await {
                heard.fetch_add(count as u64, Ordering::Relaxed);
                if index == 0 {
                    moved.notify_one();
                }
            }
        });
    }
    let mut speaker = speaker.ok_or("nobody is there")?;
    let (begun, cpu_before) = (Instant::now(), cpu(flags.pid)?);
    let all = flags.messages * flags.sockets * size;
    let mut said = 0;
    while heard.load(Ordering::Relaxed) < all {
        let done = heard.load(Ordering::Relaxed) / size / flags.sockets;
        if said < flags.messages && said < done + flags.window {
            speaker.write_all(&frame(&event)).await?;
            said += 1;
        } else {
            // Whoever speaks hears it, too.
            let _ = tokio::time::timeout(Duration::from_millis(5), moved.notified()).await;
        }
    }
    let (took, cpu) = (begun.elapsed(), cpu(flags.pid)?.saturating_sub(cpu_before));
    let deliveries = flags.messages * flags.sockets;
    #[expect(clippy::cast_precision_loss, reason = "it is for people to read")]
    let count = deliveries as f64;
    println!(
        "{deliveries} deliveries in {took:.2?}: {:.0}/s, {:.2} us of the server's CPU each",
        count / took.as_secs_f64(),
        cpu.as_secs_f64() * 1e6 / count,
    );
    println!("{} KiB after", memory(flags.pid)?);
    Ok(())
}

/// Reads everything away until nothing has come for a while.
async fn drain(clients: &mut [Client]) -> std::io::Result<()> {
    let mut buffer = vec![0; 65536];
    for client in clients {
        let quiet = Duration::from_millis(2);
        while let Ok(count) = tokio::time::timeout(quiet, client.reads.read(&mut buffer)).await {
            if count? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
    Ok(())
}
