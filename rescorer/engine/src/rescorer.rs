//! The second pass as an application holds it.

use std::borrow::Cow;
use std::sync::Arc;

use rescorer_models::LanguageModel;
use rescorer_nbest::Utterance;

use crate::answer::Answer;
use crate::answer::explain::Explanation;
use crate::answer::rule::DecisionRule;
use crate::answers::{Answering, Answers};
use crate::error::Error;
use crate::fusion::policy::Policy;
use crate::fusion::tuning::options::TuneOptions;
use crate::parts::Parts;
use crate::request::Request;
use crate::routing::router::Router;
use crate::scoring::scorer::Scorer;
use crate::scoring::stream::Work;
use crate::second_pass::SecondPass;

/// A second pass: a language model, its adapters, and how it decides.
///
/// It never changes, and a clone shares everything: give one to each thread. Only where lists are
/// [routed](crate::RescorerBuilder::route_adapters), it remembers where conversations were.
///
/// ```standalone_crate
/// # std::env::set_current_dir("../../tests/fixtures")?;
/// # let (previous, lists) = ("the cat", Vec::from_iter(rescorer_nbest::Reader::open("door/lists.jsonl", &Default::default())?));
/// # let lists: Vec<rescorer::Utterance> = lists.into_iter().collect::<Result<_, _>>()?;
/// # let requests = lists.clone();
/// use rescorer::{Request, Rescorer, TuneOptions};
///
/// let rescorer = Rescorer::builder("tiny-llama")           // named model, .gguf, or Hugging Face folder
///     .policy("door/policy.toml")
///     .adapter("medical", "door/medical")                  // its own policy beside it is used for its lists
///     .build()?;                                           // device and precision: auto
/// let request = Request::new([("please right it down", -1.2), ("please write it down", -1.4)]);
/// let answer = rescorer.rescore(request.context(previous))?;
/// println!("{} ({:.0}%)", answer.text(), 100.0 * answer.confidence());
/// for answer in rescorer.rescore_many(requests) {          // any iterator; bounded memory; in order
///     println!("{}", answer?.text());
/// }
/// let policy = rescorer.tune(&lists, TuneOptions::default())?;
/// policy.write(std::env::temp_dir().join("rescorer-door-policy.toml"))?;
/// # assert_eq!(rescorer.rescore(Request::new(["a", "b"]).adapter("medical"))?.adapter(), Some("medical"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Rescorer {
    pub(crate) parts: Arc<Parts>,
}

impl Rescorer {
    /// Answers one list.
    ///
    /// How it is computed follows from the request: all scores where confidences or the whole list are wanted, a search that skips
    /// what can't win for the text alone, the best that can be had in time where there is a deadline. The answer is that of the
    /// policy's rule in every case.
    ///
    /// # Errors
    /// A list that can't be answered ([`ErrorKind::List`](crate::ErrorKind::List)); scores that are means without a policy or weights; a deadline with a policy whose rule
    /// needs all scores, or on a GPU; a model that fails.
    pub fn rescore(&self, request: impl Into<Request>) -> Result<Answer, Error> {
        let mut answering = Answering::new(self.parts.clone());
        let (kept, list) = answering.prepare(request.into())?;
        let (mut answers, cost) = answering.compute(vec![kept], vec![list])?;
        let mut answer = answers.pop().ok_or(Error::Unscored)?;
        answer.nodes = cost.nodes;
        Ok(answer)
    }

    /// Answers lists as they come, in their order, several in a forward pass. Holds a window of lists, never all of them.
    ///
    /// Takes requests, utterances, or the items of a reader; an item that is an error comes out in its place.
    ///
    /// ```no_run
    /// # use rescorer::Rescorer;
    /// # let rescorer = Rescorer::builder("smollm2-135m").build()?;
    /// for answer in rescorer.rescore_many(rescorer_nbest::Reader::open("lists.jsonl", &Default::default())?) {
    ///     println!("{}", answer?.text());
    /// }
    /// # Ok::<(), rescorer::Error>(())
    /// ```
    pub fn rescore_many<I>(&self, requests: I) -> Answers<I::IntoIter>
    where
        I: IntoIterator,
        I::Item: TryInto<Request>,
        <I::Item as TryInto<Request>>::Error: Into<Error>,
    {
        Answers::new(self.parts.clone(), requests.into_iter())
    }

