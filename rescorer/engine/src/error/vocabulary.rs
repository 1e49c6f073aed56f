/// A vocabulary, or terms of a list, that can't be taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VocabularyError {
    /// A file of terms that can't be read.
    #[error("vocabulary {path}: {source}; give a file of text with a term a line")]
    File {
        /// The file.
        path: String,
        /// The reason.
        source: std::io::Error,
    },

    /// Terms that can't be taken.
    #[error(transparent)]
    Terms(rescorer_perturb::Error),

    /// A field `vocabulary` that is no array of texts.
    #[error(
        "utterance {id:?}: `vocabulary` is {value}; write an array of terms and of classes, such as [\"Haydn\", \"@contacts\"]"
    )]
    Field {
        /// The utterance.
        id: String,
        /// What is there.
        value: String,
    },

    /// Terms of a list that can't be taken.
    #[error("utterance {id:?}: {source}")]
    OfList {
        /// The utterance.
        id: String,
        /// The reason.
        source: rescorer_perturb::Error,
    },

    /// Terms for weights that can't weigh them.
    #[error(
        "utterance {id:?}: a vocabulary needs weights of features, and {policy} has classic ones; tune again with features, or leave the \
         vocabulary out"
    )]
    OfClassic {
        /// The utterance.
        id: String,
        /// What answers.
        policy: String,
    },
}
