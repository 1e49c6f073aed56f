use rescorer_nbest::ScoreScale as Known;

/// What a first-pass score is the sum or the mean of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScoreScale {
    /// Nats of the whole text.
    Sum,
    /// Nats for each token of the recogniser, as Whisper's `avg_logprob`.
    Mean,
}

/// Means are never as low: recognisers drop what is less likely than e^-2.5 a token. The worst of a list of sums nearly always is.
const LEAST_MEAN: f64 = -2.5;

impl ScoreScale {
    /// The scale of the scores of a list: what its reader knew, else by their size, since `score` is a mean from Whisper and a sum from
    /// ESPnet. The logarithm of a posterior is one of the whole text, as a sum is.
    pub(crate) fn of(scores: &[f64], known: Known) -> Self {
        match known {
            Known::MeanPerToken => return Self::Mean,
            Known::Sum | Known::Posterior => return Self::Sum,
            _ => {}
        }
        let is_mean = scores.iter().all(|score| (LEAST_MEAN..=0.0).contains(score));
        if is_mean { Self::Mean } else { Self::Sum }
    }

    /// The score of a text with so many tokens, in nats of the whole text.
    pub(crate) fn sum(self, score: f64, tokens: f64) -> f64 {
        match self {
            Self::Sum => score,
            Self::Mean => score * tokens,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_score_tells_a_sum_from_a_mean() {
        let guessed = |scores: &[f64]| ScoreScale::of(scores, Known::Unknown);
        assert_eq!(guessed(&[-0.1, -0.4, -1.2]), ScoreScale::Mean);
        assert_eq!(guessed(&[-0.6, -2.9]), ScoreScale::Sum);
        assert_eq!(guessed(&[0.4, -0.1]), ScoreScale::Sum);
        assert_eq!([ScoreScale::Mean, ScoreScale::Sum].map(|scale| scale.sum(-0.5, 8.0)), [-4.0, -0.5]);
    }

    #[test]
    fn what_the_reader_knew_is_not_guessed() {
        for scores in [[-0.1, -1.2], [-0.6, -7.0]] {
            assert_eq!(ScoreScale::of(&scores, Known::Sum), ScoreScale::Sum);
            assert_eq!(ScoreScale::of(&scores, Known::Posterior), ScoreScale::Sum);
            assert_eq!(ScoreScale::of(&scores, Known::MeanPerToken), ScoreScale::Mean);
        }
    }
}
