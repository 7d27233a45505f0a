//! Everything that is known about an incident: what its alerts say, what its project did, what Prometheus measured.

pub mod ask;
pub mod comparison;
mod earlier;
pub mod family;
pub mod metrics;
pub mod shape;
mod similar;
pub mod store;
pub mod versions;

use std::time::Duration;

use outbox::{Db, Ts};
use tokio::time::Instant;

use crate::ai::prometheus::{Budget, Labels, Prometheus, counted};
use crate::error::{Error, Result};
use crate::ids::{IncidentId, IntegrationId, TenantId};
use crate::outbound::{Credentials, Failure, Outbound};
use metrics::{Metrics, Question};
use store::{AlertFacts, ChangeFacts, IncidentFacts, NearbyAlert, Similar, Source};

/// Seconds before the alarm that are compared with what came after.
pub const BASELINE_S: i64 = 3600;

/// Seconds after the alarm that are looked at when the incident is older than that.
pub const AFTER_S: i64 = 1800;

/// How long all queries to the first server may take together; those to others have half of it.
const TIME: Duration = Duration::from_millis(2800);

/// Servers that are asked, one after another, until one knows anything.
const SOURCES: usize = 3;

/// Queries of one analysis to one server.
const QUERIES: usize = 80;

/// Bytes read of all answers together.
const BYTES: usize = 48 * 1024 * 1024;

/// Series read of one query.
const LINES: usize = 1000;

/// Labels that mark a part of the world which has nothing to do with the others.
const SCOPES: [&str; 4] = ["cluster", "environment", "env", "stage"];

/// What the database knows.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The incident's id.
    pub id: IncidentId,
    /// The incident.
    pub incident: IncidentFacts,
    /// Its alerts, first firing first.
    pub alerts: Vec<AlertFacts>,
    /// When it was noticed: the start of the oldest alert that still fires.
    pub alarm: Ts,
    /// The window that is looked at.
    pub window: (Ts, Ts),
    /// Other alerts of the window.
    pub nearby: Vec<NearbyAlert>,
    /// Whether there are more of them.
    pub more_nearby: bool,
    /// Changes of the hour before the alarm.
    pub changes: Vec<ChangeFacts>,
    /// Whether there are more of them.
    pub more_changes: bool,
    /// Incidents like it.
    pub similar: Vec<Similar>,
    /// Where metrics can be asked for.
    pub sources: Vec<Source>,
    /// Labels that name services, in order.
    pub service_labels: Vec<String>,
    /// Calls between services that people wrote down, as (caller, callee).
    pub topology: Vec<(String, String)>,
}

/// What the database and Prometheus know.
#[derive(Debug)]
pub struct Gathered {
    /// What the database knows.
    pub facts: Facts,
    /// What Prometheus measured; empty when it could not be asked.
    pub metrics: Metrics,
    /// The address of that Prometheus, with `/` at its end.
    pub base: Option<String>,
    /// The integration that names it.
    pub integration: Option<IntegrationId>,
    /// What was and was not looked at, in words.
    pub checked: Vec<String>,
}

impl Facts {
    /// Reads them in one snapshot.
    ///
    /// # Errors
    /// When the incident does not exist or the database refused.
    pub async fn read(db: &Db, tenant: TenantId, id: IncidentId) -> Result<Self> {
        let mut tx = db.read(tenant.0).await?;
        let incident = store::incident(&mut tx, tenant, id).await?.ok_or(Error::NotFound)?;
        let project = incident.project_id;
        let alerts = store::alerts(&mut tx, tenant, id).await?;
        let alarm = alarm(&incident, &alerts);
        let now = tx.now();
        let window = (alarm.plus_seconds(-BASELINE_S), now.min(alarm.plus_seconds(AFTER_S)).max(alarm));
        let around = (alarm.plus_seconds(-1800), window.1);
        let (nearby, more_nearby) = store::nearby(&mut tx, tenant, project, id, around).await?;
        let service = service(&incident, &alerts);
        let (changes, more_changes) =
            store::changes(&mut tx, tenant, project, service, window, alarm).await?;
        let similar = similar::find(&mut tx, tenant, id, &incident, alarm).await?;
        let sources = store::sources(&mut tx, tenant, project).await?;
        let told = store::told(&mut tx, tenant, project).await?;
        let mut service_labels = told.service_labels;
        service_labels.extend(alerts::DEFAULT_SERVICE_LABELS.map(str::to_owned));
        let mut seen = std::collections::BTreeSet::new();
        service_labels.retain(|label| is_label(label) && seen.insert(label.clone()));
        Ok(Self {
            id,
            incident,
            alerts,
            alarm,
            window,
            nearby,
            more_nearby,
            changes,
            more_changes,
            similar,
            sources,
            service_labels,
            topology: told.topology,
        })
    }

    /// The service that the incident speaks of.
    pub fn service(&self) -> Option<&str> {
        service(&self.incident, &self.alerts)
    }

    /// The other alerts that began within the window. Of those that fire since long before it the engine may learn something;
    /// to a person they are no part of this.
    pub fn around(&self) -> impl Iterator<Item = &NearbyAlert> {
        self.nearby.iter().filter(|alert| alert.starts_at >= self.window.0)
    }

    /// What to ask Prometheus for.
    fn question(&self) -> Question {
        let labels = self.alerts.first().map(|alert| alert.labels.0.clone()).unwrap_or_default();
        let preferred = self.service_labels.iter().find(|name| labels.contains_key(*name));
        let scopes = SCOPES.iter().filter_map(|name| Some((name, labels.get(*name)?)));
        let scope = scopes.map(|(name, value)| format!(",{name}={}", quoted(value))).collect();
        Question {
            watched: self.watched(),
            preferred: preferred.cloned().unwrap_or_else(|| "service".to_owned()),
            service_labels: self.service_labels.clone(),
            scope,
            from: self.window.0.unix_seconds(),
            to: self.window.1.unix_seconds(),
            alarm: self.alarm.unix_seconds(),
            topology: self.topology.clone(),
        }
    }

