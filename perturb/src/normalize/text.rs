//! What both of Whisper's normalisers do, in the words of Python's regular expressions.

use std::borrow::Cow;

use unicode_normalization::{UnicodeNormalization, is_nfc};
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

/// Lower case, by Unicode's full mapping; borrows ASCII that has no capitals.
pub(super) fn lower(text: &str) -> Cow<'_, str> {
    let is_lower = text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
    if is_lower { Cow::Borrowed(text) } else { Cow::Owned(text.to_lowercase()) }
}

/// Canonical composition; borrows what is composed.
pub(crate) fn compose(text: Cow<'_, str>) -> Cow<'_, str> {
    if is_nfc(&text) { text } else { Cow::Owned(text.nfc().collect()) }
}

/// Removes what stands between brackets, `[…]` and `<…>`, then what stands between parentheses.
pub(super) fn remove_asides(text: &str) -> String {
    let text = remove_spans(text, &['<', '['], &['>', ']'], true);
    // The original finds no span in "()": its signs become spaces.
    remove_spans(&text, &['('], &[')'], false)
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
pub(super) fn collapse(text: &str) -> String {
    let mut collapsed = String::with_capacity(text.len());
    let mut in_space = false;
    for c in text.chars() {
        let space = is_space(c);
        if !space {
            collapsed.push(c);
        } else if !in_space {
            collapsed.push(' ');
        }
        in_space = space;
    }
    collapsed
}

/// White space, `\s`.
pub(super) fn is_space(c: char) -> bool {
    // Python counts the four information separators as white space, Unicode does not.
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// A mark, symbol or punctuation.
pub(super) fn is_sign(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_punctuation();
    }
    let group = c.general_category_group();
    matches!(
        group,
        GeneralCategoryGroup::Mark | GeneralCategoryGroup::Symbol | GeneralCategoryGroup::Punctuation
    )
}

/// A decimal digit of any script, `\d`.
pub(super) fn is_digit(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_digit() } else { c.general_category() == GeneralCategory::DecimalNumber }
}

/// What a word is made of, `\w`: letters, numbers and the underscore, but no marks.
pub(super) fn is_word(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || c == '_';
    }
    let group = c.general_category_group();
    matches!(group, GeneralCategoryGroup::Letter | GeneralCategoryGroup::Number)
}

/// Whether no word goes on at the beginning of `rest`: `\b` after a word.
pub(super) fn word_ends(rest: &str) -> bool {
    !rest.chars().next().is_some_and(is_word)
}

/// Replaces each longest run of word characters that `replacement` has something for.
pub(super) fn replace_words(text: &str, replacement: impl Fn(&str) -> Option<&'static str>) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_word) {
        let (before, word) = rest.split_at(start);
        let (word, after) = word.split_at(word.find(|c| !is_word(c)).unwrap_or(word.len()));
        replaced.push_str(before);
        replaced.push_str(replacement(word).unwrap_or(word));
        rest = after;
    }
    replaced.push_str(rest);
    replaced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_replaced_whole() {
        let replace = |text| replace_words(text, |word| (word == "um").then_some("*"));
        assert_eq!(replace("um, umm um-um _um é"), "*, umm *-* _um é");
        // A combining accent is no part of a word.
        assert_eq!(replace("um\u{301}"), "*\u{301}");
    }

    #[test]
    fn classes_are_those_of_python() {
        assert!("aß漢½Ⅷ_7٣".chars().all(is_word) && !"-'\u{301}€".chars().any(is_word));
        assert!("7٣".chars().all(is_digit) && !"½²a".chars().any(is_digit));
        assert!("_-€\u{301}".chars().all(is_sign) && !"a7 ½".chars().any(is_sign));
        assert!(" \u{1c}\u{a0}\u{2003}".chars().all(is_space) && !is_space('\u{200b}'));
    }

    #[test]
    fn spans() {
        assert_eq!(remove_asides("a [b> c <d] (e) () (f"), "a  c   () (f");
    }
}
