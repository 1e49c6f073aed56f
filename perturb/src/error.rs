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
    #[error("unknown normalisation {name:?}; use none, lower or whisper-basic")]
    UnknownNormalization {
        /// The name that was given.
        name: String,
    },
}
