use serde::{Deserialize, Serialize};

use super::calibration::{Calibration, Reliability};
use super::judged_answer::JudgedAnswer;

/// How shares of the posterior become probabilities of being right.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confidence {
    /// For a word: that it is what was said there.
    pub word: Calibration,
    /// For the whole answer: that it has no error.
    pub sentence: Calibration,
    /// Word errors for each word that is expected to be wrong: more than 1, since words that are missing have no confidence.
    pub errors_per_doubt: f64,
}

impl Confidence {
    /// Fits to answers whose references are known; `None` where none of them has a word.
    pub fn fit(answers: &[JudgedAnswer]) -> Option<Self> {
        let words: Vec<(f64, bool)> =
            answers.iter().flat_map(|answer| answer.words.iter().copied()).collect();
        let sentences: Vec<(f64, bool)> = answers.iter().map(|answer| answer.sentence).collect();
        let word = Calibration::fit(&words)?;
        let doubt: f64 = words.iter().map(|(share, _)| 1.0 - word.apply(*share)).sum();
        let errors: usize = answers.iter().map(|answer| answer.errors.errors).sum();
        let sentence = Calibration::fit(&sentences)?;
        Some(Self { word, sentence, errors_per_doubt: errors as f64 / doubt })
    }

    /// Word errors to expect in an answer whose words have these shares of the posterior.
    pub fn expected_errors(&self, shares: impl IntoIterator<Item = f64>) -> f64 {
        let doubt: f64 = shares.into_iter().map(|share| 1.0 - self.word.apply(share)).sum();
        self.errors_per_doubt * doubt
    }
}

/// How far confidences can be believed, on answers whose references are known.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ConfidenceReport {
    /// Of words.
    pub word: Option<Reliability>,
    /// Of whole answers.
    pub sentence: Option<Reliability>,
    /// WER that was to be expected, in percent of the words answered: no reference goes into it.
    pub estimated_wer: Option<f64>,
}

impl ConfidenceReport {
    /// Looks at answers, each with the confidence that was fitted for it.
    pub fn new(answers: &[JudgedAnswer], confidences: &[Confidence]) -> Self {
        let (mut words, mut sentences, mut expected) = (Vec::new(), Vec::new(), 0.0);
        for (answer, confidence) in answers.iter().zip(confidences) {
            words.extend(answer.words.iter().map(|&(share, right)| (confidence.word.apply(share), right)));
            sentences.push((confidence.sentence.apply(answer.sentence.0), answer.sentence.1));
            expected += confidence.expected_errors(answer.words.iter().map(|(share, _)| *share));
        }
        let estimated_wer = (!words.is_empty()).then(|| 100.0 * expected / words.len() as f64);
        Self { word: Reliability::new(&words), sentence: Reliability::new(&sentences), estimated_wer }
    }
}

#[cfg(test)]
mod tests {
    use rescorer_perturb::{ErrorCounts, UtteranceErrors};

    use super::*;

    fn answer(words: &[(f64, bool)], missing: usize) -> JudgedAnswer {
        let errors = words.iter().filter(|(_, right)| !right).count() + missing;
        JudgedAnswer {
            hypothesis: 0,
            merged: None,
            errors: UtteranceErrors { errors, reference_words: words.len() + missing },
            counts: ErrorCounts::default(),
            changed: false,
            words: words.to_vec(),
            sentence: (words.iter().map(|(share, _)| share).product(), errors == 0),
        }
    }

    #[test]
    fn as_many_errors_are_expected_as_there_were() {
        let answers: Vec<_> =
            (0..50).map(|n| answer(&[(0.99, true), (0.6, n % 3 > 0), (0.9, n % 9 > 0)], n % 2)).collect();
        let fit = Confidence::fit(&answers).unwrap();
        assert!(fit.errors_per_doubt > 1.0, "{fit:?}");
        let errors: usize = answers.iter().map(|answer| answer.errors.errors).sum();
        let expected: f64 =
            answers.iter().map(|answer| fit.expected_errors(answer.words.iter().map(|word| word.0))).sum();
        assert!((expected - errors as f64).abs() < 1e-6);
        let report = ConfidenceReport::new(&answers, &vec![fit; answers.len()]);
        assert!((report.estimated_wer.unwrap() - 100.0 * errors as f64 / 150.0).abs() < 1e-6);
        assert!(report.word.unwrap().ece < 0.05);
        assert!(Confidence::fit(&[]).is_none());
    }
}