    /// The different expressions of the incident's alerts, three at most.
    fn watched(&self) -> Vec<(comparison::Watched, Labels)> {
        let mut out: Vec<(comparison::Watched, Labels)> = Vec::new();
        for alert in &self.alerts {
            let Some(expression) = alert.generator_url.as_deref().and_then(alerts::expression) else {
                continue;
            };
            let watched = comparison::split(&expression);
            if out.len() < 3 && !out.iter().any(|(known, _)| *known == watched) {
                out.push((watched, alert.labels.0.clone()));
            }
        }
        out
    }

    /// Those that are asked, the one that knows most first: that evaluated a rule of the incident, then that sent it.
    pub fn by_fit(&self) -> Vec<&Source> {
        let base = self.alerts.iter().filter_map(|alert| alert.generator_url.as_deref());
        let bases: Vec<String> = base.filter_map(alerts::prometheus_base).collect();
        let evaluated = |source: &Source| bases.iter().any(|base| base == source.url.trim_end_matches('/'));
        let sent = |source: &Source| self.alerts.iter().any(|alert| alert.integration_id == source.id);
        let mut all: Vec<&Source> = self.sources.iter().collect();
        all.sort_by_key(|source| (!evaluated(source), !sent(source)));
        all.truncate(SOURCES);
        all
    }
}

/// Asks Prometheus for what `facts` need; `credentials` opens what a source has stored to sign in.
pub async fn gather(
    outbound: &Outbound,
    facts: Facts,
    credentials: impl Fn(&Source) -> Result<Option<Credentials>>,
) -> Gathered {
    let mut checked = Vec::new();
    let mut gathered = Metrics::default();
    let mut base = None;
    let mut integration = None;
    let sources = facts.by_fit();
    if sources.is_empty() {
        checked.push("no metrics were looked at: this project has no Prometheus with an address".to_owned());
    }
    for (at, source) in sources.into_iter().enumerate() {
        let time = if at == 0 { TIME } else { TIME / 2 };
        let budget = Budget { queries: QUERIES, time, lines: LINES, bytes: BYTES };
        match open(outbound, source, credentials(source), budget).await {
            Err(failure) => checked.push(format!("{} was not asked for metrics: {failure}", source.name)),
            Ok(prometheus) => {
                checked.append(&mut gathered.checked);
                gathered = metrics::collect(&prometheus, &facts.question()).await;
                base = Some(prometheus.base().to_owned());
                integration = Some(source.id);
                if !gathered.measured.is_empty() {
                    break;
                }
            }
        }
    }
    checked.append(&mut gathered.checked);
    let mut out = Gathered { facts, metrics: gathered, base, integration, checked };
    let at = out.facts.alarm.unix_seconds();
    let reported = out.facts.changes.iter().map(|change| change.at.unix_seconds());
    let times: Vec<f64> = reported.chain(out.unreported_versions().map(|version| version.at)).collect();
    let before = times.iter().filter(|time| **time <= at).count();
    out.checked.push(told(before, out.facts.more_changes, "change", "in the hour before the alarm"));
    if before < times.len() {
        out.checked.push(told(times.len() - before, false, "change", "since"));
    }
    out.checked.push(told(out.facts.around().count(), out.facts.more_nearby, "other alert", "around it"));
    out
}

/// A Prometheus that may be asked within `budget`; or in words why it can't be.
///
/// # Errors
/// When its address may not be asked or its stored credentials can't be opened.
pub async fn open(
    outbound: &Outbound,
    source: &Source,
    credentials: Result<Option<Credentials>>,
    budget: Budget,
) -> Result<Prometheus, String> {
    let deadline = Instant::now() + budget.time;
    let Ok(own) = credentials else {
        return Err("its stored credentials can't be opened; enter them again".to_owned());
    };
    let opening = outbound.open(&source.url, own.as_ref());
    let opened = tokio::time::timeout_at(deadline, opening).await.unwrap_or(Err(Failure::Timeout));
    let opened = opened.or_else(|failure| counted(Err(failure.into())));
    opened.map(|target| Prometheus::new(target, budget, deadline)).map_err(|failure| failure.to_string())
}

fn told(count: usize, more: bool, noun: &str, when: &str) -> String {
    match count {
        _ if more => format!("more than {count} {noun}s {when}; {count} of them were looked at"),
        0 => format!("no {noun} {when}"),
        1 => format!("1 {noun} {when}"),
        _ => format!("{count} {noun}s {when}"),
    }
}

/// The service that an incident speaks of, or the first of its alerts that speaks of one.
fn service<'a>(incident: &'a IncidentFacts, alerts: &'a [AlertFacts]) -> Option<&'a str> {
    let of_alert = || alerts.iter().find_map(|alert| alert.service_name.as_deref());
    incident.service_name.as_deref().or_else(of_alert)
}

/// When the incident was noticed: the start of its oldest alert that fires, or the newest start.
fn alarm(incident: &IncidentFacts, alerts: &[AlertFacts]) -> Ts {
    let firing = alerts.iter().filter(|alert| alert.closed_at.is_none()).map(|alert| alert.starts_at).min();
    let newest = || alerts.iter().map(|alert| alert.starts_at).max();
    firing.or_else(newest).unwrap_or(incident.detected_at)
}

/// Whether a text can stand in PromQL as the name of a label.
fn is_label(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// A text as a PromQL string.
pub fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("\"{escaped}\"")
}
