//! The alerting of Grafana 8 and older, removed in 11 and still found.
//!
//! One body is one rule, without labels, times or fingerprint. Its identity is the organisation and the rule's
//! number, so that a renamed rule still resolves; where there is no number, the rule's name. Labels are made up
//! for display and grouping: `alertname` is the rule's name, `rule_id` and `org_id`, and the rule's tags.

use crate::{
    Batch, Flag, Format, IgnoredReason, Links, Parsed, Status,
    draft::{Context, Draft},
    fields::{Fields, Kind, List, for_display, number, scalar, string},
    fingerprint::{canonical, fingerprint},
    flag::raise,
    labels,
    quarantine::{Reason, Refused, preview},
    time::Moment,
};
use std::collections::BTreeMap;

/// The most measured series read from one body.
const MAX_MATCHES: usize = 1000;

/// Reads the one rule a body is about.
pub(crate) fn batch(top: &Fields, context: &Context) -> Batch {
    let parsed = match rule(top, context) {
        Ok(parsed) => parsed,
        Err(refused) => Parsed::Quarantined(refused.at(0)),
    };
    Batch {
        format: Format::GrafanaLegacy,
        alerts: vec![parsed],
        truncated: 0,
        group_key: None,
        receiver: None,
        external_url: None,
        flags: Vec::new(),
    }
}

fn rule(top: &Fields, context: &Context) -> Result<Parsed, Refused> {
    let mut flags = Vec::new();
    let received = received_labels(top, &mut flags);
    let identity = identity(&received).ok_or(Refused::unread(Reason::LabelsEmpty))?;
    let status = match top.get("state").and_then(string).as_deref() {
        Some("alerting") => Status::Firing,
        Some("no_data") => {
            raise(&mut flags, Flag::NoData);
            Status::Firing
        }
        Some("ok") => Status::Resolved,
        Some("pending") => return Ok(Parsed::Ignored { index: 0, reason: IgnoredReason::Pending }),
        Some("paused") => return Ok(Parsed::Ignored { index: 0, reason: IgnoredReason::Paused }),
        _ => {
            return Err(Refused {
                reason: Reason::UnknownStatus,
                fingerprint: Some(fingerprint(&identity)),
                labels_preview: preview(&received),
            });
        }
    };
    let mut labels = labels::admit(received, &mut flags)?;
    labels.canonical = identity;
    let alert = draft(top, labels, status, context, flags).finish(0, context);
    Ok(Parsed::Alert(Box::new(alert)))
}

fn draft(
    top: &Fields,
    labels: labels::Labels,
    status: Status,
    context: &Context,
    mut flags: Vec<Flag>,
) -> Draft {
    let name = labels.shown.get("alertname").cloned();
    let no_data = flags.contains(&Flag::NoData);
    let message = top.shown("message", &mut flags).map(|text| ("message".to_owned(), text));
    Draft {
        labels,
        annotations: message.into_iter().collect(),
        status: Some(status),
        // The format has no times: a statement is true from when it arrives.
        starts: Moment::At(context.received),
        ends: Moment::Unsaid,
        generator: ["ruleUrl", "rule_url"].into_iter().find_map(|name| string(top.present(name)?)),
        sender_fingerprint: None,
        title: name.map(|name| if no_data { format!("No data for {name}") } else { name }),
        links: Links::default(),
        values: matches(top, &mut flags),
        flags,
    }
}

/// The rule's name, numbers and tags as labels; the name and numbers win over tags called the same.
fn received_labels(top: &Fields, flags: &mut Vec<Flag>) -> BTreeMap<String, String> {
    let mut labels = tags(top.present("tags"), flags);
    for (label, field) in [("alertname", "ruleName"), ("rule_id", "ruleId"), ("org_id", "orgId")] {
        labels.remove(label);
        if let Some(value) = top.present(field).and_then(scalar).filter(|value| !value.is_empty()) {
            labels.insert(label.to_owned(), value);
        }
    }
    labels
}

/// The canonical bytes of what identifies the rule, or `None` when it has neither number nor name.
fn identity(labels: &BTreeMap<String, String>) -> Option<Vec<u8>> {
    let rule = ["rule_id", "alertname"].into_iter().find(|name| labels.contains_key(*name))?;
    let kept = labels.iter().filter(|(name, _)| *name == "org_id" || *name == rule);
    Some(canonical(&kept.map(|(name, value)| (name.clone(), value.clone())).collect()))
}

fn tags(json: Option<&str>, flags: &mut Vec<Flag>) -> BTreeMap<String, String> {
    let Some(fields) = json.and_then(Fields::of) else { return BTreeMap::new() };
    let mut tags = BTreeMap::new();
    for (name, json) in fields.iter() {
        match scalar(json) {
            Some(value) if !value.is_empty() => {
                tags.insert(name.to_owned(), value);
            }
            None if Kind::of(json) != Kind::Null => raise(flags, Flag::LabelType),
            _ => {}
        }
    }
    tags
}

/// The measured values by metric, with the series' tags where it has any: `cpu (host h1)`.
fn matches(top: &Fields, flags: &mut Vec<Flag>) -> BTreeMap<String, f64> {
    let mut values = BTreeMap::new();
    let Some(list) = top.present("evalMatches").and_then(|json| List::of(json, MAX_MATCHES)) else {
        return values;
    };
    for json in list.items {
        let Some(found) = Fields::of(json) else {
            raise(flags, Flag::ValueType);
            continue;
        };
        let Some(json) = found.present("value") else { continue };
        let Some(value) = number(json) else {
            raise(flags, Flag::ValueType);
            continue;
        };
        let metric = found.shown("metric", flags).unwrap_or_else(|| "value".to_owned());
        let tags = tags(found.present("tags"), flags);
        let tags: Vec<_> = tags.iter().map(|(name, value)| format!("{name} {value}")).collect();
        let name = if tags.is_empty() { metric } else { format!("{metric} ({})", tags.join(", ")) };
        values.insert(for_display(name, Flag::TextCut, flags), value);
    }
    values
}
