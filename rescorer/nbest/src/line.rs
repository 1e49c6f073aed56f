//! Text that is to stand in one line.

use std::borrow::Cow;

/// Whether a character ends a line or a field of it, for one reader of lines or another: tab, line feed, vertical tab,
/// form feed, carriage return, NUL, the separators U+001C to U+001F (Python's `splitlines`), U+0085, U+2028, U+2029.
pub(crate) fn is_break(c: char) -> bool {
    matches!(c, '\0' | '\t'..='\r' | '\u{1C}'..='\u{1F}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Whether a text has such a character.
pub(crate) fn has_break(text: &str) -> bool {
    // Their first bytes, most often of none, are looked for first.
    let may_begin = |byte: u8| byte < b' ' || byte == 0xC2 || byte == 0xE2;
    text.bytes().fold(false, |found, byte| found | may_begin(byte)) && text.contains(is_break)
}

/// The text in one line: each run of line breaks, tabs and other characters that end a line or a field becomes one
/// blank, with the blanks around it; at the start and the end of the text it is left out. All else stays.
///
/// ```
/// use rescorer_nbest::one_line;
///
/// assert_eq!(one_line(" two\r\n lines\n"), " two lines");
/// assert_eq!(one_line(" one  line "), " one  line ");
/// ```
pub fn one_line(text: &str) -> Cow<'_, str> {
    if !has_break(text) {
        return Cow::Borrowed(text);
    }
    let mut line = String::with_capacity(text.len());
    for part in text.split(is_break) {
        let part = if line.is_empty() { part } else { part.trim_start_matches(' ') };
        if !part.is_empty() && !line.is_empty() {
            line.truncate(line.trim_end_matches(' ').len());
            line.push(' ');
        }
        line.push_str(part);
    }
    Cow::Owned(line)
}

/// The words of a text: what stands between white space and breaks.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_whitespace() || is_break(c)).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn breaks_become_blanks() {
        for c in "\0\t\n\u{B}\u{C}\r\u{1C}\u{1D}\u{1E}\u{1F}\u{85}\u{2028}\u{2029}".chars() {
            assert_eq!(one_line(&format!("{c}a{c}{c}b c{c}")), "a b c", "{c:?}");
            assert!(is_break(c) && has_break(&format!("ä{c}")), "{c:?}");
            assert_eq!(words(&format!("{c}a{c}{c}b c{c}")).collect::<Vec<_>>(), ["a", "b", "c"], "{c:?}");
        }
        assert_eq!((one_line("\n\n"), one_line("")), ("".into(), "".into()));
        assert_eq!((one_line(" a  \n  b  c \t"), one_line("\n a")), (" a b  c ".into(), " a".into()));
        assert!(matches!(one_line("a\u{A0}b\u{3000}c"), Cow::Borrowed(_)));
        assert_eq!(('\0'..=char::MAX).filter(|c| has_break(&c.to_string())).count(), 13);
    }
}
