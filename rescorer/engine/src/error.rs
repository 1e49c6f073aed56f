//! What can go wrong between a list and its answer.

mod audit;
mod kind;
mod pool;
mod settings;
mod vocabulary;

use std::path::PathBuf;

pub use audit::AuditError;
pub use kind::{ErrorKind, Remedy};
pub use pool::PoolError;
pub use settings::SettingsError;
pub use vocabulary::VocabularyError;

use crate::answer::rule::DecisionRule;

/// An error of the library. Its message says what failed and what helps, in no front end's words; [`remedy`](Self::remedy) says it to programs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Settings that can't be taken.
    #[error(transparent)]
    Settings(#[from] SettingsError),

    /// Loading or running the model.
    #[error(transparent)]
    Model(#[from] rescorer_models::Error),

    /// Reading, attaching or training an adapter.
    #[error(transparent)]
    Adapter(#[from] rescorer_lora::Error),

    /// An adapter that can't be audited.
    #[error(transparent)]
    Audit(#[from] AuditError),

    /// An adapter of a pool that can't be had.
    #[error(transparent)]
    Pool(#[from] PoolError),

    /// Reading or writing lists.
    #[error(transparent)]
    Lists(#[from] rescorer_nbest::Error),

    /// A statistic that can't be computed.
    #[error(transparent)]
    Statistics(#[from] rescorer_perturb::Error),

    /// A line of a text that can't be read.
    #[error("{place}: {reason}")]
    Text {
        /// File and line.
        place: String,
        /// The reason, with the remedy.
        reason: String,
    },

    /// A vocabulary, or terms of a list, that can't be taken.
    #[error(transparent)]
    Vocabulary(#[from] VocabularyError),

    /// A hypothesis that does not fit the model's context.
    #[error(
        "{subject}: {tokens} tokens with BOS and EOS, the model's context is {context}; \
         shorten it, or remove it"
    )]
    TooLong {
        /// The utterance and position, or the sentence.
        subject: String,
        /// Length of the sequence.
        tokens: usize,
        /// Longest that the model takes.
        context: usize,
    },

    /// The model gave something that is not a log-probability.
    #[error("{subject}: the model gave {value}; the weights or the device are faulty; compute on the CPU")]
    NotFinite {
        /// The utterance and position, or the sentence.
        subject: String,
        /// The value.
        value: f64,
    },

    /// Nothing says how to decide.
    #[error(
        "nothing decides: the default policy weighs sums of log-probabilities, and the scores are means; give a policy or weights"
    )]
    NoPolicy,

    /// An adapter whose lists nothing decides, beside a policy that is for others.
    #[error(
        "adapter {name:?} has no policy: neither the given one nor a policy.toml in its folder was tuned with it; put its policy there"
    )]
    AdapterWithoutPolicy {
        /// The adapter.
        name: String,
    },

    /// A list with one text, where two are compared.
    #[error("utterance {id:?} has one hypothesis, so there is nothing to compare it with")]
    NoRival {
        /// The utterance.
        id: String,
    },

    /// A policy whose earlier rescorer was not given.
    #[error("the policy asks another rescorer first, with the model {model}; give that too")]
    CascadeMissing {
        /// Its model, as the policy names it.
        model: String,
    },

    /// A deadline for two rescorers.
    #[error(
        "a deadline is for one rescorer, and the policy asks two; rescore without a deadline, or tune a policy for one of them"
    )]
    DeadlineOfTwo,

    /// A deadline on a device that computes a list whole.
    #[error("a deadline needs the CPU, where a list can be scored piece by piece; load the model there")]
    DeadlineOnGpu,

    /// A deadline for a rule that looks at all scores.
    #[error(
        "a deadline answers with the largest total of what could be scored in time, and the policy answers by {rule}, which needs \
         all scores; rescore without a deadline, or tune a policy for maximum"
    )]
    DeadlineOfRule {
        /// The rule.
        rule: DecisionRule,
    },

    /// A list that is to be answered with scores that nobody asked the model for.
    #[error(
        "the list was prepared for other weights, so it lacks scores or features; prepare it with the rescorer that answers it"
    )]
    Unscored,

    /// A list that was answered without the model whose share is asked for.
    #[error("utterance {id:?} was answered by the earlier rescorer alone; explain it with that one's policy")]
    EarlyExit {
        /// The utterance.
        id: String,
    },

    /// A context before what is scored whole.
    #[error(
        "a context is read by decoders only; remove `context` from the lists, or rescore them with a decoder"
    )]
    ContextOfEncoder,

    /// An utterance without a reference where one is needed.
    #[error(
        "utterance {id:?} has no reference; WER needs one: add the field or column `reference`, or in a folder of Kaldi or ESPnet the \
         file ref.txt"
    )]
    NoReference {
        /// The utterance.
        id: String,
    },

    /// No list is left to work on.
    #[error("{what}: no lists are left ({reason}); give others")]
    NothingLeft {
        /// What was to be done.
        what: &'static str,
        /// Where they went.
        reason: String,
    },

    /// Lists whose references have no words.
    #[error(
        "{what}: {lists} lists with no reference {units}, so their error rate is undefined; give lists whose references have {units}"
    )]
    NoReferenceWords {
        /// What was to be done.
        what: &'static str,
        /// Number of lists.
        lists: usize,
        /// What errors are counted in.
        units: &'static str,
    },

    /// More folds than there are different references.
    #[error(
        "cross-validation with {folds} folds: {}",
        if *filled < 2 {
            "the lists have one reference in all, and equal references stay in one fold; give more lists".to_owned()
        } else {
            format!("the lists fill {filled} folds; give more lists, or a number from 2 to {filled}")
        }
    )]
    Folds {
        /// The folds asked for.
        folds: usize,
        /// The folds that these lists can fill.
        filled: usize,
    },

    /// A policy that can't be read or written.
    #[error("{path}: {reason}", path = path.display())]
    Policy {
        /// The file.
        path: PathBuf,
        /// The reason, with the line where there is one.
        reason: String,
    },

    /// Two adapters of one name.
    #[error("two adapters are called {name:?}; give each a name of its own")]
    AdapterTwice {
        /// The name.
        name: String,
    },

    /// An utterance that asks for an adapter that is not there.
    #[error("utterance {id:?} asks for adapter {asked}; the adapters are {names}: give it under that name")]
    UnknownAdapter {
        /// The utterance.
        id: String,
        /// What stands in its field.
        asked: String,
        /// The names that there are.
        names: String,
    },

    /// A position that a list does not have.
    #[error("utterance {id:?} has no position {position}; it has {count} hypotheses, counted from 0")]
    Position {
        /// The utterance.
        id: String,
        /// What was asked for.
        position: usize,
        /// Hypotheses of the list.
        count: usize,
    },

    /// Two positions of which nothing can be told apart.
    #[error(
        "utterance {id:?}: positions {position} and {against} have the same text; choose two that differ"
    )]
    SameText {
        /// The utterance.
        id: String,
        /// One position.
        position: usize,
        /// The other.
        against: usize,
    },

    /// A recipe that can't be followed.
    #[error("{place}: {reason}")]
    Recipe {
        /// The file.
        place: String,
        /// The key, the contradiction and the remedy.
        reason: String,
    },

    /// Corrections that can't be learned from.
    #[error("corrections: {reason}")]
    Corrections {
        /// What is wrong with them or with the folder, and the remedy.
        reason: String,
    },

    /// A checkpoint that can't be gone on from, or not be written.
    #[error("{path}: {reason}", path = path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// The reason, with the remedy.
        reason: String,
    },

    /// Training that has left the numbers.
    #[error(
        "stage {stage}, step {step}: {what} is {value}; the last checkpoint is kept: lessen learning_rate, or clip, and go on from it"
    )]
    Diverged {
        /// The stage, from 1.
        stage: usize,
        /// The step in it, from 1.
        step: usize,
        /// The loss or the norm.
        what: &'static str,
        /// What it is.
        value: f64,
    },

    /// A plan that can't be followed.
    #[error("{place}: {reason}")]
    Plan {
        /// The file.
        place: String,
        /// The key, and the remedy.
        reason: String,
    },

    /// Scores kept from an earlier run that can't be read or written.
    #[error("{path}: {reason}", path = path.display())]
    ScoreCache {
        /// The file.
        path: PathBuf,
        /// The reason, with the remedy.
        reason: String,
    },

    /// Lists that can't be perturbed.
    #[error(
        "no word of {lists} lists has a homophone ({known} of {words} words are in the dictionary, which is English), so nothing \
         would be perturbed; give pronunciations of your own: lexicon = [\"FILE\"] in the plan, lines as `窗<tab>chuang1`"
    )]
    NoHomophones {
        /// Lists.
        lists: usize,
        /// Their words that the lexicon has.
        known: usize,
        /// Their words, or other units.
        words: usize,
    },

    /// Another unit of error than the policy's.
    #[error(
        "the policy counts by {tuned}, and {given} was asked for: weights and confidences are per unit; \
         take the policy's unit, or tune with {given}"
    )]
    OtherUnit {
        /// The policy's.
        tuned: rescorer_perturb::Unit,
        /// What was asked for.
        given: rescorer_perturb::Unit,
    },

    /// A policy made for another adapter.
    #[error("the policy was tuned with {tuned}, this is {given}; give that adapter, or tune again")]
    OtherAdapter {
        /// Adapter of the policy.
        tuned: String,
        /// What was given.
        given: String,
    },

    /// A policy made for another model.
    #[error(
        "the policy was tuned with model {tuned} ({tuned_fingerprint:.16}), this is {given} ({given_fingerprint:.16}); \
         load that model, or tune again"
    )]
    OtherModel {
        /// Name in the policy.
        tuned: String,
        /// Fingerprint in the policy.
        tuned_fingerprint: String,
        /// Name of the loaded model.
        given: String,
        /// Its fingerprint.
        given_fingerprint: String,
    },
}
