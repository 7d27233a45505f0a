//! The list Prometheus posts to an Alertmanager's `/api/v2/alerts`.
//!
//! It has no status and no fingerprint: an end in the future means firing, one in the past resolved. What
//! `GET /api/v2/alerts` answers can be posted back; its `status` is an object about silences and says nothing.

use crate::{
    Alert, Batch, Format,
    alertmanager::each,
    draft::{Context, Draft},
    fields::{Fields, Kind},
    quarantine::Refused,
};

/// Reads a bare list of alerts.
pub(crate) fn batch(alerts: &[&str], context: &Context) -> Batch {
    Batch {
        format: Format::Prometheus,
        alerts: each(alerts, context, |fields, index| alert(fields, index, context)),
        truncated: 0,
        group_key: None,
        receiver: None,
        external_url: None,
        flags: Vec::new(),
    }
}

fn alert(fields: &Fields, index: usize, context: &Context) -> Result<Alert, Refused> {
    let about_silences = fields.get("status").is_some_and(|json| Kind::of(json) == Kind::Object);
    let draft = if about_silences { Draft::read(&fields.without("status"))? } else { Draft::read(fields)? };
    Ok(draft.finish(index, context))
}
