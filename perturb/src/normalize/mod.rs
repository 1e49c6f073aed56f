//! Text normalisation before words are compared.

mod basic;
mod contractions;
mod english;
mod numbers;
mod spelling;
mod spoken;
pub(crate) mod text;

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use spoken::spoken;

use crate::Error;

/// What is done to references and hypotheses alike before their words are compared.
///
/// Nothing is done unless it is asked for. The names `none`, `lower`, `nfc`, `nfc-lower`, `whisper-basic`
/// and `whisper-english` are those of the command line and of policy files.
///
/// ```
/// use rescorer_perturb::{Normalization, words};
///
/// let spoken = "I don't know (laughs), Mr. Smith.";
/// let basic: Normalization = "whisper-basic".parse()?;
/// assert_eq!(words(&basic.apply(spoken)), ["i", "don", "t", "know", "mr", "smith"]);
/// let english: Normalization = "whisper-english".parse()?;
/// assert_eq!(words(&english.apply(spoken)), ["i", "do", "not", "know", "mister", "smith"]);
/// # Ok::<(), rescorer_perturb::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Normalization {
    /// The text as it is.
    #[default]
    None,
    /// Lower case, by Unicode's full mapping.
    Lower,
    /// Canonical composition (NFC): letters that were written with combining accents become the single
    /// characters that most texts have. Nothing else changes.
    Nfc,
    /// Lower case, then canonical composition.
    NfcLower,
    /// OpenAI Whisper's normaliser for languages other than English, diacritics kept.
    ///
    /// Lower case; text between `<` or `[` and the next `>` or `]` goes, and so does text between
    /// `(` and the next `)`; compatibility composition (NFKC); every mark, symbol and punctuation
    /// (Unicode categories M, S and P) becomes a space, so that `don't` is two words, `don t`, and
    /// `3.5` is `3 5`; lower case again; runs of white space become one space. A space at either
    /// end stays, which [`words`] does not see. Combining marks without a composed form are marks:
    /// the vowel signs of Hindi break words apart, as they do in the original.
    ///
    /// # Reference
    /// Radford et al. 2022, "Robust Speech Recognition via Large-Scale Weak Supervision", appendix
    /// C; class `BasicTextNormalizer()` of openai-whisper 20250625.
    WhisperBasic,
    /// OpenAI Whisper's normaliser for English.
    ///
    /// In this order: lower case; what is in brackets or parentheses goes, as above; the fillers
    /// `hmm`, `mm`, `mhm`, `mmm`, `uh` and `um` go; contractions and titles are written out (`won't`
    /// is `will not`, `he's been` is `he has been`, `dr.` is `doctor`); signs and diacritics go, but
    /// for those of numbers; numbers are written in digits (`twenty one` is `21`, `two and a half
    /// million dollars` is `$2500000`, `double oh seven` is `007`), but `1` is `one`; 1,738 British
    /// spellings become American ones.
    ///
    /// Slips of the original are kept, because error rates are to be comparable: `1.5` becomes
    /// `one.5`, `ninth` stays a word, `archaeology` becomes `archeology</span>`, and only the straight
    /// apostrophe is one. Two things differ: characters are classed by a newer version of Unicode than
    /// that of most Pythons, and a number of more than 4300 digits is no error.
    ///
    /// # Reference
    /// The same appendix; class `EnglishTextNormalizer` of openai-whisper 20250625.
    WhisperEnglish,
}

impl Normalization {
    /// Every normalisation, in the order in which help lists them.
    pub const ALL: [Self; 6] =
        [Self::None, Self::Lower, Self::Nfc, Self::NfcLower, Self::WhisperBasic, Self::WhisperEnglish];

    /// The name by which the command line knows it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Lower => "lower",
            Self::Nfc => "nfc",
            Self::NfcLower => "nfc-lower",
            Self::WhisperBasic => "whisper-basic",
            Self::WhisperEnglish => "whisper-english",
        }
    }

    /// Whether equivalent ways to write an accent become the same.
    #[must_use]
    pub fn composes(self) -> bool {
        !matches!(self, Self::None | Self::Lower)
    }

    /// Normalises a text; borrows it where nothing is to be done.
    #[must_use]
    pub fn apply(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::None => Cow::Borrowed(text),
            Self::Lower => text::lower(text),
            Self::Nfc => text::compose(Cow::Borrowed(text)),
            Self::NfcLower => text::compose(text::lower(text)),
            Self::WhisperBasic => Cow::Owned(basic::whisper_basic(text)),
            Self::WhisperEnglish => Cow::Owned(english::whisper_english(text)),
        }
    }
}

impl fmt::Display for Normalization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Normalization {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        Self::ALL
            .into_iter()
            .find(|normalization| normalization.name() == name)
            .ok_or_else(|| Error::UnknownNormalization { name: name.to_owned() })
    }
}

/// The words of a text: what white space separates.
#[must_use]
pub fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_both_ways() {
        for normalization in Normalization::ALL {
            assert_eq!(normalization.to_string().parse(), Ok(normalization));
            let quoted = format!("\"{normalization}\"");
            assert_eq!(serde_json::to_string(&normalization).unwrap(), quoted);
        }
        let error = "whisper".parse::<Normalization>().unwrap_err();
        assert!(
            error.to_string().contains("use none, lower, nfc, nfc-lower, whisper-basic or whisper-english")
        );
    }

    #[test]
    fn composition_alone() {
        let (apart, composed) = ("Cafe\u{301} \u{1112}\u{1161}\u{11ab} ﬁ", "Café 한 ﬁ");
        assert_eq!(Normalization::Nfc.apply(apart), composed);
        assert_eq!(Normalization::NfcLower.apply(apart), "café 한 ﬁ");
        assert_eq!(Normalization::Lower.apply(apart).chars().count(), apart.chars().count());
        for composing in Normalization::ALL.into_iter().filter(|kind| kind.composes()) {
            assert_eq!(composing.apply(apart), composing.apply(composed), "{composing}");
        }
        assert!(matches!(Normalization::Nfc.apply(composed), Cow::Borrowed(_)));
    }

    #[test]
    fn none_and_lower_leave_the_signs() {
        assert_eq!(Normalization::None.apply("It's  [X]"), "It's  [X]");
        assert_eq!(Normalization::Lower.apply("It's  [ÉX]"), "it's  [éx]");
        let nothing_to_do = Normalization::Lower.apply("it's");
        assert!(matches!(nothing_to_do, Cow::Borrowed(_)));
    }
}
