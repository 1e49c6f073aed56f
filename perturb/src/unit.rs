//! What an error is an error of: a word, a character, or either by script.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Error, script};

/// The unit in which errors are counted.
///
/// The names `word`, `character` and `mixed` are those of the command line and of policy files. In every unit a text is a
/// sequence of pieces, and white space separates pieces but is none.
///
/// - `word`: what white space separates. Its rate is the WER.
/// - `character`: every Unicode scalar value. Its rate is the CER. jiwer's `cer` counts the blank between two words as one
///   character more: without white space both agree, with it jiwer divides by a larger number.
/// - `mixed`: every character of a script that is written without spaces between words (Chinese, Japanese, Thai, Lao, Khmer,
///   Burmese), their punctuation too; whatever stands between those by words. Its rate is the MER, the mixed error rate.
///
/// ```
/// use rescorer_perturb::Unit;
///
/// assert_eq!(Unit::Word.split("play 七里香 now"), ["play", "七里香", "now"]);
/// assert_eq!(Unit::Character.split("a 七里香"), ["a", "七", "里", "香"]);
/// assert_eq!(Unit::Mixed.split("play七里香，now"), ["play", "七", "里", "香", "，", "now"]);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// What white space separates.
    #[default]
    Word,
    /// A Unicode scalar value other than white space.
    Character,
    /// A character of a script without spaces, a word elsewhere.
    Mixed,
}

impl Unit {
    /// Every unit, in the order in which help lists them.
    pub const ALL: [Self; 3] = [Self::Word, Self::Character, Self::Mixed];

    /// The name by which the command line knows it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Word => "word",
            Self::Character => "character",
            Self::Mixed => "mixed",
        }
    }

    /// What several of them are called.
    #[must_use]
    pub fn plural(self) -> &'static str {
        match self {
            Self::Word => "words",
            Self::Character => "characters",
            Self::Mixed => "units",
        }
    }

    /// What the field calls the error rate: `WER`, `CER` or `MER`.
    #[must_use]
    pub fn rate(self) -> &'static str {
        match self {
            Self::Word => "WER",
            Self::Character => "CER",
            Self::Mixed => "MER",
        }
    }

    /// Whether it is the default. Files leave it out then.
    #[must_use]
    pub fn is_word(&self) -> bool {
        *self == Self::Word
    }

    /// The units of a text, in order.
    #[must_use]
    pub fn split(self, text: &str) -> Vec<&str> {
        let mut units = Vec::new();
        for word in text.split_whitespace() {
            match self {
                Self::Word => units.push(word),
                Self::Character => {
                    units.extend(word.char_indices().map(|(at, c)| &word[at..at + c.len_utf8()]));
                }
                Self::Mixed => split_by_script(word, &mut units),
            }
        }
        units
    }

    /// The number of units of a text.
    #[must_use]
    pub fn count(self, text: &str) -> usize {
        match self {
            Self::Word => text.split_whitespace().count(),
            Self::Character => text.chars().filter(|c| !c.is_whitespace()).count(),
            Self::Mixed => self.split(text).len(),
        }
    }

    /// For each unit of a text whether white space stands before it; never before the first.
    #[must_use]
    pub fn spaces(self, text: &str) -> Vec<bool> {
        let mut end = None;
        let after_space = |unit: &&str| {
            let start = unit.as_ptr() as usize;
            let is_apart = end.is_some_and(|end| start > end);
            end = Some(start + unit.len());
            is_apart
        };
        self.split(text).iter().map(after_space).collect()
    }
}

/// Splits a word: each character of a script without spaces by itself, the stretches between as they are.
fn split_by_script<'a>(word: &'a str, units: &mut Vec<&'a str>) {
    let mut start = 0;
    for (at, c) in word.char_indices().filter(|(_, c)| script::stands_alone(*c)) {
        if start < at {
            units.push(&word[start..at]);
        }
        start = at + c.len_utf8();
        units.push(&word[at..start]);
    }
    if start < word.len() {
        units.push(&word[start..]);
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Unit {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let found = Self::ALL.into_iter().find(|unit| unit.name() == name);
        found.ok_or_else(|| Error::UnknownUnit { name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_go_both_ways() {
        for unit in Unit::ALL {
            assert_eq!(unit.to_string().parse(), Ok(unit));
            assert_eq!(serde_json::to_string(&unit).unwrap(), format!("\"{unit}\""));
        }
        let error = "letter".parse::<Unit>().unwrap_err().to_string();
        assert_eq!(error, "unknown unit \"letter\"; use word, character or mixed");
    }

    #[test]
    fn by_hand() {
        let text = " 我用 Python3 写代码。\tかばんとｶﾊﾞﾝ ";
        assert_eq!(Unit::Word.split(text), ["我用", "Python3", "写代码。", "かばんとｶﾊﾞﾝ"]);
        let mixed =
            ["我", "用", "Python3", "写", "代", "码", "。", "か", "ば", "ん", "と", "ｶ", "ﾊ", "ﾞ", "ﾝ"];
        assert_eq!(Unit::Mixed.split(text), mixed);
        assert_eq!(
            Unit::Character.split("a e\u{301}"),
            ["a", "e", "\u{301}"],
            "scalar values, not graphemes"
        );
        // Words of Korean have spaces; letters of Thai have none, and a vowel sign is a character.
        assert_eq!(Unit::Mixed.split("한국어 ok"), ["한국어", "ok"]);
        assert_eq!(Unit::Mixed.split("ที่ok"), ["ท", "\u{e35}", "\u{e48}", "ok"]);
        assert_eq!(Unit::Mixed.split("don't 3.5 naïve"), ["don't", "3.5", "naïve"]);
    }

    #[test]
    fn white_space_is_no_unit() {
        for unit in Unit::ALL {
            for text in ["", " ", "\t\u{3000}\n\u{a0}"] {
                assert_eq!((unit.split(text).len(), unit.count(text)), (0, 0), "{unit} {text:?}");
            }
        }
    }

    #[test]
    fn spaces_are_known() {
        assert_eq!(Unit::Character.spaces(" ab  c"), [false, false, true]);
        assert_eq!(Unit::Mixed.spaces("去 a北 京"), [false, true, false, true]);
        assert_eq!(Unit::Word.spaces("a b c"), [false, true, true]);
    }

    proptest! {
        #[test]
        fn nothing_but_white_space_is_lost(text in any::<String>()) {
            let bare: String = text.split_whitespace().collect();
            for unit in Unit::ALL {
                let units = unit.split(&text);
                prop_assert_eq!(units.concat(), bare.as_str());
                prop_assert_eq!(unit.count(&text), units.len());
                prop_assert_eq!(unit.spaces(&text).len(), units.len());
            }
        }
    }
}
