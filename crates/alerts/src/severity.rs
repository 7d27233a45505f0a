//! How bad an alert is, and where we know it from.

use crate::Settings;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, str::FromStr};

/// How bad it is; ordered, `Critical` being the highest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Recorded; opens no incident by default.
    Info,
    /// Can wait.
    Low,
    /// The default when the sender does not say.
    Medium,
    /// Users notice.
    High,
    /// Wake somebody.
    Critical,
}

impl Severity {
    /// The lower-case name used in the API and the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Critical => "critical",
            Severity::High => "high",
            Severity::Medium => "medium",
            Severity::Low => "low",
            Severity::Info => "info",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A text that names no severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a severity is one of critical, high, medium, low, info")]
pub struct UnknownSeverity;

impl FromStr for Severity {
    type Err = UnknownSeverity;

    fn from_str(text: &str) -> Result<Self, UnknownSeverity> {
        match text {
            "critical" => Ok(Severity::Critical),
            "high" => Ok(Severity::High),
            "medium" => Ok(Severity::Medium),
            "low" => Ok(Severity::Low),
            "info" => Ok(Severity::Info),
            _ => Err(UnknownSeverity),
        }
    }
}

/// Where an alert's severity comes from, so that the incident can say so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum SeveritySource {
    /// The value of this label is in the map.
    Mapped {
        /// The label's name.
        label: String,
        /// Its value as sent.
        value: String,
    },
    /// The alert has no such label; `Medium` was assumed.
    Missing {
        /// The label that was looked for.
        label: String,
    },
    /// The value of this label is not in the map; `Medium` was assumed.
    Unknown {
        /// The label's name.
        label: String,
        /// Its value as sent.
        value: String,
    },
}

/// The severity of an alert with these labels.
///
/// Values are compared without case and surrounding blanks; the settings' own entries come first.
pub(crate) fn of(labels: &BTreeMap<String, String>, settings: &Settings) -> (Severity, SeveritySource) {
    let label = settings.severity_label.clone();
    let Some(value) = labels.get(&label).cloned() else {
        return (Severity::Medium, SeveritySource::Missing { label });
    };
    let word = value.trim().to_lowercase();
    let own = settings.severity_map.iter().find(|(key, _)| key.trim().to_lowercase() == word);
    match own.map(|(_, severity)| *severity).or_else(|| default_of(&word)) {
        Some(severity) => (severity, SeveritySource::Mapped { label, value }),
        None => (Severity::Medium, SeveritySource::Unknown { label, value }),
    }
}

fn default_of(word: &str) -> Option<Severity> {
    match word {
        "critical" | "page" | "emergency" | "fatal" | "p1" | "sev1" => Some(Severity::Critical),
        "error" | "high" | "major" | "p2" | "sev2" => Some(Severity::High),
        "warning" | "warn" | "medium" | "p3" | "sev3" => Some(Severity::Medium),
        "minor" | "low" | "p4" => Some(Severity::Low),
        "info" | "notice" | "p5" | "none" => Some(Severity::Info),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn critical_is_the_highest_and_names_read_back() {
        let falling = [Severity::Critical, Severity::High, Severity::Medium, Severity::Low, Severity::Info];
        assert!(falling.windows(2).all(|pair| pair[0] > pair[1]));
        for severity in falling {
            assert_eq!(severity.as_str().parse(), Ok(severity));
            assert_eq!(serde_json::to_string(&severity).unwrap(), format!("\"{severity}\""));
        }
        assert_eq!("Critical".parse::<Severity>(), Err(UnknownSeverity));
    }

    #[test]
    fn the_settings_of_an_integration_come_before_the_default_map() {
        let settings = Settings {
            severity_label: "priority".into(),
            severity_map: BTreeMap::from([
                ("Blocker".into(), Severity::Critical),
                ("none".into(), Severity::Low),
            ]),
            ..Settings::default()
        };
        let of = |value: &str| super::of(&BTreeMap::from([("priority".into(), value.into())]), &settings).0;
        assert_eq!(of("BLOCKER"), Severity::Critical);
        assert_eq!(of("none"), Severity::Low);
        assert_eq!(of("page"), Severity::Critical);
        assert_eq!(of("whatever"), Severity::Medium);
    }

    #[test]
    fn the_default_map_is_that_of_the_contract() {
        let of = |value: &str| {
            let labels = BTreeMap::from([("severity".to_owned(), value.to_owned())]);
            super::of(&labels, &Settings::default())
        };
        let map = [
            (Severity::Critical, "critical page emergency fatal p1 sev1 CRITICAL P1 Page"),
            (Severity::High, "error high major p2 sev2 ERROR"),
            (Severity::Medium, "warning warn medium p3 sev3 Warning"),
            (Severity::Low, "minor low p4"),
            (Severity::Info, "info notice p5 none None"),
        ];
        for (severity, values) in map {
            for value in values.split(' ') {
                let source = SeveritySource::Mapped { label: "severity".into(), value: value.into() };
                assert_eq!(of(value), (severity, source));
            }
        }
        let unknown = SeveritySource::Unknown { label: "severity".into(), value: "5".into() };
        assert_eq!(of("5"), (Severity::Medium, unknown));
    }
}
