//! Language-model scores of N-best lists: what is scored, by which model, at what cost.

pub(crate) mod adapters;
pub(crate) mod cascade;
pub(crate) mod config;
pub(crate) mod decoder;
pub(crate) mod encoder;
pub(crate) mod need;
pub(crate) mod prepare;
pub(crate) mod scorer;
pub(crate) mod stream;
pub(crate) mod text_casing;

pub use crate::answer::choice::{Choice, Chosen};
pub use crate::answer::ranking::Ranking;
pub use crate::second_pass::SecondPass;
pub use adapters::AdapterSet;
pub use cascade::{Cascade, FirstStageScores};
pub use config::ScoringConfig;
pub use decoder::deadline::{Anytime, Deadline};
pub use decoder::trie::TokenTrie;
pub use encoder::EncoderScore;
pub use need::Need;
pub use prepare::PreparedList;
pub use scorer::{ListScores, Scored, Scorer, TextScore};
pub use stream::{ScoringStats, Stream};
pub use text_casing::TextCasing;
