use rescorer_perturb::{EditOp, ErrorCounts, UtteranceErrors, align, word_errors};

use crate::answer::answer_calibration::Evidence;
use crate::answer::joined::joined;
use crate::answer::rule::{Decision, DecisionRule, RuleAnswer};
use crate::fusion::tuning::scored_reference::ScoredReference;
use crate::fusion::weighting::Weighting;

/// What was answered for a list, held against its reference.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoredAnswer {
    /// Index of the chosen hypothesis.
    pub hypothesis: usize,
    /// The text that was voted on, after normalisation, where it was.
    pub merged: Option<String>,
    /// Errors, unit cost.
    pub errors: UtteranceErrors,
    /// Substitutions, deletions and insertions, from the alignment with sclite's costs.
    pub counts: ErrorCounts,
    /// Whether it is not the first-pass best.
    pub changed: bool,
    /// For each word of the answer, or other unit, its share of the posterior, and whether it is right.
    pub words: Vec<(f64, bool)>,
    /// What is known of it without the reference.
    pub evidence: Evidence,
}

impl ScoredAnswer {
    /// The answer among the texts of the distinct hypotheses.
    pub fn text<'a>(&'a self, texts: &'a [String]) -> &'a str {
        self.merged.as_deref().unwrap_or(&texts[self.hypothesis])
    }
}

impl ScoredReference {
    /// What a decision answers, held against the reference.
    pub fn answer(&self, weighting: &Weighting, decision: &Decision) -> ScoredAnswer {
        let candidates = self.weighed(weighting);
        let texts: Vec<Vec<&str>> = self.texts.iter().map(|text| self.metric.unit.split(text)).collect();
        let RuleAnswer { hypothesis, words: answered, same, .. } =
            decision.answer(weighting, &candidates, &texts);
        let text: Vec<&str> = answered.iter().map(|word| texts[word.hypothesis][word.index]).collect();
        let reference = self.metric.unit.split(&self.reference);
        let errors = word_errors(&reference, &text);
        let alignment = align(&reference, &text);
        let right =
            alignment.ops().iter().filter(|op| **op != EditOp::Deletion).map(|op| *op == EditOp::Correct);
        ScoredAnswer {
            hypothesis,
            merged: (decision.rule == DecisionRule::Merge)
                .then(|| joined(self.metric.unit, &answered, &self.texts)),
            errors: UtteranceErrors { errors, reference_words: self.reference_words },
            counts: alignment.counts(),
            changed: match decision.rule {
                DecisionRule::Merge => texts[0] != text,
                DecisionRule::Maximum | DecisionRule::Mbr => hypothesis != 0,
            },
            words: answered.iter().map(|word| word.posterior).zip(right).collect(),
            evidence: Evidence::new(&candidates, hypothesis, same),
        }
    }
}
