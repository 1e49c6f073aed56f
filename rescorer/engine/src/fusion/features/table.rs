//! Features of the hypotheses of a list, as far as they are known before the model is asked.

use std::borrow::Cow;
use std::collections::HashMap;

use rescorer_nbest::{ScorePart, UniqueHypotheses};
use rescorer_perturb::{Unit, spoken, word_errors};

use super::feature::{Feature, FeatureRow};
use super::scale::sums;
use super::word_weights::{WordWeights, word_changes};

/// What a share of the first pass is raised by, so that its logarithm is bounded.
const LEAST_SHARE: f64 = 0.01;

/// What features are computed from.
pub(crate) struct List<'a> {
    pub distinct: &'a UniqueHypotheses,
    /// Texts of the unique hypotheses.
    pub texts: &'a [String],
    /// Their numbers of tokens.
    pub tokens: &'a [usize],
    /// What a word is.
    pub unit: Unit,
    /// What single words are worth.
    pub words: &'a WordWeights,
}

/// The features of every unique hypothesis. Those of the model are 0, but for [`Feature::ChangeSurprise`], which is 1 where the words
/// change: the model's part is a factor.
pub(crate) fn rows(list: &List<'_>) -> Vec<FeatureRow> {
    let count = list.texts.len();
    let mut rows = vec![[0.0; Feature::COUNT]; count];
    if count > 1 {
        let choices = Choices::new(list);
        first_pass(list, &choices, &mut rows);
        score_parts(list, &mut rows);
        words(list, &choices, &mut rows);
        terms(list, &mut rows);
    }
    rows
}

/// `±ln(1 + |x|)`.
fn signed_log(x: f64) -> f64 {
    x.abs().ln_1p().copysign(x)
}

/// The hypotheses by their words.
struct Choices {
    /// For every unique hypothesis the number of its words' first occurrence.
    of: Vec<usize>,
    /// For every unique hypothesis the choice that stands for it in the first pass: its own, or where terms were put in, that of its source.
    of_source: Vec<usize>,
    /// How many of the choices are the recogniser's.
    recognised: usize,
    /// Number of words of each choice.
    words: Vec<f64>,
    /// Share of the listed hypotheses.
    shares: Vec<f64>,
    /// Word edits to the first.
    edits: Vec<f64>,
    /// Mean number of word edits to all listed hypotheses.
    distances: Vec<f64>,
    /// What the words are worth that were learned.
    learned: Vec<f64>,
}

impl Choices {
    fn new(list: &List<'_>) -> Self {
        let spoken: Vec<Cow<'_, str>> = list.texts.iter().map(|text| spoken(text)).collect();
        let mut units: Vec<Vec<&str>> = Vec::new();
        let mut numbers: HashMap<Vec<&str>, usize> = HashMap::new();
        let mut of = Vec::with_capacity(spoken.len());
        for text in &spoken {
            let words = list.unit.split(text);
            let next = units.len();
            let number = *numbers.entry(words.clone()).or_insert(next);
            if number == next {
                units.push(words);
            }
            of.push(number);
        }
        let positions = list.distinct.recognised();
        let mut counts = vec![0usize; units.len()];
        positions.iter().for_each(|&hypothesis| counts[of[hypothesis]] += 1);
        let recognised = counts.iter().filter(|&&count| count > 0).count();
        let of_source =
            list.distinct.hypotheses().iter().map(|known| of[list.distinct.listed()[known.source]]);
        let of_source = of_source.collect();
        let listed = positions.len() as f64;
        let shares: Vec<f64> = counts.iter().map(|&count| count as f64 / listed).collect();
        let mut distances = vec![0.0; units.len()];
        let mut edits = vec![0.0; units.len()];
        for (one, words) in units.iter().enumerate() {
            for (other, others) in units.iter().enumerate().take(one) {
                let errors = word_errors(others, words) as f64;
                distances[one] += shares[other] * errors;
                distances[other] += shares[one] * errors;
                if other == 0 {
                    edits[one] = errors;
                }
            }
        }
        let words = units.iter().map(|words| words.len() as f64).collect();
        let learned = match list.words.is_empty() {
            true => vec![0.0; units.len()],
            false => units.iter().map(|words| list.words.total(&word_changes(words, &units[0]))).collect(),
        };
        Self { of, of_source, recognised, words, shares, edits, distances, learned }
    }
}