    /// Finds the policy of least word error rate on lists with references.
    ///
    /// # Errors
    /// A list without a reference; no reference words; as [`Rescorer::rescore`].
    pub fn tune<'a>(
        &self,
        lists: impl IntoIterator<Item = &'a Utterance>,
        options: TuneOptions,
    ) -> Result<Policy, Error> {
        // Without anybody who stops it there is a policy.
        self.tune_while(lists, options, &|| true)?.ok_or(Error::Unscored)
    }

    /// Finds the policy, and gives up with `None` once `goes_on` says no: it is asked before each list. What is left after the last
    /// list, fitting the weights, is not stopped.
    ///
    /// # Errors
    /// As [`Rescorer::tune`].
    pub fn tune_while<'a>(
        &self,
        lists: impl IntoIterator<Item = &'a Utterance>,
        options: TuneOptions,
        goes_on: &(dyn Fn() -> bool + Sync),
    ) -> Result<Option<Policy>, Error> {
        let lists = lists.into_iter().map(|list| match self.parts.takes_terms(list) {
            true => self.with_terms(list.clone()).map(Cow::Owned),
            false => Ok(Cow::Borrowed(list)),
        });
        let lists: Vec<Cow<'_, Utterance>> = lists.collect::<Result<_, Error>>()?;
        let lists: Vec<&Utterance> = lists.iter().map(AsRef::as_ref).collect();
        self.parts.run(|| options.tune(&self.parts.scorer, &self.parts.name, lists, goes_on))
    }

    /// Takes the lead of one hypothesis over another apart: first pass, length, and every token. Left out, they are the answer and
    /// the first-pass best, or the runner-up where these are the same.
    ///
    /// # Errors
    /// A position that the list does not have; a list with one text; as [`Rescorer::rescore`].
    pub fn explain(
        &self,
        utterance: &Utterance,
        position: Option<usize>,
        against: Option<usize>,
    ) -> Result<Explanation, Error> {
        self.parts.run(|| {
            let mut utterance = match self.parts.takes_terms(utterance) {
                true => Cow::Owned(self.with_terms(utterance.clone())?),
                false => Cow::Borrowed(utterance),
            };
            if let Some(router) = self.parts.router.as_ref().filter(|_| Router::is_open(&utterance)) {
                let (log_odds, _) = router.log_odds(&[&*utterance])?;
                let log_odds = log_odds.first().ok_or(Error::Unscored)?;
                router.look(&utterance, log_odds).label(utterance.to_mut());
            }
            let (utterance, pass) = (&*utterance, self.second_pass(&utterance)?);
            let prepared = pass.scorer().prepare_utterance(utterance)?;
            let scored = pass.scorer().score(vec![prepared])?.lists.pop().ok_or(Error::Unscored)?;
            let (position, against) = pass.pair(utterance, &scored, position, against)?;
            pass.explain(utterance, &scored, position, against)
        })
    }

    /// The list with further hypotheses, in which terms of the [vocabulary](crate::RescorerBuilder::vocabulary) and of its own stand in
    /// place of words that sound like them: as [`rescore`](Self::rescore) answers it. For whoever scores lists in another way.
    ///
    /// # Errors
    /// A field `vocabulary` that is no array of texts; terms that can't be said.
    pub fn with_terms(&self, list: Utterance) -> Result<Utterance, Error> {
        self.parts.with_terms(list)
    }

    /// What answers a list by the adapter that it names: a scorer, weights and a rule.
    ///
    /// # Errors
    /// [`Error::NoPolicy`].
    pub(crate) fn second_pass(&self, list: &Utterance) -> Result<&SecondPass, Error> {
        Ok(&self.parts.routes.of(list)?.pass)
    }

    /// Computes a context before the first list that comes with it, as while the user still speaks. The last few are kept. On a GPU
    /// there is nothing to compute.
    ///
    /// # Errors
    /// A context longer than the model's own; a model that fails.
    pub fn prepare_context(&self, context: &str) -> Result<(), Error> {
        let pass = self.parts.routes.default()?;
        self.parts.run(|| pass.pass.scorer().prepare_context(context))
    }

    /// What scores: for language-model scores without an answer.
    pub fn scorer(&self) -> &Scorer {
        &self.parts.scorer
    }

    /// The rule that answers lists which ask for no adapter; `None` where nothing decides.
    pub fn rule(&self) -> Option<DecisionRule> {
        self.parts.routes.default().ok().map(|route| route.pass.decision().rule)
    }

    /// The policy that answers lists which ask for no adapter: its file, what it was given as, or
    /// `default, version N`. `None` for weights given by hand.
    pub fn policy(&self) -> Option<&str> {
        self.parts.routes.default().ok().and_then(|route| route.origin.policy.as_deref())
    }

    /// The model.
    pub fn model(&self) -> &Arc<LanguageModel> {
        self.parts.scorer.model()
    }

    /// What has to be said of the device and the adapters, such as a GPU that was left for the CPU.
    pub fn warnings(&self) -> &[String] {
        &self.parts.warnings
    }
}
