//! Series around an incident from a real Prometheus: three rounds of parallel queries within one budget.
//!
//! Round one asks what there is and what the alert watches, round two what the likely metrics look like, round
//! three for the series.

use std::collections::BTreeSet;

use diagnosis::Kind;
use futures_util::future::{join, join_all, join3};

use super::ask::{Ask, Owner, Writer};
use super::comparison::Watched;
use super::versions::{self, NewVersion};
use super::{earlier, family, shape};
use crate::ai::prometheus::{Labels, Line, Prometheus};

/// Queries of the third round at most.
const ASKS: usize = 28;

/// Points of the third round altogether; more series means fewer points each.
const POINTS: f64 = 240_000.0;

/// What is looked for.
#[derive(Debug)]
pub struct Question {
    /// What the incident's alerts watch, each with the labels of its alert.
    pub watched: Vec<(Watched, Labels)>,
    /// The labels that may name a service, in order.
    pub service_labels: Vec<String>,
    /// The one among them that names the alert's service.
    pub preferred: String,
    /// Further label matchers for every query, each with a leading comma.
    pub scope: String,
    /// Unix seconds of the first sample.
    pub from: f64,
    /// Unix seconds of the last.
    pub to: f64,
    /// Unix seconds of the alarm.
    pub alarm: f64,
    /// Calls that people wrote down, as (caller, callee).
    pub topology: Vec<(String, String)>,
}

/// The answer of one watched expression.
#[derive(Debug)]
pub struct Symptom {
    /// What was asked.
    pub watched: Watched,
    /// The series that share the alert's labels.
    pub lines: Vec<Line>,
}

