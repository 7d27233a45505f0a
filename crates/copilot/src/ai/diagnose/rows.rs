//! Evidence: each fact once, numbered in the order it is shown, with the query and the window it came from.

use std::collections::BTreeMap;

use diagnosis::{Cause, Kind, Statement};
use outbox::Ts;

use super::case::what;
use super::{history, shift};
use crate::ai::analysis::{ChartSeries, Evidence, EvidenceKind, EvidenceRole};
use crate::ai::evidence::Gathered;
use crate::ai::evidence::metrics::Measured;
use crate::ai::text::{quantity, short, span};
use crate::ids::EvidenceId;

/// Points of a series that is drawn.
const POINTS: usize = 240;

/// Metrics shown of one suspected service.
const METRICS: usize = 3;

/// Other alerts shown.
const ALERTS: usize = 10;

/// The facts of one analysis.
#[derive(Debug)]
pub struct Rows<'a> {
    gathered: &'a Gathered,
    onset: f64,
    rows: Vec<Row>,
    similar: Vec<(i64, EvidenceId)>,
    changes: Vec<Changed>,
}

/// A change among the facts.
#[derive(Debug)]
pub struct Changed {
    /// The fact.
    pub id: EvidenceId,
    /// When it was made, or first seen.
    pub at: Ts,
    /// In a few words, such as `deploy v2.41.0`.
    pub what: String,
    service: String,
}

#[derive(Debug)]
struct Row {
    evidence: Evidence,
    /// The service it is about.
    service: Option<String>,
    /// Whether what it shows is clearly other than before: what hardly moved is told, and speaks for no cause.
    moved: bool,
}

impl<'a> Rows<'a> {
    /// No facts yet; what lies before `onset` is what they are compared with.
    pub fn new(gathered: &'a Gathered, onset: Option<f64>) -> Self {
        let onset = onset.unwrap_or_else(|| gathered.facts.alarm.unix_seconds());
        Self { gathered, onset, rows: Vec::new(), similar: Vec::new(), changes: Vec::new() }
    }

    /// What the incident's alerts watch.
    pub fn symptoms(&mut self) {
        for symptom in &self.gathered.metrics.symptoms {
            let threshold = symptom.watched.threshold;
            let unit = unit_of(&symptom.watched.series);
            let Some(worst) = symptom.lines.first() else { continue };
            let (baseline, value) = levels(worst.points.iter().copied(), self.onset);
            let name = self.gathered.facts.alerts.first().map_or("the alert", |alert| alert.name.as_str());
            let about =
                self.gathered.facts.service().map(|service| format!(" of {service}")).unwrap_or_default();
            let limit = threshold
                .map(|limit| format!(", its threshold is {}", quantity(limit, unit)))
                .unwrap_or_default();
            let summary = format!("What {name}{about} watches is {}{limit}", against(value, baseline, unit));
            let series =
                symptom.lines.iter().take(5).map(|line| chart(line.labels.clone(), &line.points)).collect();
            let mut row = self.metric(EvidenceRole::Symptom, &symptom.watched.series, summary);
            (row.value, row.baseline, row.threshold) = (value, baseline, threshold);
            (row.unit, row.series) = (Some(unit.to_owned()), Some(series));
            self.push(row, self.gathered.facts.service().map(str::to_owned));
        }
    }

    /// What speaks for one cause: its own deviations, and calls to it as its callers see them.
    pub fn cause(&mut self, cause: &Cause) {
        let mut added = 0;
        for finding in cause.metrics.iter().filter(|metric| metric.kind != Kind::Other) {
            let own = self.gathered.metrics.measured.iter().find(|one| {
                let ask = self.gathered.metrics.asks.get(one.ask);
                one.service == cause.service
                    && ask.is_some_and(|ask| one.engine_metric(ask) == finding.metric)
            });
            let Some(own) = own.filter(|own| own.peer.is_none()) else { continue };
            if added < METRICS {
                added += 1;
                self.measured(own, Some(cause.service.clone()), Some(finding.score));
            }
        }
        if cause.findings_for.iter().any(|finding| finding.statement == Statement::SeenByCallers) {
            self.calls_to(&cause.service);
        }
    }

