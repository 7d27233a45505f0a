//! Order statistics that ignore what is missing.

/// Five quantiles of a sample: 10, 25, 50, 75 and 90 per cent.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Quantiles {
    /// How many finite values there were.
    pub count: usize,
    /// 10 per cent.
    pub low: f64,
    /// Lower quartile.
    pub q1: f64,
    /// Median.
    pub median: f64,
    /// Upper quartile.
    pub q3: f64,
    /// 90 per cent.
    pub high: f64,
}

/// The quantiles of the finite values, or `None` when there are none; `scratch` is reused between calls.
///
/// Partial selection instead of sorting: a baseline of 1,000 points costs microseconds.
pub fn quantiles(values: &[f64], scratch: &mut Vec<f64>) -> Option<Quantiles> {
    scratch.clear();
    scratch.extend(values.iter().copied().filter(|v| v.is_finite()));
    let count = scratch.len();
    if count == 0 {
        return None;
    }
    let at = |share: f64| ((count - 1) as f64 * share).round() as usize;
    let (low, q1, middle, q3, high) = (at(0.1), at(0.25), at(0.5), at(0.75), at(0.9));
    let pick = |part: &mut [f64], index: usize| *part.select_nth_unstable_by(index, f64::total_cmp).1;
    let median = pick(scratch, middle);
    let (left, right) = scratch.split_at_mut(middle);
    let q1_value = if q1 < middle { pick(left, q1) } else { median };
    let low_value = if low < q1 { pick(&mut left[..q1], low) } else { q1_value };
    let q3_value = if q3 > middle { pick(right, q3 - middle) } else { median };
    let high_value = if high > q3 { pick(&mut right[q3 - middle..], high - q3) } else { q3_value };
    Some(Quantiles { count, low: low_value, q1: q1_value, median, q3: q3_value, high: high_value })
}

/// The median of the finite values, or `None`; the mean of the two middle ones where their number is even.
pub fn median(values: impl Iterator<Item = f64>, scratch: &mut Vec<f64>) -> Option<f64> {
    scratch.clear();
    scratch.extend(values.filter(|v| v.is_finite()));
    let count = scratch.len();
    if count == 0 {
        return None;
    }
    let (left, &mut middle, _) = scratch.select_nth_unstable_by(count / 2, f64::total_cmp);
    if count % 2 == 1 {
        return Some(middle);
    }
    let below = left.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    Some(below + (middle - below) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_a_ramp() {
        let values: Vec<f64> = (0..=100).rev().map(f64::from).chain([f64::NAN, f64::INFINITY]).collect();
        let q = quantiles(&values, &mut Vec::new()).unwrap();
        assert_eq!((q.count, q.low, q.q1, q.median, q.q3, q.high), (101, 10.0, 25.0, 50.0, 75.0, 90.0));
        let one = quantiles(&[3.0], &mut Vec::new()).unwrap();
        assert_eq!((one.low, one.median, one.high), (3.0, 3.0, 3.0));
        assert_eq!(quantiles(&[f64::NAN], &mut Vec::new()), None);
    }

    #[test]
    fn median_of_even_and_odd() {
        assert_eq!(median([4.0, 1.0, f64::NAN, 3.0, 2.0].into_iter(), &mut Vec::new()), Some(2.5));
        assert_eq!(median([5.0, 1.0, 3.0].into_iter(), &mut Vec::new()), Some(3.0));
        assert_eq!(median([f64::NAN].into_iter(), &mut Vec::new()), None);
    }
}