/// One series of one service or call, on the grid of [`Metrics::times`].
#[derive(Clone, Debug)]
pub struct Measured {
    /// Whose it is; of a call, the caller.
    pub service: String,
    /// The callee of a call.
    pub peer: Option<String>,
    /// Which query of [`Metrics::asks`] it answers.
    pub ask: usize,
    /// One value for every time; not a number where there is none.
    pub values: Vec<f64>,
    /// The least and the most of it at this hour of earlier days; none where nothing is known of them.
    pub usual: Option<(f64, f64)>,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Metrics {
    /// What the alerts watch.
    pub symptoms: Vec<Symptom>,
    /// The queries that were answered.
    pub asks: Vec<Ask>,
    /// Their series.
    pub measured: Vec<Measured>,
    /// Unix seconds of the grid.
    pub times: Vec<f64>,
    /// Calls, as (caller, callee).
    pub graph: BTreeSet<(String, String)>,
    /// Versions that changed.
    pub versions: Vec<NewVersion>,
    /// What was and was not looked at, in words.
    pub checked: Vec<String>,
}

/// Asks `prometheus`.
pub async fn collect(prometheus: &Prometheus, question: &Question) -> Metrics {
    let mut out = Metrics::default();
    let (from, to) = (question.from, question.to);
    let symptoms = join_all(question.watched.iter().map(|watched| symptom(prometheus, watched, from, to)));
    let (symptoms, names, metadata) =
        join3(symptoms, prometheus.names(from, to), prometheus.metadata()).await;
    for symptom in symptoms {
        match symptom {
            Ok(symptom) => out.symptoms.push(symptom),
            Err(why) => out.checked.push(why),
        }
    }
    let names = match names {
        Ok(names) => names,
        Err(error) => {
            out.checked.push(format!("Prometheus could not be asked for its metrics: {error}"));
            return out;
        }
    };
    let families = family::choose(&names, &metadata.unwrap_or_default());
    let representatives: Vec<String> = families.iter().map(family::Family::representative).collect();
    if representatives.is_empty() {
        out.checked
            .push("Prometheus has no metric that tells requests, errors, durations or resources".to_owned());
        return out;
    }
    let shape_query = shape::query(&representatives, &question.service_labels, &question.scope);
    let counter =
        families.iter().find(|family| family.form != family::Form::Gauge).map(family::Family::representative);
    let (shapes, interval, days) = join3(
        prometheus.query(&shape_query, to),
        scrape_interval(prometheus, counter, from, to),
        earlier::days(prometheus, &representatives, question.alarm),
    )
    .await;
    let shapes = match shapes {
        Ok(lines) => shape::read(&lines, &question.preferred, &question.service_labels),
        Err(error) => {
            out.checked.push(format!("the labels of the metrics could not be read: {error}"));
            return out;
        }
    };
    out.graph = shapes.values().flat_map(|shape| shape.edges.iter().cloned()).collect();
    out.graph.extend(question.topology.iter().cloned());
    let window = (4.0 * interval).max(20.0);
    let writer = Writer { window: format!("{window:.0}s"), scope: &question.scope };
    let mut asks = writer.write(&families, &shapes);
    asks.truncate(ASKS);
    let step = step(&asks, interval, to - from).min(window);
    let found = join_all(asks.iter().map(|ask| prometheus.range(&ask.query, from, to, step)));
    let (found, versions, days) = join3(
        found,
        versions::find(prometheus, &names, question, step),
        earlier::ask(prometheus, &asks, &days, question.alarm),
    )
    .await;
    out.versions = versions;
    out.times = (0..=((to - from) / step) as usize).map(|row| from + row as f64 * step).collect();
    place(&mut out, asks, found, step, from);
    earlier::place(&mut out, &days);
    out.checked.extend(prometheus.notes());
    out
}

/// Puts the answers on the grid, and says what came of every query.
fn place(
    out: &mut Metrics,
    asks: Vec<Ask>,
    found: Vec<Result<Vec<Line>, crate::ai::prometheus::QueryError>>,
    step: f64,
    from: f64,
) {
    let (mut failed, mut why) = (0, String::new());
    for (ask, answer) in asks.into_iter().zip(found) {
        match answer {
            Ok(lines) => {
                let index = out.asks.len();
                for line in &lines {
                    let Some((service, peer)) = owner(&ask.owner, &line.labels) else { continue };
                    let values = on_grid(line, out.times.len(), step, from);
                    out.measured.push(Measured { service, peer, ask: index, values, usual: None });
                }
                out.asks.push(ask);
            }
            Err(error) => {
                failed += 1;
                why = error.to_string();
            }
        }
    }
    let services: BTreeSet<&str> = out.measured.iter().map(|one| one.service.as_str()).collect();
    let (queries, series) = (out.asks.len(), out.measured.len());
    out.checked.push(format!(
        "{queries} queries to Prometheus found {series} series of {} services",
        services.len()
    ));
    if failed > 0 {
        out.checked.push(format!("{failed} queries to Prometheus brought nothing: {why}"));
    }
    if out.graph.is_empty() {
        out.checked.push(
            "no metric says which service calls which, so effects could not be told from causes".to_owned(),
        );
    } else {
        out.checked.push(format!("{} calls between services are known", out.graph.len()));
    }
}

/// Whose series this is: of a call, the caller and the callee.
pub fn owner(owner: &Owner, labels: &Labels) -> Option<(String, Option<String>)> {
    let value = |label: &str| labels.get(label).filter(|value| !value.is_empty()).cloned();
    match owner {
        Owner::Service(label) => Some((value(label)?, None)),
        Owner::Call(client, server) => Some((value(client)?, Some(value(server)?))),
    }
}

fn on_grid(line: &Line, rows: usize, step: f64, from: f64) -> Vec<f64> {
    let mut values = vec![f64::NAN; rows];
    for (at, value) in &line.points {
        let row = ((at - from) / step).round();
        if row >= 0.0
            && let Some(slot) = values.get_mut(row as usize)
        {
            *slot = *value;
        }
    }
    values
}

/// Seconds between two points: what the scrapes give, coarser when there are many series.
fn step(asks: &[Ask], interval: f64, span: f64) -> f64 {
    let series: usize = asks.iter().map(|ask| ask.expected).sum();
    let affordable = span * series as f64 / POINTS;
    interval.max(5.0).max(affordable).ceil()
}

/// Seconds between two scrapes: the longest of now and half the window ago; 15 where nothing tells.
async fn scrape_interval(prometheus: &Prometheus, counter: Option<String>, from: f64, to: f64) -> f64 {
    let Some(counter) = counter else { return 15.0 };
    let query = format!("max(count_over_time({counter}[2m]))");
    let middle = from + (to - from) / 2.0;
    let (then, now) = join(prometheus.query(&query, middle), prometheus.query(&query, to)).await;
    let answers =
        [then, now].into_iter().flatten().filter_map(|lines| Some(lines.first()?.points.first()?.1));
    let longest = answers.filter(|count| *count >= 1.0).map(|count| 120.0 / count).fold(0.0, f64::max);
    if longest > 0.0 { longest.min(120.0) } else { 15.0 }
}

async fn symptom(
    prometheus: &Prometheus,
    (watched, labels): &(Watched, Labels),
    from: f64,
    to: f64,
) -> Result<Symptom, String> {
    let step = ((to - from) / 240.0).max(5.0).ceil();
    let lines = prometheus.range(&watched.series, from, to, step).await;
    let mut lines =
        lines.map_err(|error| format!("the alert's own expression could not be queried: {error}"))?;
    // The alert's labels are the series' labels and those that its rule added.
    let shares =
        |line: &Line| line.labels.iter().all(|(name, value)| labels.get(name).is_none_or(|own| own == value));
    lines.retain(shares);
    if lines.is_empty() {
        return Err("the alert's own expression has no series in the window".to_owned());
    }
    lines.truncate(20);
    Ok(Symptom { watched: watched.clone(), lines })
}

impl Measured {
    /// The name the engine knows the series by; calls carry their other end.
    pub fn engine_metric(&self, ask: &Ask) -> String {
        match &self.peer {
            Some(peer) => format!("{}_to:{peer}", ask.metric),
            None => ask.metric.clone(),
        }
    }

    /// What the engine may use it for: calls say something of durations and errors only.
    pub fn engine_kind(&self, ask: &Ask) -> Kind {
        match (&self.peer, ask.kind) {
            (Some(_), Kind::Latency | Kind::Errors | Kind::Success) | (None, _) => ask.kind,
            (Some(_), _) => Kind::Other,
        }
    }
}
