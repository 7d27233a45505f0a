//! Alertmanager's webhook, version "4" (Alertmanager 0.16 and later; fields up to 0.34).
//!
//! Each alert's own status counts, never that of the group: the group fires as long as any member does. The
//! notification reason, the route labels and the common labels and annotations repeat or explain what the
//! alerts say and are not read.

use crate::{
    Alert, Batch, Flag, Format, Parsed,
    draft::{Context, Draft, link},
    fields::{Fields, Kind, string},
    fingerprint::fingerprint,
    flag::raise,
    quarantine::{Reason, Refused},
};

/// Reads the body of an Alertmanager webhook.
pub(crate) fn batch(top: &Fields, alerts: &[&str], context: &Context) -> Batch {
    let mut batch = envelope(Format::Alertmanager, "4", top);
    batch.alerts = each(alerts, context, |fields, index| alert(fields, index, context));
    batch
}

fn alert(fields: &Fields, index: usize, context: &Context) -> Result<Alert, Refused> {
    let mut draft = Draft::read(fields)?;
    let computed = fingerprint(&draft.labels.canonical);
    if draft.sender_fingerprint.as_ref().is_some_and(|supplied| *supplied != computed) {
        raise(&mut draft.flags, Flag::FingerprintMismatch);
    }
    Ok(draft.finish(index, context))
}

/// What Alertmanager and Grafana put around their alerts.
pub(crate) fn envelope(format: Format, version: &str, top: &Fields) -> Batch {
    let mut flags = Vec::new();
    if top.get("version").and_then(string).as_deref() != Some(version) {
        raise(&mut flags, Flag::UnknownVersion);
    }
    let truncated = match top.present("truncatedAlerts") {
        None => 0,
        Some(json) => json.parse().unwrap_or_else(|_| {
            raise(&mut flags, Flag::BadTruncated);
            0
        }),
    };
    let external_url = top.present("externalURL").and_then(string).and_then(|url| link(url, &mut flags));
    Batch {
        format,
        alerts: Vec::new(),
        truncated,
        group_key: top.shown("groupKey", &mut flags),
        receiver: top.shown("receiver", &mut flags),
        external_url,
        flags,
    }
}

/// Reads each alert on its own, so that a bad one costs nobody else.
pub(crate) fn each(
    alerts: &[&str],
    context: &Context,
    read: impl Fn(&Fields, usize) -> Result<Alert, Refused>,
) -> Vec<Parsed> {
    let one = |(index, json): (usize, &&str)| {
        let fields = (Kind::of(json) == Kind::Object).then(|| Fields::of(json)).flatten();
        let alert = match fields {
            Some(fields) => read(&fields, index),
            None => Err(Refused::unread(Reason::NotAnObject)),
        };
        match alert {
            Ok(alert) => Parsed::Alert(Box::new(alert)),
            Err(refused) => Parsed::Quarantined(refused.at(index)),
        }
    };
    let unknown = |(index, json): &(usize, &&str)| !(context.known)(*index, json);
    alerts.iter().enumerate().filter(unknown).map(one).collect()
}