/// What the first pass says.
fn first_pass(list: &List<'_>, choices: &Choices, rows: &mut [FeatureRow]) {
    let hypotheses = list.distinct.hypotheses();
    let scores: Option<Vec<f64>> = hypotheses.iter().map(|hypothesis| hypothesis.score).collect();
    let rank = if scores.is_some() { Feature::RankScored } else { Feature::RankUnscored };
    for (row, hypothesis) in rows.iter_mut().zip(hypotheses) {
        row[rank.index()] = -(hypothesis.source as f64).ln_1p();
    }
    let Some(scores) = scores else { return };
    let tokens = |at: usize| list.tokens.get(at).copied().unwrap_or(1).max(1) as f64;
    let sums = sums(&scores, list.distinct.score_scale(), tokens);
    let own = recognised(list);
    let deviation = deviation(&scores[..own]);
    let most = sums.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut shares = vec![0.0; choices.words.len()];
    for (sum, &choice) in sums.iter().zip(&choices.of).take(own) {
        shares[choice] += (sum - most).exp();
    }
    let total: f64 = shares.iter().sum();
    let share = |choice: usize| (shares[choice] / total + LEAST_SHARE).ln();
    for (at, row) in rows.iter_mut().enumerate() {
        let lead = scores[at] - scores[0];
        row[Feature::FirstPassDeviations.index()] = if deviation > 0.0 { lead / deviation } else { 0.0 };
        row[Feature::FirstPass5.index()] = ((sums[at] - sums[0]) / 5.0).tanh();
        row[Feature::FirstPass20.index()] = ((sums[at] - sums[0]) / 20.0).tanh();
        row[Feature::FirstPassShare.index()] = share(choices.of_source[at]) - share(0);
    }
}

/// What single models of the recogniser say.
fn score_parts(list: &List<'_>, rows: &mut [FeatureRow]) {
    for (part, values) in list.distinct.score_parts() {
        let feature = match part {
            ScorePart::Acoustic => Feature::Acoustic,
            ScorePart::Attention => Feature::Attention,
            ScorePart::Ctc => Feature::Ctc,
            ScorePart::Transducer => Feature::Transducer,
            ScorePart::Language => Feature::FirstPassLm,
            _ => continue,
        };
        let deviation = deviation(&values[..recognised(list)]);
        if deviation > 0.0 {
            for (row, value) in rows.iter_mut().zip(values) {
                row[feature.index()] = (value - values[0]) / deviation;
            }
        }
    }
}

/// Number of unique hypotheses that the recogniser wrote; those with terms put in come behind.
fn recognised(list: &List<'_>) -> usize {
    list.distinct.hypotheses().iter().take_while(|known| known.source == known.position).count()
}

/// Standard deviation; 0 where the values are equal but for rounding.
fn deviation(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64;
    let deviation = variance.sqrt();
    if deviation > 1e-9 * mean.abs().max(1.0) { deviation } else { 0.0 }
}

