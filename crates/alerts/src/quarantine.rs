//! Alerts that are kept and shown, but applied to nothing.

use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

/// How many characters of an unreadable alert's labels a person is shown.
const PREVIEW_CHARS: usize = 200;

/// An alert of a body that cannot be applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Quarantined {
    /// Position in the body, from 0.
    pub index: usize,
    /// What is wrong with it.
    pub reason: Reason,
    /// The fingerprint of its labels, if it has any.
    pub fingerprint: Option<String>,
    /// The beginning of its labels in words, for a person to recognise it by.
    pub labels_preview: String,
}

/// Why an alert is quarantined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The alert is not a JSON object.
    NotAnObject,
    /// `labels` is there but is not an object.
    LabelsType,
    /// No label has a value, so the alert cannot be told from any other.
    LabelsEmpty,
    /// A label name is empty, longer than 1 KiB or holds a NUL character.
    LabelName,
    /// A label value is a list or an object.
    LabelValue,
    /// More than 128 labels.
    TooManyLabels,
    /// The status is neither `firing` nor `resolved`.
    UnknownStatus,
}

impl Reason {
    /// The slug used in receipts.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::NotAnObject => "not-an-object",
            Reason::LabelsType => "labels-type",
            Reason::LabelsEmpty => "labels-empty",
            Reason::LabelName => "label-name",
            Reason::LabelValue => "label-value",
            Reason::TooManyLabels => "too-many-labels",
            Reason::UnknownStatus => "unknown-status",
        }
    }

    /// One sentence that tells a person what to mend.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Reason::NotAnObject => "The alert is not a JSON object.",
            Reason::LabelsType => "The alert's labels are not an object of names and values.",
            Reason::LabelsEmpty => "The alert has no label with a value, so nothing identifies it.",
            Reason::LabelName => "A label name is empty, longer than 1024 bytes or contains a NUL character.",
            Reason::LabelValue => "A label value is a list or an object instead of a text.",
            Reason::TooManyLabels => "The alert has more than 128 labels.",
            Reason::UnknownStatus => "The alert's status is neither firing nor resolved.",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Why a readable statement has no effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IgnoredReason {
    /// The rule's condition holds, but not yet for long enough (Grafana 8 and older).
    Pending,
    /// Somebody paused the rule (Grafana 8 and older).
    Paused,
}

impl IgnoredReason {
    /// The slug used in receipts.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            IgnoredReason::Pending => "pending",
            IgnoredReason::Paused => "paused",
        }
    }
}

/// What is known of an alert at the moment it is refused; [`Refused::at`] gives it its place.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) reason: Reason,
    pub(crate) fingerprint: Option<String>,
    pub(crate) labels_preview: String,
}

impl Refused {
    /// A refusal before any label was read.
    pub(crate) fn unread(reason: Reason) -> Self {
        Refused { reason, fingerprint: None, labels_preview: String::new() }
    }

    pub(crate) fn at(self, index: usize) -> Quarantined {
        Quarantined {
            index,
            reason: self.reason,
            fingerprint: self.fingerprint,
            labels_preview: self.labels_preview,
        }
    }
}

/// The beginning of a label set in words: `alertname=HighCpu, service=api`.
pub(crate) fn preview(labels: &BTreeMap<String, String>) -> String {
    let mut text = String::new();
    for (name, value) in labels {
        let separator = if text.is_empty() { "" } else { ", " };
        text.push_str(separator);
        text.extend(name.chars().chain(['=']).chain(value.chars()).take(PREVIEW_CHARS));
        if text.chars().count() >= PREVIEW_CHARS {
            break;
        }
    }
    text.chars().take(PREVIEW_CHARS).map(|letter| if letter == '\0' { '\u{FFFD}' } else { letter }).collect()
}
