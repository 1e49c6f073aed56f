/// `|a − b|` in units of the larger value, or of 1 where both are smaller.
pub fn relative(a: f64, b: f64) -> f64 {
    (a - b).abs() / a.abs().max(b.abs()).max(1.0)
}

/// `x − ln Σ exp(x)`, in f64.
pub fn log_softmax(logits: &[f32]) -> Vec<f64> {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = logits.iter().map(|&logit| f64::from(logit - max).exp()).sum();
    logits.iter().map(|&logit| f64::from(logit - max) - sum.ln()).collect()
}

/// The largest difference of a group of numbers, held against a tolerance.
#[derive(Debug)]
pub struct MaxDifference {
    what: String,
    compared: usize,
    largest: f64,
    place: String,
}

impl MaxDifference {
    /// No difference yet.
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), compared: 0, largest: 0.0, place: String::new() }
    }

    /// Takes in a difference; one that is not a number counts as infinite.
    pub fn add(&mut self, difference: f64, place: impl Fn() -> String) {
        self.compared += 1;
        let difference = if difference.is_nan() { f64::INFINITY } else { difference };
        if difference >= self.largest {
            (self.largest, self.place) = (difference, place());
        }
    }

    /// Takes in the absolute differences of two equally long lists.
    pub fn add_all(&mut self, found: &[f32], expected: &[f32], place: &str) {
        assert_eq!(found.len(), expected.len(), "{}, {place}: number of values", self.what);
        for (index, (a, b)) in found.iter().zip(expected).enumerate() {
            self.add((f64::from(*a) - f64::from(*b)).abs(), || {
                format!("{place}, value {index}: {a}, expected {b}")
            });
        }
    }

    /// Prints the largest difference and fails where it is above `tolerance`, or where nothing was compared.
    ///
    /// # Panics
    /// That is the point of it.
    pub fn check(self, tolerance: f64) {
        let Self { what, compared, largest, place } = self;
        assert!(compared > 0, "{what}: nothing was compared");
        println!("{what}: largest difference {largest:.2e} (tolerance {tolerance:.0e}) at {place}");
        assert!(largest <= tolerance, "{what}: {largest:.2e} is more than {tolerance:.0e}, at {place}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_by_hand() {
        assert!((relative(-200.0, -250.0) - 0.2).abs() < 1e-12);
        assert_eq!(relative(0.0, 0.5), 0.5);
        let halves = log_softmax(&[3.0, 3.0]);
        assert!((halves[0] + std::f64::consts::LN_2).abs() < 1e-12);
    }

    #[test]
    #[should_panic(expected = "scores: nothing was compared")]
    fn nothing_compared_is_no_agreement() {
        let mut difference = MaxDifference::new("scores");
        difference.add_all(&[], &[], "text 3");
        difference.check(0.1);
    }

    #[test]
    #[should_panic(expected = "inf is more than 1e-1, at text 3, value 1")]
    fn nan_is_no_agreement() {
        let mut difference = MaxDifference::new("scores");
        difference.add_all(&[1.0, f32::NAN], &[1.0, 2.0], "text 3");
        difference.check(0.1);
    }
}
