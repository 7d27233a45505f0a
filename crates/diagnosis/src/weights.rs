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

const fn fitted(name: &'static str, prior: f64, value: f64, spread: f64) -> Weight {
    Weight { name, prior, value, spread }
}

/// All weights; a feature that is not in the table counts for nothing.
pub const WEIGHTS: &[Weight] = &[
    fitted("cpu_up", 1.5, 1.847, 0.472),
    fitted("cpu_lead", 2.5, 2.997, 0.499),
    fitted("memory_up", 0.8, 0.610, 0.486),
    fitted("memory_lead", 1.5, 1.441, 0.523),
    fitted("saturation_up", 0.8, 0.800, 0.577),
    fitted("saturation_lead", 1.5, 1.500, 0.577),
    fitted("own_time_up", 0.5, -0.092, 0.479),
    fitted("own_time_lead", 1.0, 0.812, 0.548),
    fitted("latency_up", 0.3, -0.102, 0.413),
    fitted("latency_lead", 0.5, 0.162, 0.556),
    fitted("errors_up", 0.8, 1.017, 0.421),
    fitted("errors_down", 0.5, 0.133, 0.517),
    fitted("errors_lead", 0.7, 0.714, 0.540),
    fitted("traffic_down", 0.2, 0.131, 0.515),
    fitted("calls_up", 0.3, 0.320, 0.550),
    fitted("calls_down", 0.7, 0.443, 0.477),
    fitted("calls_lead", 0.7, 0.779, 0.562),
    fitted("log_up", 1.3, 1.898, 0.471),
    fitted("log_lead", 0.7, 0.925, 0.563),
    fitted("edge_in_up", 1.0, 0.712, 0.557),
    fitted("edge_in_lead", 1.0, 0.895, 0.567),
    fitted("gap_in_up", 0.7, 0.617, 0.438),
    fitted("gap_in_lead", 1.0, 1.379, 0.518),
    fitted("gap_out_up", 0.3, 0.275, 0.428),
    fitted("gap_both", 0.7, 0.581, 0.495),
    fitted("gap_sum", 0.5, 0.537, 0.476),
    fitted("gap_lead", 1.0, 0.865, 0.561),
    fitted("edge_unexplained", 1.0, 0.817, 0.418),
    fitted("symptom", 1.0, 0.692, 0.406),
    fitted("symptom_callee", -0.8, -0.417, 0.392),
    fitted("symptom_caller", 1.0, 1.092, 0.444),
    fitted("symptom_unexplained", 1.0, 0.731, 0.358),
    fitted("symptom_leaf", 0.7, 0.671, 0.411),
    fitted("symptom_reach_leaf", 2.5, 2.882, 0.496),
    fitted("symptom_reach", 0.5, 0.921, 0.488),
    fitted("other", 0.3, 0.076, 0.415),
    fitted("other_callee", -0.4, -0.654, 0.445),
    fitted("other_unexplained", 0.3, 0.254, 0.413),
    fitted("other_leaf", 0.3, 0.565, 0.474),
    fitted("other_reach_leaf", 0.7, 0.704, 0.577),
    fitted("internal_and_felt", 0.2, -0.513, 0.464),
    fitted("internal", 0.2, -0.221, 0.450),
    fitted("first", 0.7, 1.108, 0.415),
    fitted("is_entry", -0.3, 0.097, 0.486),
    fitted("no_data", -1.5, -1.513, 0.574),
    fitted("no_callers", -0.3, -0.109, 0.456),
    fitted("shadow", -3.0, -3.667, 0.477),
    fitted("follows_alarm", 2.0, 2.376, 0.478),
    fitted("internal_follows_alarm", 0.5, 0.525, 0.548),
    fitted("seconds", 0.0, -0.538, 0.410),
    fitted("seconds_unexplained", 0.7, 0.255, 0.408),
    fitted("own_seconds", 0.4, -0.081, 0.450),
    fitted("gap_seconds", 1.2, 1.590, 0.379),
    fitted("idle", -1.0, -1.120, 0.546),
    fitted("changed", 2.0, 2.000, 0.577),
    fitted("changed_last", 1.0, 1.000, 0.577),
    fitted("new_is_worse", 2.0, 2.000, 0.577),
    fitted("alerts", 1.0, 1.000, 0.577),
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
    /// Log-odds of "none of these" for a case of alerts without series, less the logarithm of how many there are.
    pub none_by_alerts: f64,
    /// What a unit of strength adds to the logarithm of a metric's share.
    pub metric_strength: f64,
    /// How much of what a family adds to its service's score it adds to its metrics.
    pub metric_blame: f64,
}

/// The calibration in use.
pub const CALIBRATION: Calibration = Calibration {
    temperature: 0.738,
    none_at_rest: 3.5,
    none_by_strength: 2.2,
    none_by_alerts: 1.5,
    metric_strength: 0.3,
    metric_blame: 0.4,
};
