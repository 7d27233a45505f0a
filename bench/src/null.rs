//! A server that answers every request at once, to know what the driver alone can do.

use std::io::{BufRead as _, Write as _};

use anyhow::Context as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// What it answers.
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

/// Nothing to choose.
#[derive(Debug, clap::Args)]
pub struct Options {}

/// Listens on a free port, says on standard output which, and answers until standard input ends.
///
/// # Errors
/// When it can't listen.
pub fn serve(_: &Options) -> anyhow::Result<()> {
    std::thread::spawn(|| {
        let mut line = String::new();
        // An error means as much as the end: nobody needs this process any longer.
        let _ = std::io::stdin().lock().read_line(&mut line);
        std::process::exit(0);
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let mut out = std::io::stdout().lock();
        writeln!(out, "{}", listener.local_addr()?)?;
        out.flush()?;
        let mut connections = JoinSet::new();
        loop {
            let (stream, _) = listener.accept().await?;
            connections.spawn(answer(stream));
        }
    })
}

async fn answer(mut stream: TcpStream) -> anyhow::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = vec![0; 256 * 1024];
    let mut read = 0;
    loop {
        let more = stream.read(buffer.get_mut(read..).unwrap_or_default()).await?;
        if more == 0 {
            return Ok(());
        }
        read += more;
        let text = buffer.get(..read).unwrap_or_default();
        let Some(end) = text.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = std::str::from_utf8(text.get(..end).unwrap_or_default())?;
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.context("a request without length")?.parse()?;
        if read >= end + 4 + length {
            read = 0;
            stream.write_all(ANSWER).await?;
        }
    }
}
