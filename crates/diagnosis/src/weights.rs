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
    fitted("cpu_up", 1.5, 1.79, 0.45),
    fitted("cpu_lead", 2.5, 2.94, 0.47),
    fitted("memory_up", 0.8, 0.62, 0.46),
    fitted("memory_lead", 1.5, 1.43, 0.49),
    fitted("io_up", 0.5, 0.60, 0.50),
    fitted("io_lead", 1.0, 1.00, 0.53),
    fitted("saturation_up", 0.8, 0.80, 0.53),
    fitted("saturation_lead", 1.5, 1.50, 0.53),
    fitted("own_time_up", 0.5, -0.06, 0.45),
    fitted("own_time_lead", 1.0, 0.82, 0.51),
    fitted("latency_up", 0.3, -0.09, 0.40),
    fitted("latency_lead", 0.5, 0.19, 0.52),
    fitted("errors_up", 0.8, 1.01, 0.40),
    fitted("errors_down", 0.5, 0.17, 0.48),
    fitted("errors_lead", 0.7, 0.72, 0.50),
    fitted("traffic_down", 0.2, 0.14, 0.48),
    fitted("calls_up", 0.3, 0.32, 0.51),
    fitted("calls_down", 0.7, 0.49, 0.45),
    fitted("calls_lead", 0.7, 0.78, 0.52),
    fitted("log_up", 1.3, 1.83, 0.45),
    fitted("log_lead", 0.7, 0.90, 0.52),
    fitted("edge_in_up", 1.0, 0.76, 0.52),
    fitted("edge_in_lead", 1.0, 0.91, 0.53),
    fitted("gap_in_up", 0.7, 0.63, 0.42),
    fitted("gap_in_lead", 1.0, 1.34, 0.49),
    fitted("gap_out_up", 0.3, 0.28, 0.41),
    fitted("gap_both", 0.7, 0.60, 0.47),
    fitted("gap_sum", 0.5, 0.53, 0.45),
    fitted("gap_lead", 1.0, 0.88, 0.52),
    fitted("edge_unexplained", 1.0, 0.84, 0.40),
    fitted("symptom", 1.0, 0.70, 0.39),
    fitted("symptom_callee", -0.8, -0.44, 0.38),
    fitted("symptom_caller", 1.0, 1.09, 0.42),
    fitted("symptom_unexplained", 1.0, 0.72, 0.35),
    fitted("symptom_leaf", 0.7, 0.65, 0.39),
    fitted("symptom_reach_leaf", 2.5, 2.85, 0.47),
    fitted("symptom_reach", 0.5, 0.89, 0.46),
    fitted("other", 0.3, 0.10, 0.40),
    fitted("other_callee", -0.4, -0.62, 0.42),
    fitted("other_unexplained", 0.3, 0.26, 0.39),
    fitted("other_leaf", 0.3, 0.53, 0.45),
    fitted("other_reach_leaf", 0.7, 0.70, 0.53),
    fitted("internal_and_felt", 0.2, -0.48, 0.44),
    fitted("internal", 0.2, -0.20, 0.43),
    fitted("first", 0.7, 1.07, 0.40),
    fitted("is_entry", -0.3, 0.06, 0.46),
    fitted("no_data", -1.5, -1.51, 0.53),
    fitted("no_callers", -0.3, -0.12, 0.44),
    fitted("shadow", -3.0, -3.60, 0.45),
    fitted("follows_alarm", 2.0, 2.36, 0.45),
    fitted("internal_follows_alarm", 0.5, 0.50, 0.51),
    fitted("seconds", 0.0, -0.51, 0.39),
    fitted("seconds_unexplained", 0.7, 0.27, 0.39),
    fitted("own_seconds", 0.4, -0.05, 0.43),
    fitted("gap_seconds", 1.2, 1.56, 0.36),
    fitted("idle", -1.0, -1.11, 0.51),
    fitted("changed", 2.0, 2.00, 0.53),
    fitted("changed_last", 1.0, 1.00, 0.53),
    fitted("changed_at_onset", 1.5, 1.50, 0.53),
    fitted("new_is_worse", 2.0, 2.00, 0.53),
    fitted("drift", 1.5, 1.50, 0.53),
    fitted("vanished", 2.5, 2.50, 0.53),
    fitted("apart", 1.0, 1.00, 0.53),
    fitted("alerts", 1.0, 1.00, 0.53),
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
    temperature: 0.751,
    none_at_rest: 3.5,
    none_by_strength: 2.6,
    none_by_alerts: 1.5,
    metric_strength: 0.3,
    metric_blame: 0.4,
};