    /// The two calls to `service` that changed most.
    fn calls_to(&mut self, service: &str) {
        let metrics = &self.gathered.metrics;
        let mut calls: Vec<(f64, &Measured)> = Vec::new();
        for one in metrics.measured.iter().filter(|one| one.peer.as_deref() == Some(service)) {
            let Some(ask) = metrics.asks.get(one.ask) else { continue };
            if let (Some(before), Some(after)) = levels(points(&metrics.times, &one.values), self.onset)
                && matches!(ask.kind, Kind::Latency | Kind::Errors)
            {
                let floor = if ask.kind == Kind::Errors { 0.005 } else { 1e-3 };
                calls.push(((after + floor) / (before + floor), one));
            }
        }
        calls.retain(|(ratio, _)| *ratio > 1.5);
        calls.sort_by(|a, b| b.0.total_cmp(&a.0));
        for (_, one) in calls.into_iter().take(2) {
            self.measured(one, Some(service.to_owned()), None);
        }
    }

    fn measured(&mut self, one: &Measured, about: Option<String>, score: Option<f64>) {
        let metrics = &self.gathered.metrics;
        let Some(ask) = metrics.asks.get(one.ask) else { return };
        let (baseline, value) = levels(points(&metrics.times, &one.values), self.onset);
        let whose = match &one.peer {
            Some(peer) => format!("calls from {} to {peer}", one.service),
            None => one.service.clone(),
        };
        let mut labels = BTreeMap::from([("service".to_owned(), one.service.clone())]);
        labels.extend(one.peer.iter().map(|peer| ("callee".to_owned(), peer.clone())));
        let drawn: Vec<(f64, f64)> = points(&metrics.times, &one.values).collect();
        let usual = one.usual.filter(|(_, most)| value.is_none_or(|value| value > *most));
        let usual = usual.map(|(_, most)| quantity(most, ask.unit));
        let usual = usual.map(|most| format!(", {most} at most at this hour of earlier days"));
        let compared = against(value, baseline, ask.unit);
        let summary =
            format!("{} of {whose} is {compared}{}", capital(&ask.words), usual.unwrap_or_default());
        let mut row = self.metric(EvidenceRole::Candidate, &ask.query, summary);
        (row.value, row.baseline, row.score) = (value, baseline, score);
        (row.unit, row.series) = (Some(ask.unit.to_owned()), Some(vec![chart(labels, &drawn)]));
        let moved =
            shift::differs(baseline, value, ask.unit) || shift::has_left(self.gathered, self.onset, one);
        self.add(Row { evidence: row, service: about, moved });
    }

    /// Changes before the alarm, reported ones and new versions that nobody reported.
    pub fn changes(&mut self) {
        for change in &self.gathered.facts.changes {
            let what = what(&change.kind, change.version.as_deref(), &change.summary);
            let summary = short(&format!("{}: {what}, {}", change.service_name, self.when(change.at)), 300);
            let mut row = row(EvidenceKind::Change, summary);
            (row.start, row.url) = (Some(change.at), change.url.clone());
            self.change(row, change.at, what, &change.service_name);
        }
        let versions: Vec<_> = self.gathered.unreported_versions().cloned().collect();
        for version in versions {
            let at = Ts::from_micros((version.at * 1e6) as i64);
            let summary = format!("{} runs {}, first seen {}", version.service, version.what, self.when(at));
            let mut row = self.metric(EvidenceRole::Candidate, &version.query, short(&summary, 300));
            (row.kind, row.role) = (EvidenceKind::Change, EvidenceRole::Context);
            self.change(row, at, version.what.clone(), &version.service);
        }
    }

    fn change(&mut self, evidence: Evidence, at: Ts, what: String, service: &str) {
        let id = evidence.id;
        self.push(evidence, Some(service.to_owned()));
        // The same change reported twice is one fact.
        if self.kind(id).is_some() {
            self.changes.push(Changed { id, at, what, service: service.to_owned() });
        }
    }

    /// The incident's own alerts and others around it, in the order in which they began, those of an earlier bout left out.
    pub fn alerts(&mut self) {
        let facts = &self.gathered.facts;
        let own = facts.alerts.iter().filter(|alert| alert.starts_at >= facts.window.0);
        let own = own.map(|alert| (alert.starts_at, &alert.name, &alert.service_name));
        let others = facts.around().map(|alert| (alert.starts_at, &alert.name, &alert.service_name));
        let mut all: Vec<_> = own.chain(others).collect();
        all.sort_by_key(|(starts, ..)| *starts);
        for (starts, name, service) in all.into_iter().take(ALERTS) {
            let whose = service.as_deref().map(|service| format!(" of {service}")).unwrap_or_default();
            let mut row =
                row(EvidenceKind::Alert, short(&format!("{name}{whose} fired {}", self.when(starts)), 300));
            row.start = Some(starts);
            self.push(row, None);
        }
    }

