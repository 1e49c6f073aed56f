//! Language-model scores of N-best lists: what is scored, by which model, at what cost.

pub(crate) mod adapters;
pub(crate) mod best_so_far;
pub(crate) mod cascade;
pub(crate) mod config;
pub(crate) mod deadline;
pub(crate) mod decoder;
pub(crate) mod encoder;
pub(crate) mod encoder_score;
pub(crate) mod history;
pub(crate) mod list;
pub(crate) mod list_scorer;
pub(crate) mod need;
pub(crate) mod scorer;
pub(crate) mod sequences;
pub(crate) mod stream;
pub(crate) mod text_casing;

pub use adapters::AdapterSet;
pub use cascade::Cascade;
pub use config::ScoringConfig;
pub use deadline::{Anytime, Deadline};
pub use decoder::trie::TokenTrie;
pub use encoder_score::EncoderScore;
pub use history::History;
pub use list::{FirstStageScores, ListScores, PreparedList, Scored, TextScore};
pub use need::Need;
pub use scorer::Scorer;
pub use stream::{ScoringStats, Stream};
pub use text_casing::TextCasing;

pub use crate::answer::choice::{Choice, Chosen};
pub use crate::answer::ranking::Ranking;
pub use crate::error::{SettingsError, VocabularyError};
pub use crate::second_pass::SecondPass;
pub use rescorer_models::{Adapter, LanguageModel};
