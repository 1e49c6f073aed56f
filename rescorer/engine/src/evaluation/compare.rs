use rescorer_perturb::{
    DRAWS, Interval, PairedBootstrap, UtteranceErrors, Wer, group_numbers, paired_bootstrap, wer_interval,
};
use serde::Serialize;

use crate::answer::rule::{Decision, DecisionRule};
use crate::error::Error;
use crate::fusion::tuning::scored_reference::ScoredReference;
use crate::fusion::weighting::Weighting;

/// What a rule gives on lists, beside the maximum.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RuleReport {
    /// The rule.
    pub rule: DecisionRule,
    /// WER of its answers, in percent.
    pub wer: f64,
    /// 95% bootstrap interval of it.
    pub ci95: [f64; 2],
    /// Paired bootstrap of the difference to the maximum.
    pub versus_maximum: PairedBootstrap,
    /// Lists with fewer errors than those of the maximum.
    pub better: usize,
    /// Lists with more.
    pub worse: usize,
}

/// Answers every list by each rule, with the weights and the decision that were tuned for it.
///
/// # Errors
/// No lists or no reference words.
pub fn compare_rules(
    lists: &[ScoredReference],
    tuned: &[(Weighting, Decision)],
    seed: u64,
) -> Result<Vec<RuleReport>, Error> {
    let answers = |rule| -> Vec<UtteranceErrors> {
        let answer = |(list, (weighting, decision)): (&ScoredReference, &(Weighting, Decision))| {
            list.answer(weighting, &Decision { rule, ..*decision }).errors
        };
        lists.iter().zip(tuned).map(answer).collect()
    };
    let groups = group_numbers(lists.iter().map(|list| list.reference.as_str()));
    let rows = DecisionRule::ALL.map(answers);
    let [maximum, ..] = &rows;
    let report = |(rule, rows): (DecisionRule, &Vec<UtteranceErrors>)| {
        let Some(wer) = rows.iter().copied().collect::<Wer>().percent() else {
            let unit = lists.first().map(|list| list.metric.unit).unwrap_or_default();
            return Err(Error::no_words("compare decisions", lists.len(), unit));
        };
        let Interval { low, high } = wer_interval(rows, Some(&groups), DRAWS, seed)?;
        let pairs = || maximum.iter().zip(rows);
        Ok(RuleReport {
            rule,
            wer,
            ci95: [low, high],
            versus_maximum: paired_bootstrap(maximum, rows, Some(&groups), DRAWS, seed)?,
            better: pairs().filter(|(a, b)| b.errors < a.errors).count(),
            worse: pairs().filter(|(a, b)| b.errors > a.errors).count(),
        })
    };
    DecisionRule::ALL.into_iter().zip(&rows).map(report).collect()
}
