//! Letters as numbers, and accents taken off.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Letters that the model knows: a to z and the apostrophe.
pub const LETTERS: usize = 27;

/// The number of a letter, from 0.
pub fn letter(byte: u8) -> Option<u8> {
    match byte {
        b'a'..=b'z' => Some(byte - b'a'),
        b'\'' => Some(26),
        _ => None,
    }
}

/// The letters of a word without accents and case, parted at hyphens; `None` where a character is no letter.
pub fn parts(word: &str) -> Option<Vec<Vec<u8>>> {
    let mut parts = vec![Vec::new()];
    for c in word.nfd().flat_map(char::to_lowercase).filter(|&c| !is_combining_mark(c)) {
        let mut own = [0; 4];
        let letters = match c {
            '-' | '\u{2010}' | '\u{2011}' | '\u{2013}' => {
                parts.push(Vec::new());
                continue;
            }
            // Latin letters without a decomposition.
            'ß' => "ss",
            'æ' => "ae",
            'œ' => "oe",
            'ø' => "o",
            'ł' => "l",
            'đ' => "d",
            'ð' | 'þ' => "th",
            'ı' => "i",
            '\u{2019}' => "'",
            _ => c.encode_utf8(&mut own),
        };
        let letters = letters.bytes().map(letter).collect::<Option<Vec<u8>>>()?;
        parts.last_mut()?.extend(letters);
    }
    parts.retain(|part| part.iter().any(|&letter| letter < 26));
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(word: &str) -> Option<String> {
        let name = |&letter: &u8| if letter == 26 { '\'' } else { char::from(b'a' + letter) };
        let parts = parts(word)?;
        let texts: Vec<String> = parts.iter().map(|part| part.iter().map(name).collect()).collect();
        Some(texts.join("|"))
    }

    #[test]
    fn accents_and_case_go_and_hyphens_part() {
        assert_eq!(read("Beyoncé").unwrap(), "beyonce");
        assert_eq!(read("Jean-Łukasz").unwrap(), "jean|lukasz");
        assert_eq!(read("O\u{2019}Brien").unwrap(), "o'brien");
        assert_eq!(read("Straße").unwrap(), "strasse");
        assert_eq!(read("-'-").unwrap(), "");
        assert_eq!((read("7up"), read("Юрий"), read("a b")), (None, None, None));
    }
}
