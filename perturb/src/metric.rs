//! What is compared when errors are counted.

use std::borrow::Cow;

use crate::normalize::text::compose;
use crate::{Normalization, Unit, UtteranceErrors, word_errors};

/// How errors are counted: texts after a normalisation, in units.
///
/// A [`Normalization`] alone stands for words.
///
/// ```
/// use rescorer_perturb::{Metric, Normalization, Unit};
///
/// let metric = Metric { normalize: Normalization::Lower, unit: Unit::Character };
/// let row = metric.errors("请把窗户关上 OK", "请把床户关上 ok");
/// assert_eq!((row.errors, row.reference_words), (1, 8));
/// assert_eq!(Metric::from(Normalization::Lower).unit, Unit::Word);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Metric {
    /// What is done to both texts first.
    pub normalize: Normalization,
    /// What is counted.
    pub unit: Unit,
}

impl Metric {
    /// Counts the errors of a hypothesis.
    #[must_use]
    pub fn errors(&self, reference: &str, hypothesis: &str) -> UtteranceErrors {
        let [reference, hypothesis] = [reference, hypothesis].map(|text| self.normalize.apply(text));
        let reference = self.unit.split(&reference);
        UtteranceErrors {
            errors: word_errors(&reference, &self.unit.split(&hypothesis)),
            reference_words: reference.len(),
        }
    }
}

impl Metric {
    /// The text whose units stand for those of the normalised text, but for what normalisation does inside of them.
    ///
    /// Where characters are units and the normalisation composes, this is the composed text: an accent is no unit then.
    #[must_use]
    pub fn spelled<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let composes = !self.unit.is_word() && self.normalize.composes();
        if composes { compose(Cow::Borrowed(text)) } else { Cow::Borrowed(text) }
    }
}

impl From<Normalization> for Metric {
    fn from(normalize: Normalization) -> Self {
        Self { normalize, unit: Unit::Word }
    }
}
