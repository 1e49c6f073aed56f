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
    /// The same where the list has no other hypothesis, whose share says nothing then.
    pub alone: f64,
    /// Word errors for each word that is expected to be wrong: more than 1, since words that are missing have no confidence.
    pub errors_per_doubt: f64,
}

impl Confidence {
    /// Fits to answers whose references are known; `None` where none of them has a word.
    pub fn fit(answers: &[JudgedAnswer]) -> Option<Self> {
        let words: Vec<(f64, bool)> =
            answers.iter().flat_map(|answer| answer.words.iter().copied()).collect();
        let (alone, others): (Vec<&JudgedAnswer>, Vec<&JudgedAnswer>) =
            answers.iter().partition(|answer| answer.is_alone);
        let right = alone.iter().filter(|answer| answer.sentence.1).count();
        let alone = (right as f64 + 1.0) / (alone.len() as f64 + 2.0);
        let others: Vec<(f64, bool)> = others.iter().map(|answer| answer.sentence).collect();
        let sentence = Calibration::fit(&others).unwrap_or(Calibration { slope: 1.0, intercept: 0.0 });
        let word = Calibration::fit(&words)?;
        let doubt: f64 = words.iter().map(|(share, _)| 1.0 - word.apply(*share)).sum();
        let errors: usize = answers.iter().map(|answer| answer.errors.errors).sum();
        Some(Self { word, sentence, alone, errors_per_doubt: errors as f64 / doubt })
    }

    /// That an answer with this share of the posterior has no error; `is_alone` where its list has no other hypothesis.
    pub fn of_answer(&self, share: f64, is_alone: bool) -> f64 {
        if is_alone { self.alone } else { self.sentence.apply(share) }
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
            let (share, right) = answer.sentence;
            sentences.push((confidence.of_answer(share, answer.is_alone), right));
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
            is_alone: false,
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

    #[test]
    fn an_answer_without_a_rival_counts_by_itself() {
        let alone = |right| JudgedAnswer { is_alone: true, ..answer(&[(1.0, right)], 0) };
        let mut answers: Vec<_> = (0..8).map(|n| alone(n < 2)).collect();
        let few = Confidence::fit(&answers).unwrap();
        assert!((few.alone - 0.3).abs() < 1e-12);
        assert!((few.of_answer(0.7, false) - 0.7).abs() < 1e-12, "no list to learn from: the share as it is");
        answers.extend((0..40).map(|n| answer(&[(0.9, n % 10 > 0)], 0)));
        let fit = Confidence::fit(&answers).unwrap();
        assert!((fit.alone - 0.3).abs() < 1e-12);
        assert!((fit.of_answer(0.9, false) - 0.9).abs() < 0.03, "{fit:?}");
        let report = ConfidenceReport::new(&answers, &vec![fit; answers.len()]).sentence.unwrap();
        assert_eq!((report.count, report.bins.len()), (48, 2));
    }
}
