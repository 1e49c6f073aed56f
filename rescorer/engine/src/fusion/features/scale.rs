use rescorer_nbest::ScoreScale;

/// Means are never as low: recognisers drop what is less likely than e^-2.5 a token. The worst of a list of sums nearly always is.
const LEAST_MEAN: f64 = -2.5;

/// The first-pass scores of a list in nats of the whole text, by the number of tokens that each text has.
///
/// What the reader does not know of their scale, their size says, since `score` is a mean from Whisper and a sum from ESPnet. The
/// logarithm of a posterior is one of the whole text, as a sum is.
pub(crate) fn sums(scores: &[f64], scale: ScoreScale, tokens: impl Fn(usize) -> f64) -> Vec<f64> {
    let is_mean = is_mean(scores, scale);
    let of_text = |(at, score): (usize, &f64)| if is_mean { score * tokens(at) } else { *score };
    scores.iter().enumerate().map(of_text).collect()
}

/// Whether the first-pass scores of a list are means over tokens.
pub(crate) fn is_mean(scores: &[f64], scale: ScoreScale) -> bool {
    match scale {
        ScoreScale::MeanPerToken => true,
        ScoreScale::Sum | ScoreScale::Posterior => false,
        _ => scores.iter().all(|score| (LEAST_MEAN..=0.0).contains(score)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts_as_mean(scores: &[f64], scale: ScoreScale) -> bool {
        let found = sums(scores, scale, |at| 8.0 + at as f64);
        let of_means: Vec<f64> =
            scores.iter().zip(8..).map(|(score, tokens)| score * f64::from(tokens)).collect();
        assert!(found == scores || found == of_means, "{found:?}");
        found == of_means
    }

    #[test]
    fn the_worst_score_tells_a_sum_from_a_mean() {
        assert!(counts_as_mean(&[-0.1, -0.4, -1.2], ScoreScale::Unknown));
        assert!(!counts_as_mean(&[-0.6, -2.9], ScoreScale::Unknown));
        assert!(!counts_as_mean(&[0.4, -0.1], ScoreScale::Unknown));
    }

    #[test]
    fn what_the_reader_knew_is_not_guessed() {
        for scores in [[-0.1, -1.2], [-0.6, -7.0]] {
            assert!(!counts_as_mean(&scores, ScoreScale::Sum));
            assert!(!counts_as_mean(&scores, ScoreScale::Posterior));
            assert!(counts_as_mean(&scores, ScoreScale::MeanPerToken));
        }
    }
}
