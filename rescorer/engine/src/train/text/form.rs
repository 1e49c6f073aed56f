//! Text in the form of a recogniser's output.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

/// Share of words with a mark behind them from which texts count as punctuated, and share of capitals from which they count as cased.
const PUNCTUATED: f64 = 0.01;
const CASED: f64 = 0.005;
const CAPITALS: f64 = 0.9;

/// Share of words with a hyphen from which texts count as hyphenated.
const HYPHENATED: f64 = 0.001;

/// How a text is written before a model is trained on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TextForm {
    /// As the lists are written, found from a sample of them. Without lists as the text is.
    #[default]
    Auto,
    /// As the text is.
    Keep,
    /// In lower case, with punctuation.
    Lower,
    /// In lower case without punctuation.
    Plain,
    /// In capitals without punctuation.
    Upper,
    /// With capitals, without punctuation.
    Unpunctuated,
}

/// A form with nothing left open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// The form; never [`TextForm::Auto`].
    pub form: TextForm,
    /// Whether hyphens stay where punctuation goes.
    pub hyphens: bool,
}

impl TextForm {
    /// The form, found from a sample of texts where it is [`TextForm::Auto`].
    pub fn found<'a>(self, sample: impl IntoIterator<Item = &'a str>) -> Written {
        let mut seen = Seen::default();
        sample.into_iter().for_each(|text| seen.add(text));
        let hyphens = seen.share(seen.hyphenated) > HYPHENATED;
        let form = match self {
            Self::Auto if seen.words == 0 => Self::Keep,
            Self::Auto => seen.form(),
            given => given,
        };
        Written { form, hyphens }
    }

    /// Its name, as in a recipe.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Keep => "keep",
            Self::Lower => "lower",
            Self::Plain => "plain",
            Self::Upper => "upper",
            Self::Unpunctuated => "unpunctuated",
        }
    }
}

impl Written {
    /// The text in this form; empty where it was punctuation only.
    ///
    /// Without punctuation a word keeps its letters, digits and inner apostrophes; dashes part words, and hyphens too unless they stay.
    pub fn apply<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match self.form {
            TextForm::Auto | TextForm::Keep => Cow::Borrowed(text),
            TextForm::Lower => Cow::Owned(text.to_lowercase()),
            TextForm::Plain => Cow::Owned(self.bare(text).to_lowercase()),
            TextForm::Upper => Cow::Owned(self.bare(text).to_uppercase()),
            TextForm::Unpunctuated => Cow::Owned(self.bare(text)),
        }
    }

    fn bare(&self, text: &str) -> String {
        let letters: Vec<char> = text.chars().collect();
        let mut bare = String::with_capacity(text.len());
        for (at, &letter) in letters.iter().enumerate() {
            let near = |other: Option<&char>| other.is_some_and(|c| c.is_alphanumeric());
            let is_inner = at > 0 && near(letters.get(at - 1)) && near(letters.get(at + 1));
            match letter {
                '\'' | '’' if is_inner => bare.push('\''),
                '-' if is_inner && self.hyphens => bare.push('-'),
                // A point or comma inside a number, as in 3.5, belongs to it.
                '.' | ',' if is_inner && letters[at - 1].is_numeric() => bare.push(letter),
                '&' | '%' | '+' | '$' | '€' | '£' => bare.push(letter),
                letter if belongs_to_words(letter) => bare.push(letter),
                '\'' | '’' => {}
                _ => bare.push(' '),
            }
        }
        bare.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// Letters, digits, and the accents and vowel signs that stand by themselves.
fn belongs_to_words(letter: char) -> bool {
    use GeneralCategoryGroup::{Letter, Mark, Number};
    matches!(letter.general_category_group(), Letter | Mark | Number)
}

#[derive(Default)]
struct Seen {
    words: usize,
    punctuated: usize,
    hyphenated: usize,
    upper: usize,
    lower: usize,
}

impl Seen {
    fn add(&mut self, text: &str) {
        for word in text.split_whitespace() {
            self.words += 1;
            self.punctuated += usize::from(word.ends_with(['.', ',', '?', '!', ';', ':', '。', '，', '？']));
            self.hyphenated += usize::from(word.trim_matches('-').contains('-'));
        }
        self.upper += text.chars().filter(|c| c.is_uppercase()).count();
        self.lower += text.chars().filter(|c| c.is_lowercase()).count();
    }

    fn share(&self, count: usize) -> f64 {
        count as f64 / self.words.max(1) as f64
    }

    fn form(&self) -> TextForm {
        let capitals = self.upper as f64 / (self.upper + self.lower).max(1) as f64;
        match (self.share(self.punctuated) > PUNCTUATED, capitals) {
            (true, capitals) if capitals < CASED => TextForm::Lower,
            (true, _) => TextForm::Keep,
            (false, capitals) if capitals < CASED => TextForm::Plain,
            (false, capitals) if capitals > CAPITALS => TextForm::Upper,
            (false, _) => TextForm::Unpunctuated,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_of_lists_is_found() {
        let form = |texts: &[&str]| TextForm::Auto.found(texts.iter().copied());
        assert_eq!(form(&["so i am here", "are you"]).form, TextForm::Plain);
        assert_eq!(form(&["SO I'M HERE"]).form, TextForm::Upper);
        assert_eq!(form(&["So I'm here.", "Are you?"]).form, TextForm::Keep);
        assert_eq!(form(&["So I am in Rome", "are you"]).form, TextForm::Unpunctuated);
        assert_eq!(form(&["so, are you here?"]).form, TextForm::Lower);
        assert_eq!(form(&[]).form, TextForm::Keep);
        assert!(form(&["a well-known man"]).hyphens && !form(&["a well known man"]).hyphens);
        assert_eq!(TextForm::Upper.found(["so"]).form, TextForm::Upper);
    }

    #[test]
    fn punctuation_goes_and_words_stay() {
        let plain = |text: &str| TextForm::Plain.found([]).apply(text).into_owned();
        assert_eq!(
            plain("“Don’t,” said the well-known Mr. O'Neill—‘twice’ -- at 3.5%."),
            "don't said the well known mr o'neill twice at 3.5%"
        );
        assert_eq!(plain("the boys' dogs' tails"), "the boys dogs tails");
        assert_eq!(plain("... --- !"), "");
        assert_eq!(plain("Über São Paulo, naïve"), "über são paulo naïve");
        assert_eq!(plain("हिन्दी।"), "हिन्दी");
        let hyphens = Written { form: TextForm::Plain, hyphens: true };
        assert_eq!(hyphens.apply("Well-known - or not"), "well-known or not");
        assert_eq!(TextForm::Keep.found([]).apply("As it is."), "As it is.");
    }
}
