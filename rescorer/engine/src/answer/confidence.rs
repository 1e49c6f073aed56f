use serde::{Deserialize, Deserializer, Serialize};

use crate::answer::answer_calibration::{AnswerCalibration, AnswerKind, Evidence};
use crate::answer::calibration::Calibration;
use crate::evaluation::reliability::Reliability;
use crate::fusion::tuning::scored_answer::ScoredAnswer;

/// How shares of the posterior, and for whole answers the first-pass score, become probabilities of being right.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confidence {
    /// For a word: that it is what was said there.
    pub word: Calibration,
    /// For the whole answer: that it has no error.
    pub sentence: AnswerCalibration,
    /// The same where the list has no other hypothesis. Policies of before have one probability for all of those.
    #[serde(deserialize_with = "of_lists_of_one")]
    pub alone: AnswerCalibration,
    /// The same where an earlier rescorer's answer stands, whose scores are others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub early_exit: Option<AnswerCalibration>,
    /// Word errors for each word that is expected to be wrong: more than 1, since words that are missing have no confidence.
    pub errors_per_doubt: f64,
}

impl Confidence {
    /// Fits to answers whose references are known; `None` where none of them has a word.
    pub fn fit(answers: &[ScoredAnswer]) -> Option<Self> {
        let words: Vec<(f64, bool)> =
            answers.iter().flat_map(|answer| answer.words.iter().copied()).collect();
        let of = |kind: AnswerKind| {
            let these = answers.iter().filter(|answer| answer.evidence.kind == kind);
            let these = these.map(|answer| (answer.evidence, answer.errors.errors == 0));
            AnswerCalibration::fit(&these.collect::<Vec<_>>())
        };
        // Where there is nothing to learn from: the share as it is.
        let as_it_is = AnswerCalibration { slope: 1.0, ..Default::default() };
        let sentence = of(AnswerKind::Rivalled).unwrap_or(as_it_is);
        let (alone, early_exit) = (of(AnswerKind::Alone).unwrap_or_default(), of(AnswerKind::EarlyExit));
        let word = Calibration::fit(&words)?;
        let doubt: f64 = words.iter().map(|(share, _)| 1.0 - word.apply(*share)).sum();
        let errors: usize = answers.iter().map(|answer| answer.errors.errors).sum();
        Some(Self { word, sentence, alone, early_exit, errors_per_doubt: errors as f64 / doubt })
    }

    /// That an answer has no error.
    pub fn of_answer(&self, evidence: &Evidence) -> f64 {
        let calibration = match evidence.kind {
            AnswerKind::Rivalled => self.sentence,
            AnswerKind::Alone => self.alone,
            AnswerKind::EarlyExit => self.early_exit.unwrap_or(self.sentence),
        };
        calibration.apply(evidence)
    }

    /// All its numbers.
    pub(crate) fn numbers(&self) -> Vec<f64> {
        let Self { word, sentence, alone, early_exit, errors_per_doubt } = *self;
        let of_answers = [Some(sentence), Some(alone), early_exit].into_iter().flatten().flat_map(|fitted| {
            let AnswerCalibration { slope, first_pass, intercept } = fitted;
            [slope, first_pass, intercept]
        });
        of_answers.chain([word.slope, word.intercept, errors_per_doubt]).collect()
    }

    /// Word errors to expect in an answer whose words have these shares of the posterior.
    pub fn expected_errors(&self, shares: impl IntoIterator<Item = f64>) -> f64 {
        let doubt: f64 = shares.into_iter().map(|share| 1.0 - self.word.apply(share)).sum();
        self.errors_per_doubt * doubt
    }
}

