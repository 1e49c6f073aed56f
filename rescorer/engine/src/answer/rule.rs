use std::fmt;
use std::str::FromStr;

use rescorer_perturb::word_errors;
use serde::{Deserialize, Serialize};

use crate::answer::network::Network;
use crate::answer::posterior::posterior;
use crate::fusion::weighting::Weighting;
use crate::fusion::weights::Candidate;

/// How the answer is made from fused scores.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DecisionRule {
    /// The hypothesis of the largest total.
    #[default]
    Maximum,
    /// Minimum Bayes risk: the hypothesis with the fewest expected word errors, `argmin_i Σ_j p_j · errors(i, j)`.
    Mbr,
    /// A text voted on word by word, which need not be in the list.
    Merge,
}

impl DecisionRule {
    /// Every rule.
    pub const ALL: [Self; 3] = [Self::Maximum, Self::Mbr, Self::Merge];

    /// The name on the command line and in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Maximum => "maximum",
            Self::Mbr => "mbr",
            Self::Merge => "merge",
        }
    }
}

impl fmt::Display for DecisionRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for DecisionRule {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|rule| rule.name() == name);
        found.ok_or_else(|| format!("{name:?} is no decision; expected maximum, mbr or merge"))
    }
}

/// The rule and its tuned numbers. The weights of the fusion are the same for all rules.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// The rule that is used.
    pub rule: DecisionRule,
    /// Scale of the posterior, `p = softmax(scale · total)`.
    pub scale: f64,
    /// Expected word errors that a hypothesis has to save over the first-pass best, for `mbr`.
    pub mbr_margin: f64,
    /// Lead in posterior that a word needs over that of the largest total, for `merge`.
    pub merge_margin: f64,
}

impl Default for Decision {
    /// The maximum, and the plain softmax of the totals.
    fn default() -> Self {
        Self { rule: DecisionRule::Maximum, scale: 1.0, mbr_margin: 0.0, merge_margin: 0.0 }
    }
}

/// What a rule answers for a list.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleAnswer {
    /// Index of the chosen hypothesis; for `merge` of the one whose text was voted on.
    pub hypothesis: usize,
    /// The words of the answer, or other units.
    pub words: Vec<RuleWord>,
    /// Share of each hypothesis in the posterior.
    pub posterior: Vec<f64>,
    /// Share of the posterior that says the same as the answer.
    pub same: f64,
}

/// A word of the answer, or another unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RuleWord {
    /// Index of the hypothesis that it comes from.
    pub hypothesis: usize,
    /// Its place among the words of that hypothesis.
    pub index: usize,
    /// Share of the posterior that has this word here.
    pub posterior: f64,
}

impl Decision {
    /// What was tuned, answering by the rule that is asked for. The maximum needs no numbers; `None` where another rule has none.
    pub fn by_rule(tuned: Option<Self>, rule: Option<DecisionRule>) -> Option<Self> {
        match (tuned, rule) {
            (Some(tuned), rule) => Some(Self { rule: rule.unwrap_or(tuned.rule), ..tuned }),
            (None, None | Some(DecisionRule::Maximum)) => Some(Self::default()),
            (None, Some(_)) => None,
        }
    }

    /// Answers for the distinct hypotheses of a list, in first-pass order, `texts` their words (or other units) as they
    /// are compared.
    ///
    /// # Panics
    /// Without candidates, or with another number of texts.
    pub fn answer(&self, weighting: &Weighting, candidates: &[Candidate], texts: &[Vec<&str>]) -> RuleAnswer {
        assert_eq!(candidates.len(), texts.len(), "a text for each candidate");
        let posterior = posterior(candidates, weighting, self.scale);
        let hypothesis = match self.rule {
            DecisionRule::Maximum | DecisionRule::Merge => weighting.winner(candidates),
            DecisionRule::Mbr => least_risk(&risks(&posterior, &distances(texts)), self.mbr_margin),
        };
        let voted = Voted::new(hypothesis, &posterior, texts);
        let words = match self.rule {
            DecisionRule::Merge => voted.merged(self.merge_margin),
            DecisionRule::Maximum | DecisionRule::Mbr => voted.backbone(),
        };
        let text: Vec<&str> = words.iter().map(|word| texts[word.hypothesis][word.index]).collect();
        let same = texts.iter().zip(&posterior).filter(|(other, _)| **other == text);
        let same = same.map(|(_, share)| share).sum();
        RuleAnswer { hypothesis, words, posterior, same }
    }
}

/// A confusion network with the order in which the hypotheses were laid into it.
pub(crate) struct Voted {
    network: Network,
    order: Vec<usize>,
}

impl Voted {
    /// Lays the hypotheses over the chosen one, those with the largest shares first.
    pub(crate) fn new(chosen: usize, shares: &[f64], texts: &[Vec<&str>]) -> Self {
        let mut order: Vec<usize> = (0..texts.len()).collect();
        order.sort_by(|&a, &b| {
            (b == chosen).cmp(&(a == chosen)).then(shares[b].total_cmp(&shares[a])).then(a.cmp(&b))
        });
        let words: Vec<&[&str]> = order.iter().map(|&index| texts[index].as_slice()).collect();
        let weights: Vec<f64> = order.iter().map(|&index| shares[index]).collect();
        Self { network: Network::new(&words, &weights), order }
    }

