use std::path::PathBuf;

use crate::{DecisionRule, Unit};

/// What can go wrong between a list and its answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Loading or running the model.
    #[error(transparent)]
    Model(#[from] rescorer_models::Error),

    /// Reading, attaching or training an adapter.
    #[error(transparent)]
    Adapter(#[from] rescorer_lora::Error),

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

    /// A hypothesis that does not fit the model's context.
    #[error(
        "{subject}: {tokens} tokens with BOS and EOS, the model's context is {context}; \
         shorten it, remove it or pass --skip-invalid"
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
    #[error("{subject}: the model gave {value}; the weights or the device are faulty, try --device cpu")]
    NotFinite {
        /// The utterance and position, or the sentence.
        subject: String,
        /// The value.
        value: f64,
    },

    /// The model names no beginning of a sentence and none was given.
    #[error("the model names neither BOS nor EOS; give the token id that begins a sentence with --bos ID")]
    NoBos,

    /// The model names no end of a sentence.
    #[error("the model names no EOS; pass --no-eos to leave the end of the sentence unscored")]
    NoEos,

    /// An encoder asked to leave the end of the sequence away.
    #[error("--no-eos: an encoder scores no end of the sentence, but has to see one; leave the option out")]
    EncoderWithoutEnd,

    /// A way of scoring that only encoders have.
    #[error("--encoder-score: the model is a decoder, which scores from left to right; leave the option out")]
    NotAnEncoder,

    /// Pseudo-log-likelihoods of an encoder that has no head for them.
    #[error(
        "the checkpoint has no masked-language-model head, so it gives no probabilities of tokens; train an adapter, whose score \
         head needs none, or take a checkpoint that has one (BertForMaskedLM and the like)"
    )]
    NoMaskedHead,

    /// Pseudo-log-likelihoods of a vocabulary without a mask.
    #[error("the vocabulary has neither [MASK] nor <mask>; score with --encoder-score pll-unmasked or head")]
    NoMask,

    /// A score head that is not there.
    #[error(
        "--encoder-score head: no score head was given; give an adapter that was trained on this encoder with --adapter DIR"
    )]
    NoScoreHead,

    /// A mean of one number.
    #[error(
        "--score-mean: a score head gives one number for a text, which has no mean; leave the option out"
    )]
    MeanOfHead,

    /// A policy whose earlier rescorer was not given.
    #[error(
        "the policy asks another rescorer first, with the model {model}; give that too (Rust: Rescorer::from_policy_after, C: \
         rescorer_from_policy_after)"
    )]
    EarlierMissing {
        /// Its model, as the policy names it.
        model: String,
    },

    /// A deadline for two rescorers.
    #[error(
        "a deadline is for one rescorer, and the policy asks two; rescore without a deadline, or tune a policy for one of them"
    )]
    DeadlineOfTwo,

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
        "the list was prepared for a language-model weight of 0, so it has no scores; prepare it with the rescorer that answers it"
    )]
    Unscored,

    /// A list that was answered without the model whose share is asked for.
    #[error(
        "utterance {id:?} was answered by the earlier rescorer alone; explain it with the policy of that one"
    )]
    Settled {
        /// The utterance.
        id: String,
    },

    /// A context before what is scored whole.
    #[error(
        "a context is read by decoders only; remove `context` from the lists, or rescore them with a decoder"
    )]
    ContextOfEncoder,

    /// A token id outside the vocabulary.
    #[error("--bos {id}: the vocabulary has {vocab_size} tokens; give a smaller id")]
    BosOutside {
        /// The id.
        id: u32,
        /// Size of the vocabulary.
        vocab_size: usize,
    },

    /// An option's value that is not among its choices.
    #[error("--{option} {value}: expected {expected}")]
    Option {
        /// The option, without dashes.
        option: &'static str,
        /// What was given.
        value: String,
        /// The choices.
        expected: &'static str,
    },

    /// An utterance without a reference where one is needed.
    #[error("utterance {id:?} has no reference; WER needs one: add it, or pass --skip-invalid")]
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
        "--cross-validate {folds}: {}",
        if *filled < 2 {
            "the lists have one reference in all, and equal references stay in one fold; give more lists".to_owned()
        } else {
            format!("the lists fill {filled} folds; give more lists, or a number from 2 to {filled}")
        }
    )]
    Folds {
        /// The folds asked for.
        folds: usize,
        /// The folds that got at least one list.
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
    #[error("two adapters are called {name:?}; give each a name of its own, --adapter NAME=DIR")]
    AdapterTwice {
        /// The name.
        name: String,
    },

    /// An utterance that asks for an adapter that is not there.
    #[error(
        "utterance {id:?} asks for adapter {asked}; the adapters are {names}: name it with --adapter NAME=DIR"
    )]
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
        "the policy was tuned with --unit {tuned}, and {given} was asked for: weights and confidences are per unit; \
         leave --unit out, or tune with --unit {given}"
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

impl Error {
    /// No lists, or none whose reference has a word.
    pub(crate) fn no_words(what: &'static str, lists: usize, unit: Unit) -> Self {
        match lists {
            0 => Self::NothingLeft { what, reason: "there were none".into() },
            lists => Self::NoReferenceWords { what, lists, units: unit.plural() },
        }
    }

    /// Whether only this utterance is lost and the next one can be worked on.
    pub fn is_recoverable(&self) -> bool {
        match self {
            Self::Lists(rescorer_nbest::Error::Unwritable { .. }) => true,
            Self::Lists(error) => error.is_recoverable(),
            Self::TooLong { .. }
            | Self::UnknownAdapter { .. }
            | Self::NoReference { .. }
            | Self::Text { .. } => true,
            _ => false,
        }
    }
}
