use std::borrow::Cow;
use std::sync::Arc;

use rescorer_models::LanguageModel;
use rescorer_nbest::{Distinct, NBest, Utterance};
use rescorer_perturb::Metric;

use crate::decision::joined;
use crate::scorer::ListScores;
use crate::{
    AdapterSet, Answer, Candidate, Choice, Confidence, Decision, DecisionRule, EarlierPass, Error, Evidence,
    Fusion, ModelIdentity, Need, Policy, PreparedList, Scored, Scorer,
};

/// A hypothesis of the answer.
#[derive(Debug, Clone, PartialEq)]
pub struct RescoredHypothesis {
    /// Position of its first occurrence in the first-pass list.
    pub position: usize,
    /// The text as it came in.
    pub text: String,
    /// Best first-pass score of its occurrences.
    pub first_pass: f64,
    /// Language-model score; `None` where the model was not asked: the list has one text, or the model's weight is 0.
    pub lm_score: Option<f64>,
    /// Fused score; `None` where it would need that.
    pub total: Option<f64>,
    /// Probability that it has no error, where the policy has a [`Confidence`]; else its share of the posterior.
    pub confidence: f64,
}

/// A word of the answer, or another unit, and how sure it is.
#[derive(Debug, Clone, PartialEq)]
pub struct RescoredWord {
    /// The word as it came in.
    pub word: String,
    /// Probability that it is right, where the policy has a [`Confidence`]; else its share of the posterior.
    pub confidence: f64,
}

/// The answer for a list: its distinct hypotheses, the winner first.
#[derive(Debug, Clone, PartialEq)]
pub struct Rescored {
    hypotheses: Vec<RescoredHypothesis>,
    merged: Option<String>,
    words: Vec<RescoredWord>,
    confidence: f64,
    distinct: Distinct,
}

impl Rescored {
    /// Fuses scores that were computed before; the largest total wins.
    ///
    /// # Errors
    /// A list without scores that needs some.
    pub fn new(nbest: &NBest, scores: &ListScores, fusion: &Fusion) -> Result<Self, Error> {
        Self::decided(nbest, scores, fusion, &Decision::default(), None, Metric::default())
    }

    /// Fuses scores that were computed before, and answers by a rule. `metric` says what its words are, and which are the
    /// same; a normalisation alone stands for words.
    ///
    /// # Errors
    /// A list without scores that needs some.
    pub fn decided(
        nbest: &NBest,
        scores: &ListScores,
        fusion: &Fusion,
        decision: &Decision,
        confidence: Option<&Confidence>,
        metric: impl Into<Metric>,
    ) -> Result<Self, Error> {
        let distinct = scores.distinct.hypotheses().iter();
        let texts: Vec<&str> =
            distinct.map(|hypothesis| nbest.hypotheses()[hypothesis.position].text.as_str()).collect();
        Self::of_texts(&texts, scores, fusion, decision, confidence, metric.into())
    }

    /// The answer for a list whose distinct hypotheses have these texts.
    fn of_texts(
        texts: &[impl AsRef<str>],
        scores: &ListScores,
        fusion: &Fusion,
        decision: &Decision,
        confidence: Option<&Confidence>,
        metric: Metric,
    ) -> Result<Self, Error> {
        scores.require_scores(fusion)?;
        let candidates = candidates(scores);
        let text = |index: usize| texts[index].as_ref();
        let spelled: Vec<Cow<'_, str>> =
            (0..candidates.len()).map(|index| metric.spelled(text(index))).collect();
        // What counts as the same word may be written in several ways; each place keeps its own.
        let written: Vec<Vec<&str>> = spelled.iter().map(|text| metric.unit.split(text)).collect();
        let keys: Vec<Vec<Cow<'_, str>>> = written
            .iter()
            .map(|words| words.iter().map(|word| metric.normalize.apply(word)).collect())
            .collect();
        let keys: Vec<Vec<&str>> =
            keys.iter().map(|words| words.iter().map(|word| word.as_ref()).collect()).collect();
        let Answer { hypothesis, words, posterior, same } = decision.answer(fusion, &candidates, &keys);
        let answered: Vec<&str> = words.iter().map(|word| keys[word.hypothesis][word.index]).collect();
        let merged = (decision.rule == DecisionRule::Merge && answered != keys[hypothesis])
            .then(|| joined(metric.unit, &words, &spelled));
        let words: Vec<RescoredWord> = words
            .iter()
            .map(|word| RescoredWord {
                word: written[word.hypothesis][word.index].to_owned(),
                confidence: confidence.map_or(word.posterior, |known| known.word.apply(word.posterior)),
            })
            .collect();
        let sure = |index: usize, share: f64| {
            confidence.map_or(share, |known| known.of_answer(&Evidence::new(&candidates, index, share)))
        };
        let confidence = sure(hypothesis, same);
        let mut order = fusion.order(&candidates);
        order.retain(|&index| index != hypothesis);
        order.insert(0, hypothesis);
        let hypotheses = order.into_iter().map(|index| RescoredHypothesis {
            position: scores.distinct.hypotheses()[index].position,
            text: text(index).to_owned(),
            first_pass: candidates[index].first_pass,
            lm_score: scores.is_scored().then_some(candidates[index].lm_score),
            total: scores.has_totals(fusion).then(|| fusion.total(&candidates[index])),
            confidence: sure(index, posterior[index]),
        });
        let hypotheses = hypotheses.collect();
        Ok(Self { hypotheses, merged, words, confidence, distinct: scores.distinct.clone() })
    }

