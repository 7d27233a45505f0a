//! Counters as they are exported: they only grow, and start again at zero when the process does.

/// Whether a metric is a raw counter: its name ends in `_total`, as exporters name counters, or in the `_count` of a
/// histogram of durations, and its values never fall but at resets.
#[must_use]
pub fn is_counter(metric: &str, values: &[f64]) -> bool {
    let name = metric.split(':').next().unwrap_or(metric);
    if !name.ends_with("_total")
        && !name.ends_with("_seconds_count")
        && !name.ends_with("_milliseconds_count")
    {
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

/// The sum and the count of a histogram as the mean of what came between one sample and the one before it; `None` where they
/// are not what only grows.
#[must_use]
pub fn means(sum: &[f64], count: &[f64]) -> Option<Vec<f64>> {
    let grows = |values: &[f64]| {
        let known: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
        // a restart falls deep, a gauge a little
        let falls = known.windows(2).any(|pair| pair[1] < pair[0] && pair[1] > 0.5 * pair[0]);
        !falls && known.first() < known.last()
    };
    let mean = |(s, n): (f64, f64)| if n > 0.0 { s / n } else { f64::NAN };
    (grows(sum) && grows(count)).then(|| increases(sum).into_iter().zip(increases(count)).map(mean).collect())
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
    fn a_histogram_is_read_as_the_mean_duration() {
        let (sum, count) = ([1.0, 2.0, 4.0, 1.0, 1.0], [10.0, 20.0, 30.0, 5.0, 5.0]);
        let found = super::means(&sum[..3], &count[..3]).unwrap_or_default();
        assert_eq!(found[1..], [0.1, 0.2]);
        assert!(super::means(&[1.0, 0.9, 1.1], &count[..3]).is_none());
        // nothing was served: no duration
        assert!(super::means(&sum[2..], &count[2..]).is_none());
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
