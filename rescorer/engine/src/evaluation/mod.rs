//! Word error rates before and after, with their intervals.

pub(crate) mod compare;
pub(crate) mod judging;
pub(crate) mod reliability;

pub use crate::answer::confidence::ConfidenceReport;
pub use crate::answer::explain::{Explanation, FeatureShare, TokenShare};
pub use compare::{RuleReport, compare_rules};
pub use judging::{Judged, Judging};
pub use reliability::{Reliability, ReliabilityBin};

use rescorer_perturb::{
    DRAWS, ErrorCounts, Interval, PairedBootstrap, Unit, UtteranceErrors, Wer, group_numbers,
    paired_bootstrap, wer_interval, werr_interval,
};
use serde::Serialize;

use crate::error::Error;
use crate::fusion::tuning::scored_answer::ScoredAnswer;
use crate::fusion::tuning::scored_reference::ScoredReference;

/// WER before and after, over a set of lists.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evaluation {
    /// Lists.
    pub utterances: usize,
    /// What errors are counted in: the rates below are of that, whatever their names.
    pub unit: Unit,
    /// Words of the references, or other units.
    pub reference_words: usize,
    /// WER of the first-pass best, in percent.
    pub first_pass_wer: f64,
    /// WER of the answers, in percent.
    pub rescored_wer: f64,
    /// WER of the best hypothesis of every list, in percent.
    pub oracle_wer: f64,
    /// Relative reduction of the WER, in percent; `None`, undefined, where the first pass makes no errors.
    pub werr: Option<f64>,
    /// 95% bootstrap interval of `werr`; `None` where the first pass makes no errors.
    pub werr_ci95: Option<[f64; 2]>,
    /// 95% bootstrap interval of `rescored_wer`.
    pub ci95: [f64; 2],
    /// Paired bootstrap of the difference: its interval in points, and its p-value.
    pub difference: PairedBootstrap,
    /// Substitutions, deletions and insertions of the first pass, from the alignment with sclite's costs;
    /// their sum may exceed the unit-cost errors behind the WER.
    pub first_pass_counts: ErrorCounts,
    /// The same of the answers.
    pub rescored_counts: ErrorCounts,
    /// Share of sentences with an error, before and after, in percent.
    pub sentence_error_rate: [f64; 2],
    /// Share of lists whose choice changed.
    pub changed: f64,
    /// Rates with the references' marks read as sclite reads them, where they have any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sclite: Option<ScliteReading>,
    /// Lists with fewer errors than before.
    pub better: usize,
    /// Lists with more errors than before.
    pub worse: usize,
}

/// Rates with `{ a / b }` and `(uh)` in references read as sclite reads them, see [`rescorer_perturb::MarkedReference`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScliteReading {
    /// References with marks.
    pub marked: usize,
    /// Words that the first pass was held against: which alternative counts depends on what was recognised.
    pub reference_words: usize,
    /// Rate of the first-pass best, in percent.
    pub first_pass_wer: Option<f64>,
    /// Rate of the answers, in percent.
    pub rescored_wer: Option<f64>,
    /// Rate of the best hypotheses of every list, in percent.
    pub oracle_wer: Option<f64>,
}

impl ScliteReading {
    fn new(lists: &[ScoredReference], answers: &[ScoredAnswer]) -> Option<Self> {
        let marked = lists.iter().filter(|list| list.marked.is_some()).count();
        if marked == 0 {
            return None;
        }
        let first: Wer = lists.iter().map(|list| list.read_by_sclite(&list.texts[0])).collect();
        let pairs = lists.iter().zip(answers);
        let rescored: Wer =
            pairs.map(|(list, answer)| list.read_by_sclite(answer.text(&list.texts))).collect();
        let best = |list: &ScoredReference| {
            let rows = list.texts.iter().map(|text| list.read_by_sclite(text));
            rows.min_by_key(|row| row.errors).unwrap_or_default()
        };
        let oracle: Wer = lists.iter().map(best).collect();
        Some(Self {
            marked,
            reference_words: first.reference_words,
            first_pass_wer: first.percent(),
            rescored_wer: rescored.percent(),
            oracle_wer: oracle.percent(),
        })
    }
}

impl Evaluation {
    /// Judges the answers given for every list, see [`ScoredReference::answer`].
    ///
    /// Intervals are drawn over references, where references repeat.
    ///
    /// # Errors
    /// No lists or no reference words.
    pub fn new(lists: &[ScoredReference], answers: &[ScoredAnswer], seed: u64) -> Result<Self, Error> {
        let first: Vec<UtteranceErrors> = lists.iter().map(ScoredReference::first_pass).collect();
        let second: Vec<UtteranceErrors> = answers.iter().map(|answer| answer.errors).collect();
        let oracle: Wer = lists.iter().map(ScoredReference::oracle).collect();
        let (before, after): (Wer, Wer) = (first.iter().copied().collect(), second.iter().copied().collect());
        let (Some(first_pass_wer), Some(rescored_wer), Some(oracle_wer)) =
            (before.percent(), after.percent(), oracle.percent())
        else {
            let unit = lists.first().map(|list| list.metric.unit).unwrap_or_default();
            return Err(Error::no_words("evaluate", lists.len(), unit));
        };
        let groups = group_numbers(lists.iter().map(|list| list.reference.as_str()));
        let Interval { low, high } = wer_interval(&second, Some(&groups), DRAWS, seed)?;
        let changed = answers.iter().filter(|answer| answer.changed).count();
        let pairs = || first.iter().zip(&second);
        Ok(Self {
            utterances: lists.len(),
            unit: lists.first().map(|list| list.metric.unit).unwrap_or_default(),
            reference_words: before.reference_words,
            first_pass_wer,
            rescored_wer,
            oracle_wer,
            werr: (first_pass_wer > 0.0).then(|| 100.0 * (first_pass_wer - rescored_wer) / first_pass_wer),
            werr_ci95: werr_interval(&first, &second, Some(&groups), DRAWS, seed)?
                .map(|Interval { low, high }| [low, high]),
            ci95: [low, high],
            difference: paired_bootstrap(&first, &second, Some(&groups), DRAWS, seed)?,
            first_pass_counts: lists.iter().map(|list| list.counts[0]).sum(),
            rescored_counts: answers.iter().map(|answer| answer.counts).sum(),
            sentence_error_rate: [before, after].map(|wer| wer.sentence_percent().unwrap_or(0.0)),
            changed: changed as f64 / lists.len() as f64,
            sclite: ScliteReading::new(lists, answers),
            better: pairs().filter(|(a, b)| b.errors < a.errors).count(),
            worse: pairs().filter(|(a, b)| b.errors > a.errors).count(),
        })
    }
}