/// What the words say.
fn words(list: &List<'_>, choices: &Choices, rows: &mut [FeatureRow]) {
    let Choices { of, of_source, recognised: known, words, shares, edits, distances, learned } = choices;
    let is_unscored = list.distinct.hypotheses().iter().all(|hypothesis| hypothesis.score.is_none());
    let has_repeats = list.distinct.recognised().len() > recognised(list);
    let change = [
        (Feature::Change, 1.0),
        (Feature::ChangeLength, words[0].ln_1p() - 2.5),
        (Feature::ChangeChoices, (*known as f64).ln_1p() - 1.4),
        (Feature::ChangeDisagreement, distances[0].ln_1p() - 0.7),
        (Feature::ChangeSurprise, 1.0),
    ];
    for ((row, &choice), &source) in rows.iter_mut().zip(of).zip(of_source) {
        let more = words[choice] - words[0];
        row[Feature::Words.index()] = signed_log(more);
        row[Feature::Longer.index()] = -more.max(0.0).ln_1p();
        row[Feature::Edits.index()] = -edits[choice].ln_1p();
        row[Feature::EditRate.index()] = -(edits[choice] / words[0].max(1.0)).min(2.0);
        row[Feature::Agreement.index()] = -signed_log(distances[choice] - distances[0]);
        row[Feature::Repeats.index()] = shares[source] - shares[0];
        row[Feature::LearnedWords.index()] = learned[choice];
        if choice != 0 {
            change.iter().for_each(|(feature, value)| row[feature.index()] = *value);
            row[Feature::ChangeUnscored.index()] = f64::from(u8::from(is_unscored));
            row[Feature::ChangeUnknown.index()] = f64::from(u8::from(is_unscored && !has_repeats));
        }
    }
}

/// What a vocabulary says.
fn terms(list: &List<'_>, rows: &mut [FeatureRow]) {
    let hypotheses = list.distinct.hypotheses();
    for (row, hypothesis) in rows.iter_mut().zip(hypotheses) {
        row[Feature::Terms.index()] = hypothesis.term_weight - hypotheses[0].term_weight;
        row[Feature::TermDistance.index()] = 0.0 - hypothesis.term_distance;
    }
}

#[cfg(test)]
mod tests {
    use rescorer_nbest::{Hypothesis, NBest};

    use super::*;

    fn rows_of(list: &[(&str, Option<f64>)]) -> Vec<FeatureRow> {
        weighed(list, &WordWeights::default())
    }

    fn weighed(list: &[(&str, Option<f64>)], words: &WordWeights) -> Vec<FeatureRow> {
        let hypothesis =
            |(text, score): &(&str, Option<f64>)| Hypothesis { score: *score, ..Hypothesis::new(*text) };
        let nbest = NBest::new(list.iter().map(hypothesis).collect()).unwrap();
        let distinct = nbest.unique();
        let texts: Vec<String> = distinct
            .hypotheses()
            .iter()
            .map(|known| nbest.hypotheses()[known.position].text.clone())
            .collect();
        let tokens: Vec<usize> = texts.iter().map(|text| text.split(' ').count() + 1).collect();
        rows(&List { distinct: &distinct, texts: &texts, tokens: &tokens, unit: Unit::Word, words })
    }

    fn close(found: f64, expected: f64) -> bool {
        (found - expected).abs() < 1e-12
    }

    #[test]
    fn a_list_by_hand() {
        // Means: 4, 4 and 5 tokens make the sums −4, −8 and −15.
        let list = [("a b c", Some(-1.0)), ("A b, x", Some(-2.0)), ("a b c d", Some(-3.0 + 0.5))];
        let rows = rows_of(&list);
        assert_eq!(rows[0][Feature::Change.index()], 0.0);
        let of = |row: usize, feature: Feature| rows[row][feature.index()];
        assert!(close(of(1, Feature::FirstPass5), (-4.0f64 / 5.0).tanh()));
        assert!(close(of(2, Feature::FirstPass20), (-8.5f64 / 20.0).tanh()));
        assert!(close(of(1, Feature::Edits), -2f64.ln()) && close(of(1, Feature::EditRate), -1.0 / 3.0));
        assert!(close(of(2, Feature::Words), 2f64.ln()) && close(of(2, Feature::Longer), -2f64.ln()));
        // Edits: 0–1 one, 0–2 one, 1–2 two; means 2/3, 1, 1.
        assert!(close(of(1, Feature::Agreement), -(4.0f64 / 3.0).ln()));
        assert_eq!((of(1, Feature::Change), of(1, Feature::ChangeUnscored)), (1.0, 0.0));
        assert!(close(of(2, Feature::ChangeChoices), 4f64.ln() - 1.4));
        let deviation = deviation(&[-1.0, -2.0, -2.5]);
        assert!(close(of(1, Feature::FirstPassDeviations), -1.0 / deviation));
    }

