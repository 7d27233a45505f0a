//! The two identities: which alert this is, and which incident it joins.
//!
//! Both are SHA-256 and not the fingerprint, because the fingerprint's hash is easy to collide.

use crate::{Alert, Sender};
use sha2::{Digest, Sha256};

/// Ends a part of the incident key; this byte occurs in no UTF-8 text.
const SEPARATOR: [u8; 1] = [0xFF];

/// Which alert this is, across repetitions, senders and occurrences.
///
/// SHA-256 over `v1`, 00, tenant, 00, project, 00, source, 00, canonical labels. `tenant` and `project` are UUIDs as
/// hyphenated lower-case text; `source` is the integration's `source` setting, or else its id in the same form.
/// For Grafana the sender's fingerprint stands in place of the labels if it is well-formed, because it covers
/// labels that Grafana does not send. `kind` is [`Format::sender`](crate::Format::sender) of the batch.
///
/// Unambiguous: tenant and project have a fixed length, no label name holds a NUL, and canonical labels always
/// contain the byte FF, which no fingerprint does.
#[must_use]
pub fn alert_key(tenant: &str, project: &str, source: &str, alert: &Alert, kind: Sender) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in ["v1", tenant, project, source] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    match (&alert.sender_fingerprint, kind) {
        (Some(fingerprint), Sender::Grafana) => hash.update(fingerprint.as_bytes()),
        _ => hash.update(&alert.canonical),
    }
    hash.finalize().into()
}

/// Which incident an alert joins.
///
/// SHA-256 over `incident-v1`, tenant, project, source and the value of each label of `group_by` in that order, each
/// followed by the byte FF; a missing label is empty. Two names stand for something else: `service` for the
/// resolved service, and `fingerprint` for the alert key in lower-case hexadecimal digits, so that grouping
/// by it gives each alert its own incident. Values are those shown, so they differ within their first 64 KiB.
#[must_use]
pub fn incident_key(
    tenant: &str,
    project: &str,
    source: &str,
    group_by: &[String],
    alert: &Alert,
    alert_key: &[u8; 32],
) -> [u8; 32] {
    let mut hash = Sha256::new();
    let mut part = |text: &str| {
        hash.update(text.as_bytes());
        hash.update(SEPARATOR);
    };
    for text in ["incident-v1", tenant, project, source] {
        part(text);
    }
    for name in group_by {
        match name.as_str() {
            "fingerprint" => part(&hexadecimal(alert_key)),
            "service" => part(alert.service.as_deref().unwrap_or_default()),
            label => part(alert.labels.get(label).map(String::as_str).unwrap_or_default()),
        }
    }
    hash.finalize().into()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
