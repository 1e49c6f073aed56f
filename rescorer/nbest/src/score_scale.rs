//! What the scores of a list are logarithms of.

/// What the scores of a list are logarithms of, as far as its format or the name of the score says it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ScoreScale {
    /// It is not said: `score` is a mean in some files and a sum in others.
    #[default]
    Unknown,
    /// Of the likelihood of the whole text: a sum over frames or tokens, as of Kaldi and ESPnet.
    Sum,
    /// Of the mean likelihood of a token, as Whisper's `avg_logprob`.
    MeanPerToken,
    /// Of the probability that the text is right, as a `confidence`.
    Posterior,
}
