/// An adapter that can't be audited.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// An encoder has no text before a text.
    #[error("the model is an encoder; an audit searches adapters of decoders")]
    Encoder,

    /// All ranks are 0, or all matrices.
    #[error(
        "{path}: the adapter changes nothing: every layer has rank 0 or a matrix of zeros; there is nothing to audit"
    )]
    ChangesNothing {
        /// The adapter.
        path: String,
    },

    /// No token begins a word.
    #[error(
        "the vocabulary has no words in small letters; an audit searches vocabularies that mark where words begin"
    )]
    NoWords,
}
