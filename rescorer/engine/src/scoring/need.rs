use crate::fusion::weighting::Weighting;

/// Which lists a language model is asked about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Need {
    /// All: their scores are wanted.
    #[default]
    Scores,
    /// Those with more than one text: answers are wanted, and one text is its own answer.
    Answers,
    /// None: its scores count nothing.
    Nothing,
}

impl Need {
    /// What answers under these weights need: nothing where the language model's weight is 0.
    pub fn of(weighting: &Weighting) -> Self {
        if weighting.asks_model() { Self::Answers } else { Self::Nothing }
    }

    /// Whether the model is asked about a list of so many distinct texts.
    pub fn asks(self, distinct: usize) -> bool {
        match self {
            Self::Scores => true,
            Self::Answers => distinct > 1,
            Self::Nothing => false,
        }
    }

    /// What the rescorer before needs, which answers under weights of its own.
    pub(crate) fn before(self, weighting: &Weighting) -> Self {
        if self == Self::Scores { self } else { Self::of(weighting) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fusion::weights::Fusion;

    #[test]
    fn one_text_and_weight_zero_need_no_model() {
        let fusion = |lm_weight| Weighting::Classic(Fusion { lm_weight, length_bonus: 2.0, margin: 0.0 });
        assert_eq!((Need::of(&fusion(0.0)), Need::of(&fusion(-0.0))), (Need::Nothing, Need::Nothing));
        assert_eq!(Need::of(&fusion(-0.1)), Need::Answers);
        let asked = |need: Need| [need.asks(1), need.asks(2)];
        assert_eq!(asked(Need::Scores), [true, true]);
        assert_eq!(asked(Need::Answers), [false, true]);
        assert_eq!(asked(Need::Nothing), [false, false]);
        assert_eq!(Need::Scores.before(&fusion(0.0)), Need::Scores);
        assert_eq!(Need::Nothing.before(&fusion(0.3)), Need::Answers);
    }
}
