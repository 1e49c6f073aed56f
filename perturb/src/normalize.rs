//! Text normalisation before words are compared.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

use crate::Error;

/// What is done to references and hypotheses alike before their words are compared.
///
/// Nothing is done unless it is asked for. The names `none`, `lower` and `whisper-basic` are those
/// of the command line and of policy files.
///
/// ```
/// use rescorer_perturb::{Normalization, words};
///
/// let normalization: Normalization = "whisper-basic".parse()?;
/// let text = normalization.apply("I don't know (laughs), Mr. Smith.");
/// assert_eq!(words(&text), ["i", "don", "t", "know", "mr", "smith"]);
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
}

impl Normalization {
    /// Every normalisation, in the order in which help lists them.
    pub const ALL: [Self; 3] = [Self::None, Self::Lower, Self::WhisperBasic];

    /// The name by which the command line knows it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Lower => "lower",
            Self::WhisperBasic => "whisper-basic",
        }
    }

    /// Normalises a text; borrows it where nothing is to be done.
    #[must_use]
    pub fn apply(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::None => Cow::Borrowed(text),
            Self::Lower => lower(text),
            Self::WhisperBasic => Cow::Owned(whisper_basic(text)),
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

fn lower(text: &str) -> Cow<'_, str> {
    let is_lower = text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
    if is_lower { Cow::Borrowed(text) } else { Cow::Owned(text.to_lowercase()) }
}

fn whisper_basic(text: &str) -> String {
    let text = lower(text);
    let text = remove_spans(&text, &['<', '['], &['>', ']'], true);
    // The original finds no span in "()": its signs become spaces.
    let text = remove_spans(&text, &['('], &[')'], false);
    let spaced: String = text
        .nfkc()
        .map(|c| match c.general_category_group() {
            GeneralCategoryGroup::Mark | GeneralCategoryGroup::Symbol | GeneralCategoryGroup::Punctuation => {
                ' '
            }
            _ => c,
        })
        .collect();
    collapse(&lower(&spaced))
}

/// Removes each stretch from one of `open` to the next of `close`, both included; those with
/// nothing between them only if `even_empty`. What is opened and never closed stays.
fn remove_spans(text: &str, open: &[char], close: &[char], even_empty: bool) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(open) {
        let inside = start + 1;
        let end = rest[inside..].find(close).filter(|&length| length > 0 || even_empty);
        kept.push_str(&rest[..start]);
        match end {
            Some(length) => rest = &rest[inside + length + 1..],
            None => {
                kept.push_str(&rest[start..inside]);
                rest = &rest[inside..];
            }
        }
    }
    kept.push_str(rest);
    kept
}

/// Makes each run of white space one space.
fn collapse(text: &str) -> String {
    let mut collapsed = String::with_capacity(text.len());
    let mut in_space = false;
    for c in text.chars() {
        // Python counts the four information separators as white space, Unicode does not.
        let space = c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c);
        if !space {
            collapsed.push(c);
        } else if !in_space {
            collapsed.push(' ');
        }
        in_space = space;
    }
    collapsed
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_go_both_ways() {
        for normalization in Normalization::ALL {
            assert_eq!(normalization.to_string().parse(), Ok(normalization));
            let quoted = format!("\"{normalization}\"");
            assert_eq!(serde_json::to_string(&normalization).unwrap(), quoted);
        }
        let error = "whisper".parse::<Normalization>().unwrap_err();
        assert!(error.to_string().contains("use none, lower or whisper-basic"));
    }

    #[test]
    fn none_and_lower_leave_the_signs() {
        assert_eq!(Normalization::None.apply("It's  [X]"), "It's  [X]");
        assert_eq!(Normalization::Lower.apply("It's  [ÉX]"), "it's  [éx]");
        let nothing_to_do = Normalization::Lower.apply("it's");
        assert!(matches!(nothing_to_do, Cow::Borrowed(_)));
    }

    #[test]
    fn whisper_basic_by_hand() {
        let apply = |text| Normalization::WhisperBasic.apply(text).into_owned();
        assert_eq!(apply("Don't!"), "don t ");
        assert_eq!(apply("a [b] <c> (d) e"), "a e");
        assert_eq!(apply("a [b> c"), "a c");
        assert_eq!(apply("() (x [y"), " x y");
        assert_eq!(apply("ＡＢＣ\u{a0}caf\u{65}\u{301}"), "abc café");
    }

    proptest! {
        #[test]
        fn whisper_basic_leaves_no_signs(text in any::<String>()) {
            let normal = Normalization::WhisperBasic.apply(&text);
            prop_assert!(!normal.contains("  "));
            prop_assert!(!normal.chars().any(|c| c.is_ascii_punctuation() || c.is_ascii_uppercase()));
        }

        #[test]
        fn no_word_is_lost(text in "[a-z ]{0,40}") {
            let normal = Normalization::WhisperBasic.apply(&text);
            prop_assert_eq!(words(&normal), words(&text));
        }
    }
}
