//! What kind of number a score is.

/// What kind of number stands beside a text, and so how it becomes a score, of which the higher is better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ScoreKind {
    /// A log-probability, or any other number of which the higher is better: taken as it is.
    #[default]
    Log,
    /// A probability in (0, 1]: its natural logarithm. 0 counts as [`LEAST_PROBABILITY`]; a number below zero is a
    /// logarithm already.
    Probability,
    /// A number of which the lower is better: negated.
    Cost,
}

/// What probabilities of 0 count as: their logarithm is no number.
pub const LEAST_PROBABILITY: f64 = 1e-10;
