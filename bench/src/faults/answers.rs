//! G2: whatever fails inside, a sender is told what makes it try again; only what can never succeed is refused for good.

use std::collections::BTreeMap;
use std::time::Duration;

use super::durable::WEBHOOK;
use super::ledger::Ledger;
use super::load::{Load, Rate, body};
use super::postgres::End;
use super::site::Site;
use super::{Report, Trial, check, until};

/// Statuses that a wrong request may be answered with, from the promise.
const REFUSALS: [u16; 10] = [400, 401, 403, 404, 405, 413, 414, 415, 422, 431];

/// What all of our own faults are answered with.
const AGAIN: u16 = 503;

/// The load while things fail.
const RATE: Rate = Rate { per_second: 100, alerts: 3, senders: 8 };

/// Requests sent under each kind of failure.
const REQUESTS: usize = 40;

/// T-G2b: each step fails, panics and dawdles in turn, and the database goes away; a well-formed request is never
/// refused for good, nor answered with a status that loses it.
///
/// # Errors
/// When the product can't be started or asked.
pub async fn codes(trial: &Trial) -> anyhow::Result<Report> {
    let mut site = Site::start(trial).await?;
    let ledger = Ledger::create(&site.path("ledger"))?;
    let mut report = Report::default();
    let mut next = 0;
    for action in ["error*2", "panic*3", "sleep:30"] {
        for point in WEBHOOK {
            let first = site.replica(0)?;
            first.kill()?;
            first.set("SRE_COPILOT_FAULT", format!("{point}={action}"));
            first.start().await?;
            let load = Load::start(&site, site.webhooks(), &ledger, RATE, next);
            let enough = async || Ok((load.sent() >= REQUESTS).then_some(()));
            until(Duration::from_secs(10) * site.patience, enough).await?;
            next += 100_000;
            load.stop().await;
            if action != "sleep:30" && site.replica(0)?.acted(point) == 0 {
                report.find("unreached", format!("{point} was never reached"));
            }
        }
    }
    if let Some(mut postgres) = site.postgres.take() {
        let load = Load::start(&site, site.webhooks(), &ledger, RATE, next);
        for end in [End::Kill, End::Immediate, End::Fast] {
            postgres.end(end).await?;
            tokio::time::sleep(Duration::from_secs(1)).await;
            postgres.start().await?;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        load.stop().await;
        site.postgres = Some(postgres);
    }
    site.replica(0)?.kill()?;
    site.replica(0)?.set("SRE_COPILOT_FAULT", "");
    site.replica(0)?.start().await?;
    wrong_requests(&mut report, &site).await?;
    let book = ledger.close()?;
    for (id, status) in book.failed.iter().filter(|(_, status)| **status != AGAIN) {
        report.find("refused", format!("{id} is well formed and was answered {status}"));
    }
    report.extend(check::everything(&site, &book, RATE.alerts).await?);
    Ok(report)
}

/// T-G2d and the rest of the matrix: what is wrong with a request is said with a status of the list, and never by
/// sending the sender elsewhere.
async fn wrong_requests(report: &mut Report, site: &Site) -> anyhow::Result<()> {
    let base = site.replicas.first().map(|replica| replica.base()).unwrap_or_default();
    let good = body("r9999999", 1).to_string();
    let mut seen: BTreeMap<u16, usize> = BTreeMap::new();
    for path in [
        "/webhooks/alertmanager/",
        "/webhooks//alertmanager",
        "/Webhooks/alertmanager",
        "/webhooks/alertmanager%2f",
        "/webhooks",
        "/webhooks/",
        "/webhooks/nobody",
        "/webhooks/prometheus/api/v2/alerts/",
        "/webhooks/alertmanager/00000000-0000-7000-8000-000000000000",
    ] {
        let asked = site.http.post(format!("{base}{path}")).bearer_auth(&site.token).body(good.clone());
        let status = asked.header("content-type", "application/json").send().await?.status().as_u16();
        *seen.entry(status).or_default() += 1;
        if ![400, 404, 405].contains(&status) {
            report.find("redirect", format!("POST {path} was answered {status}"));
        }
    }
    let url = format!("{base}/webhooks/alertmanager");
    let post = || site.http.post(&url).header("content-type", "application/json");
    let long = "x".repeat(20_000);
    let wrong = [
        ("no token", post().body(good.clone())),
        ("a wrong token", post().bearer_auth("srec_wrong").body(good.clone())),
        ("GET", site.http.get(&url).bearer_auth(&site.token)),
        ("no JSON", post().bearer_auth(&site.token).body("{")),
        ("another format", post().bearer_auth(&site.token).body("[]")),
        ("an encoding", post().bearer_auth(&site.token).header("content-encoding", "br").body(good.clone())),
        ("a long URI", site.http.post(format!("{url}?{long}")).bearer_auth(&site.token)),
        ("a method", site.http.request(reqwest::Method::TRACE, &url).bearer_auth(&site.token)),
    ];
    for (what, request) in wrong {
        let status = request.send().await?.status().as_u16();
        *seen.entry(status).or_default() += 1;
        if !REFUSALS.contains(&status) {
            report.find("code", format!("{what} was answered {status}"));
        }
    }
    report.note(format!("wrong requests were answered {seen:?}"));
    Ok(())
}