    /// Incidents like this one and what was found then; `suspects` are the services and metrics proposed now.
    pub fn incidents(&mut self, suspects: &[(String, Option<String>)]) {
        for similar in history::closest(self.gathered, suspects) {
            let found = match (&similar.root_cause, similar.accepted()) {
                (Some(cause), _) => format!("its cause was written down as: {cause}"),
                (None, Some(claim)) => format!("accepted as its cause: {claim}"),
                (None, None) => "no cause was confirmed".to_owned(),
            };
            let ago = span(self.gathered.facts.alarm.seconds_since(similar.started_at));
            let summary = format!("INC-{} \"{}\", {ago} earlier: {found}", similar.number, similar.title);
            let mut row = row(EvidenceKind::Incident, short(&summary, 400));
            row.start = Some(similar.started_at);
            self.similar.push((similar.number, row.id));
            self.push(row, None);
        }
    }

    /// The similar incidents that are among the facts, by number.
    pub fn similar(&self) -> &[(i64, EvidenceId)] {
        &self.similar
    }

    /// A series that shows a load; the fact's id.
    pub fn load(&mut self, shown: &Measured, service: &str) -> Option<EvidenceId> {
        let (before, at) = (self.rows.len(), shown.ask);
        self.measured(shown, Some(service.to_owned()), None);
        let query = self.gathered.metrics.asks.get(at).map(|ask| ask.query.as_str());
        let made = self.rows.get(before).map(|row| row.evidence.id);
        let known = || {
            let same = |row: &&Row| {
                row.service.as_deref() == Some(service) && row.evidence.query.as_deref() == query
            };
            self.rows.iter().find(same).map(|row| row.evidence.id)
        };
        made.or_else(known)
    }

    /// `41 s before the alarm`.
    fn when(&self, at: Ts) -> String {
        let seconds = self.gathered.facts.alarm.seconds_since(at);
        let side = if seconds >= 0.0 { "before" } else { "after" };
        if seconds.abs() < 1.0 {
            "with the alarm".to_owned()
        } else {
            format!("{} {side} the alarm", span(seconds))
        }
    }

    fn metric(&self, role: EvidenceRole, query: &str, summary: String) -> Evidence {
        let window = self.gathered.facts.window;
        let url = self.gathered.base.as_ref().and_then(|base| graph_url(base, query, window));
        let mut row = row(EvidenceKind::Metric, summary);
        (row.role, row.query, row.url) = (role, Some(query.to_owned()), url);
        (row.start, row.end) = (Some(window.0), Some(window.1));
        row.integration = self.gathered.integration;
        row
    }

    fn push(&mut self, evidence: Evidence, service: Option<String>) {
        self.add(Row { evidence, service, moved: true });
    }

    fn add(&mut self, row: Row) {
        let twin = self.rows.iter().any(|other| other.evidence.summary == row.evidence.summary);
        if !twin {
            self.rows.push(row);
        }
    }

    /// What was measured of `service` and has moved; everything measured of it when nothing has.
    pub fn of_service(&self, service: &str) -> Vec<EvidenceId> {
        let own = self.rows.iter().filter(|row| row.service.as_deref() == Some(service));
        let metrics: Vec<&Row> = own.filter(|row| row.evidence.role == EvidenceRole::Candidate).collect();
        let any = metrics.iter().any(|row| row.moved);
        metrics.into_iter().filter(|row| row.moved || !any).map(|row| row.evidence.id).collect()
    }

    /// The last change of `service` before the alarm: what came later, such as a rollback, is no cause.
    pub fn change_of(&self, service: &str) -> Option<&Changed> {
        let own = self.changes.iter().filter(|change| change.service == service);
        own.filter(|change| change.at <= self.gathered.facts.alarm).max_by_key(|change| change.at)
    }

    /// What the incident's alerts watch.
    pub fn symptom_ids(&self) -> impl Iterator<Item = EvidenceId> {
        let symptoms = self.rows.iter().filter(|row| row.evidence.role == EvidenceRole::Symptom);
        symptoms.map(|row| row.evidence.id)
    }

