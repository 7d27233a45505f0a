//! A client of the live events that reads as fast as it can: RFC 6455 as far as the server uses it.

use std::cell::{Cell, RefCell};

use anyhow::{Context as _, bail, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::now;

/// What all sockets have heard.
#[derive(Default)]
pub struct Heard {
    delivered: Cell<usize>,
    bytes: Cell<usize>,
    latencies_ms: RefCell<Vec<f64>>,
}

impl Heard {
    /// Events since the last [`Heard::take`].
    pub fn delivered(&self) -> usize {
        self.delivered.get()
    }

    /// Bytes of their texts.
    pub fn bytes(&self) -> usize {
        self.bytes.get()
    }

    /// The events and their latencies; counts anew. The bytes are kept.
    pub fn take(&self) -> (usize, Vec<f64>) {
        let taken = (self.delivered.take(), self.latencies_ms.take());
        if taken.0 == 0 {
            self.bytes.set(0);
        }
        taken
    }
}

/// One open socket.
pub struct Socket {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// Bytes read that no frame was taken from yet.
    read: usize,
    /// Number of the last event.
    seq: i64,
}

impl Socket {
    /// Opens it at `address` as the owner of `key`, and waits for the hello.
    pub async fn open(address: &str, key: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let mut socket = Self { stream, buffer: vec![0; 2_048], read: 0, seq: 0 };
        let request = format!(
            "GET /ws HTTP/1.1\r\nhost: {address}\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nauthorization: Bearer {key}\r\n\r\n"
        );
        socket.stream.write_all(request.as_bytes()).await?;
        loop {
            socket.more().await?;
            let text = socket.buffer.get(..socket.read).unwrap_or_default();
            let Some(end) = text.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
            ensure!(text.starts_with(b"HTTP/1.1 101"), "refused: {}", String::from_utf8_lossy(text));
            socket.drop_front(end + 4);
            break;
        }
        loop {
            if let Some((_, text)) = socket.frame() {
                let said = String::from_utf8_lossy(&text);
                ensure!(said.contains("\"type\":\"hello\""), "no hello: {said}");
                socket.seq = number(&text)?;
                return Ok(socket);
            }
            socket.more().await?;
        }
    }

    /// Notes every event until the socket ends, which is an error, as is an event that was left out.
    pub async fn listen(&mut self, heard: &Heard) -> anyhow::Result<()> {
        loop {
            while let Some((code, text)) = self.frame() {
                match code {
                    0x1 => self.note(&text, heard)?,
                    // A ping; a client's frames are masked, here with zeros.
                    0x9 => {
                        let length = 0x80 | u8::try_from(text.len())?;
                        let pong = [&[0x8a, length, 0, 0, 0, 0][..], &text].concat();
                        self.stream.write_all(&pong).await?;
                    }
                    _ => bail!(
                        "the server closed: {}",
                        String::from_utf8_lossy(text.get(2..).unwrap_or_default())
                    ),
                }
            }
            self.more().await?;
        }
    }

    fn note(&mut self, text: &[u8], heard: &Heard) -> anyhow::Result<()> {
        let seq = number(text)?;
        ensure!(
            seq == self.seq + 1,
            "event {seq} came after {}: {}",
            self.seq,
            String::from_utf8_lossy(text)
        );
        self.seq = seq;
        let text = std::str::from_utf8(text)?;
        let (_, at) = text.rsplit_once("\"timestamp\":\"").context("an event without a time")?;
        let at: jiff::Timestamp = at.trim_end_matches("\"}").parse()?;
        heard.latencies_ms.borrow_mut().push(now().duration_since(at).as_secs_f64() * 1e3);
        heard.delivered.set(heard.delivered.get() + 1);
        heard.bytes.set(heard.bytes.get() + text.len());
        Ok(())
    }

    async fn more(&mut self) -> anyhow::Result<()> {
        if self.read == self.buffer.len() {
            self.buffer.resize(self.read * 2, 0);
        }
        let read = self.stream.read(self.buffer.get_mut(self.read..).unwrap_or_default()).await?;
        ensure!(read > 0, "the connection was closed");
        self.read += read;
        Ok(())
    }

    /// Takes the next whole frame: its code and its text.
    fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
        let bytes = self.buffer.get(..self.read)?;
        let code = bytes.first()? & 0x0f;
        let (begin, length) = match *bytes.get(1)? {
            126 => (4, usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?))),
            127 => (10, usize::try_from(u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)).ok()?),
            short => (2, usize::from(short)),
        };
        let text = bytes.get(begin..begin + length)?.to_vec();
        self.drop_front(begin + length);
        Some((code, text))
    }

    fn drop_front(&mut self, bytes: usize) {
        self.buffer.copy_within(bytes..self.read, 0);
        self.read -= bytes;
    }
}

/// The number that a message carries.
fn number(text: &[u8]) -> anyhow::Result<i64> {
    let text = std::str::from_utf8(text)?;
    let (_, rest) = text.split_once("\"seq\":").with_context(|| format!("no number in {text}"))?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Ok(digits.parse()?)
}
