//! What N-best lists hold, and what a second pass could make of them.

mod confusion;
mod difference;

use rescorer_nbest::Utterance;
use serde::Serialize;

pub use confusion::Confusion;
use confusion::Confusions;
pub use difference::{Differences, Spread};

use crate::{ErrorCounts, Homophones, Metric, Unit, UtteranceErrors, Wer, align, word_errors};
use difference::DifferenceCounter;

/// Sizes at which the oracle is looked at, besides the whole list.
const ORACLE_SIZES: [usize; 7] = [1, 2, 3, 5, 10, 20, 50];

/// Words above this size of SCOWL, or in no list at all, count as rare.
const RARE: u8 = 70;

/// A set of lists as [`Diagnostics::report`] sees it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ListReport {
    /// Lists.
    pub utterances: usize,
    /// What texts were cut into: what is said of words below is said of this.
    pub unit: Unit,
    /// Hypotheses of a list, as they are listed.
    pub listed: Spread,
    /// Distinct hypotheses of a list.
    pub distinct: Spread,
    /// Share of the lists with one distinct hypothesis: nothing to choose from.
    pub single: f64,
    /// Words of a hypothesis, over all distinct ones.
    pub words: Spread,
    /// Difference between the longest and the shortest hypothesis of a list, in words.
    pub length_range: Spread,
    /// Word edits between two distinct hypotheses of a list, divided by the words of the longer one: mean over pairs, then over
    /// lists.
    pub pairwise_distance: f64,
    /// What tells other hypotheses from the first-pass best.
    pub differences: Differences,
    /// Share of the words of distinct hypotheses that are rare: in none of SCOWL's lists up to size 70.
    pub rare_words: f64,
    /// What is known where there are references.
    pub errors: Option<ErrorsReport>,
}

/// Where the errors are.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ErrorsReport {
    /// Lists with a reference.
    pub utterances: usize,
    /// Words of the references.
    pub reference_words: usize,
    /// WER of the first-pass best, in %.
    pub first_pass_wer: f64,
    /// Its substitutions, deletions and insertions.
    pub first_pass_counts: ErrorCounts,
    /// WER of the best of the first N listed hypotheses, in %, as N grows; the last is that of whole lists.
    pub oracle: Vec<OracleAt>,
    /// Share of the first pass's errors that a perfect second pass would mend.
    pub fixable: f64,
    /// Share of the lists whose first-pass best has errors, and of those where another hypothesis has fewer.
    pub wrong: f64,
    /// Share of the wrong lists where another hypothesis has fewer errors.
    pub wrong_fixable: f64,
    /// Share of the errors in the first, second and third part of the reference.
    pub by_third: [f64; 3],
    /// Share of the rare reference words that the first-pass best gets wrong, and of the others.
    pub rare_wrong: Option<f64>,
    /// The same of the other words.
    pub common_wrong: Option<f64>,
    /// Share of the substitutions that are homophones.
    pub homophones: f64,
    /// The most frequent substitutions of the first-pass best.
    pub substitutions: Vec<Confusion>,
    /// The most frequent deletions.
    pub deletions: Vec<Confusion>,
    /// The most frequent insertions.
    pub insertions: Vec<Confusion>,
}

/// The oracle of the first so many hypotheses.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct OracleAt {
    /// Listed hypotheses looked at, at most.
    pub n: usize,
    /// WER of the best of them, in %.
    pub wer: f64,
}

/// Looks at lists, one after the other.
///
/// ```
/// use rescorer_nbest::{NBest, Utterance};
/// use rescorer_perturb::{Diagnostics, HomophoneOptions, Homophones, Lexicon, Normalization};
///
/// let homophones = Homophones::new(Lexicon::english(), HomophoneOptions::default());
/// let mut diagnostics = Diagnostics::new(&homophones, Normalization::None);
/// let mut list = Utterance::new("u1", NBest::from_texts(["right it down", "write it down"])?);
/// list.reference = Some("write it down".into());
/// diagnostics.add(&list);
/// let errors = diagnostics.report(5).errors.unwrap();
/// assert_eq!((errors.fixable, errors.homophones), (1.0, 1.0));
/// # Ok::<(), rescorer_nbest::Error>(())
/// ```
pub struct Diagnostics<'a> {
    homophones: &'a Homophones,
    metric: Metric,
    utterances: usize,
    single: usize,
    listed: Vec<usize>,
    distinct: Vec<usize>,
    lengths: Vec<usize>,
    length_range: Vec<usize>,
    distances: Vec<f64>,
    words: usize,
    rare: usize,
    differences: DifferenceCounter,
    errors: ErrorCounter,
}

#[derive(Default)]
struct ErrorCounter {
    first: Wer,
    counts: ErrorCounts,
    /// Errors of the best of the first so many.
    oracle: [usize; ORACLE_SIZES.len()],
    whole: usize,
    largest: usize,
    fixable_lists: usize,
    by_third: [usize; 3],
    /// Reference words that are rare and those that are not: wrong, and all.
    rare: (usize, usize),
    common: (usize, usize),
    confusions: Confusions,
}

impl<'a> Diagnostics<'a> {
    /// Looks at texts after a normalisation, by words or in another unit; homophones are those of the given options.
    #[must_use]
    pub fn new(homophones: &'a Homophones, metric: impl Into<Metric>) -> Self {
        Self {
            homophones,
            metric: metric.into(),
            utterances: 0,
            single: 0,
            listed: Vec::new(),
            distinct: Vec::new(),
            lengths: Vec::new(),
            length_range: Vec::new(),
            distances: Vec::new(),
            words: 0,
            rare: 0,
            differences: DifferenceCounter::default(),
            errors: ErrorCounter::default(),
        }
    }