    /// The text of the answer: that of the winner, or the one that was voted on.
    pub fn text(&self) -> &str {
        self.merged().unwrap_or(&self.best().text)
    }

    /// The text that was voted on, where it is not that of the winner.
    pub fn merged(&self) -> Option<&str> {
        self.merged.as_deref()
    }

    /// The words of the answer, or what other unit is asked for.
    pub fn words(&self) -> &[RescoredWord] {
        &self.words
    }

    /// The winner.
    pub fn best(&self) -> &RescoredHypothesis {
        &self.hypotheses[0]
    }

    /// The answer without the list.
    pub fn choice(&self) -> Choice {
        let RescoredHypothesis { position, first_pass, lm_score, total, .. } = *self.best();
        Choice { position, first_pass, lm_score, total, merged: self.merged.clone() }
    }

    /// All distinct hypotheses, best first.
    pub fn hypotheses(&self) -> &[RescoredHypothesis] {
        &self.hypotheses
    }

    /// Probability that the answer has no error, where the policy has a [`Confidence`]; else its share of the posterior.
    pub fn confidence(&self) -> f64 {
        self.confidence
    }

    /// Every listed position, repeats included, in the order of the answer, with its hypothesis.
    pub fn listed(&self) -> Vec<(usize, &RescoredHypothesis)> {
        // Distinct hypotheses stand in the order of their first occurrence.
        let mut place = vec![0; self.hypotheses.len()];
        for (at, hypothesis) in self.hypotheses.iter().enumerate() {
            place[self.distinct.listed()[hypothesis.position]] = at;
        }
        let listed = self.distinct.listed().iter().enumerate();
        let mut order: Vec<(usize, usize)> =
            listed.map(|(position, &distinct)| (place[distinct], position)).collect();
        order.sort_unstable();
        order.into_iter().map(|(at, position)| (position, &self.hypotheses[at])).collect()
    }
}

/// What fusion needs of the distinct hypotheses of a list. Where the model was not asked its scores count nothing, and are 0.
pub fn candidates(scores: &ListScores) -> Vec<Candidate> {
    let settled = scores.earlier.as_ref().filter(|known| known.is_settled).map(|known| known.fusion);
    let distinct = scores.distinct.hypotheses().iter().zip(&scores.words).enumerate();
    distinct
        .map(|(index, (hypothesis, &words))| Candidate {
            first_pass: hypothesis.first_pass,
            lm_score: scores.scores.get(index).map_or(0.0, |score| score.lm_score),
            words,
            settled,
        })
        .collect()
}

/// The second pass: a scorer, the weights that fuse its scores with the first pass, and how the answer is made of them.
#[derive(Clone)]
pub struct Rescorer {
    scorer: Scorer,
    fusion: Fusion,
    decision: Decision,
    confidence: Option<Confidence>,
    metric: Metric,
}

impl Rescorer {
    /// A rescorer with these weights that answers with the largest total.
    pub fn new(scorer: Scorer, fusion: Fusion) -> Self {
        let metric = Metric { unit: scorer.unit(), ..Metric::default() };
        Self { scorer, fusion, decision: Decision::default(), confidence: None, metric }
    }

    /// A rescorer that decides as a policy says: convention, weights, rule, confidences.
    ///
    /// # Errors
    /// A policy for another model or another adapter than the default one of `adapters`, or for two rescorers; as [`Scorer::new`].
    pub fn from_policy(
        model: Arc<LanguageModel>,
        adapters: AdapterSet,
        policy: &Policy,
    ) -> Result<Self, Error> {
        Self::from_policy_after(None, model, adapters, policy)
    }

    /// The same for a policy that asks another rescorer first.
    ///
    /// # Errors
    /// As [`Rescorer::from_policy`]; a policy that asks for an earlier rescorer where none is given.
    pub fn from_policy_after(
        earlier: Option<EarlierPass>,
        model: Arc<LanguageModel>,
        adapters: AdapterSet,
        policy: &Policy,
    ) -> Result<Self, Error> {
        if let (Some(wanted), None) = (&policy.earlier, &earlier) {
            return Err(Error::EarlierMissing { model: wanted.model.name.clone() });
        }
        let identity = |fingerprint: &str| ModelIdentity {
            name: "given".to_owned(),
            fingerprint: fingerprint.to_owned(),
        };
        policy.check_model(&identity(model.fingerprint_like(&policy.model.fingerprint)))?;
        let adapter = adapters.default_adapter().map(|adapter| identity(adapter.fingerprint().unwrap_or("")));
        policy.check_adapter(adapter.as_ref())?;
        let scorer = Scorer::new(model, policy.convention)?.with_adapters(adapters);
        let scorer = match earlier.filter(|_| policy.earlier.is_some()) {
            Some(earlier) => scorer.after(earlier),
            None => scorer,
        };
        let decision = policy.decision.unwrap_or_default();
        Ok(Self::new(scorer, policy.fusion).with_decision(decision, policy.confidence, policy.metric()))
    }

