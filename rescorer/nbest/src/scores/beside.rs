//! The numbers beside the texts of a list, and the score that each makes.

use serde_json::Value;

use crate::notice::{Notice, Notices};
use crate::score_kind::{LEAST_PROBABILITY, ScoreKind};
use crate::{Error, Hypothesis, Place, json};

/// Where the hypotheses of a list stand, for messages.
pub(crate) struct Beside<'a> {
    pub(crate) place: &'a Place,
    pub(crate) notices: &'a Notices,
    /// What the fields of a hypothesis begin with, such as `hypotheses[0].`; empty in a table.
    pub(crate) prefix: &'a dyn Fn(usize) -> String,
}

impl Beside<'_> {
    /// The number of a field among others; a null, an empty text and a text that is no number are none.
    pub(super) fn number(&self, hypothesis: &Hypothesis, name: &str) -> Option<f64> {
        match hypothesis.extra.get(name)? {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.trim().parse().ok(),
            value => json::not_finite(value).map(|what| if what == "NaN" { f64::NAN } else { f64::INFINITY }),
        }
    }

    pub(super) fn field(&self, position: usize, name: &str) -> String {
        format!("{}{name}", (self.prefix)(position))
    }

    /// The score of a number of this kind. Says where it is taken for another kind than its name says.
    pub(crate) fn score(
        &self,
        kind: ScoreKind,
        number: f64,
        field: impl Fn() -> String,
    ) -> Result<f64, Error> {
        let fail = |reason: &str| {
            Err(Error::Score {
                place: self.place.clone(),
                field: field(),
                reason: format!("{number}, {reason}"),
            })
        };
        match kind {
            _ if !number.is_finite() => fail("which is not a finite number; mend it"),
            ScoreKind::Log => Ok(number),
            ScoreKind::Cost => {
                if number < 0.0 {
                    self.say(field(), |place, field| Notice::CostBelowZero { place, field });
                }
                // No score is -0.
                Ok(0.0 - number)
            }
            ScoreKind::Probability if number > 1.0 => fail(
                "but a confidence is a probability, at most 1; divide percentages by 100, or name the field `score` if \
                 it is a logarithm",
            ),
            ScoreKind::Probability if number < 0.0 => {
                self.say(field(), |place, field| Notice::ProbabilityBelowZero { place, field });
                Ok(number)
            }
            ScoreKind::Probability => {
                if number == 0.0 {
                    self.say(field(), |place, field| Notice::ProbabilityZero { place, field });
                }
                Ok(number.max(LEAST_PROBABILITY).ln())
            }
        }
    }

    fn say(&self, field: String, make: fn(Place, String) -> Notice) {
        self.notices.once(|| make(self.place.clone(), field));
    }
}
