use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, SettingsError};

/// What the language model sees of a hypothesis. The hypothesis itself comes out as it went in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TextCasing {
    /// The text as it is.
    #[default]
    None,
    /// In lower case.
    Lower,
    /// As a written sentence: a capital at the beginning, `I` for `i`, a full stop where no mark ends it.
    /// Text wholly in capitals is lowered first.
    Sentence,
}

impl TextCasing {
    /// The text for the model.
    ///
    /// ```
    /// use rescorer::scoring::TextCasing;
    ///
    /// assert_eq!(TextCasing::Sentence.apply("SO I'M HERE"), "So I'm here.");
    /// assert_eq!(TextCasing::Sentence.apply("is Ann here?"), "Is Ann here?");
    /// assert_eq!(TextCasing::Sentence.apply(""), "");
    /// ```
    pub fn apply(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::None => Cow::Borrowed(text),
            Self::Lower => Cow::Owned(text.to_lowercase()),
            Self::Sentence => Cow::Owned(sentence(text)),
        }
    }

    /// Its name on the command line and in a policy.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Lower => "lower",
            Self::Sentence => "sentence",
        }
    }
}

fn sentence(text: &str) -> String {
    let lowered = if text.chars().any(char::is_lowercase) { text.to_string() } else { text.to_lowercase() };
    let mut sentence = String::with_capacity(lowered.len() + 1);
    for word in lowered.split_inclusive(char::is_whitespace) {
        let is_pronoun = word.trim_end() == "i" || word.starts_with("i'");
        let mut chars = word.chars();
        match chars.next().filter(|_| sentence.is_empty() || is_pronoun) {
            Some(first) => {
                sentence.extend(first.to_uppercase());
                sentence.push_str(chars.as_str());
            }
            None => sentence.push_str(word),
        }
    }
    if sentence.trim_end().ends_with(|last: char| last.is_alphanumeric()) {
        sentence.truncate(sentence.trim_end().len());
        sentence.push('.');
    }
    sentence
}

impl FromStr for TextCasing {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        [Self::None, Self::Lower, Self::Sentence].into_iter().find(|kind| kind.name() == name).ok_or_else(
            || {
                SettingsError::Option {
                    option: "text casing",
                    value: name.into(),
                    expected: "none, lower or sentence",
                }
                .into()
            },
        )
    }
}

impl fmt::Display for TextCasing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
