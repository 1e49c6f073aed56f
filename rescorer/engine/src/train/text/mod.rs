//! Training on plain text: read in a stream, shuffled in a window, cut into pieces, and, where that is asked for, made into lists.

mod corpus;
mod form;
mod pieces;
mod stream;

pub use corpus::TextCorpus;
pub use form::TextForm;
pub(super) use stream::TextStream;
