//! What an integration may change about reading its alerts.

use crate::Severity;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The labels that name a service, in order of trust.
///
/// What people set on purpose comes first, then what Kubernetes knows, and last `job`, which names the
/// scraped exporter and so is often only near the truth.
pub const DEFAULT_SERVICE_LABELS: [&str; 12] = [
    "service",
    "service_name",
    "app",
    "app_kubernetes_io_name",
    "application",
    "k8s_app",
    "component",
    "deployment",
    "statefulset",
    "daemonset",
    "container",
    "job",
];

/// The labels whose values choose an alert's incident unless the integration says otherwise.
pub const DEFAULT_GROUP_BY: [&str; 2] = ["alertname", "service"];

/// How the alerts of one integration are read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Labels that name the service; the first that has a value wins. Default [`DEFAULT_SERVICE_LABELS`].
    pub service_labels: Vec<String>,
    /// Additions to the default severity map, compared without case.
    pub severity_map: BTreeMap<String, Severity>,
    /// The label that holds the severity. Default `severity`.
    pub severity_label: String,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            service_labels: DEFAULT_SERVICE_LABELS.map(String::from).to_vec(),
            severity_map: BTreeMap::new(),
            severity_label: "severity".to_owned(),
        }
    }
}
