//! The alert that always fires, so that its absence tells that alerting itself is broken.
//!
//! An alert is a heartbeat when its name, compared without case, blanks, dashes, underscores and apostrophes,
//! is that of a dead man's switch (`DeadMansSwitch`, `DeadManSwitch`, `DeadMansSnitch`), which means nothing
//! else; or when it is called `Watchdog` and also has the convention's other sign: an expression that
//! is constant (`vector(1)`) or a severity of `none`, `info` or nothing. A `Watchdog` of any other severity may
//! be about a real watchdog, and stays an alert.

use crate::{Severity, SeveritySource};

/// Whether the alert with this name, severity and expression is a heartbeat.
pub(crate) fn is_heartbeat(
    name: &str,
    severity: Severity,
    source: &SeveritySource,
    expression: Option<&str>,
) -> bool {
    let plain: String =
        name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    match plain.as_str() {
        "deadmansswitch" | "deadmanswitch" | "deadmanssnitch" => true,
        "watchdog" => {
            let quiet = severity == Severity::Info || matches!(source, SeveritySource::Missing { .. });
            quiet || expression.is_some_and(is_constant)
        }
        _ => false,
    }
}

/// Whether an expression is `vector(` and a number `)`.
fn is_constant(expression: &str) -> bool {
    let inner = expression.trim().strip_prefix("vector(").and_then(|rest| rest.strip_suffix(')'));
    inner.is_some_and(|number| number.trim().parse::<f64>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watchdog_needs_a_second_sign_and_a_dead_mans_switch_does_not() {
        let mapped = SeveritySource::Mapped { label: "severity".into(), value: String::new() };
        let missing = SeveritySource::Missing { label: "severity".into() };
        let cases = [
            ("Watchdog", Severity::Info, &mapped, None, true),
            ("watchdog", Severity::Medium, &missing, None, true),
            ("Watchdog", Severity::Critical, &mapped, Some("vector(1)"), true),
            ("Watchdog", Severity::Critical, &mapped, Some("watchdog_expired > 0"), false),
            ("Watchdog", Severity::Critical, &mapped, None, false),
            ("DeadMansSwitch", Severity::Critical, &mapped, None, true),
            ("Dead man's switch", Severity::Critical, &mapped, None, true),
            ("WatchdogExpired", Severity::Info, &mapped, None, false),
            ("", Severity::Info, &missing, None, false),
        ];
        for (name, severity, source, expression, expected) in cases {
            assert_eq!(is_heartbeat(name, severity, source, expression), expected, "{name} {severity}");
        }
    }
}
