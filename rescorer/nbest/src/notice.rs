//! What a reader says of an input that is no error.

use std::fmt;
use std::mem::{Discriminant, discriminant};
use std::sync::{Arc, Mutex, PoisonError};

use crate::score_kind::LEAST_PROBABILITY;
use crate::{Format, Place};

/// Something that whoever gave the input should know. Each kind is said once for an input, of the first utterance
/// with it; its text says what was seen and how it was read.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Notice {
    /// A list has no scores, but an unknown number stands beside every text.
    UnusedNumber {
        /// The utterance.
        place: Place,
        /// The name of the number.
        field: String,
    },
    /// A probability is below zero, and read as a logarithm.
    ProbabilityBelowZero {
        /// The utterance.
        place: Place,
        /// The field.
        field: String,
    },
    /// A probability is 0, and counts as [`LEAST_PROBABILITY`].
    ProbabilityZero {
        /// The utterance.
        place: Place,
        /// The field.
        field: String,
    },
    /// Partial results, which later ones take the place of, were left out. Said at the end of the input.
    PartialResults {
        /// The input.
        path: String,
        /// How many.
        count: u64,
    },
    /// Answers without speech, and messages about something else, were left out. Said at the end of the input.
    WithoutLists {
        /// The input.
        path: String,
        /// How many.
        count: u64,
    },
    /// A cost is below zero.
    CostBelowZero {
        /// The utterance.
        place: Place,
        /// The field.
        field: String,
    },
    /// The scores rise from the first hypothesis to the last, in list after list: they look like costs.
    RisingScores {
        /// The input, as it was named.
        path: String,
        /// The format that it is read as.
        format: Format,
        /// The lists whose scores rise.
        lists: u64,
        /// The lists read so far that have at least two different scores.
        of: u64,
        /// The id of the first list whose scores rise.
        first: String,
    },
    /// A folder holds one kind of costs alone: acoustic, or those of graph and language model.
    MissingCosts {
        /// The folder.
        path: String,
        /// How the score is made, `−(lm_cost)`.
        score: String,
        /// The name that the file of the other costs would have.
        file: &'static str,
    },
    /// A folder holds files with a number for every hypothesis that are not read.
    UnreadCosts {
        /// The folder.
        path: String,
        /// How the score is made, `−(lm_cost + 0.1 · ac_cost)`; empty where there are no scores.
        score: String,
        /// The names of the files.
        files: Vec<String>,
    },
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnusedNumber { place, field } => write!(
                f,
                "{place} has no scores, but `{field}` is a number beside every text and is not used"
            ),
            Self::ProbabilityBelowZero { place, field } => {
                write!(f, "{place}: `{field}` is below zero, so it is read as a logarithm")
            }
            Self::ProbabilityZero { place, field } => {
                write!(f, "{place}: `{field}` is 0, which counts as {LEAST_PROBABILITY:e}")
            }
            Self::PartialResults { path, count } => {
                write!(f, "{path}: partial results left out: {count}")
            }
            Self::WithoutLists { path, count } => {
                write!(f, "{path}: answers without hypotheses left out: {count}")
            }
            Self::CostBelowZero { place, field } => write!(
                f,
                "{place}: `{field}` is below zero, though costs hardly are; it is negated as every cost, so that the \
                 lowest is the best"
            ),
            Self::RisingScores { path, lists, of, first, .. } => write!(
                f,
                "{path}: in {lists} of {of} lists the scores rise from the first hypothesis to the last (first in utterance \
                 {first:?}). They look like costs: the highest score is taken for the best, so the last hypothesis of such a \
                 list wins"
            ),
            Self::MissingCosts { path, score, file } => {
                write!(f, "{path}: the score is {score}, for there is no `{file}`; put it there, not packed")
            }
            Self::UnreadCosts { path, score, files } => {
                let files = files.join(", ");
                match score.as_str() {
                    "" => write!(
                        f,
                        "{path}: no costs are read, but {files} has a number for each hypothesis; if they are costs, copy the \
                         file to `lm_cost`"
                    ),
                    score => write!(
                        f,
                        "{path}: the score is {score}. Not read: {files}; to read one of them instead, copy it to `lm_cost`"
                    ),
                }
            }
        }
    }
}

/// Who is told.
pub(crate) type Listener = Arc<dyn Fn(&Notice) + Send + Sync>;

/// Passes on what is said of one input, each kind once.
#[derive(Clone, Default)]
pub(crate) struct Notices {
    listener: Option<Listener>,
    said: Arc<Mutex<Vec<Discriminant<Notice>>>>,
}

impl Notices {
    /// Of a new input.
    pub(crate) fn to(listener: Option<Listener>) -> Self {
        Self { listener, said: Arc::default() }
    }

    /// Whether anybody listens.
    pub(crate) fn are_heard(&self) -> bool {
        self.listener.is_some()
    }

    /// Says something, unless its kind was said before.
    pub(crate) fn once(&self, notice: impl FnOnce() -> Notice) {
        let Some(listener) = &self.listener else { return };
        let notice = notice();
        let kind = discriminant(&notice);
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if !said.contains(&kind) {
            said.push(kind);
            drop(said);
            listener(&notice);
        }
    }
}

impl fmt::Debug for Notices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notices").field("are_heard", &self.are_heard()).finish_non_exhaustive()
    }
}
