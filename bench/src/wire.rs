//! HTTP/1.1 as far as a driver needs it: one request at a time on a connection that stays open.

use anyhow::{Context as _, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Room for one answer's head and the beginning of its body.
const BUFFER: usize = 64 * 1024;

/// A connection that stays open.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects to `host:port`.
    ///
    /// # Errors
    /// When nobody listens there.
    pub async fn open(address: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("connecting to {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: vec![0; BUFFER] })
    }

    /// Sends a whole request and drops the answer's body; returns its status.
    ///
    /// # Errors
    /// When the connection breaks or the answer has no length.
    pub async fn ask(&mut self, request: &[u8]) -> anyhow::Result<u16> {
        self.stream.write_all(request).await?;
        let head = self.head().await?;
        let mut left = head.length.saturating_sub(head.read - head.end);
        while left > 0 {
            let read = self.stream.read(&mut self.buffer).await?;
            if read == 0 {
                bail!("the connection was closed in the middle of an answer");
            }
            left = left.saturating_sub(read);
        }
        Ok(head.status)
    }

    /// Sends a whole request; returns the answer's status, head and body.
    ///
    /// # Errors
    /// When the connection breaks or the answer has no length.
    pub async fn exchange(&mut self, request: &[u8]) -> anyhow::Result<(u16, String, Vec<u8>)> {
        self.stream.write_all(request).await?;
        let head = self.head().await?;
        let text = String::from_utf8_lossy(self.buffer.get(..head.end).unwrap_or_default()).into_owned();
        let mut body = self.buffer.get(head.end..head.read).unwrap_or_default().to_vec();
        let begun = body.len();
        body.resize(head.length.max(begun), 0);
        self.stream.read_exact(body.get_mut(begun..).unwrap_or_default()).await?;
        Ok((head.status, text, body))
    }

    async fn head(&mut self) -> anyhow::Result<Head> {
        let mut read = 0;
        loop {
            let free = self.buffer.get_mut(read..).unwrap_or_default();
            if free.is_empty() {
                bail!("the head of an answer is too long");
            }
            let more = self.stream.read(free).await?;
            if more == 0 {
                bail!("the connection was closed");
            }
            let begin = read.saturating_sub(3);
            read += more;
            let fresh = self.buffer.get(begin..read).unwrap_or_default();
            if let Some(at) = fresh.windows(4).position(|four| four == b"\r\n\r\n") {
                return Head::parse(&self.buffer, begin + at + 4, read);
            }
        }
    }
}

struct Head {
    status: u16,
    /// Bytes of the body.
    length: usize,
    /// Where the body begins in the buffer.
    end: usize,
    /// Bytes in the buffer.
    read: usize,
}

impl Head {
    fn parse(buffer: &[u8], end: usize, read: usize) -> anyhow::Result<Self> {
        let text = std::str::from_utf8(buffer.get(..end).unwrap_or_default()).context("an answer's head")?;
        let status = text.get(9..12).and_then(|digits| digits.parse().ok()).context("an answer's status")?;
        let length = text.lines().filter_map(|line| line.split_once(':')).find_map(|(name, value)| {
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
        });
        let empty = status == 204 || status == 304;
        let length =
            length.or(empty.then_some(0)).with_context(|| format!("an answer without length: {text}"))?;
        Ok(Self { status, length, end, read })
    }
}
