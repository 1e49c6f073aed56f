use thiserror::Error;

/// What this crate refuses, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Error {
    /// Two systems that were to be compared have different numbers of utterances.
    #[error(
        "the first system has {first} utterances and the second {second}; \
         compare both on the same utterances in the same order"
    )]
    UtteranceCounts {
        /// Utterances of the first system.
        first: usize,
        /// Utterances of the second system.
        second: usize,
    },

    /// The same utterance has references of different length in the two systems.
    #[error(
        "utterance {index} (from 0) has {first} reference words in the first system and {second} \
         in the second; compare both against the same references, normalised alike"
    )]
    ReferencesDiffer {
        /// Place of the utterance, from 0.
        index: usize,
        /// Reference words in the first system.
        first: usize,
        /// Reference words in the second system.
        second: usize,
    },

    /// The groups of a bootstrap do not match its rows.
    #[error("{groups} group numbers for {rows} utterances; give every utterance its group")]
    GroupCount {
        /// Rows given.
        rows: usize,
        /// Group numbers given.
        groups: usize,
    },

    /// A word error rate was asked for, but the references have no words.
    #[error(
        "no reference words in {utterances} utterances: their word error rate is undefined; \
         give at least one reference that has words"
    )]
    NoReferenceWords {
        /// Utterances given.
        utterances: usize,
    },

    /// A bootstrap of zero draws.
    #[error("0 bootstrap draws: ask for at least 1 (1000 is usual)")]
    NoDraws,

    /// No normalisation has this name.
    #[error(
        "unknown normalisation {name:?}; use none, lower, nfc, nfc-lower, whisper-basic or whisper-english"
    )]
    UnknownNormalization {
        /// The name that was given.
        name: String,
    },

    /// No unit of error has this name.
    #[error("unknown unit {name:?}; use word, character or mixed")]
    UnknownUnit {
        /// The name that was given.
        name: String,
    },

    /// A line of a pronouncing dictionary that can't be read.
    #[error("{name}:{line}: {reason}")]
    Lexicon {
        /// The file.
        name: String,
        /// Line, from 1.
        line: usize,
        /// What is wrong and what to write instead.
        reason: String,
    },

    /// A letter-to-sound model that can't be read.
    #[error(
        "no letter-to-sound model: {reason}; give a file that the example letter_to_sound of rescorer-perturb wrote"
    )]
    LetterToSound {
        /// What is wrong with it.
        reason: String,
    },

    /// A term of a vocabulary that can't be looked for.
    #[error("{name}:{line}: {reason}")]
    Vocabulary {
        /// The file.
        name: String,
        /// Line, from 1.
        line: usize,
        /// What is wrong and what to write instead.
        reason: String,
    },

    /// A vocabulary without terms.
    #[error("{name}: there are no terms; write one a line, such as a name")]
    NoTerms {
        /// The file.
        name: String,
    },

    /// A limit of distances that is none.
    #[error("max_distance {value}: the greatest distance of a match lies between 0 (the same sound) and 1")]
    MaxDistance {
        /// What was given.
        value: String,
    },

    /// A table of confusions that can't be read.
    #[error("{name}:{line}: {reason}")]
    Confusions {
        /// The file.
        name: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong, and the remedy.
        reason: String,
    },

    /// No perturbation has this name.
    #[error("unknown perturbation {name:?}; use one-best, n-best or distractors")]
    UnknownPerturbation {
        /// The name that was given.
        name: String,
    },

    /// A rate that is no probability.
    #[error("rate {value}: the probability that a word is replaced lies between 0 and 1")]
    Rate {
        /// What was given.
        value: String,
    },

    /// Distractors without copies.
    #[error("0 copies: distractors add at least 1 copy of every hypothesis (2 is usual)")]
    NoCopies,

    /// A list that could not be put together again.
    #[error("utterance {utterance:?}: {reason}")]
    List {
        /// Its id.
        utterance: String,
        /// Why.
        reason: String,
    },

    /// A relative rise was asked for, but there are no errors that could rise.
    #[error(
        "no errors in {utterances} clean utterances: a relative rise of them is undefined; \
         give lists on which the rescorer errs"
    )]
    NoErrors {
        /// Utterances given.
        utterances: usize,
    },

    /// Robustness without a single perturbed set.
    #[error("no seeds: give the errors of at least one perturbed set (3 are usual)")]
    NoSeeds,

    /// A recording that can't be used.
    #[cfg(feature = "audio")]
    #[error("{path}: {reason}")]
    Audio {
        /// The file.
        path: String,
        /// Why, and what to do.
        reason: String,
    },
}
