//! A loop that only writes frames: what telling so many sockets costs whoever does nothing else.

use std::io::{BufRead as _, Write as _};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};

use crate::child;

/// What is written.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Sockets.
    #[arg(long)]
    sockets: usize,
    /// Groups that they are split into; each gets its frame at another time of the second.
    #[arg(long)]
    groups: usize,
    /// Bytes of a frame's text.
    #[arg(long)]
    bytes: usize,
    /// Seconds.
    #[arg(long)]
    seconds: u64,
}

/// Processor seconds of the loop for one frame, measured in a process of its own.
///
/// # Errors
/// When it can't be started.
pub fn measure(sockets: usize, groups: usize, bytes: usize, seconds: u64) -> anyhow::Result<f64> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("bare");
    for (name, value) in
        [("--sockets", sockets), ("--groups", groups), ("--bytes", bytes), ("--seconds", seconds as usize)]
    {
        command.args([name, &value.to_string()]);
    }
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let mut lines = std::io::BufReader::new(child.stdout.take().context("the loop's output")?).lines();
    let address = lines.next().context("no address")??;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut reading = tokio::task::JoinSet::new();
        for _ in 0..sockets {
            let stream = TcpStream::connect(&address).await?;
            reading.spawn(drain(stream));
        }
        while reading.join_next().await.is_some() {}
        anyhow::Ok(())
    })?;
    let said = lines.next().context("the loop said nothing")??;
    child.wait()?;
    said.parse().with_context(|| said)
}

async fn drain(mut stream: TcpStream) {
    let mut buffer = [0; 2_048];
    while stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {}
}

/// Accepts the sockets, writes the frames, and says what one of them cost.
///
/// # Errors
/// When it can't listen or write.
pub fn serve(options: &Options) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let mut out = std::io::stdout().lock();
        writeln!(out, "{}", listener.local_addr()?)?;
        out.flush()?;
        let mut streams = Vec::with_capacity(options.sockets);
        for _ in 0..options.sockets {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            streams.push(stream);
        }
        // Text, whole, with a length of two bytes (RFC 6455, 5.2).
        let mut frame = vec![0x81, 126];
        frame.extend_from_slice(&u16::try_from(options.bytes)?.to_be_bytes());
        frame.resize(frame.len() + options.bytes, b'x');
        let before = child::tree_cpu_seconds(std::process::id());
        let mut ticks = tokio::time::interval(Duration::from_secs(1) / u32::try_from(options.groups)?);
        let mut written = 0;
        for _ in 0..options.seconds {
            for group in 0..options.groups {
                ticks.tick().await;
                for stream in streams.iter().skip(group).step_by(options.groups) {
                    stream.writable().await?;
                    anyhow::ensure!(stream.try_write(&frame)? == frame.len(), "a client does not read");
                    written += 1;
                }
            }
        }
        let cpu = child::tree_cpu_seconds(std::process::id()) - before;
        writeln!(out, "{:e}", cpu / f64::from(written.max(1)))?;
        Ok(())
    })
}
