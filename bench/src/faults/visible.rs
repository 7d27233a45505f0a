//! G5: what fires is shown soon, in a storm of alerts too, and nothing of it is dropped.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::ledger::{Ledger, Pen};
use super::load::{self, Load, Rate};
use super::site::{Site, text};
use super::subscriber::Audience;
use super::{Report, Trial, check, until};

/// What is promised of 99 of 100 alerts from their answer to their being shown, and of their events.
const SHOWN: Duration = Duration::from_secs(2);

/// What is promised of each of them.
const SHOWN_AT_LAST: Duration = Duration::from_secs(5);

/// What is promised of 99 of 100 looks at the list meanwhile.
const LISTED: Duration = Duration::from_millis(500);

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(100);

/// Requests of the one who looks are numbered from here.
const LOOKER: usize = 9_000_000;

/// Clients of live events.
const CLIENTS: usize = 4;

/// How long each look took.
#[derive(Debug, Default)]
struct Looks {
    shown: Vec<Duration>,
    listed: Vec<Duration>,
    hidden: usize,
}

/// T-G5a, T-G5c: alerts that nobody has seen come in at `rate`; meanwhile others are sent one at a time, and looked for.
///
/// # Errors
/// When the product can't be started or asked.
pub async fn shown(trial: &Trial, rate: Rate) -> anyhow::Result<Report> {
    let site = Site::start(trial).await?;
    let ledger = Ledger::create(&site.path("ledger"))?;
    let addresses: Vec<String> = site.replicas.iter().map(|replica| replica.address()).collect();
    let audience = Audience::open(&site, &addresses, CLIENTS).await?;
    let load = Load::start(&site, site.webhooks(), &ledger, rate, 0);
    let stop = CancellationToken::new();
    let over = async {
        tokio::time::sleep(trial.time).await;
        stop.cancel();
    };
    let (looks, listed, ()) =
        tokio::join!(look(&site, ledger.pen(), rate.alerts, &stop), list(&site, &stop), over);
    let sent = load.sent();
    load.stop().await;
    let mut looks = looks?;
    looks.listed = listed?;
    let mut report = Report::default();
    report.note(format!("{sent} requests of {} alerts in {:?}", rate.alerts, trial.time));
    judge(&mut report, &mut looks, trial.patience);
    let events = Duration::from_secs_f64(audience.latency_ms() / 1e3);
    report.note(format!("99 of 100 events came within {events:.0?} of their commit"));
    if events > SHOWN * trial.patience {
        report.find("late", format!("99 of 100 events took up to {events:.0?}"));
    }
    audience.judge(&mut report).await?;
    report.extend(check::everything(&site, &ledger.close()?, rate.alerts).await?);
    Ok(report)
}

/// Sends a request at the first replica, looks for its last alert's incident at the last one, again and again.
async fn look(site: &Site, pen: Pen, alerts: usize, stop: &CancellationToken) -> anyhow::Result<Looks> {
    let webhook = site.webhooks().into_iter().next().context("a replica")?;
    let base = site.replicas.last().context("a replica")?.base();
    let mut looks = Looks::default();
    for number in LOOKER.. {
        if stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await.is_none() {
            break;
        }
        let id = load::request_id(number);
        let body = load::body(&id, alerts).to_string();
        pen.invoke(&id);
        let sent =
            site.http.post(&webhook).bearer_auth(&site.token).header("content-type", "application/json");
        let Ok(answer) = sent.body(body).send().await else {
            pen.info(&id);
            continue;
        };
        if !answer.status().is_success() {
            pen.fail(&id, answer.status().as_u16());
            continue;
        }
        let answered = Instant::now();
        let answer: Value = answer.json().await?;
        pen.ok(&id, &text(&answer, "/delivery_id")?);
        let last = format!("/results/{}/incident_id", alerts - 1);
        let Ok(incident) = text(&answer, &last) else {
            looks.hidden += 1;
            continue;
        };
        let url = format!("{base}/api/v1/incidents/{incident}");
        let shown =
            until(SHOWN_AT_LAST * site.patience, async || Ok(is_open(site, &url).await.then_some(())));
        match shown.await? {
            Some(()) => looks.shown.push(answered.elapsed()),
            None => looks.hidden += 1,
        }
    }
    Ok(looks)
}

async fn is_open(site: &Site, url: &str) -> bool {
    let Ok(answer) = site.http.get(url).bearer_auth(&site.key).send().await else { return false };
    let incident: Value = answer.json().await.unwrap_or_default();
    incident.get("open").and_then(Value::as_bool).unwrap_or_default()
}

/// Looks at the list that people look at.
async fn list(site: &Site, stop: &CancellationToken) -> anyhow::Result<Vec<Duration>> {
    let mut looks = Vec::new();
    while stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await.is_some() {
        let asked = Instant::now();
        site.get("/api/v1/incidents?open=true&sort=needs_me").await?;
        looks.push(asked.elapsed());
    }
    Ok(looks)
}

fn judge(report: &mut Report, looks: &mut Looks, patience: u32) {
    if looks.hidden > 0 {
        let what =
            format!("{} alerts had no open incident {SHOWN_AT_LAST:?} after their answer", looks.hidden);
        report.find("hidden", what);
    }
    for (all, promised, what) in
        [(&mut looks.shown, SHOWN, "alerts shown"), (&mut looks.listed, LISTED, "lists")]
    {
        all.sort();
        let Some(p99) = all.get(all.len().saturating_sub(1) * 99 / 100).copied() else {
            report.find("unreached", format!("no {what} at all"));
            continue;
        };
        report.note(format!("{} {what}, 99 of 100 within {p99:.0?}", all.len()));
        if p99 > promised * patience {
            report.find("slow", format!("99 of 100 {what} took up to {p99:.0?}, promised are {promised:?}"));
        }
    }
}
