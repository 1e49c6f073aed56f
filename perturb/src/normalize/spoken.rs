//! Texts without what a writer adds to the words.

use std::borrow::Cow;

use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

use super::text::{compose, lower};

/// A text without case and punctuation, composed (NFC). Apostrophes inside words stay.
///
/// Two hypotheses with equal results differ in their writing alone. Borrows a text that is so already.
///
/// ```
/// use rescorer_perturb::spoken;
///
/// assert_eq!(spoken("Well, don't 'shout'!"), spoken("well don't shout"));
/// ```
#[must_use]
pub fn spoken(text: &str) -> Cow<'_, str> {
    let lower = compose(lower(text));
    if !lower.chars().any(|c| is_writing(c) || c == '\'') {
        return lower;
    }
    let plain = |c: char| match c {
        '\u{2019}' => '\'',
        c if is_writing(c) => ' ',
        c => c,
    };
    let spaced: String = lower.chars().map(plain).collect();
    let words = spaced.split_whitespace().map(|word| word.trim_matches('\'')).filter(|word| !word.is_empty());
    Cow::Owned(words.collect::<Vec<_>>().join(" "))
}

/// Punctuation or a symbol; the marks of Hindi and of other scripts belong to their letters.
fn is_writing(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_punctuation() && c != '\'';
    }
    matches!(c.general_category_group(), GeneralCategoryGroup::Symbol | GeneralCategoryGroup::Punctuation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_punctuation_go() {
        assert_eq!(spoken("Please, write it -- DOWN."), "please write it down");
        assert_eq!(spoken("o'clock o\u{2019}clock 'tis 'yes'"), "o'clock o'clock tis yes");
        assert_eq!(spoken("打开，窗户。"), "打开 窗户");
        assert_eq!(spoken("Cafe\u{301}"), "café");
        assert_eq!(spoken("हिन्दी।"), "हिन्दी");
        assert!(matches!(spoken("as it is"), Cow::Borrowed(_)));
        assert_eq!(spoken("..."), "");
    }
}