    /// Answers by another rule. `metric` says what its words are, and which are the same; the length bonus goes by it too. A
    /// normalisation alone stands for words.
    #[must_use]
    pub fn with_decision(
        self,
        decision: Decision,
        confidence: Option<Confidence>,
        metric: impl Into<Metric>,
    ) -> Self {
        let metric = metric.into();
        let scorer = self.scorer.with_unit(metric.unit);
        Self { scorer, decision, confidence, metric, ..self }
    }

    /// The scorer.
    pub fn scorer(&self) -> &Scorer {
        &self.scorer
    }

    /// The weights.
    pub fn fusion(&self) -> &Fusion {
        &self.fusion
    }

    /// The rule and its numbers.
    pub fn decision(&self) -> &Decision {
        &self.decision
    }

    /// What answers need of the model.
    pub(crate) fn need(&self) -> Need {
        Need::of(&self.fusion)
    }

    /// Prepares a list for [`Rescorer::score`] and [`Rescorer::choose`]. Where the model decides nothing, since the list has one
    /// text or the model's weight is 0, it is not asked, and texts may be of any length.
    ///
    /// # Errors
    /// As [`Scorer::prepare_in_context`].
    pub fn prepare_in_context(
        &self,
        name: &str,
        nbest: &NBest,
        context: &str,
    ) -> Result<PreparedList, Error> {
        self.scorer.prepare_as(self.need(), name, nbest, context)
    }

    /// Prepares an utterance, which may have a context and ask for one of the adapters.
    ///
    /// # Errors
    /// As [`Scorer::prepare_utterance`].
    pub fn prepare_utterance(&self, utterance: &Utterance) -> Result<PreparedList, Error> {
        self.scorer.prepare_utterance_as(self.need(), utterance)
    }

    /// Scores lists as far as the answer needs it: where the model decides nothing it is not asked, whoever prepared the list.
    ///
    /// # Errors
    /// As [`Scorer::score`]; a list that was prepared for weights that need no scores, where these do.
    pub fn score(&self, lists: Vec<PreparedList>) -> Result<Scored, Error> {
        self.scorer.score(self.needed(lists)?)
    }

    /// The lists as the weights need them.
    pub(crate) fn needed(&self, lists: Vec<PreparedList>) -> Result<Vec<PreparedList>, Error> {
        lists.into_iter().map(|list| list.needed(&self.fusion, self.scorer.earlier())).collect()
    }

    /// Scores a list and answers by the rule. Where the answer alone is wanted, [`Rescorer::choose`] is faster.
    ///
    /// # Errors
    /// A hypothesis longer than the model's context; a model that fails.
    pub fn rescore(&self, nbest: &NBest) -> Result<Rescored, Error> {
        self.rescore_one(self.prepare_in_context("(list)", nbest, "")?)
    }

    /// Answers an utterance, which may have a context and ask for one of the adapters.
    ///
    /// # Errors
    /// As [`Scorer::prepare_utterance`] and [`Scorer::score`].
    pub fn rescore_utterance(&self, utterance: &Utterance) -> Result<Rescored, Error> {
        self.rescore_one(self.prepare_utterance(utterance)?)
    }

    fn rescore_one(&self, list: PreparedList) -> Result<Rescored, Error> {
        Ok(self.rescore_prepared(vec![list])?.0.remove(0))
    }

    /// Answers prepared lists, and says how many nodes that took.
    pub(crate) fn rescore_prepared(&self, lists: Vec<PreparedList>) -> Result<(Vec<Rescored>, usize), Error> {
        let texts: Vec<Arc<[String]>> = lists.iter().map(|list| list.texts.clone()).collect();
        let scored = self.score(lists)?;
        let (fusion, confidence) = (&self.fusion, self.confidence.as_ref());
        let answers = texts.iter().zip(&scored.lists).map(|(texts, scores)| {
            Rescored::of_texts(texts, scores, fusion, &self.decision, confidence, self.metric)
        });
        Ok((answers.collect::<Result<_, _>>()?, scored.nodes))
    }

    /// Answers a list that was scored before.
    ///
    /// # Errors
    /// A list without scores that needs some.
    pub fn decide(&self, nbest: &NBest, scores: &ListScores) -> Result<Rescored, Error> {
        let confidence = self.confidence.as_ref();
        Rescored::decided(nbest, scores, &self.fusion, &self.decision, confidence, self.metric)
    }
}