    /// What a fact is made from.
    pub fn kind(&self, id: EvidenceId) -> Option<EvidenceKind> {
        self.rows.iter().find(|row| row.evidence.id == id).map(|row| row.evidence.kind)
    }

    /// Samples before the start, of the series that has most of them.
    pub fn baseline_points(&self) -> usize {
        let metrics = &self.gathered.metrics;
        let before = |one: &Measured| {
            let rows = metrics.times.iter().zip(&one.values);
            rows.filter(|(at, value)| **at < self.onset && value.is_finite()).count()
        };
        metrics.measured.iter().map(before).max().unwrap_or(0)
    }

    /// The facts, in order.
    pub fn finish(self) -> Vec<Evidence> {
        self.rows.into_iter().map(|row| row.evidence).collect()
    }
}

/// Where Prometheus draws the query over the window.
pub fn graph_url(base: &str, query: &str, window: (Ts, Ts)) -> Option<String> {
    let mut url = url::Url::parse(base).ok()?.join("graph").ok()?;
    let minutes = (window.1.seconds_since(window.0) / 60.0).ceil();
    let end = window.1.timestamp().strftime("%Y-%m-%d %H:%M:%S").to_string();
    url.query_pairs_mut()
        .append_pair("g0.expr", query)
        .append_pair("g0.tab", "0")
        .append_pair("g0.range_input", &format!("{minutes}m"))
        .append_pair("g0.end_input", &end);
    Some(url.to_string())
}

/// A fact with nothing but what it says.
pub fn row(kind: EvidenceKind, summary: String) -> Evidence {
    Evidence {
        id: EvidenceId::new(),
        kind,
        summary,
        query: None,
        start: None,
        end: None,
        value: None,
        baseline: None,
        score: None,
        unit: None,
        role: EvidenceRole::Context,
        series: None,
        threshold: None,
        url: None,
        integration: None,
    }
}

/// Times with their values.
pub fn points<'a>(times: &'a [f64], values: &'a [f64]) -> impl Iterator<Item = (f64, f64)> + 'a {
    times.iter().copied().zip(values.iter().copied())
}

/// The median before `onset` and the newest sample after it; `None` where there is no sample.
///
/// The newest, because an incident is looked at within seconds of its alarm: a median over the time since an
/// estimated onset would still be the level before.
pub fn levels(points: impl Iterator<Item = (f64, f64)>, onset: f64) -> (Option<f64>, Option<f64>) {
    let (before, after): (Vec<_>, Vec<_>) =
        points.filter(|(_, value)| value.is_finite()).partition(|(at, _)| *at < onset);
    let newest = after.into_iter().max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, value)| value);
    let mut before: Vec<f64> = before.into_iter().map(|(_, value)| value).collect();
    before.sort_by(f64::total_cmp);
    (before.get(before.len() / 2).copied(), newest)
}

/// `14% against 0.2% before`.
pub fn against(value: Option<f64>, baseline: Option<f64>, unit: &str) -> String {
    match (value, baseline) {
        (Some(value), Some(baseline)) => {
            format!("{} against {} before", quantity(value, unit), quantity(baseline, unit))
        }
        (Some(value), None) => format!("{}, with no sample before", quantity(value, unit)),
        (None, Some(baseline)) => format!("without samples now, {} before", quantity(baseline, unit)),
        (None, None) => "without samples".to_owned(),
    }
}

/// The unit of an expression, as far as its text tells.
pub fn unit_of(expression: &str) -> &'static str {
    let shared = expression.contains('/');
    if shared && expression.trim_start().starts_with("100") {
        "%"
    } else if expression.contains("histogram_quantile") || expression.contains("_seconds_sum") {
        "s"
    } else if expression.contains("_bytes") && !shared {
        "bytes"
    } else {
        ""
    }
}

/// At most [`POINTS`] points: of each stretch the one farthest from zero, so that no peak is lost.
pub fn chart(labels: BTreeMap<String, String>, points: &[(f64, f64)]) -> ChartSeries {
    let stretch = points.len().div_ceil(POINTS).max(1);
    let peak = |points: &[(f64, f64)]| {
        let finite = points.iter().filter(|(_, value)| value.is_finite());
        let top = finite.max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()));
        top.map(|(at, value)| (*at, Some(*value))).or_else(|| points.first().map(|(at, _)| (*at, None)))
    };
    ChartSeries { labels, points: points.chunks(stretch).filter_map(peak).collect() }
}

fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
