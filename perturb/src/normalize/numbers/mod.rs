//! Spelled-out numbers, amounts and percentages in digits.

mod reader;
mod value;
mod vocabulary;

use std::borrow::Cow;

use self::vocabulary::Meaning;
use super::text::{is_space, is_word, replace_words, word_ends};

/// Writes numbers in digits, and `1` as `one`, with one space between words.
pub(super) fn standardize(text: &str) -> String {
    let text = write_halves(text);
    let text = part_digits_from_letters(&text);
    let text = reader::read(&join_endings(&text));
    let text = amounts_of_cents(&cents_of_amounts(&text));
    replace_words(&text, |word| match word {
        "1" => Some("one"),
        "1s" => Some("ones"),
        _ => None,
    })
}

/// Makes `and a half` after a number `point five`. As in the original, it goes where nothing is before it.
fn write_halves(text: &str) -> Cow<'_, str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = split_at_half(rest) {
        if let Some(word) = before.split(is_space).rfind(|word| !word.is_empty()) {
            let is_number = |meaning: Meaning| meaning.is_decimal() || meaning.is_multiplier();
            parts.push(before);
            parts.push(if Meaning::of(word).is_some_and(is_number) { "point five" } else { "and a half" });
        }
        rest = after;
    }
    if parts.is_empty() {
        return Cow::Borrowed(rest);
    }
    parts.push(rest);
    Cow::Owned(parts.join(" "))
}

/// What is before and after the first `and a half`.
fn split_at_half(text: &str) -> Option<(&str, &str)> {
    text.match_indices("and").find_map(|(start, and)| {
        let before = &text[..start];
        let article = skip_spaces(&text[start + and.len()..])?.strip_prefix('a')?;
        let after = skip_spaces(article)?.strip_prefix("half")?;
        let begins = !before.chars().next_back().is_some_and(is_word);
        (begins && word_ends(after)).then_some((before, after))
    })
}

/// What follows white space, of which there must be some.
fn skip_spaces(text: &str) -> Option<&str> {
    let rest = text.trim_start_matches(is_space);
    (rest.len() < text.len()).then_some(rest)
}

/// Puts a space between a letter and a digit of ASCII.
fn part_digits_from_letters(text: &str) -> String {
    let mut parted = String::with_capacity(text.len() + 8);
    let mut last = ' ';
    for c in text.chars() {
        let adjoin = |a: char, b: char| a.is_ascii_lowercase() && b.is_ascii_digit();
        if adjoin(last, c) || adjoin(c, last) {
            parted.push(' ');
        }
        parted.push(c);
        last = c;
    }
    parted
}

/// Takes the space away again before what may be the ending of a number: `1960 s`, `2 nd`.
fn join_endings(text: &str) -> String {
    let mut joined = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(digit) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, after) = rest.split_at(digit + 1);
        joined.push_str(before);
        rest = skip_spaces(after).filter(|after| is_ending(first_word(after))).unwrap_or(after);
    }
    joined.push_str(rest);
    joined
}

fn first_word(text: &str) -> &str {
    text.split(|c| !is_word(c)).next().unwrap_or_default()
}

fn is_ending(word: &str) -> bool {
    matches!(word, "st" | "nd" | "rd" | "th" | "s")
}

/// Makes one amount of two: `$2 and ¢7` is `$2.07`.
fn cents_of_amounts(text: &str) -> String {
    replace_amounts(text, |currency, amount| {
        let (whole, rest) = split_digits(amount, usize::MAX)?;
        let rest = rest.strip_prefix(' ')?;
        let (cents, rest) = split_digits(rest.strip_prefix("and ").unwrap_or(rest).strip_prefix('¢')?, 2)?;
        word_ends(rest).then(|| (format!("{currency}{whole}.{cents:0>2}"), rest))
    })
}

/// Makes cents of an amount that has nothing else: `$0.07` is `¢7`. Any character passes for the point, as in the original.
fn amounts_of_cents(text: &str) -> String {
    replace_amounts(text, |_, amount| {
        let mut point = amount.strip_prefix('0')?.chars();
        point.next()?;
        let (cents, rest) = split_digits(point.as_str(), 2)?;
        let cents = cents.strip_prefix('0').filter(|cents| !cents.is_empty()).unwrap_or(cents);
        word_ends(rest).then(|| (format!("¢{cents}"), rest))
    })
}

/// Replaces a currency's sign and what follows it, where `replacement` has something for it, and says where the text goes on.
fn replace_amounts<'a>(
    text: &'a str,
    replacement: impl Fn(char, &'a str) -> Option<(String, &'a str)>,
) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(['€', '£', '$']) {
        replaced.push_str(&rest[..start]);
        let mut amount = rest[start..].chars();
        let Some(currency) = amount.next() else { break };
        rest = amount.as_str();
        match replacement(currency, rest) {
            Some((amount, after)) => {
                replaced.push_str(&amount);
                rest = after;
            }
            None => replaced.push(currency),
        }
    }
    replaced.push_str(rest);
    replaced
}

/// At most `most` ASCII digits and what follows them; there must be some.
fn split_digits(text: &str, most: usize) -> Option<(&str, &str)> {
    let length = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    (length > 0).then(|| text.split_at(length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_and_endings_by_hand() {
        assert_eq!(standardize("two and a half million and a half"), "2500000.5");
        assert_eq!(standardize("and a half and a  half dog and a halfpenny"), "dog and a halfpenny");
        assert_eq!(standardize("an hour and a half"), "an hour and a half");
        assert_eq!(standardize("1960s 21 st 3 sth 2nd b2b"), "1960s 21st 3 sth 2nd b 2 b");
    }

    #[test]
    fn amounts_by_hand() {
        assert_eq!(standardize("two dollars and seven cents"), "$2.07");
        assert_eq!(standardize("$3 ¢45 $3 ¢456 0.50 euros"), "$3.45 $3 ¢456 ¢50");
        assert_eq!(standardize("$0.07 a $0.00 a zero one two dollars"), "¢7 a $0 a ¢2");
    }

    #[test]
    fn one_stays_a_word() {
        assert_eq!(standardize("one 1s 11 1.5 1st"), "one ones 11 one.5 1st");
    }
}