    /// Looks at a list.
    pub fn add(&mut self, utterance: &Utterance) {
        let Metric { normalize, unit } = self.metric;
        let texts: Vec<_> =
            utterance.nbest.iter().map(|hypothesis| normalize.apply(&hypothesis.text)).collect();
        let listed: Vec<Vec<&str>> = texts.iter().map(|text| unit.split(text)).collect();
        let mut distinct: Vec<&[&str]> = Vec::new();
        for hypothesis in &listed {
            if !distinct.contains(&hypothesis.as_slice()) {
                distinct.push(hypothesis);
            }
        }
        self.utterances += 1;
        self.listed.push(listed.len());
        self.distinct.push(distinct.len());
        self.single += usize::from(distinct.len() == 1);
        let lengths = || distinct.iter().map(|words| words.len());
        self.lengths.extend(lengths());
        self.length_range.push(lengths().max().unwrap_or(0) - lengths().min().unwrap_or(0));
        for word in distinct.iter().flat_map(|words| words.iter()) {
            self.words += 1;
            self.rare += usize::from(self.is_rare(word));
        }
        if distinct.len() > 1 {
            let mut sum = 0.0;
            let mut pairs = 0;
            for (index, a) in distinct.iter().enumerate() {
                for b in &distinct[index + 1..] {
                    sum += word_errors(a, b) as f64 / a.len().max(b.len()) as f64;
                    pairs += 1;
                }
            }
            self.distances.push(sum / f64::from(pairs));
        }
        distinct[1..].iter().for_each(|other| self.differences.add(distinct[0], other, self.homophones));
        if let Some(reference) = &utterance.reference {
            let reference = normalize.apply(reference);
            self.add_errors(&unit.split(&reference), &listed);
        }
    }

    fn add_errors(&mut self, reference: &[&str], listed: &[Vec<&str>]) {
        let errors: Vec<usize> = listed.iter().map(|hypothesis| word_errors(reference, hypothesis)).collect();
        let alignment = align(reference, &listed[0]);
        let wrong = confusion::wrong_words(&alignment, reference.len());
        let rare: Vec<bool> = reference.iter().map(|word| self.is_rare(word)).collect();
        let own = &mut self.errors;
        own.first.add(UtteranceErrors { errors: errors[0], reference_words: reference.len() });
        own.counts += alignment.counts();
        let best = |n: usize| errors.iter().take(n).min().copied().unwrap_or(0);
        for (sum, n) in own.oracle.iter_mut().zip(ORACLE_SIZES) {
            *sum += best(n);
        }
        let whole = best(usize::MAX);
        own.whole += whole;
        own.largest = own.largest.max(listed.len());
        own.fixable_lists += usize::from(whole < errors[0]);
        for (place, count) in wrong.iter().enumerate() {
            let third = (3 * place / reference.len().max(1)).min(2);
            own.by_third[third] += count.errors();
        }
        for ((count, rare), _) in wrong.iter().zip(&rare).zip(reference) {
            let class = if *rare { &mut own.rare } else { &mut own.common };
            class.0 += usize::from(count.is_wrong);
            class.1 += 1;
        }
        own.confusions.add(reference, &listed[0], &alignment, self.homophones);
    }

    fn is_rare(&self, word: &str) -> bool {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
        !bare.is_empty() && self.homophones.lexicon().size(&bare).is_none_or(|size| size > RARE)
    }

    /// What was found so far, with the `top` most frequent confusions.
    #[must_use]
    pub fn report(&self, top: usize) -> ListReport {
        let share = |part: usize, whole: usize| part as f64 / whole.max(1) as f64;
        let distances = self.distances.iter().sum::<f64>() / self.distances.len().max(1) as f64;
        ListReport {
            utterances: self.utterances,
            unit: self.metric.unit,
            listed: Spread::of(&self.listed),
            distinct: Spread::of(&self.distinct),
            single: share(self.single, self.utterances),
            words: Spread::of(&self.lengths),
            length_range: Spread::of(&self.length_range),
            pairwise_distance: distances,
            differences: self.differences.report(),
            rare_words: share(self.rare, self.words),
            errors: self.errors.report(top),
        }
    }
}

impl ErrorCounter {
    fn report(&self, top: usize) -> Option<ErrorsReport> {
        let words = self.first.reference_words;
        let first_pass_wer = self.first.percent()?;
        let percent = |errors: usize| 100.0 * errors as f64 / words as f64;
        let share = |part: usize, whole: usize| part as f64 / whole.max(1) as f64;
        let rate = |(wrong, all): (usize, usize)| (all > 0).then(|| share(wrong, all));
        let sizes = ORACLE_SIZES.iter().zip(self.oracle).filter(|(n, _)| **n < self.largest);
        let mut oracle: Vec<OracleAt> =
            sizes.map(|(&n, errors)| OracleAt { n, wer: percent(errors) }).collect();
        oracle.push(OracleAt { n: self.largest, wer: percent(self.whole) });
        let in_thirds: usize = self.by_third.iter().sum();
        Some(ErrorsReport {
            utterances: self.first.utterances,
            reference_words: words,
            first_pass_wer,
            first_pass_counts: self.counts,
            oracle,
            fixable: share(self.first.errors - self.whole, self.first.errors),
            wrong: share(self.first.wrong_utterances, self.first.utterances),
            wrong_fixable: share(self.fixable_lists, self.first.wrong_utterances),
            by_third: self.by_third.map(|errors| share(errors, in_thirds)),
            rare_wrong: rate(self.rare),
            common_wrong: rate(self.common),
            homophones: self.confusions.share_of_homophones(),
            substitutions: self.confusions.substitutions(top),
            deletions: self.confusions.deletions(top),
            insertions: self.confusions.insertions(top),
        })
    }
}

#[cfg(test)]
mod tests;
