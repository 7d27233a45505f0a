//! G3: one open incident for each key, though everybody reports it at once and through different processes.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};

use super::load::{envelope, firing, request_id};
use super::site::{Site, text};
use super::{Report, Trial, until};

/// First reports of each key at once, each about another instance.
const AT_ONCE: usize = 16;

/// How long a report is sent again until it is taken.
const PATIENCE: Duration = Duration::from_secs(5);

/// T-G3a: `keys` incidents, each reported for the first time by sixteen requests at once through every replica, then
/// once more as a repeat.
///
/// # Errors
/// When the product can't be started or asked.
pub async fn one_each(trial: &Trial, keys: usize) -> anyhow::Result<Report> {
    let site = Site::start(trial).await?;
    if trial.broken == "no-project-lock" {
        // The lock and the index each hold the promise alone: both have to go for it to break.
        site.database.execute("drop index incidents_open_key").await?;
    }
    let mut report = Report::default();
    let mut reported = BTreeSet::new();
    'keys: for key in 0..keys {
        let service = format!("{}-0", request_id(key));
        reported.insert(service.clone());
        for round in 0..2 {
            let sent = (0..AT_ONCE).map(|instance| report_once(&site, &service, instance));
            for answer in futures_util::future::try_join_all(sent).await? {
                let answer = match answer {
                    Ok(answer) => answer,
                    Err(said) => {
                        report.find("untaken", format!("{service} in round {round}: {said}"));
                        break 'keys;
                    }
                };
                let outcome = text(&answer, "/results/0/outcome")?;
                let first = ["opened", "attached", "repeated"].contains(&outcome.as_str());
                if !(outcome == "repeated" || round == 0 && first) {
                    report.find("unattached", format!("{service} in round {round}: {outcome}"));
                }
            }
        }
    }
    let incidents = site.database.incidents().await?;
    for service in &reported {
        let open = incidents.iter().filter(|incident| incident.open && incident.service == *service).count();
        if open != 1 {
            report.find("doubled", format!("{service} has {open} open incidents"));
        }
    }
    if incidents.len() != keys {
        report.find("doubled", format!("{} incidents for {keys} keys", incidents.len()));
    }
    let alerts = site.database.count("select count(*) from alerts where incident_id is not null").await?;
    let wanted = i64::try_from(keys * AT_ONCE)?;
    if alerts != wanted {
        report.find("unattached", format!("{alerts} alerts belong to incidents instead of {wanted}"));
    }
    super::check::numbered(&mut report, &site, &incidents).await?;
    report
        .note(format!("{keys} keys, {AT_ONCE} first reports of each at once, {} incidents", incidents.len()));
    Ok(report)
}

/// Reports one instance until it is taken: the answer, or what was said instead.
async fn report_once(site: &Site, service: &str, instance: usize) -> anyhow::Result<Result<Value, String>> {
    let mut alert = firing("Down", service);
    if let Some(labels) = alert.get_mut("labels").and_then(Value::as_object_mut) {
        labels.insert("instance".to_owned(), json!(format!("host-{instance}")));
    }
    let body = envelope(&[alert]).to_string();
    let webhooks = site.webhooks();
    let url = webhooks.get(instance % webhooks.len()).context("a webhook")?;
    let mut said = String::new();
    let taken = until(PATIENCE * site.patience, async || {
        let sent = site.http.post(url).bearer_auth(&site.token).header("content-type", "application/json");
        let answer = sent.body(body.clone()).send().await?;
        if answer.status().is_success() {
            return Ok(Some(answer.json().await?));
        }
        said = answer.text().await?;
        Ok(None)
    });
    let taken = taken.await?;
    Ok(taken.ok_or(said))
}
