use crate::answer::rule::DecisionRule;

/// Settings of a rescorer that can't be taken: what excludes what, what is missing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// The model names no beginning of a sentence and none was given.
    #[error("the model names neither BOS nor EOS; give the token id that begins a sentence")]
    NoBos,

    /// The model names no end of a sentence.
    #[error("the model names no EOS; leave the end of the sentence unscored")]
    NoEos,

    /// An encoder asked to leave the end of the sequence away.
    #[error("an encoder scores no end of the sentence, but has to see one; keep it")]
    EncoderWithoutEnd,

    /// A way of scoring that only encoders have.
    #[error("the model is a decoder, which scores from left to right; leave out the score of encoders")]
    NotAnEncoder,

    /// Pseudo-log-likelihoods of an encoder that has no head for them.
    #[error(
        "the checkpoint has no masked-language-model head, so it gives no probabilities of tokens; train an adapter, whose score \
         head needs none, or take a checkpoint that has one (BertForMaskedLM and the like)"
    )]
    NoMaskedHead,

    /// Pseudo-log-likelihoods of a vocabulary without a mask.
    #[error("the vocabulary has neither [MASK] nor <mask>; score with pll-unmasked or head")]
    NoMask,

    /// A score head that is not there.
    #[error("no score head was given; give an adapter that was trained on this encoder")]
    NoScoreHead,

    /// A mean of one number.
    #[error("a score head gives one number for a text, which has no mean; don't ask for one")]
    MeanOfHead,

    /// Parts of a rescorer that exclude each other.
    #[error("{one} and {other} exclude each other; leave one out")]
    Contradiction {
        /// One part.
        one: &'static str,
        /// The other.
        other: &'static str,
    },

    /// A weight that is not a finite number.
    #[error(
        "a weight is not a finite number: lm_weight {lm_weight}, length_bonus {length_bonus}, margin {margin}"
    )]
    Weights {
        /// Weight of the language-model score.
        lm_weight: f64,
        /// Reward of a word.
        length_bonus: f64,
        /// Lead that a change needs.
        margin: f64,
    },

    /// A search risk that the policy has no slack for.
    #[error(
        "the policy has no slack for a search risk of {risk}{}; tune again, on as many lists as you have",
        least.map_or_else(String::new, |least| format!(", the least is {least}"))
    )]
    NoSlack {
        /// The risk that was asked for.
        risk: f64,
        /// The least that was fitted.
        least: Option<f64>,
    },

    /// A rule that the policy, or its absence, has no numbers for.
    #[error("nothing has been tuned for the rule {rule}; give a policy that this version tuned")]
    RuleWithoutNumbers {
        /// The rule.
        rule: DecisionRule,
    },

    /// A first stage that no policy asks for.
    #[error("a first stage was given, and no policy asks another rescorer first; leave it out")]
    FirstStageUnused,

    /// The first stage of a cascade needs an adapter that was not given.
    #[error("the first stage of the policy needs the adapter {name}; give its folder")]
    FirstStageAdapterMissing {
        /// The adapter, as the policy names it.
        name: String,
    },

    /// Routing without adapters.
    #[error("there are no adapters to route lists to; give one or more, or leave routing out")]
    NothingToRoute,

    /// Routing with a model that gives no probabilities of texts.
    #[error(
        "routing compares how probable adapters find a text, and the scores of an encoder don't say that; name the adapter in the \
         lists, or load a decoder"
    )]
    RoutingOfEncoder,

    /// A thread pool that can't be made.
    #[error("a pool of {threads} threads can't be made: {reason}")]
    Threads {
        /// Threads asked for.
        threads: usize,
        /// Why not.
        reason: String,
    },

    /// A token id outside the vocabulary.
    #[error("BOS is {id}, and the vocabulary has {vocab_size} tokens; give a smaller id")]
    BosOutside {
        /// The id.
        id: u32,
        /// Size of the vocabulary.
        vocab_size: usize,
    },

    /// An option's value that is not among its choices.
    #[error("{option} {value}: expected {expected}")]
    Option {
        /// The option, without dashes.
        option: &'static str,
        /// What was given.
        value: String,
        /// The choices.
        expected: &'static str,
    },
}