fn of_lists_of_one<'de, D: Deserializer<'de>>(deserializer: D) -> Result<AnswerCalibration, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Form {
        Probability(f64),
        Calibration(AnswerCalibration),
    }
    Ok(match Form::deserialize(deserializer)? {
        Form::Probability(probability) => AnswerCalibration::constant(probability),
        Form::Calibration(calibration) => calibration,
    })
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
    pub fn new(answers: &[ScoredAnswer], confidences: &[Confidence]) -> Self {
        let (mut words, mut sentences, mut expected) = (Vec::new(), Vec::new(), 0.0);
        for (answer, confidence) in answers.iter().zip(confidences) {
            words.extend(answer.words.iter().map(|&(share, right)| (confidence.word.apply(share), right)));
            sentences.push((confidence.of_answer(&answer.evidence), answer.errors.errors == 0));
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

    fn answer(words: &[(f64, bool)], missing: usize) -> ScoredAnswer {
        let errors = words.iter().filter(|(_, right)| !right).count() + missing;
        let share = words.iter().map(|(share, _)| share).product();
        let first_pass = -(words.len() as f64);
        ScoredAnswer {
            hypothesis: 0,
            merged: None,
            errors: UtteranceErrors { errors, reference_words: words.len() + missing },
            counts: ErrorCounts::default(),
            changed: false,
            words: words.to_vec(),
            evidence: Evidence { share, first_pass, kind: AnswerKind::Rivalled },
        }
    }

    fn with(answer: ScoredAnswer, change: impl Fn(&mut Evidence)) -> ScoredAnswer {
        let mut answer = answer;
        change(&mut answer.evidence);
        answer
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
    fn answers_without_a_rival_and_settled_ones_count_by_themselves() {
        let alone = |right| with(answer(&[(1.0, right)], 0), |known| known.kind = AnswerKind::Alone);
        let mut answers: Vec<_> = (0..8).map(|n| alone(n < 2)).collect();
        let few = Confidence::fit(&answers).unwrap();
        assert!((few.of_answer(&answers[0].evidence) - 2.25 / 8.0).abs() < 1e-6, "targets ¾ and ⅛, {few:?}");
        let rivalled = answer(&[(0.7, true)], 0);
        assert!((few.of_answer(&rivalled.evidence) - 0.7).abs() < 1e-12, "the share as it is");
        answers.extend((0..40).map(|n| answer(&[(0.9, n % 10 > 0)], 0)));
        let settled = |right| with(answer(&[(0.9, right)], 0), |known| known.kind = AnswerKind::EarlyExit);
        answers.extend((0..40).map(|n| settled(n % 4 > 0)));
        let fit = Confidence::fit(&answers).unwrap();
        for (at, expected) in [(0, 0.28), (8, 0.9), (48, 0.75)] {
            let found = fit.of_answer(&answers[at].evidence);
            assert!((found - expected).abs() < 0.03, "{found}, expected {expected}: {fit:?}");
        }
        let report = ConfidenceReport::new(&answers, &vec![fit; answers.len()]).sentence.unwrap();
        assert_eq!((report.count, report.bins.len()), (88, 3));
    }

    /// Of answers that are as far ahead of their rivals, those with low scores are wrong more often.
    #[test]
    fn scores_tell_what_the_share_cannot() {
        let with_score = |n: usize| {
            let score = (n % 10) as f64;
            with(answer(&[(0.9, n / 10 % 10 < n % 10)], 0), |known| known.first_pass = -score)
        };
        let answers: Vec<_> = (0..1000).map(with_score).collect();
        let fit = Confidence::fit(&answers).unwrap();
        let (low, high) = (fit.of_answer(&answers[1].evidence), fit.of_answer(&answers[9].evidence));
        assert!((low - 0.1).abs() < 0.04 && (high - 0.9).abs() < 0.04, "{low} {high}");
        let report = ConfidenceReport::new(&answers, &vec![fit; answers.len()]).sentence.unwrap();
        assert!(report.ece < 0.04, "{report:?}");
    }

    #[test]
    fn policies_of_before_are_read() {
        let before = "alone = 0.8\nerrors_per_doubt = 1.5\n[word]\nslope = 0.3\nintercept = 0.4\n\
                      [sentence]\nslope = 0.2\nintercept = -0.5\n";
        let read: Confidence = toml::from_str(before).unwrap();
        let alone = with(answer(&[(1.0, true)], 0), |known| known.kind = AnswerKind::Alone);
        assert!((read.of_answer(&alone.evidence) - 0.8).abs() < 1e-12);
        assert_eq!((read.sentence.slope, read.sentence.first_pass, read.early_exit), (0.2, 0.0, None));
        let written = toml::to_string(&read).unwrap();
        assert_eq!(toml::from_str::<Confidence>(&written).unwrap(), read);
        assert!(toml::from_str::<Confidence>(&before.replace("intercept = -0.5\n", "")).is_err());
    }
}
