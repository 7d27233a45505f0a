//! G8: clients that read nothing and clients that never stop talking harm nobody.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use super::ledger::Ledger;
use super::load::{Load, Rate};
use super::site::Site;
use super::subscriber::Audience;
use super::{Report, Trial, check, until};

/// The load meanwhile.
const RATE: Rate = Rate { per_second: 100, alerts: 5, senders: 8 };

/// By how much pings and time limits of sockets are shorter: 25 s, 30 s and 60 s are 2.5 s, 3 s and 6 s.
const HURRY: u32 = 10;

/// By how many bytes the process may grow.
const MEMORY: u64 = 64 * 1024 * 1024;

/// The close code of who asks too often.
const TOO_MANY: u16 = 4429;

/// How long what is hostile may stay.
const PATIENCE: Duration = Duration::from_secs(20);

/// T-G8: `each` clients that never read, as many that talk without end, and twice as many that behave.
///
/// # Errors
/// When the product can't be started or asked.
pub async fn harmless(trial: &Trial, each: usize) -> anyhow::Result<Report> {
    let mut site = Site::with(trial, |replica| {
        replica.set("SRE_COPILOT_SOCKETS_PER_USER", "10000");
        replica.set("SRE_COPILOT_HURRY", HURRY.to_string());
    })
    .await?;
    let ledger = Ledger::create(&site.path("ledger"))?;
    let id = site.replica(0)?.id().context("a process")?;
    let load = Load::start(&site, site.webhooks(), &ledger, RATE, 0);
    let warm = until(PATIENCE, async || Ok((load.accepted() > 50).then_some(()))).await?;
    warm.context("nothing is accepted")?;
    let before = memory(id);
    let address = site.replica(0)?.address();
    let audience = Audience::open(&site, std::slice::from_ref(&address), each * 2).await?;
    let alone = Duration::from_secs(2).max(trial.time / 4);
    tokio::time::sleep(alone).await;
    let quiet_ms = audience.latency_ms();
    let mut silent = Vec::new();
    for _ in 0..each {
        silent.push(deaf(&address, &site.key).await?);
    }
    let closed = Arc::<AtomicUsize>::default();
    let mut talking = JoinSet::new();
    for _ in 0..each {
        talking.spawn(talk(address.clone(), site.key.clone(), closed.clone()));
    }
    let mut most = memory(id);
    let begun = std::time::Instant::now();
    while begun.elapsed() < trial.time.max(Duration::from_secs(8)) {
        tokio::time::sleep(Duration::from_millis(100)).await;
        most = most.max(memory(id));
    }
    let loud_ms = audience.latency_ms();
    let mut report = Report::default();
    report.note(format!(
        "p99 from commit to client: {quiet_ms:.0} ms alone, {loud_ms:.0} ms among {each} deaf and {each} loud"
    ));
    report.note(format!("memory {} MiB before, {} MiB at most", before >> 20, most >> 20));
    if most > before + MEMORY {
        report.find("memory", format!("grew from {} to {} MiB", before >> 20, most >> 20));
    }
    let thrown_out = async || Ok((closed.load(Ordering::SeqCst) >= each).then_some(()));
    until(alone * site.patience, thrown_out).await?;
    let hung_up = closed.load(Ordering::SeqCst);
    if hung_up < each {
        report.find("unclosed", format!("only {hung_up} times was one closed who never stops talking"));
    }
    for (number, stream) in silent.into_iter().enumerate() {
        if !is_closed(stream, site.patience).await {
            report.find("unclosed", format!("client {number} read nothing, and is still served"));
        }
    }
    talking.shutdown().await;
    load.stop().await;
    audience.judge(&mut report).await?;
    report.extend(check::everything(&site, &ledger.close()?, RATE.alerts).await?);
    Ok(report)
}

/// The resident memory of a process in bytes, from `/proc/ID/status` (proc(5), `VmRSS`).
fn memory(id: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or_default() * 1024
}

/// A socket that is opened, greeted and never read from again.
async fn deaf(address: &str, key: &str) -> anyhow::Result<TcpStream> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!(
        "GET /ws HTTP/1.1\r\nhost: {address}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nauthorization: Bearer {key}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut begin = [0; 12];
    stream.read_exact(&mut begin).await?;
    ensure!(begin.starts_with(b"HTTP/1.1 101"), "refused: {}", String::from_utf8_lossy(&begin));
    Ok(stream)
}

/// Whether the server has hung up, once everything that it had sent before was read.
async fn is_closed(mut stream: TcpStream, patience: u32) -> bool {
    let drained = async {
        let mut buffer = vec![0; 64 * 1024];
        while stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {}
    };
    // It answers no ping, so who is still served hears more and more.
    tokio::time::timeout(Duration::from_secs(1) * patience, drained).await.is_ok()
}

/// Talks as fast as it can, and comes back whenever it is thrown out.
async fn talk(address: String, key: String, closed: Arc<AtomicUsize>) {
    loop {
        let _ = talk_once(&address, &key, &closed).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn talk_once(address: &str, key: &str, closed: &AtomicUsize) -> anyhow::Result<()> {
    let mut request = format!("ws://{address}/ws").into_client_request()?;
    request.headers_mut().insert("authorization", format!("Bearer {key}").parse()?);
    let (socket, _) = connect_async(request).await?;
    let (mut sink, mut stream) = socket.split();
    let speak = async {
        loop {
            if sink.send(Message::text(r#"{"type":"ping"}"#)).await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    };
    let listen = async {
        while let Some(Ok(message)) = stream.next().await {
            if let Message::Close(Some(frame)) = message
                && u16::from(frame.code) == TOO_MANY
            {
                closed.fetch_add(1, Ordering::SeqCst);
                return;
            }
        }
    };
    tokio::select! {
        () = speak => {}
        () = listen => {}
    }
    Ok(())
}
