//! Grafana's unified alerting webhook, version "1" (Grafana 8 and later).
//!
//! Alertmanager's format with more about each alert. Grafana removes labels named `__x__` before sending, yet
//! its fingerprint covers them: two alerts can carry the same labels and still be different, so there the
//! supplied fingerprint is the identity and need not match the labels.

use crate::{
    Alert, Batch, Flag, Format,
    alertmanager::{each, envelope},
    draft::{Context, Draft, link},
    fields::{Fields, Kind, for_display, number, string},
    flag::raise,
    quarantine::Refused,
};
use std::collections::BTreeMap;

/// Reads the body of a Grafana webhook.
pub(crate) fn batch(top: &Fields, alerts: &[&str], context: &Context) -> Batch {
    let mut batch = envelope(Format::Grafana, "1", top);
    batch.alerts = each(alerts, context, |fields, index| alert(fields, index, context));
    batch
}

fn alert(fields: &Fields, index: usize, context: &Context) -> Result<Alert, Refused> {
    let mut draft = Draft::read(fields)?;
    let flags = &mut draft.flags;
    let mut page = |name: &str| fields.present(name).and_then(string).and_then(|url| link(url, flags));
    draft.links.dashboard_url = page("dashboardURL");
    draft.links.panel_url = page("panelURL");
    draft.links.silence_url = page("silenceURL");
    draft.values = values(fields, flags);
    let name = draft.labels.shown.get("alertname").map(String::as_str);
    let reason = draft.annotations.get("grafana_state_reason").map(String::as_str);
    if name == Some("DatasourceNoData") || reason == Some("NoData") {
        raise(flags, Flag::NoData);
    }
    if name == Some("DatasourceError") || reason == Some("Error") {
        raise(flags, Flag::QueryError);
    }
    let mut alert = draft.finish(index, context);
    if let Some(supplied) = &alert.sender_fingerprint {
        alert.fingerprint.clone_from(supplied);
    }
    Ok(alert)
}

/// The measured values by the letter of their query; a query without a value has `null`.
fn values(fields: &Fields, flags: &mut Vec<Flag>) -> BTreeMap<String, f64> {
    let mut values = BTreeMap::new();
    let Some(json) = fields.present("values") else { return values };
    let Some(measured) = Fields::of(json) else {
        raise(flags, Flag::ValueType);
        return values;
    };
    for (name, json) in measured.iter() {
        match number(json) {
            Some(value) => {
                values.insert(for_display(name.to_owned(), Flag::TextCut, flags), value);
            }
            None if Kind::of(json) == Kind::Null => {}
            None => raise(flags, Flag::ValueType),
        }
    }
    values
}
