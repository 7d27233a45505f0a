//! T-G1c: a killed process does not test fsync, so the system calls are read: every 2xx must follow a sync of the
//! database's log that began after its request was read.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail};

use super::ledger::Ledger;
use super::load::{Load, Rate};
use super::process::Process;
use super::site::Site;
use super::{Report, Trial, until};

/// The system calls that read requests, sync and answer.
const CALLS: &str = "trace=fdatasync,fsync,read,recvfrom,write,writev,sendto";

/// As fast as answers come, so that commits are shared.
const RATE: Rate = Rate { per_second: 0, alerts: 2, senders: 4 };

/// Traces the product, and PostgreSQL with it, over `answers` accepted requests.
///
/// # Errors
/// When `strace` is not installed or may not attach, or the product does not run.
pub async fn oracle(trial: &Trial, answers: usize) -> anyhow::Result<Report> {
    let site = Site::start(trial).await?;
    let trace = site.path("trace");
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-s", "48", "-e", CALLS, "-e", "signal=none", "-o"]).arg(&trace);
    let product: Vec<u32> = site.replicas.iter().filter_map(|replica| replica.id()).collect();
    let postgres = site.postgres.as_ref().map(|postgres| postgres.parts()).unwrap_or_default();
    for id in product.iter().chain(&postgres) {
        command.args(["-p", &id.to_string()]);
    }
    let mut strace = Process::start("strace", &mut command, &site.path("strace.log"))?;
    let attached = until(Duration::from_secs(60), async || {
        if let Some(status) = strace.ended()? {
            bail!("strace ended early: {status}; may this user trace its own processes?");
        }
        Ok(product.iter().all(|id| is_traced(*id)).then_some(()))
    });
    attached.await?.context("strace did not attach")?;
    let ledger = Ledger::create(&site.path("ledger"))?;
    let load = Load::start(&site, site.webhooks(), &ledger, RATE, 0);
    let enough = until(Duration::from_secs(120), async || Ok((load.accepted() >= answers).then_some(())));
    let enough = enough.await?;
    load.stop().await;
    strace.terminate(Duration::from_secs(10)).await?;
    let book = ledger.close()?;
    let text = String::from_utf8_lossy(&std::fs::read(&trace)?).into_owned();
    let mut report = judge(&text, &threads(&product));
    if enough.is_none() || book.ok.len() < answers {
        report.find("unfinished", format!("only {} of {answers} requests were accepted", book.ok.len()));
    }
    report.note(book.summary());
    Ok(report)
}

/// Whether a tracer is attached to every thread of a process (proc(5), `TracerPid`), or the process has ended.
pub fn is_traced(id: u32) -> bool {
    threads(&[id]).keys().all(|thread| {
        let status = std::fs::read_to_string(format!("/proc/{id}/task/{thread}/status")).unwrap_or_default();
        let tracer = status.lines().find_map(|line| line.strip_prefix("TracerPid:"));
        tracer.is_none_or(|by| by.trim() != "0") || status.contains("State:\tZ")
    })
}

/// The threads of the product's processes, each with its process: only their reads and writes are requests and answers.
fn threads(product: &[u32]) -> BTreeMap<u32, u32> {
    let tasks = product.iter().flat_map(|id| {
        let tasks = std::fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten();
        tasks.filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, *id)))
    });
    tasks.chain(product.iter().map(|id| (*id, *id))).collect()
}

/// Reads a trace in the order of its lines: the order in which calls began and ended. `product` has the process of each
/// thread: two processes have sockets of the same number.
pub fn judge(trace: &str, product: &BTreeMap<u32, u32>) -> Report {
    let mut report = Report::default();
    // Where each connection's newest webhook was read; when the newest sync that has ended had begun.
    let mut requests: BTreeMap<(u32, &str), usize> = BTreeMap::new();
    let mut syncing: BTreeMap<u32, usize> = BTreeMap::new();
    let (mut synced, mut answers, mut syncs) = (0, 0, 0);
    let mut reading: BTreeMap<u32, &str> = BTreeMap::new();
    for (line, text) in trace.lines().enumerate().map(|(line, text)| (line + 1, text)) {
        let Some((thread, call)) = text.split_once(' ') else { continue };
        let (Ok(thread), call) = (thread.parse::<u32>(), call.trim_start()) else { continue };
        if call.starts_with("fdatasync(") || call.starts_with("fsync(") {
            syncing.insert(thread, line);
            if call.contains("<unfinished") {
                continue;
            }
        }
        if call.contains("sync(") || call.contains("sync resumed") {
            if let Some(began) = syncing.remove(&thread).filter(|_| call.contains("= 0")) {
                synced = synced.max(began);
                syncs += 1;
            }
            continue;
        }
        let Some(process) = product.get(&thread).copied() else { continue };
        let began = call.split_once('(').filter(|_| !call.starts_with("<..."));
        let socket = began.and_then(|(_, rest)| rest.split([',', ')']).next());
        if let (Some(socket), true) = (socket, call.starts_with("read") || call.starts_with("recv")) {
            reading.insert(thread, socket);
        }
        if call.contains("POST /webhooks/")
            && let Some(socket) = reading.get(&thread)
        {
            requests.insert((process, socket), line);
        }
        if call.contains("HTTP/1.1 200")
            && let Some(read) = socket.and_then(|socket| requests.remove(&(process, socket)))
        {
            answers += 1;
            if synced < read {
                report.find("unsynced", format!("line {line} answers line {read} with no sync between them"));
            }
        }
    }
    report.note(format!("{answers} answers, {syncs} syncs"));
    if answers == 0 {
        report.find("unfinished", "no answer was seen in the trace");
    }
    report
}
