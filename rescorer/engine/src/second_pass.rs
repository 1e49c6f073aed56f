//! A scorer and how answers are made of its scores.

use std::sync::Arc;

use rescorer_models::LanguageModel;
use rescorer_nbest::{NBest, Utterance};
use rescorer_perturb::Metric;

use crate::answer::choice::Chosen;
use crate::answer::confidence::Confidence;
use crate::answer::ranking::Ranking;
use crate::answer::rule::{Decision, DecisionRule};
use crate::error::Error;
use crate::fusion::policy::Policy;
use crate::fusion::weighting::Weighting;
use crate::scoring::adapters::AdapterSet;
use crate::scoring::best_so_far::BestSoFar;
use crate::scoring::cascade::Cascade;
use crate::scoring::deadline::{Anytime, Deadline};
use crate::scoring::list::PreparedList;
use crate::scoring::list::{ListScores, Scored};
use crate::scoring::list_scorer::{Aim, NamedList};
use crate::scoring::need::Need;
use crate::scoring::scorer::Scorer;

/// The second pass: a scorer, the weights that fuse its scores with the first pass, and how the answer is made of them.
#[derive(Clone)]
pub struct SecondPass {
    scorer: Scorer,
    weighting: Weighting,
    decision: Decision,
    confidence: Option<Confidence>,
    metric: Metric,
    /// Slack of the search in nats, see [`Self::with_slack`].
    slack: f64,
}

impl SecondPass {
    /// A rescorer with these weights that answers with the largest total.
    pub fn new(scorer: Scorer, weighting: impl Into<Weighting>) -> Self {
        let weighting = weighting.into();
        let scorer = scorer.with_features(&weighting);
        let metric = Metric { unit: scorer.unit(), ..Metric::default() };
        Self {
            scorer,
            weighting,
            decision: Decision::default(),
            confidence: None,
            metric,
            slack: f64::INFINITY,
        }
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
        Self::from_policy_with_cascade(None, model, adapters, policy)
    }

    /// A rescorer that decides as a policy says, with the first stage of its cascade where it has one.
    ///
    /// # Errors
    /// As [`SecondPass::from_policy`]; a policy that asks for an earlier rescorer where none is given.
    pub fn from_policy_with_cascade(
        cascade: Option<Cascade>,
        model: Arc<LanguageModel>,
        adapters: AdapterSet,
        policy: &Policy,
    ) -> Result<Self, Error> {
        if let (Some(wanted), None) = (&policy.cascade, &cascade) {
            return Err(Error::CascadeMissing { model: wanted.model.name.clone() });
        }
        policy.convention.check(&policy.weighting)?;
        let Policy { model: tuned, adapter, convention, .. } = policy;
        let scorer = Scorer::as_tuned(model, adapters, tuned, adapter.as_ref(), *convention)?;
        let scorer = match cascade.filter(|_| policy.cascade.is_some()) {
            Some(cascade) => scorer.behind(cascade),
            None => scorer,
        };
        let decision = policy.decision.unwrap_or_default();
        Ok(Self::new(scorer, &policy.weighting).with_decision(decision, policy.confidence, policy.metric()))
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

    /// Lets [`choose`](Self::choose) give up hypotheses that can't win if what is not scored of them is worth no more than the same ending of
    /// another hypothesis, plus `slack` nats. Infinite, the default, keeps all answers; [`SearchSlack`](crate::fusion::SearchSlack) says how
    /// many differ with less.
    #[must_use]
    pub fn with_slack(self, slack: f64) -> Self {
        Self { slack, ..self }
    }

    /// The scorer.
    pub fn scorer(&self) -> &Scorer {
        &self.scorer
    }

    /// The weights.
    pub fn weighting(&self) -> &Weighting {
        &self.weighting
    }

    /// The rule and its numbers.
    pub fn decision(&self) -> &Decision {
        &self.decision
    }

    /// How sure answers are, where that was fitted.
    pub fn confidence(&self) -> Option<&Confidence> {
        self.confidence.as_ref()
    }

    /// What answers need of the model.
    pub(crate) fn need(&self) -> Need {
        Need::of(&self.weighting)
    }

    /// Prepares a list for [`SecondPass::score`] and [`SecondPass::choose`]. Where the model decides nothing, since the list has one
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
        self.scorer.prepare_named(self.need(), NamedList { name, nbest, context })
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
        let passes = vec![self; lists.len()];
        self.scorer.score(needed(&passes, lists)?)
    }

    /// Scores a list and answers by the rule. Where the answer alone is wanted, [`SecondPass::choose`] is faster.
    ///
    /// # Errors
    /// A hypothesis longer than the model's context; a model that fails.
    pub fn rescore(&self, nbest: &NBest) -> Result<Ranking, Error> {
        self.rescore_one(self.prepare_in_context("(list)", nbest, "")?)
    }

