//! Which model of a recogniser a score comes from.

/// The model of a recogniser that one of several first-pass scores comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ScorePart {
    /// An acoustic model.
    Acoustic,
    /// An attention decoder.
    Attention,
    /// Connectionist temporal classification.
    Ctc,
    /// A transducer (RNN-T).
    Transducer,
    /// A language model: no score of a text without another part.
    Language,
}
