//! Turns the bytes of a webhook into alerts.
//!
//! The crate is pure: no clock, no network, no database. [`parse`] takes the body, the route it arrived on and
//! the time it was received, and answers with a [`Batch`]. One bad alert never costs the others: it comes back
//! as [`Parsed::Quarantined`] with its reason. [`alert_key`] and [`incident_key`] give the two identities the
//! rest of the product is built on.
//!
//! The body is read in this order: limits of the JSON text ([`Malformed`]), the shape of the whole
//! ([`Mismatch`]), then each alert on its own.

mod alert;
mod alertmanager;
mod draft;
mod fields;
mod fingerprint;
mod flag;
mod grafana;
mod grafana_legacy;
mod heartbeat;
mod json;
mod key;
mod labels;
mod link;
mod normalise;
mod prometheus;
mod quarantine;
mod settings;
mod severity;
mod shape;
mod sketch;
mod time;
pub mod visible;
mod words;

pub use alert::{Alert, Links, Status};
pub use fingerprint::{canonical, fingerprint, is_fingerprint};
pub use flag::Flag;
pub use json::{Malformed, Problem};
pub use key::{alert_key, incident_key};
pub use link::{expression, is_link, prometheus_base};
pub use quarantine::{IgnoredReason, Quarantined, Reason};
pub use settings::{DEFAULT_GROUP_BY, DEFAULT_SERVICE_LABELS, Settings};
pub use severity::{Severity, SeveritySource, UnknownSeverity};
pub use shape::{Format, Mismatch, Sender, UnknownSender};
pub use sketch::{End, Sketch};

use jiff::Timestamp;
use serde::Serialize;

/// The most alerts one body may hold; more is [`ParseError::TooManyAlerts`].
pub const MAX_ALERTS: usize = 10_000;
/// The most labels with a value one alert may have; more is [`Reason::TooManyLabels`].
pub const MAX_LABELS: usize = 128;
/// The longest label name in bytes; a longer one is [`Reason::LabelName`].
pub const MAX_LABEL_NAME_BYTES: usize = 1024;
/// How much of a label value or text is kept for display, in bytes; keys are computed over the whole value.
pub const MAX_SHOWN_BYTES: usize = 64 * 1024;

/// What one webhook body says.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Batch {
    /// The format that was recognised, which need not be that of the route.
    pub format: Format,
    /// One entry for each element of the body's alerts, in the order received.
    pub alerts: Vec<Parsed>,
    /// How many alerts the sender says it left out (`max_alerts` of its receiver).
    pub truncated: u64,
    /// The sender's group key, a hint for display only: it decides nothing.
    pub group_key: Option<String>,
    /// The name of the sender's receiver, as sent.
    pub receiver: Option<String>,
    /// The sender's own address when it is an http or https link; never fetched.
    pub external_url: Option<String>,
    /// What is odd about the body as a whole.
    pub flags: Vec<Flag>,
}

/// The outcome of one alert of a body.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Parsed {
    /// A statement about an alert.
    Alert(Box<Alert>),
    /// An alert that cannot be identified or understood: kept, counted and shown, but applied to nothing.
    Quarantined(Quarantined),
    /// A statement that by its nature opens and closes nothing; it gets a receipt.
    Ignored {
        /// Position in the body, from 0.
        index: usize,
        /// Why nothing follows from it.
        reason: IgnoredReason,
    },
}

impl Batch {
    /// The alerts that could be read, in the order received.
    pub fn readable(&self) -> impl Iterator<Item = &Alert> {
        self.alerts.iter().filter_map(|parsed| match parsed {
            Parsed::Alert(alert) => Some(alert.as_ref()),
            Parsed::Quarantined(_) | Parsed::Ignored { .. } => None,
        })
    }
}

/// Why a whole body was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// The body is not JSON, or breaks a limit that protects everything behind it (400).
    #[error("the body is not acceptable JSON: {0}")]
    MalformedJson(#[from] Malformed),
    /// The body is JSON but none of the formats this product reads (422).
    #[error("the body is not a format this route reads: {0}")]
    NotThisFormat(#[from] Mismatch),
    /// The body holds more alerts than the limit (413).
    #[error("the body holds {count} alerts, at most {limit} are accepted at once")]
    TooManyAlerts {
        /// How many there are.
        count: usize,
        /// How many are accepted: [`MAX_ALERTS`].
        limit: usize,
    },
}

/// Reads a webhook body that arrived on `sender`'s route at `received`.
///
/// The format is recognised by its shape, so a Grafana body on the Alertmanager route is read as what it is
/// and flagged [`Flag::OtherSender`].
///
/// # Errors
/// [`ParseError`] when nothing in the body can be read; a single unreadable alert is not an error.
pub fn parse(
    sender: Sender,
    body: &[u8],
    received: Timestamp,
    settings: &Settings,
) -> Result<Batch, ParseError> {
    parse_unknown(sender, body, received, settings, &|_, _| false)
}

/// As [`parse`], but alerts of which `known` says so by their place and text are left out of the batch unread.
///
/// The limits are those of the whole body, and the alerts that are read keep their places.
///
/// # Errors
/// As [`parse`].
pub fn parse_unknown(
    sender: Sender,
    body: &[u8],
    received: Timestamp,
    settings: &Settings,
    known: &dyn Fn(usize, &str) -> bool,
) -> Result<Batch, ParseError> {
    let shape = shape::recognise(sender, json::check(body)?)?;
    let context = draft::Context { received: time::to_microseconds(received), settings, known };
    let mut batch = match &shape {
        shape::Shape::List(alerts) => prometheus::batch(alerts, &context),
        shape::Shape::Alertmanager { top, alerts } => alertmanager::batch(top, alerts, &context),
        shape::Shape::Grafana { top, alerts } => grafana::batch(top, alerts, &context),
        shape::Shape::GrafanaLegacy { top } => grafana_legacy::batch(top, &context),
    };
    if batch.format.sender() != sender {
        flag::raise(&mut batch.flags, Flag::OtherSender);
    }
    Ok(batch)
}