    /// Answers an utterance, which may have a context and ask for one of the adapters.
    ///
    /// # Errors
    /// As [`Scorer::prepare_utterance`] and [`Scorer::score`].
    pub fn rescore_utterance(&self, utterance: &Utterance) -> Result<Ranking, Error> {
        self.rescore_one(self.prepare_utterance(utterance)?)
    }

    fn rescore_one(&self, list: PreparedList) -> Result<Ranking, Error> {
        Ok(self.rescore_prepared(vec![list])?.0.remove(0))
    }

    /// Answers prepared lists, and says how many nodes that took.
    pub(crate) fn rescore_prepared(&self, lists: Vec<PreparedList>) -> Result<(Vec<Ranking>, usize), Error> {
        Self::rescore_together(&vec![self; lists.len()], lists)
    }

    /// Answers lists, each by its own second pass, which [compute alike](Scorer::computes_like).
    pub(crate) fn rescore_together(
        passes: &[&Self],
        lists: Vec<PreparedList>,
    ) -> Result<(Vec<Ranking>, usize), Error> {
        let Some(first) = passes.first() else { return Ok((Vec::new(), 0)) };
        let texts: Vec<Arc<[String]>> = lists.iter().map(|list| list.texts.clone()).collect();
        let scored = first.scorer.score(needed(passes, lists)?)?;
        let rank = |((pass, texts), scores): ((&&Self, &Arc<[String]>), &ListScores)| {
            let (weighting, confidence) = (&pass.weighting, pass.confidence.as_ref());
            Ranking::of_texts(texts, scores, weighting, &pass.decision, confidence, pass.metric)
        };
        let answers = passes.iter().zip(&texts).zip(&scored.lists).map(rank);
        Ok((answers.collect::<Result<_, _>>()?, scored.nodes))
    }

    /// Answers every list by the rule of the policy, as [`SecondPass::rescore`] does. Where the rule is the maximum, what can't win is
    /// not scored, if the model can bound it. Lists that need no score get none.
    ///
    /// # Errors
    /// As [`SecondPass::score`].
    pub fn choose(&self, lists: Vec<PreparedList>) -> Result<Chosen, Error> {
        if self.decision.rule != DecisionRule::Maximum {
            let (answers, nodes) = self.rescore_prepared(lists)?;
            return Ok(Chosen { choices: answers.iter().map(Ranking::choice).collect(), nodes });
        }
        Self::choose_together(&vec![self; lists.len()], lists)
    }

    /// Answers lists by the largest total, each by its own second pass, which [compute alike](Scorer::computes_like).
    pub(crate) fn choose_together(passes: &[&Self], lists: Vec<PreparedList>) -> Result<Chosen, Error> {
        let Some(first) = passes.first() else { return Ok(Chosen { choices: Vec::new(), nodes: 0 }) };
        let aims: Vec<Aim<'_>> = passes.iter().map(|pass| pass.aim()).collect();
        first.scorer.list_scorer().choose(&aims, needed(passes, lists)?)
    }

    fn aim(&self) -> Aim<'_> {
        Aim { weighting: &self.weighting, slack: self.slack }
    }

    /// Answers a list by the most probable hypotheses that can be scored in time. Given time enough, the answer is that of
    /// [`SecondPass::choose`]. A list that needs no score is decided at once.
    ///
    /// # Errors
    /// A rule other than the maximum, which needs all scores; a cascade; as [`SecondPass::score`].
    pub fn choose_within(&self, list: &PreparedList, deadline: &mut Deadline) -> Result<Anytime, Error> {
        let (list_scorer, rule) = (self.scorer.list_scorer(), self.decision.rule);
        if rule != DecisionRule::Maximum {
            return Err(Error::DeadlineOfRule { rule });
        }
        if list_scorer.capabilities().first_stage {
            return Err(Error::DeadlineOfTwo);
        }
        let asks = self.need().asks(list.unique());
        if asks && !list.is_asked {
            return Err(Error::Unscored);
        }
        if asks {
            return list_scorer.choose_within(self.aim(), list, deadline);
        }
        let list = list.clone().needed(&self.weighting)?;
        let choice = BestSoFar::unasked(&self.weighting, &list).into_choice(&self.weighting, &list);
        let hypotheses = list.unique();
        Ok(Anytime { choice, decided: hypotheses, hypotheses, nodes: 0 })
    }

    /// Answers a list that was scored before.
    ///
    /// # Errors
    /// A list without scores that needs some.
    pub fn decide(&self, nbest: &NBest, scores: &ListScores) -> Result<Ranking, Error> {
        let confidence = self.confidence.as_ref();
        Ranking::decided(nbest, scores, &self.weighting, &self.decision, confidence, self.metric)
    }
}

/// The lists as the weights of their second passes need them.
fn needed(passes: &[&SecondPass], lists: Vec<PreparedList>) -> Result<Vec<PreparedList>, Error> {
    passes.iter().zip(lists).map(|(pass, list)| list.needed(&pass.weighting)).collect()
}
