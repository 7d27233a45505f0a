//! Counters as they are exported: they only grow, and start again at zero when the process does.

/// Whether a metric is a raw counter: its name ends in `_total`, as exporters name counters, and its values never fall but
/// at resets.
#[must_use]
pub fn is_counter(metric: &str, values: &[f64]) -> bool {
    let name = metric.split(':').next().unwrap_or(metric);
    if !name.ends_with("_total") {
        return false;
    }
    let (mut last, mut up, mut down) = (f64::NAN, 0_usize, 0_usize);
    for value in values.iter().copied().filter(|v| v.is_finite()) {
        up += usize::from(value > last);
        down += usize::from(value < last);
        last = value;
    }
    up > 0 && down * 10 <= up
}

/// What was counted between one sample and the one before it; after a reset all that has been counted since. The first
/// sample, and the first after a gap, tell nothing.
#[must_use]
pub fn increases(values: &[f64]) -> Vec<f64> {
    let mut last = f64::NAN;
    values
        .iter()
        .map(|&value| {
            let step = if value < last { value } else { value - last };
            last = value;
            step
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{increases, is_counter};

    #[test]
    fn a_reset_is_no_fall() {
        let values = [10.0, 12.0, 15.0, 1.0, 4.0, f64::NAN, 9.0, 12.0];
        let steps = increases(&values);
        assert_eq!(steps[1..5], [2.0, 3.0, 1.0, 3.0]);
        assert!(steps[0].is_nan() && steps[5].is_nan() && steps[6].is_nan());
        assert_eq!(steps[7], 3.0);
    }

    #[test]
    fn only_what_grows_and_is_named_so_is_a_counter() {
        let grows: Vec<f64> = (0..40).map(f64::from).collect();
        assert!(is_counter("requests_total", &grows));
        assert!(!is_counter("requests_sum", &grows));
        assert!(!is_counter("requests_total", &[3.0, 1.0, 2.0, 1.0, 3.0]));
        assert!(!is_counter("requests_total", &[]));
    }
}
