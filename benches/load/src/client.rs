//! One HTTP connection, kept open: no more than the servers' own answers need, so that it costs little.

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

use crate::Outcome;

/// An answer, read whole.
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Outcome<Value> {
        Ok(serde_json::from_slice(&self.body)?)
    }

    pub fn header(&self, name: &str) -> Outcome<&str> {
        self.headers
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, value)| value.as_str())
            .ok_or_else(|| format!("an answer without {name}").into())
    }

    /// The cookies that it sets, as they are sent back.
    pub fn cookies(&self) -> String {
        let cookies: Vec<_> = self
            .headers
            .iter()
            .filter(|(name, _)| name == "set-cookie")
            .filter_map(|(_, value)| value.split(';').next())
            .collect();
        cookies.join("; ")
    }

    /// The answer, unless its status is another.
    pub fn expect(self, status: u16) -> Outcome<Self> {
        if self.status == status {
            return Ok(self);
        }
        let body = String::from_utf8_lossy(&self.body);
        Err(format!("{} instead of {status}: {body}", self.status).into())
    }
}

/// A connection in somebody's name.
pub struct Client {
    stream: BufReader<TcpStream>,
    cookies: String,
}

impl Client {
    pub async fn connect(port: u16, cookies: &str) -> Outcome<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream: BufReader::with_capacity(1024, stream),
            cookies: cookies.to_owned(),
        })
    }

    pub async fn get(&mut self, path: &str) -> Outcome<Answer> {
        self.send("GET", path, "", None).await?;
        self.receive().await
    }

    pub async fn post(&mut self, path: &str, form: &str) -> Outcome<Answer> {
        let kind = "Content-Type: application/x-www-form-urlencoded\r\n";
        self.send("POST", path, kind, Some(form)).await?;
        self.receive().await
    }

    /// Sends JSON, with a tenant's key in the header that some routes want, and reads the answer.
    pub async fn json(
        &mut self,
        key: &str,
        (method, path, body): &(&str, &str, Option<String>),
    ) -> Outcome<Answer> {
        let headers = format!("appId: {key}\r\nContent-Type: application/json\r\n");
        let body = body.as_deref().unwrap_or_default();
        self.send(method, path, &headers, Some(body)).await?;
        self.receive().await
    }

    /// Sends a request; its answer may be long in coming.
    pub async fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &str,
        body: Option<&str>,
    ) -> Outcome {
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}");
        if !self.cookies.is_empty() {
            request.push_str("Cookie: ");
            request.push_str(&self.cookies);
            request.push_str("\r\n");
        }
        if let Some(body) = body {
            request.push_str("Content-Length: ");
            request.push_str(&body.len().to_string());
            request.push_str("\r\n");
        }
        request.push_str("\r\n");
        request.push_str(body.unwrap_or_default());
        self.stream.write_all(request.as_bytes()).await?;
        Ok(())
    }

    /// Writes bytes on a connection that is no longer one of requests.
    pub async fn write(&mut self, bytes: &[u8]) -> Outcome {
        Ok(self.stream.write_all(bytes).await?)
    }

    pub async fn receive(&mut self) -> Outcome<Answer> {
        let mut answer = self.head().await?;
        if let Ok(length) = answer.header("content-length") {
            answer.body = vec![0; length.parse()?];
            self.stream.read_exact(&mut answer.body).await?;
            return Ok(answer);
        }
        while self.chunk(&mut answer.body).await? {}
        Ok(answer)
    }

    /// The status and the headers of an answer.
    pub async fn head(&mut self) -> Outcome<Answer> {
        let status = self.line().await?;
        let status = status
            .split(' ')
            .nth(1)
            .ok_or("no status line")?
            .parse::<u16>()?;
        let mut headers = Vec::new();
        loop {
            let line = self.line().await?;
            let Some((name, value)) = line.split_once(':') else {
                break;
            };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        Ok(Answer {
            status,
            headers,
            body: Vec::new(),
        })
    }

    /// Reads one chunk of a body; false at its end.
    pub async fn chunk(&mut self, into: &mut Vec<u8>) -> Outcome<bool> {
        let length = usize::from_str_radix(&self.line().await?, 16)?;
        let start = into.len();
        into.resize(start + length, 0);
        self.stream.read_exact(&mut into[start..]).await?;
        self.line().await?;
        Ok(length > 0)
    }

    /// Reads whatever has come of a body without chunks.
    pub async fn some(&mut self, into: &mut Vec<u8>) -> Outcome<bool> {
        let read = self.stream.fill_buf().await?;
        let length = read.len();
        into.extend_from_slice(read);
        self.stream.consume(length);
        Ok(length > 0)
    }

    async fn line(&mut self) -> Outcome<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line).await? == 0 {
            return Err("the server closed the connection".into());
        }
        Ok(line.trim_end().to_owned())
    }
}
