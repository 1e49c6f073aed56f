use std::fmt;

/// A property of a hypothesis that [`FeatureFusion`](crate::fusion::FeatureFusion) weighs.
///
/// Each is the value of the hypothesis less that of the first-pass best (subscript 0), so the first-pass best has 0 everywhere. `s` is
/// the first-pass score in nats of the whole text, `lm` the language-model score, `n` the number of the model's tokens. Texts that
/// differ in case and punctuation alone have the same words; `E` counts word edits between words, `N` the unique sequences of words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Feature {
    /// First-pass score in standard deviations of the list: `(score − score₀) / sd`.
    FirstPassDeviations,
    /// First-pass score, bounded near: `tanh((s − s₀) / 5)`.
    FirstPass5,
    /// First-pass score, bounded far: `tanh((s − s₀) / 20)`.
    FirstPass20,
    /// Share of the words in the posterior of the first pass: `ln((p + 0.01) / (p₀ + 0.01))`, where p adds up `softmax(s)` over all
    /// hypotheses with these words.
    FirstPassShare,
    /// Score of an acoustic model alone, in standard deviations of the list: `(part − part₀) / sd`. This and the four that follow are for
    /// lists with several first-pass scores; such a score counts if it stands beside every text.
    Acoustic,
    /// Score of an attention decoder alone, in standard deviations of the list.
    Attention,
    /// Score of CTC alone, in standard deviations of the list.
    Ctc,
    /// Score of a transducer alone, in standard deviations of the list.
    Transducer,
    /// Score of the recogniser's own language model, in standard deviations of the list.
    FirstPassLm,
    /// Position in a list with scores: `−ln(1 + position)`.
    RankScored,
    /// Position in a list without scores: `−ln(1 + position)`.
    RankUnscored,
    /// Language-model score, bounded near: `tanh((lm − lm₀) / 5)`.
    Lm5,
    /// Language-model score, bounded far: `tanh((lm − lm₀) / 20)`.
    Lm20,
    /// Language-model score per token, bounded: `tanh(3 · (lm/n − lm₀/n₀))`.
    LmMean,
    /// Number of words on a log scale: `±ln(1 + |words − words₀|)`.
    Words,
    /// Words more than the first-pass best: `−ln(1 + max(0, words − words₀))`.
    Longer,
    /// Word edits to the first-pass best: `−ln(1 + E)`.
    Edits,
    /// Word edits for each word of the first-pass best, at most 2: `−E / words₀`.
    EditRate,
    /// Agreement with the list: `∓ln(1 + |e − e₀|)`, where e is the mean number of word edits to all listed hypotheses.
    Agreement,
    /// Share of the listed hypotheses that have the same words: `share − share₀`.
    Repeats,
    /// 1 where the words are not those of the first-pass best: what a change of words has to be worth.
    Change,
    /// 1 where the words change in a list without scores.
    ChangeUnscored,
    /// 1 where the words change in a list without scores and without repeats, where nothing but the order tells how sure the first pass is.
    ChangeUnknown,
    /// A change by the length of the first-pass best: `ln(1 + words₀) − 2.5`.
    ChangeLength,
    /// A change by the number of choices: `ln(1 + N) − 1.4`.
    ChangeChoices,
    /// A change by how far the list is from the first-pass best: `ln(1 + e₀) − 0.7`.
    ChangeDisagreement,
    /// A change by what the model makes of the first-pass best: `(lm₀/n₀ + 4) / 2`.
    ChangeSurprise,
    /// Terms of a vocabulary in the text, by their weights: `terms − terms₀`.
    Terms,
    /// How far the terms that were put in are from what was recognised: `−Σ distance`.
    TermDistance,
    /// What was learned of single words, see [`WordWeights`](crate::fusion::WordWeights). Its weight is 1.
    LearnedWords,
}

impl Feature {
    /// Number of features.
    pub const COUNT: usize = 30;

    /// All features, in the order of their numbers.
    pub const ALL: [Self; Self::COUNT] = [
        Self::FirstPassDeviations,
        Self::FirstPass5,
        Self::FirstPass20,
        Self::FirstPassShare,
        Self::Acoustic,
        Self::Attention,
        Self::Ctc,
        Self::Transducer,
        Self::FirstPassLm,
        Self::RankScored,
        Self::RankUnscored,
        Self::Lm5,
        Self::Lm20,
        Self::LmMean,
        Self::Words,
        Self::Longer,
        Self::Edits,
        Self::EditRate,
        Self::Agreement,
        Self::Repeats,
        Self::Change,
        Self::ChangeUnscored,
        Self::ChangeUnknown,
        Self::ChangeLength,
        Self::ChangeChoices,
        Self::ChangeDisagreement,
        Self::ChangeSurprise,
        Self::Terms,
        Self::TermDistance,
        Self::LearnedWords,
    ];

    /// Features that rise with the language-model score of the hypothesis. Their weights are never negative, so what is known of a
    /// hypothesis bounds its total.
    pub const OF_MODEL: [Self; 3] = [Self::Lm5, Self::Lm20, Self::LmMean];

    /// Features of scores of single models, which few recognisers give.
    pub(crate) const OF_PARTS: [Self; 5] =
        [Self::Acoustic, Self::Attention, Self::Ctc, Self::Transducer, Self::FirstPassLm];

    /// The name in policy files and in explanations.
    pub fn name(self) -> &'static str {
        match self {
            Self::FirstPassDeviations => "first_pass_deviations",
            Self::FirstPass5 => "first_pass_5",
            Self::FirstPass20 => "first_pass_20",
            Self::FirstPassShare => "first_pass_share",
            Self::Acoustic => "acoustic",
            Self::Attention => "attention",
            Self::Ctc => "ctc",
            Self::Transducer => "transducer",
            Self::FirstPassLm => "first_pass_lm",
            Self::RankScored => "rank_scored",
            Self::RankUnscored => "rank_unscored",
            Self::Lm5 => "lm_5",
            Self::Lm20 => "lm_20",
            Self::LmMean => "lm_mean",
            Self::Words => "words",
            Self::Longer => "longer",
            Self::Edits => "edits",
            Self::EditRate => "edit_rate",
            Self::Agreement => "agreement",
            Self::Repeats => "repeats",
            Self::Change => "change",
            Self::ChangeUnscored => "change_unscored",
            Self::ChangeUnknown => "change_unknown",
            Self::ChangeLength => "change_length",
            Self::ChangeChoices => "change_choices",
            Self::ChangeDisagreement => "change_disagreement",
            Self::ChangeSurprise => "change_surprise",
            Self::Terms => "terms",
            Self::TermDistance => "term_distance",
            Self::LearnedWords => "learned_words",
        }
    }

    /// The feature of a name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|feature| feature.name() == name)
    }

    /// Its number.
    pub(crate) fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Values of all features, or their weights.
pub(crate) type FeatureRow = [f64; Feature::COUNT];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_lead_back() {
        for (number, feature) in Feature::ALL.into_iter().enumerate() {
            assert_eq!((feature.index(), Feature::of(feature.name())), (number, Some(feature)));
        }
        assert_eq!(Feature::of("lm_weight"), None);
    }
}
