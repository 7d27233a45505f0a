//! What the intake needs to know of the integration a statement came through.

use serde::Deserialize;
use serde_json::Value;

use crate::ids::DeliveryId;
use crate::incident::heard;

/// Seconds after which Prometheus itself sends a firing alert again (`--rules.alert.resend-delay`).
const PROMETHEUS_REPEAT_S: i64 = 60;

/// Alertmanager's and Grafana's default `repeat_interval`, in seconds.
const REPEAT_S: i64 = 4 * 3600;

/// Alertmanager's and Grafana's default `group_interval`, in seconds.
const GROUP_INTERVAL_S: i64 = 300;

/// What the intake needs to know of the integration a statement came through.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its name, shown as the incident's source.
    pub name: String,
    /// Whether alerts of severity info open incidents.
    pub open_info: bool,
    /// Seconds of silence after which an open incident is stale (R10): one and a half repeat intervals and
    /// a group interval.
    pub stale_after_s: i64,
    /// How long its sender is usually silent about a firing alert, in seconds.
    repeat_s: i64,
}

/// The settings that matter here.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Settings {
    open_info: bool,
    repeat_interval_s: Option<i64>,
    group_interval_s: Option<i64>,
}

impl Source {
    /// Reads what matters here from an integration's settings.
    pub fn new(name: String, kind: &str, settings: &Value) -> Self {
        let settings = Settings::deserialize(settings).unwrap_or_default();
        let default = if kind == "prometheus" { PROMETHEUS_REPEAT_S } else { REPEAT_S };
        let repeat = settings.repeat_interval_s.unwrap_or(default);
        let group = settings.group_interval_s.unwrap_or(GROUP_INTERVAL_S);
        Self {
            name,
            open_info: settings.open_info,
            stale_after_s: repeat + repeat / 2 + group,
            repeat_s: repeat,
        }
    }

    /// Whether an alert that was heard may be written late without its incident looking stale meanwhile.
    pub fn is_patient(&self) -> bool {
        self.stale_after_s - self.repeat_s > 2 * heard::LATE_S
    }
}

/// Where an alert came from, for the steps and the incident it opens.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The integration.
    pub source: Source,
    /// The receipt, when a statement is the cause.
    pub delivery: Option<DeliveryId>,
}
