//! The labels of an alert: what identifies it and what is shown.

use crate::{
    MAX_LABEL_NAME_BYTES, MAX_LABELS,
    fields::{Fields, Kind, for_display, scalar},
    fingerprint::{canonical, fingerprint},
    flag::{Flag, raise},
    quarantine::{Reason, Refused, preview},
};
use std::collections::BTreeMap;

/// The labels of an acceptable alert.
#[derive(Debug)]
pub(crate) struct Labels {
    /// For storage and display: NUL replaced, long values cut.
    pub(crate) shown: BTreeMap<String, String>,
    /// Over the characters received, whole.
    pub(crate) canonical: Vec<u8>,
}

/// Reads the `labels` of an alert.
///
/// `null` means absent and an empty value means absent, as in Alertmanager itself.
pub(crate) fn read(json: Option<&str>, flags: &mut Vec<Flag>) -> Result<Labels, Refused> {
    let Some(json) = json else { return Err(Refused::unread(Reason::LabelsEmpty)) };
    let Some(fields) = Fields::of(json) else { return Err(Refused::unread(Reason::LabelsType)) };
    let mut received = BTreeMap::new();
    let mut nested = false;
    for (name, value) in fields.iter() {
        match Kind::of(value) {
            Kind::Null => continue,
            Kind::Number | Kind::Boolean => raise(flags, Flag::LabelType),
            Kind::List | Kind::Object => nested = true,
            Kind::Text => {}
        }
        if let Some(value) = scalar(value).filter(|value| !value.is_empty()) {
            received.insert(name.to_owned(), value);
        }
    }
    if nested {
        return Err(refuse(Reason::LabelValue, &received));
    }
    admit(received, flags)
}

/// Applies the limits to labels with values, and prepares them for display.
pub(crate) fn admit(received: BTreeMap<String, String>, flags: &mut Vec<Flag>) -> Result<Labels, Refused> {
    if received.is_empty() {
        return Err(Refused::unread(Reason::LabelsEmpty));
    }
    if received.len() > MAX_LABELS {
        return Err(refuse(Reason::TooManyLabels, &received));
    }
    if !received.keys().all(|name| is_name(name)) {
        return Err(refuse(Reason::LabelName, &received));
    }
    let canonical = canonical(&received);
    let shown =
        received.into_iter().map(|(name, value)| (name, for_display(value, Flag::LabelCut, flags))).collect();
    Ok(Labels { shown, canonical })
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= MAX_LABEL_NAME_BYTES && !name.contains('\0')
}

fn refuse(reason: Reason, received: &BTreeMap<String, String>) -> Refused {
    let fingerprint = (!received.is_empty()).then(|| fingerprint(&canonical(received)));
    Refused { reason, fingerprint, labels_preview: preview(received) }
}
