//! What an alert is called: its name, title, description and service, in words.

use serde::de::IgnoredAny;
use std::collections::BTreeMap;

use crate::visible::clean;

type Texts = BTreeMap<String, String>;

/// The name of an alert that has none.
const UNNAMED: &str = "Unnamed alert";
/// Labels that tell one alert of a rule from another, in the order they help a person.
const DISTINGUISHING: [&str; 12] = [
    "instance",
    "pod",
    "node",
    "host",
    "hostname",
    "device",
    "mountpoint",
    "queue",
    "topic",
    "endpoint",
    "namespace",
    "cluster",
];
/// How many of them a title names besides the service.
const MAX_DISTINGUISHING: usize = 2;
/// How many characters of a label value a made-up title or description shows.
const MAX_VALUE_CHARS: usize = 120;
/// How many labels a made-up description names.
const MAX_DESCRIBED_LABELS: usize = 20;

/// The label `alertname`.
pub(crate) fn name(labels: &Texts) -> String {
    filled(labels, "alertname").unwrap_or(UNNAMED).to_owned()
}

/// The value of the first of these labels that has one, unchanged.
pub(crate) fn service(labels: &Texts, service_labels: &[String]) -> Option<String> {
    service_labels.iter().find_map(|name| filled(labels, name)).map(str::to_owned)
}

/// The first of the annotations `summary`, `title` and `message` that is not JSON; else made up from the labels.
pub(crate) fn title(annotations: &Texts, labels: &Texts, name: &str, service: Option<&str>) -> String {
    let readable = |key| filled(annotations, key).filter(|text| !is_json(text));
    let written = ["summary", "title", "message"].into_iter().find_map(readable);
    written.map_or_else(|| made_up_title(labels, name, service), str::to_owned)
}

/// The annotation `description`, or `message` or Grafana's `Error`, if it is not the title; else values or
/// labels in words.
pub(crate) fn description(
    annotations: &Texts,
    labels: &Texts,
    values: &BTreeMap<String, f64>,
    title: &str,
) -> String {
    let new = |key| filled(annotations, key).filter(|text| *text != title);
    if let Some(text) = ["description", "message", "Error", "summary"].into_iter().find_map(new) {
        return text.to_owned();
    }
    if !values.is_empty() {
        let values: Vec<_> = values.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        return format!("Measured: {}.", values.join(", "));
    }
    let shown = labels.iter().filter(|(name, _)| *name != "alertname").take(MAX_DESCRIBED_LABELS);
    let shown: Vec<_> = shown.map(|(name, value)| format!("{name}={}", short(value))).collect();
    if shown.is_empty() { String::new() } else { format!("Labels: {}.", shown.join(", ")) }
}

/// `HighCpu on api-gateway (instance 10.0.0.1:9100)`; Grafana's own alerts name the rule they stand for.
fn made_up_title(labels: &Texts, name: &str, service: Option<&str>) -> String {
    let rule = filled(labels, "rulename").map(short);
    let subject = match (name, rule) {
        ("DatasourceNoData", Some(rule)) => format!("No data for {rule}"),
        ("DatasourceError", Some(rule)) => format!("Query failed for {rule}"),
        _ => short(name),
    };
    let found = DISTINGUISHING.into_iter().filter_map(|label| Some((label, filled(labels, label)?)));
    let mut details = found.filter(|(_, value)| Some(*value) != service).take(MAX_DISTINGUISHING);
    let place = match service {
        Some(service) => Some(short(service)),
        None => details.next().map(|(label, value)| format!("{label} {}", short(value))),
    };
    let details: Vec<_> = details.map(|(label, value)| format!("{label} {}", short(value))).collect();
    let place = place.map(|place| format!(" on {place}")).unwrap_or_default();
    let details = if details.is_empty() { String::new() } else { format!(" ({})", details.join(", ")) };
    format!("{subject}{place}{details}")
}

/// A value that is more than blanks.
fn filled<'a>(texts: &'a Texts, name: &str) -> Option<&'a str> {
    texts.get(name).map(String::as_str).filter(|text| !clean(text).trim().is_empty())
}

fn short(value: &str) -> String {
    let mut letters = value.chars();
    let mut text: String = letters.by_ref().take(MAX_VALUE_CHARS).collect();
    if letters.next().is_some() {
        text.push('…');
    }
    text
}

fn is_json(text: &str) -> bool {
    text.trim_start().starts_with(['{', '[']) && serde_json::from_str::<IgnoredAny>(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    type Pairs = &'static [(&'static str, &'static str)];

    fn texts(pairs: &[(&str, &str)]) -> Texts {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn titles_are_written_or_made_up_but_never_json() {
        let cases: [(Pairs, Pairs, &str); 12] = [
            (&[("summary", "S"), ("title", "T")], &[], "S"),
            (&[("summary", " "), ("title", "T"), ("message", "M")], &[], "T"),
            (&[("summary", "\u{202e}\u{200b}"), ("message", "M")], &[], "M"),
            (&[("message", "M")], &[], "M"),
            (&[("summary", "{\"a\": 1}"), ("title", "[]")], &[("service", "api")], "HighCpu on api"),
            (&[("summary", "{{ broken template")], &[], "{{ broken template"),
            (&[], &[], "HighCpu"),
            (&[], &[("service", "api"), ("instance", "h1:9")], "HighCpu on api (instance h1:9)"),
            (&[], &[("instance", "h1:9"), ("cluster", "eu")], "HighCpu on instance h1:9 (cluster eu)"),
            (&[], &[("service", "h1"), ("instance", "h1")], "HighCpu on h1"),
            (
                &[],
                &[("service", "a"), ("pod", "p"), ("node", "n"), ("namespace", "x")],
                "HighCpu on a (pod p, node n)",
            ),
            (&[], &[("alertname", "DatasourceNoData"), ("rulename", "R")], "No data for R"),
        ];
        for (annotations, labels, expected) in cases {
            let mut labels = texts(labels);
            labels.entry("alertname".into()).or_insert_with(|| "HighCpu".into());
            let service = service(&labels, &["service".into()]);
            assert_eq!(title(&texts(annotations), &labels, &name(&labels), service.as_deref()), expected);
        }
    }

    #[test]
    fn services_come_from_the_most_trusted_label() {
        let defaults = crate::Settings::default().service_labels;
        let labels = texts(&[("job", "node"), ("app", "shop"), ("service", " ")]);
        assert_eq!(service(&labels, &defaults).as_deref(), Some("shop"));
        assert_eq!(service(&labels, &["no_such".into(), "job".into()]).as_deref(), Some("node"));
        assert_eq!(service(&texts(&[("team", "x")]), &defaults), None);
    }

    #[test]
    fn the_description_says_more_than_the_title() {
        let labels = texts(&[("alertname", "A"), ("service", "api"), ("team", "shop")]);
        let describe = |annotations: &[(&str, &str)], values: &[(&str, f64)], title: &str| {
            let values = values.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
            description(&texts(annotations), &labels, &values, title)
        };
        assert_eq!(describe(&[("summary", "S"), ("description", "D")], &[], "S"), "D");
        assert_eq!(describe(&[("summary", "S"), ("message", "M")], &[], "S"), "M");
        assert_eq!(describe(&[("message", "M")], &[], "M"), "Labels: service=api, team=shop.");
        assert_eq!(describe(&[("summary", "S")], &[("B", 1.5)], "S"), "Measured: B = 1.5.");
        assert_eq!(describe(&[("summary", "{\"a\":1}")], &[], "A on api"), "{\"a\":1}");
    }
}
