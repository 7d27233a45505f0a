//! A message as PagerDuty takes it: the Events API, version 2.
//!
//! An incident is one alert there: its events carry the same `dedup_key`, so that a repeat changes nothing. A summary has at
//! most 1,024 characters, a source and a component fewer than that (PagerDuty's reference of PD-CEF).

use serde_json::{Value, json};

use super::What;
use super::facts::{Brief, Digest, Facts, Message, Request, cut, put};
use crate::incident::Severity;

/// Characters of a summary.
const SUMMARY: usize = 1_024;

/// Characters of a component or a source.
const SHORT: usize = 255;

/// What an event does to its alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Trigger,
    Acknowledge,
    Resolve,
}

impl Action {
    fn name(self) -> &'static str {
        match self {
            Self::Trigger => "trigger",
            Self::Acknowledge => "acknowledge",
            Self::Resolve => "resolve",
        }
    }
}

/// The request for a message, in the name of `routing_key`.
pub fn render(message: &Message<'_>, routing_key: &str) -> Request {
    let facts = message.facts;
    let action = action(facts);
    let mut event = json!({
        "routing_key": routing_key,
        "event_action": action.name(),
        "dedup_key": dedup_key(message),
    });
    if action == Action::Trigger {
        put(&mut event, "payload", payload(message));
        put(&mut event, "links", json!([{"href": facts.url, "text": "Open in SRE Copilot"}]));
        put(&mut event, "client", json!("SRE Copilot"));
        put(&mut event, "client_url", json!(facts.url));
    }
    Request { headers: vec![("webhook-id", message.id.to_string())], body: event.to_string() }
}

fn action(facts: &Facts) -> Action {
    match (facts.what, &facts.digest, &facts.fault) {
        (What::Resolved, ..) => Action::Resolve,
        (What::Acknowledged, ..) => Action::Acknowledge,
        (What::Digest, Some(digest), _) if !digest.open => Action::Resolve,
        (What::Fault, _, Some(fault)) if fault.over => Action::Resolve,
        _ => Action::Trigger,
    }
}

/// Names the alert: the incident's, that of everything told at once, or that of the server's own trouble.
fn dedup_key(message: &Message<'_>) -> String {
    let facts = message.facts;
    match (&facts.incident, &facts.digest, &facts.fault) {
        (Some(one), ..) => format!("sre-copilot/incident/{}", one.id),
        (_, Some(_), _) => format!("sre-copilot/many/{}", message.channel),
        (_, _, Some(fault)) => format!("sre-copilot/{}/{}", fault.kind, message.channel),
        _ => format!("sre-copilot/{}", message.id),
    }
}

fn payload(message: &Message<'_>) -> Value {
    let facts = message.facts;
    let one = facts.incident.as_ref();
    let summary = match &facts.cause {
        Some(cause) => format!("{}: {}", facts.title, cause.claim),
        None => facts.title.clone(),
    };
    let severity = match (one, &facts.digest, facts.what) {
        (Some(one), ..) => level(one.severity),
        (_, Some(digest), _) => digest.by_severity.keys().next().map_or("error", |worst| level(*worst)),
        (_, _, What::Test) => "info",
        _ => match &facts.fault {
            Some(fault) if fault.kind == "database" => "critical",
            Some(_) => "error",
            None => "warning",
        },
    };
    let mut payload = json!({
        "summary": cut(&summary, SUMMARY),
        "source": cut(&one.map_or_else(|| facts.project.name.clone(), |one| one.source.clone()), SHORT),
        "severity": severity,
        "timestamp": one.map_or(message.created_at, |one| one.started_at),
        "group": cut(&facts.project.name, SHORT),
        "class": facts.what,
        "custom_details": details(facts, one),
    });
    if let Some(service) = one.and_then(|one| one.service_name.as_ref()) {
        put(&mut payload, "component", json!(cut(service, SHORT)));
    }
    payload
}

fn details(facts: &Facts, one: Option<&Brief>) -> Value {
    let mut details = json!({"project": facts.project.name});
    if let Some(one) = one {
        put(&mut details, "incident", json!(one.name()));
        put(&mut details, "state", json!(one.state));
        put(&mut details, "since", json!(one.started_at));
        put(&mut details, "alerts", json!(one.alert_count));
        put(&mut details, "description", json!(one.description));
    }
    if let Some(cause) = &facts.cause {
        put(&mut details, "likely_cause", json!(cause.claim));
        put(&mut details, "confidence", json!(cause.confidence));
        put(&mut details, "evidence", json!(cause.evidence));
    }
    if let Some(digest) = &facts.digest {
        put(&mut details, "incidents", json!(lines(digest)));
        put(&mut details, "count", json!(digest.count));
    }
    if let Some(note) = &facts.note {
        put(&mut details, "note", json!(note));
    }
    details
}

fn lines(digest: &Digest) -> Vec<String> {
    digest.first.iter().map(|one| format!("INC-{} ({}): {}", one.number, one.severity, one.title)).collect()
}

/// The four severities of PagerDuty.
fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical",
        Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "info",
    }
}
