//! The weights of the features: what an on-call engineer would say, refined on labelled incidents.

/// One feature's weight.
#[derive(Debug, Clone, Copy)]
pub struct Weight {
    /// The feature.
    pub name: &'static str,
    /// Set by hand.
    pub prior: f64,
    /// After the fit around the hand-set one.
    pub value: f64,
    /// Standard deviation of the fitted weight.
    pub spread: f64,
}

/// Stays as it was set, and as certain.
const fn by_hand(name: &'static str, value: f64) -> Weight {
    Weight { name, prior: value, value, spread: 0.0 }
}

const fn fitted(name: &'static str, prior: f64, value: f64, spread: f64) -> Weight {
    Weight { name, prior, value, spread }
}

/// All weights; a feature that is not in the table counts for nothing.
pub const WEIGHTS: &[Weight] = &[
    fitted("cpu_up", 1.5, 2.06, 0.60),
    fitted("cpu_lead", 2.5, 3.32, 0.66),
    fitted("memory_up", 0.8, 0.57, 0.63),
    fitted("memory_lead", 1.5, 1.43, 0.70),
    fitted("io_up", 0.5, 0.74, 0.70),
    fitted("io_lead", 1.0, 1.02, 0.81),
    fitted("saturation_up", 0.8, 0.80, 0.82),
    fitted("saturation_lead", 1.5, 1.50, 0.82),
    fitted("own_time_up", 0.5, -0.40, 0.63),
    fitted("own_time_lead", 1.0, 0.74, 0.77),
    fitted("latency_up", 0.3, 0.03, 0.34),
    fitted("latency_lead", 0.5, 0.35, 0.40),
    fitted("errors_up", 0.8, 0.89, 0.34),
    fitted("errors_down", 0.5, 0.26, 0.38),
    fitted("errors_lead", 0.7, 0.67, 0.39),
    fitted("traffic_down", 0.2, 0.13, 0.70),
    fitted("calls_up", 0.3, 0.37, 0.75),
    fitted("calls_down", 0.7, 0.37, 0.61),
    fitted("calls_lead", 0.7, 0.93, 0.79),
    fitted("log_up", 1.3, 2.54, 0.56),
    fitted("log_lead", 0.7, 1.21, 0.77),
    fitted("edge_in_up", 1.0, 0.53, 0.76),
    fitted("edge_in_lead", 1.0, 0.90, 0.78),
    fitted("gap_in_up", 0.7, 0.47, 0.52),
    fitted("gap_in_lead", 1.0, 1.69, 0.66),
    fitted("gap_out_up", 0.3, 0.42, 0.54),
    fitted("gap_both", 0.7, 0.35, 0.67),
    fitted("gap_sum", 0.5, 0.60, 0.60),
    fitted("gap_lead", 1.0, 0.80, 0.77),
    fitted("edge_unexplained", 1.0, 0.87, 0.51),
    fitted("symptom", 1.0, 0.78, 0.33),
    fitted("symptom_callee", -0.8, -0.67, 0.33),
    fitted("symptom_caller", 1.0, 1.03, 0.36),
    fitted("symptom_unexplained", 1.0, 0.82, 0.31),
    fitted("symptom_leaf", 0.7, 0.64, 0.34),
    fitted("symptom_reach_leaf", 2.5, 2.68, 0.38),
    fitted("symptom_reach", 0.5, 0.74, 0.37),
    fitted("other", 0.3, 0.10, 0.34),
    fitted("other_callee", -0.4, -0.51, 0.35),
    fitted("other_unexplained", 0.3, 0.21, 0.34),
    fitted("other_leaf", 0.3, 0.41, 0.37),
    fitted("other_reach_leaf", 0.7, 0.70, 0.41),
    fitted("internal_and_felt", 0.2, -1.08, 0.57),
    fitted("internal", 0.2, -0.45, 0.57),
    fitted("first", 0.7, 1.25, 0.48),
    fitted("is_entry", -0.3, -0.05, 0.38),
    fitted("no_data", -1.5, -1.51, 0.41),
    fitted("no_callers", -0.3, -0.17, 0.36),
    fitted("shadow", -3.0, -3.39, 0.36),
    fitted("follows_alarm", 2.0, 2.24, 0.37),
    fitted("internal_follows_alarm", 0.5, 0.60, 0.75),
    fitted("seconds", 0.0, -0.34, 0.33),
    fitted("seconds_unexplained", 0.7, 0.41, 0.33),
    fitted("own_seconds", 0.4, -0.21, 0.57),
    fitted("gap_seconds", 1.2, 1.78, 0.44),
    fitted("idle", -1.0, -1.08, 0.39),
    fitted("changed", 2.0, 2.00, 0.82),
    fitted("changed_last", 1.0, 1.00, 0.82),
    fitted("changed_at_onset", 1.5, 1.50, 0.82),
    fitted("new_is_worse", 2.0, 2.00, 0.82),
    fitted("drift", 1.5, 1.50, 0.82),
    fitted("vanished", 2.5, 2.50, 0.82),
    fitted("apart", 1.0, 1.00, 0.82),
    by_hand("alerts", 1.0), // the table in alert_weights.rs was fitted on its own
];

/// The weight of a feature; that of an unknown one is 0 and certain.
#[must_use]
pub fn of(name: &str) -> Weight {
    let unknown = Weight { name: "", prior: 0.0, value: 0.0, spread: 0.0 };
    WEIGHTS.iter().find(|w| w.name == name).copied().unwrap_or(unknown)
}

/// What turns scores into probabilities.
#[derive(Debug, Clone, Copy)]
pub struct Calibration {
    /// Scores are divided by this before the softmax.
    pub temperature: f64,
    /// Log-odds of "none of these" when nothing deviates, set by hand: the fault-free stretches of the data sets hold steps
    /// and left-overs of other faults, and would teach that noise is usual.
    pub none_at_rest: f64,
    /// What each unit of the strongest deviation takes off these log-odds.
    pub none_by_strength: f64,
    /// The same for a case of alerts without series whose metrics the table of names knows.
    pub alerts_known: f64,
    /// The same where it knows none of them: what a kind of alert tells differs from system to system.
    pub alerts_unknown: f64,
    /// Log-odds of "none of these" for a case of alerts without series, less twice the logarithm of one more than there are.
    pub none_by_alerts: f64,
    /// What a unit of strength adds to the logarithm of a metric's share.
    pub metric_strength: f64,
    /// How much of what a family adds to its service's score it adds to its metrics.
    pub metric_blame: f64,
}

/// The calibration in use.
pub const CALIBRATION: Calibration = Calibration {
    temperature: 0.565,
    none_at_rest: 3.5,
    none_by_strength: 2.6,
    alerts_known: 0.85,
    alerts_unknown: 2.0,
    none_by_alerts: 2.5,
    metric_strength: 0.3,
    metric_blame: 0.4,
};
