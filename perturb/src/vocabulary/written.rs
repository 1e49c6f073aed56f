//! What is said of a written word: words, and letters one by one.

use super::numbers;

/// A piece of a written word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// A word in the case in which it is written.
    Word(String),
    /// Letters a to z that are named one by one.
    Letters(String),
}

use Piece::{Letters, Word};

/// The pieces of what stands between two spaces; `None` where there is something that can't be said.
///
/// Punctuation around it is ignored. Digits are said as numbers, `&` as and, `+` as plus, `%` as percent; `U.S.` is said letter
/// by letter. Dots, hyphens and commas part pieces.
pub fn pieces(written: &str) -> Option<Vec<Piece>> {
    let inner = written.trim_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '&' | '+' | '%'));
    if let Some(letters) = dotted(inner) {
        return Some(vec![Letters(letters)]);
    }
    let characters: Vec<char> = inner.chars().collect();
    let mut pieces = Vec::new();
    let mut place = 0;
    while let Some(&c) = characters.get(place) {
        let run = |belongs: fn(char) -> bool| -> String {
            characters[place..].iter().copied().take_while(|&c| belongs(c)).collect()
        };
        let length = if c.is_ascii_digit() {
            let run = run(|c| c.is_ascii_digit() || c == ',');
            let (digits, length) = (run.replace(',', ""), run.len());
            let rest: String = characters[place + length..].iter().collect();
            let is_ordinal = ["st", "nd", "rd", "th"].contains(&rest.to_lowercase().as_str());
            let words = if is_ordinal { numbers::ordinal(&digits) } else { numbers::words(&digits) };
            pieces.extend(words.into_iter().map(Word));
            length + if is_ordinal { 2 } else { 0 }
        } else if is_of_word(c) {
            let run = run(is_of_word);
            let length = run.chars().count();
            let word = run.trim_matches(['\'', '\u{2019}']);
            pieces.extend((!word.is_empty()).then(|| Word(word.to_owned())));
            length
        } else {
            match c {
                '&' => pieces.push(Word("and".into())),
                '+' => pieces.push(Word("plus".into())),
                '%' => pieces.push(Word("percent".into())),
                '.' | ',' | '!' | '?' | ':' | ';' | '-' | '"' => {}
                '\u{2010}'..='\u{2015}' | '\u{2026}' | '\u{201c}' | '\u{201d}' => {}
                _ => return None,
            }
            1
        };
        place += length;
    }
    (!pieces.is_empty()).then_some(pieces)
}

/// Letters, their accents and apostrophes.
fn is_of_word(c: char) -> bool {
    c.is_alphabetic() || matches!(c, '\'' | '\u{2019}') || unicode_normalization::char::is_combining_mark(c)
}

/// The letters of `u.s.a` or `e.g`.
fn dotted(inner: &str) -> Option<String> {
    let mut letters = String::new();
    for part in inner.split('.') {
        let mut characters = part.chars();
        let letter = characters.next().filter(char::is_ascii_alphabetic)?;
        if characters.next().is_some() {
            return None;
        }
        letters.push(letter.to_ascii_lowercase());
    }
    (letters.len() > 1).then_some(letters)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(written: &str) -> Option<String> {
        let text = |piece: &Piece| match piece {
            Word(word) => word.clone(),
            Letters(letters) => letters.chars().map(|c| format!("{c}.")).collect(),
        };
        Some(pieces(written)?.iter().map(text).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn pieces_by_hand() {
        assert_eq!(said("Josefin,").unwrap(), "Josefin");
        assert_eq!(said("7up").unwrap(), "seven up");
        assert_eq!(said("(AT&T)").unwrap(), "AT and T");
        assert_eq!(said("Disney+").unwrap(), "Disney plus");
        assert_eq!(said("U.S.").unwrap(), "u.s.");
        assert_eq!(said("Amazon.com").unwrap(), "Amazon com");
        assert_eq!(said("1,500").unwrap(), "one thousand five hundred");
        assert_eq!(said("21st").unwrap(), "twenty first");
        assert_eq!(said("'O\u{2019}Brien'").unwrap(), "O\u{2019}Brien");
        assert_eq!(said("Jean-Luc").unwrap(), "Jean Luc");
        assert_eq!(
            (said("a/b"), said("me@here"), said("$5a"), said("...")),
            (None, None, Some("five a".into()), None)
        );
    }
}