    #[test]
    fn scores_of_single_models_count_in_deviations() {
        let hypothesis = |(text, ctc): (&str, f64)| {
            let mut hypothesis = Hypothesis::scored(text, ctc);
            hypothesis.extra.insert("ctc".into(), ctc.into());
            hypothesis.extra.insert("lm_cost".into(), 7.into());
            hypothesis
        };
        let nbest = NBest::new([("a", -3.0), ("b", -1.0), ("c", -5.0)].map(hypothesis).to_vec()).unwrap();
        let (distinct, texts) = (nbest.unique(), ["a", "b", "c"].map(str::to_owned));
        let words = &WordWeights::default();
        let rows =
            rows(&List { distinct: &distinct, texts: &texts, tokens: &[1; 3], unit: Unit::Word, words });
        let of = |feature: Feature| rows.iter().map(|row| row[feature.index()]).collect::<Vec<_>>();
        // Mean −3, variance 8/3.
        let deviation = (8.0f64 / 3.0).sqrt();
        assert!(
            of(Feature::Ctc).iter().zip([0.0, 2.0, -2.0]).all(|(found, one)| close(*found, one / deviation))
        );
        assert_eq!((of(Feature::FirstPassLm), of(Feature::Attention)), (vec![0.0; 3], vec![0.0; 3]));
    }

    #[test]
    fn writing_alone_is_no_change() {
        let rows = rows_of(&[("Stop, now!", Some(-0.5)), ("stop now", Some(-0.25)), ("stop", Some(-1.0))]);
        assert_eq!(rows[1][Feature::Change.index()], 0.0);
        assert_eq!(rows[1][Feature::FirstPassShare.index()], 0.0, "their probabilities add up");
        assert!(rows[2][Feature::FirstPassShare.index()] < 0.0);
        assert_eq!(rows[2][Feature::Repeats.index()], 1.0 / 3.0 - 2.0 / 3.0);
    }

    #[test]
    fn learned_words_count_by_what_is_spoken() {
        let words = WordWeights::new([("stop".to_owned(), 0.5), ("now".to_owned(), -2.0)]);
        let rows = weighed(&[("Stop, now!", None), ("stop", None), ("Stop! Stop.", None)], &words);
        assert_eq!(
            rows.iter().map(|row| row[Feature::LearnedWords.index()]).collect::<Vec<_>>(),
            [0.0, 2.0, 2.5]
        );
    }

    #[test]
    fn odd_lists_have_finite_features() {
        assert_eq!(rows_of(&[("only", None)]), [[0.0; Feature::COUNT]]);
        let equal = rows_of(&[("a", Some(-1.0)), ("b", Some(-1.0))]);
        assert_eq!(equal[1][Feature::FirstPassDeviations.index()], 0.0);
        let huge = rows_of(&[("a", Some(-3e5)), ("", Some(-9e5)), ("...", Some(4e307))]);
        assert!(huge.iter().flatten().all(|value| value.is_finite()), "{huge:?}");
        let unscored = rows_of(&[("a", None), ("b", None)]);
        assert_eq!(unscored[1][Feature::ChangeUnknown.index()], 1.0);
        let repeated = rows_of(&[("a", None), ("a", None), ("b", None)]);
        let [unscored, unknown] =
            [Feature::ChangeUnscored, Feature::ChangeUnknown].map(|one| repeated[1][one.index()]);
        assert_eq!((unscored, unknown), (1.0, 0.0));
    }
}
