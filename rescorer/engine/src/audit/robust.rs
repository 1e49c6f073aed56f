//! Statistics that a few outliers do not move.

/// What the median absolute deviation of a normal distribution is multiplied by to give its standard deviation.
const NORMAL: f64 = 1.4826;

/// The value that half of the others are below; the mean of the middle two. 0 where there is none.
pub(super) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    match sorted.len() {
        0 => 0.0,
        len if len % 2 == 1 => sorted[half],
        _ => (sorted[half - 1] + sorted[half]) / 2.0,
    }
}

/// How far values lie from the median of all, in robust standard deviations: `(x − median) / (1.4826 · MAD)`.
///
/// Where more than half of the values are equal nothing can be said of the spread, and all are 0.
///
/// # Reference
/// Iglewicz and Hoaglin 1993, "How to Detect and Handle Outliers".
pub(super) fn deviations(values: &[f64]) -> Vec<f64> {
    deviations_from(values, values)
}

/// How far values lie from the median of others, in robust standard deviations of the others.
pub(super) fn deviations_from(values: &[f64], others: &[f64]) -> Vec<f64> {
    let middle = median(others);
    let spread = NORMAL * median(&others.iter().map(|value| (value - middle).abs()).collect::<Vec<_>>());
    let deviation = |value: &f64| if spread > 0.0 { (value - middle) / spread } else { 0.0 };
    values.iter().map(deviation).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        assert_eq!(median(&[]), 0.0);
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        // Median 3, distances 2 1 0 1 97, MAD 1.
        let found = deviations(&[1.0, 2.0, 3.0, 4.0, 100.0]);
        assert!((found[4] - 97.0 / 1.4826).abs() < 1e-9 && found[2] == 0.0, "{found:?}");
        assert_eq!(deviations(&[5.0, 5.0, 5.0, 9.0]), [0.0; 4]);
        assert!((deviations_from(&[5.0], &[1.0, 2.0, 3.0])[0] - 3.0 / 1.4826).abs() < 1e-9);
    }
}