    /// The words of the chosen hypothesis.
    pub(crate) fn backbone(&self) -> Vec<RuleWord> {
        self.network.slots().iter().filter_map(|slot| slot.backbone()).map(|word| self.word(word)).collect()
    }

    /// The words that win.
    pub(crate) fn merged(&self, margin: f64) -> Vec<RuleWord> {
        self.network
            .slots()
            .iter()
            .filter_map(|slot| slot.winner(margin))
            .map(|word| self.word(word))
            .collect()
    }

    fn word(&self, word: &super::network::SlotWord) -> RuleWord {
        RuleWord { hypothesis: self.order[word.hypothesis], index: word.index, posterior: word.weight }
    }
}

/// Word errors between any two texts, `[texts, texts]`.
pub(crate) fn distances(texts: &[Vec<&str>]) -> Vec<Vec<f64>> {
    let mut distances = vec![vec![0.0; texts.len()]; texts.len()];
    for (one, text) in texts.iter().enumerate() {
        for (other, against) in texts.iter().enumerate().take(one) {
            let errors = word_errors(against, text) as f64;
            distances[one][other] = errors;
            distances[other][one] = errors;
        }
    }
    distances
}

/// Expected word errors of every hypothesis, if one of the list were what was said.
pub(crate) fn risks(shares: &[f64], distances: &[Vec<f64>]) -> Vec<f64> {
    distances.iter().map(|row| row.iter().zip(shares).map(|(errors, share)| errors * share).sum()).collect()
}

/// Index of the least risk, ties to the earlier; the first stays unless more than `margin` is saved.
pub(crate) fn least_risk(risks: &[f64], margin: f64) -> usize {
    let best = risks.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(index, _)| index);
    if risks[0] - risks[best] > margin { best } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fusion::weights::Fusion;

    const TEXTS: [&str; 3] = ["a x c", "a b d", "a b c"];

    fn list(totals: [f64; 3]) -> (Vec<Candidate>, Vec<Vec<&'static str>>) {
        let candidate = |first_pass| Candidate::new(first_pass, 0.0, 3);
        (totals.map(candidate).into(), TEXTS.iter().map(|text| text.split(' ').collect()).collect())
    }

    fn text(decision: Decision, totals: [f64; 3]) -> (usize, String) {
        let (candidates, texts) = list(totals);
        let fusion = Weighting::Classic(Fusion { lm_weight: 0.0, length_bonus: 0.0, margin: 0.0 });
        let answer = decision.answer(&fusion, &candidates, &texts);
        let words: Vec<&str> = answer.words.iter().map(|word| texts[word.hypothesis][word.index]).collect();
        (answer.hypothesis, words.join(" "))
    }

    #[test]
    fn each_rule_has_its_own_answer() {
        // Shares 0.4, 0.32, 0.28.
        let totals = [0.4f64.ln(), 0.32f64.ln(), 0.28f64.ln()];
        let decide = |rule| Decision { rule, ..Decision::default() };
        assert_eq!(text(decide(DecisionRule::Maximum), totals), (0, "a x c".into()));
        // Expected errors 2·0.32 + 0.28 = 0.92; 2·0.4 + 0.28 = 1.08; 0.4 + 0.32 = 0.72.
        assert_eq!(text(decide(DecisionRule::Mbr), totals), (2, "a b c".into()));
        let gate = Decision { mbr_margin: 0.21, ..decide(DecisionRule::Mbr) };
        assert_eq!(text(gate, totals).0, 0, "0.2 are saved");
        // `b` has 0.6 against 0.4, `c` 0.68 against 0.32.
        assert_eq!(text(decide(DecisionRule::Merge), totals), (0, "a b c".into()));
        let gate = Decision { merge_margin: 0.25, ..decide(DecisionRule::Merge) };
        assert_eq!(text(gate, totals), (0, "a x c".into()));
    }

    #[test]
    fn the_words_of_an_answer_have_their_share() {
        let (candidates, texts) = list([0.4f64.ln(), 0.32f64.ln(), 0.28f64.ln()]);
        let fusion = Weighting::Classic(Fusion { lm_weight: 0.0, length_bonus: 0.0, margin: 0.0 });
        let shares: Vec<f64> = Decision::default()
            .answer(&fusion, &candidates, &texts)
            .words
            .iter()
            .map(|word| word.posterior)
            .collect();
        for (share, expected) in shares.iter().zip([1.0, 0.4, 0.68]) {
            assert!((share - expected).abs() < 1e-12, "{shares:?}");
        }
    }

    #[test]
    fn a_list_of_one_is_its_own_answer() {
        let one = [Candidate::new(-3.0, -9.0, 0)];
        let fusion = Weighting::Classic(Fusion { lm_weight: 0.5, length_bonus: 0.0, margin: 1.0 });
        for rule in DecisionRule::ALL {
            let decision = Decision { rule, ..Decision::default() };
            let answer = decision.answer(&fusion, &one, &[vec![]]);
            let expected = RuleAnswer { hypothesis: 0, words: vec![], posterior: vec![1.0], same: 1.0 };
            assert_eq!(answer, expected);
            assert_eq!(rule.to_string().parse::<DecisionRule>(), Ok(rule));
        }
    }
}
