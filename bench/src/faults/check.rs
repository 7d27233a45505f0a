//! Compares what is there with what was promised: nothing missing, and nothing that nobody asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::Context as _;
use serde_json::Value;

use super::database::{Event, Incident};
use super::ledger::Book;
use super::load::{request_of, services};
use super::site::Site;
use super::{Report, until};

/// How many receipts are asked for by the API.
const RECEIPTS: usize = 50;

/// How long webhooks may wait in a spool once the database is back.
const DRAINED: Duration = Duration::from_secs(60);

/// How much longer they are waited for, when they took too long, before what is missing counts as lost.
const LATE: Duration = Duration::from_secs(600);

/// Everything that holds after a load of requests with `alerts` alerts each, whatever happened meanwhile.
///
/// # Errors
/// When the product or its database can't be asked.
pub async fn everything(site: &Site, book: &Book, alerts: usize) -> anyhow::Result<Report> {
    let mut report = Report::default();
    report.note(book.summary());
    drained(&mut report, site).await?;
    let incidents = site.database.incidents().await?;
    accepted(&mut report, &incidents, &site.database.attached().await?, book, alerts);
    receipts(&mut report, site, book, alerts).await?;
    numbered(&mut report, site, &incidents).await?;
    Ok(report)
}

/// G1: what waits on a disk, because the database was away or too slow, is stored soon.
///
/// # Errors
/// When a replica can't be asked.
pub async fn drained(report: &mut Report, site: &Site) -> anyhow::Result<()> {
    for (number, replica) in site.replicas.iter().enumerate() {
        let empty =
            until(DRAINED * site.patience, async || Ok((!replica.spools().await).then_some(()))).await?;
        if empty.is_none() {
            report.find("undrained", format!("webhooks wait in the spool of replica {}", number + 1));
            // What is late is not lost: that is looked at when nothing waits any more.
            until(LATE, async || Ok((!replica.spools().await).then_some(()))).await?;
        }
    }
    Ok(())
}

/// G1, G3: what was accepted is there once; what was never sent, or refused for good, is not.
///
/// Beyond 5,000 open incidents a project's further alerts belong to the incident of the storm, which has no service.
pub fn accepted(
    report: &mut Report,
    incidents: &[Incident],
    attached: &[String],
    book: &Book,
    alerts: usize,
) {
    let mut there: BTreeMap<&str, usize> = attached.iter().map(|service| (service.as_str(), 0)).collect();
    for incident in incidents.iter().filter(|incident| !incident.service.is_empty()) {
        *there.entry(incident.service.as_str()).or_default() += 1;
    }
    let wanted: BTreeSet<String> = book.ok.keys().flat_map(|id| services(id, alerts)).collect();
    for service in wanted.iter().filter(|service| !there.contains_key(service.as_str())) {
        report.find("lost", format!("{service} was accepted and is not there"));
    }
    for (service, count) in there {
        if count > 1 {
            report.find("doubled", format!("{service} has {count} incidents"));
        }
        if request_of(service).is_none_or(|id| book.must_be_absent(id)) {
            report.find("unexpected", format!("{service} is there, and was never sent or was refused"));
        }
    }
    report.note(format!("{} alerts accepted, {} incidents", wanted.len(), incidents.len()));
}

/// G1: the receipt of what was accepted can be read, and lists each of its alerts.
async fn receipts(report: &mut Report, site: &Site, book: &Book, alerts: usize) -> anyhow::Result<()> {
    let step = (book.ok.len() / RECEIPTS).max(1);
    for (id, receipt) in book.ok.iter().step_by(step).filter(|(_, receipt)| *receipt != "-") {
        let path = format!("/api/v1/projects/{}/deliveries/{receipt}", site.project);
        let found = site.get(&path).await;
        let listed = found.as_ref().ok().and_then(|found| found.get("results")?.as_array().map(Vec::len));
        if listed != Some(alerts) {
            report.find("receipt", format!("{id}: {receipt} lists {listed:?} alerts: {found:?}"));
        }
    }
    Ok(())
}

/// G6: numbers without a gap, and exactly one event for each version of each incident.
pub async fn numbered(report: &mut Report, site: &Site, incidents: &[Incident]) -> anyhow::Result<()> {
    // Analyses go on meanwhile, so the newest number is between what was reached before and after.
    let before: BTreeMap<String, i64> = site.database.heads().await?.into_iter().collect();
    let events = site.database.events().await?;
    let mut last: BTreeMap<&str, i64> = BTreeMap::new();
    for event in &events {
        let before = last.insert(&event.stream, event.seq).unwrap_or(0);
        if event.seq != before + 1 {
            report.find("gap", format!("event {} of {} follows {before}", event.seq, event.stream));
        }
    }
    for (stream, seq) in site.database.heads().await? {
        let newest = last.get(stream.as_str()).copied().unwrap_or(0);
        let least = before.get(&stream).copied().unwrap_or(0);
        if newest < least || newest > seq {
            let what = format!("stream {stream} has reached {least} to {seq}, its newest event is {newest}");
            report.find("gap", what);
        }
    }
    report.note(format!("{} events", events.len()));
    versions(report, &events, incidents)
}

fn versions(report: &mut Report, events: &[Event], incidents: &[Incident]) -> anyhow::Result<()> {
    let mut announced: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for event in events.iter().filter(|event| event.kind.starts_with("incident.")) {
        let data: Value = serde_json::from_str(&event.data).context("an event's data")?;
        let id = data.get("id").and_then(Value::as_str).unwrap_or_default().replace('-', "");
        let versions = announced.entry(id).or_default();
        versions.push(data.get("version").and_then(Value::as_i64).unwrap_or_default());
        if (event.kind == "incident.created") != (versions.len() == 1) {
            report.find("phantom", format!("{} is number {} of its incident", event.kind, versions.len()));
        }
    }
    for incident in incidents {
        let versions = announced.remove(&incident.id).unwrap_or_default();
        if versions != (1..=incident.version).collect::<Vec<_>>() {
            let what =
                format!("incident of {} at {}: events {versions:?}", incident.service, incident.version);
            report.find("unannounced", what);
        }
    }
    for id in announced.keys() {
        report.find("phantom", format!("events about {id}, which does not exist"));
    }
    Ok(())
}

/// G1, G17: every replica answers again, and takes a webhook.
///
/// # Errors
/// When the system refuses.
pub async fn alive(report: &mut Report, site: &Site, promised: std::time::Duration) -> anyhow::Result<()> {
    for (number, replica) in site.replicas.iter().enumerate() {
        let ready =
            until(promised * site.patience, async || Ok(replica.is_ready().await.then_some(()))).await?;
        if ready.is_none() {
            report.find("not-recovered", format!("replica {} is not ready", number + 1));
        }
    }
    Ok(())
}
