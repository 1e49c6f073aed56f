use thiserror::Error;

/// What keeps a recording from becoming a list, and what to do about it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// A recording that can't be read.
    #[error(transparent)]
    Audio(#[from] rescorer_perturb::Error),

    /// A recording that would take too much memory.
    #[error("{file}: it lasts {seconds:.0} s, and the limit is {max_seconds:.0} s; cut it into several")]
    TooLong {
        /// The name of the file.
        file: String,
        /// How long it is.
        seconds: f64,
        /// How long it may be.
        max_seconds: f64,
    },

    /// No recogniser has this name.
    #[error("unknown first pass {name:?}; use {known}")]
    Unknown {
        /// The name that was given.
        name: String,
        /// The names that there are.
        known: String,
    },

    /// A recogniser that this build or this machine lacks, or that was set up wrongly.
    #[error("first pass {first_pass}: {reason}")]
    Unavailable {
        /// The recogniser.
        first_pass: &'static str,
        /// What is missing and how to get it.
        reason: String,
    },

    /// A recogniser that broke down; nothing more comes from it.
    #[error("first pass {first_pass}: {reason}")]
    Broken {
        /// The recogniser.
        first_pass: &'static str,
        /// What happened, with its last words, and what to do.
        reason: String,
    },

    /// One stretch of sound that the recogniser could not do; it goes on with others.
    #[error("first pass {first_pass}: {reason}")]
    Refused {
        /// The recogniser.
        first_pass: &'static str,
        /// Its reason.
        reason: String,
    },

    /// One piece of a recording failed.
    #[error("{id} ({start:.2} to {end:.2} s): {source}; cut it out")]
    Piece {
        /// The id of the utterance.
        id: String,
        /// Its beginning in the recording, in seconds.
        start: f64,
        /// Its end.
        end: f64,
        /// What went wrong.
        source: Box<Error>,
    },

    /// What came back is no list.
    #[error(transparent)]
    List(#[from] rescorer_nbest::Error),
}

impl Error {
    /// Whether other recordings and other pieces can still be recognised.
    pub fn is_recoverable(&self) -> bool {
        match self {
            Self::Audio(_) | Self::TooLong { .. } | Self::Refused { .. } | Self::List(_) => true,
            Self::Piece { source, .. } => source.is_recoverable(),
            Self::Unknown { .. } | Self::Unavailable { .. } | Self::Broken { .. } => false,
        }
    }
}
