//! Which format a body is, recognised by its shape.
//!
//! The route is only a hint: people paste the wrong address, and Grafana can send in Alertmanager's place.

use crate::{
    MAX_ALERTS, ParseError,
    fields::{Fields, Kind, List, string},
    json::Checked,
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The route a body arrived on, or the kind of sender a format belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sender {
    /// Alertmanager's webhook.
    Alertmanager,
    /// Prometheus, posting as to an Alertmanager.
    Prometheus,
    /// Grafana's webhook contact point.
    Grafana,
}

impl Sender {
    /// The lower-case name used in routes and settings.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Sender::Alertmanager => "alertmanager",
            Sender::Prometheus => "prometheus",
            Sender::Grafana => "grafana",
        }
    }
}

impl fmt::Display for Sender {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A text that names no sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sender is one of alertmanager, prometheus, grafana")]
pub struct UnknownSender;

impl FromStr for Sender {
    type Err = UnknownSender;

    fn from_str(text: &str) -> Result<Self, UnknownSender> {
        let all = [Sender::Alertmanager, Sender::Prometheus, Sender::Grafana];
        all.into_iter().find(|sender| sender.as_str() == text).ok_or(UnknownSender)
    }
}

/// The formats that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Alertmanager's webhook, version 4.
    Alertmanager,
    /// The list posted to an Alertmanager's `/api/v2/alerts`.
    Prometheus,
    /// Grafana's unified alerting, version 1.
    Grafana,
    /// The alerting of Grafana 8 and older.
    GrafanaLegacy,
}

impl Format {
    /// The name used in receipts.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Format::Alertmanager => "alertmanager",
            Format::Prometheus => "prometheus",
            Format::Grafana => "grafana",
            Format::GrafanaLegacy => "grafana_legacy",
        }
    }

    /// The kind of sender this format belongs to, which decides how [`alert_key`](crate::alert_key) is computed.
    #[must_use]
    pub fn sender(self) -> Sender {
        match self {
            Format::Alertmanager => Sender::Alertmanager,
            Format::Prometheus => Sender::Prometheus,
            Format::Grafana | Format::GrafanaLegacy => Sender::Grafana,
        }
    }
}

/// Why a JSON body is none of the formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// The body is neither an object nor a list.
    #[error("it is {0}, where an object or a list was expected")]
    Scalar(&'static str),
    /// The body is a list without alerts, on a route whose sender sends objects.
    #[error("it is a list without alerts, where an object was expected")]
    List,
    /// The body is an object without a list of alerts.
    #[error("its member `alerts` is missing")]
    NoAlerts,
    /// `alerts` is something else than a list.
    #[error("its member `alerts` is {0}, where a list was expected")]
    AlertsType(&'static str),
}

/// A body taken apart as far as its format needs.
pub(crate) enum Shape<'a> {
    List(Vec<&'a str>),
    Alertmanager { top: Fields<'a>, alerts: Vec<&'a str> },
    Grafana { top: Fields<'a>, alerts: Vec<&'a str> },
    GrafanaLegacy { top: Fields<'a> },
}

/// Recognises the format of a checked JSON text.
pub(crate) fn recognise(sender: Sender, checked: Checked<'_>) -> Result<Shape<'_>, ParseError> {
    let Checked { text, elements } = checked;
    let top = match Kind::of(text) {
        Kind::List => return list(sender, elements),
        Kind::Object => Fields::of(text).ok_or(Mismatch::NoAlerts)?,
        other => return Err(Mismatch::Scalar(other.words()).into()),
    };
    let Some(alerts) = top.get("alerts") else {
        return if is_legacy(&top) {
            Ok(Shape::GrafanaLegacy { top })
        } else {
            Err(Mismatch::NoAlerts.into())
        };
    };
    let list = List::of(alerts, MAX_ALERTS).ok_or(Mismatch::AlertsType(Kind::of(alerts).words()))?;
    let alerts = within_limit(list)?;
    Ok(if is_grafana(sender, &top) {
        Shape::Grafana { top, alerts }
    } else {
        Shape::Alertmanager { top, alerts }
    })
}

/// A bare list belongs to the Prometheus route; elsewhere something in it must look like an alert.
fn list(sender: Sender, elements: List<'_>) -> Result<Shape<'_>, ParseError> {
    let alerts = within_limit(elements)?;
    let looks_right = |json: &&str| Fields::of(json).is_some_and(|alert| alert.get("labels").is_some());
    if sender == Sender::Prometheus || alerts.iter().any(looks_right) {
        Ok(Shape::List(alerts))
    } else {
        Err(Mismatch::List.into())
    }
}

fn within_limit(list: List<'_>) -> Result<Vec<&str>, ParseError> {
    if list.count > MAX_ALERTS {
        return Err(ParseError::TooManyAlerts { count: list.count, limit: MAX_ALERTS });
    }
    Ok(list.items)
}

/// Grafana adds `orgId`, `title` and `state` to Alertmanager's fields and calls the version "1".
fn is_grafana(sender: Sender, top: &Fields) -> bool {
    let version = top.get("version").and_then(string);
    let marked = top.present("orgId").is_some()
        || (top.present("title").is_some() && top.present("state").is_some())
        || version.as_deref() == Some("1");
    marked || (sender == Sender::Grafana && version.as_deref() != Some("4"))
}

/// The old format has neither `alerts` nor `version`, but names its rule.
fn is_legacy(top: &Fields) -> bool {
    let names_rule = ["ruleId", "ruleName"].into_iter().any(|name| top.present(name).is_some());
    names_rule && top.get("version").is_none()
}
