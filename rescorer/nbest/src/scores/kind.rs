//! What kind of number a score is.

use super::names::known;
use super::{Beside, LEAST_PROBABILITY, notice};
use crate::{Error, Notice};

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

impl ScoreKind {
    /// What a number of this name is, where it is one of the known names of scores, or several of them in the plural.
    ///
    /// ```
    /// use rescorer_nbest::ScoreKind;
    ///
    /// assert_eq!(ScoreKind::of("confidence"), Some(ScoreKind::Probability));
    /// assert_eq!(ScoreKind::of("costs"), Some(ScoreKind::Cost));
    /// assert_eq!(ScoreKind::of("text"), None);
    /// ```
    pub fn of(name: &str) -> Option<Self> {
        let singular = name.strip_suffix('s').unwrap_or(name);
        known(name).or_else(|| known(singular)).map(|known| known.kind)
    }

    /// The score of a number.
    pub(crate) fn log(self, number: f64, field: impl Fn() -> String, at: &Beside) -> Result<f64, Error> {
        let fail = |reason: &str| {
            Err(Error::Score {
                place: at.place.clone(),
                field: field(),
                reason: format!("{number}, {reason}"),
            })
        };
        match self {
            _ if !number.is_finite() => fail("which is not a finite number; mend it"),
            Self::Log => Ok(number),
            Self::Cost => {
                if number < 0.0 {
                    notice(at, field(), |place, field| Notice::CostBelowZero { place, field });
                }
                // No score is -0.
                Ok(0.0 - number)
            }
            Self::Probability if number > 1.0 => fail(
                "but a confidence is a probability, at most 1; divide percentages by 100, or name the field `score` if \
                 it is a logarithm",
            ),
            Self::Probability if number < 0.0 => {
                notice(at, field(), |place, field| Notice::ProbabilityBelowZero { place, field });
                Ok(number)
            }
            Self::Probability => {
                if number == 0.0 {
                    notice(at, field(), |place, field| Notice::ProbabilityZero { place, field });
                }
                Ok(number.max(LEAST_PROBABILITY).ln())
            }
        }
    }
}
