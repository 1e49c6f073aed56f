//! Whisper's normaliser for English.

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

use super::text::{collapse, is_digit, is_sign, lower, remove_asides, replace_words};
use super::{contractions, numbers, spelling};

/// What [`super::Normalization::WhisperEnglish`] does.
pub(super) fn whisper_english(text: &str) -> String {
    let text = remove_asides(&lower(text));
    let text =
        replace_words(&text, |word| matches!(word, "hmm" | "mm" | "mhm" | "mmm" | "uh" | "um").then_some(""));
    let text = contractions::expand(&contractions::join_apostrophes(&text));
    let text = remove_commas(&text);
    let text = space_before_others(&text, &['.'], true);
    let text = remove_signs(&text);
    let text = numbers::standardize(&text);
    let text = spelling::americanize(&text);
    let text = space_before_others(&text, &['.', '$', '¢', '€', '£'], false);
    collapse(&remove_percent_signs(&text))
}

/// Removes a comma between two digits. Both are done with then, so that `1,2,3` becomes `12,3`, as in the original.
fn remove_commas(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        kept.push(c);
        let mut ahead = rest.clone();
        if is_digit(c)
            && ahead.next() == Some(',')
            && let Some(after) = ahead.next().filter(|&after| is_digit(after))
        {
            kept.push(after);
            rest = ahead;
        }
    }
    kept
}

/// Makes each of `signs` a space where something else than a digit follows, or nothing if `at_end`. What follows is done with
/// then: of `..` only the first goes.
fn space_before_others(text: &str, signs: &[char], at_end: bool) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if !signs.contains(&c) {
            kept.push(c);
            continue;
        }
        match chars.next_if(|next| !next.is_ascii_digit()) {
            Some(next) => kept.extend([' ', next]),
            None if at_end && chars.peek().is_none() => kept.push(' '),
            None => kept.push(c),
        }
    }
    kept
}

/// Makes `%` a space where something else than a digit is before it, which is done with then: of `a%%` only the first goes.
fn remove_percent_signs(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        kept.push(c);
        if !c.is_ascii_digit() && chars.next_if_eq(&'%').is_some() {
            kept.push(' ');
        }
    }
    kept
}

/// Removes diacritics, and makes a space of every sign that numbers have no use for.
fn remove_signs(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut add = |c: char| match (c, without_stroke(c)) {
        ('.' | '%' | '$' | '¢' | '€' | '£', _) => kept.push(c),
        (_, Some(letters)) => kept.push_str(letters),
        _ if !is_sign(c) => kept.push(c),
        _ if c.general_category() == GeneralCategory::NonspacingMark => {}
        _ => kept.push(' '),
    };
    if text.is_ascii() {
        text.chars().for_each(&mut add);
    } else {
        text.nfkd().for_each(&mut add);
    }
    kept
}

/// Latin letters whose stroke or ligature Unicode does not decompose. The text is in lower case, but decomposition may bring
/// capitals.
fn without_stroke(c: char) -> Option<&'static str> {
    Some(match c {
        'œ' => "oe",
        'Œ' => "OE",
        'ø' => "o",
        'Ø' => "O",
        'æ' => "ae",
        'Æ' => "AE",
        'ß' => "ss",
        'ẞ' => "SS",
        'đ' | 'ð' => "d",
        'Đ' | 'Ð' => "D",
        'þ' | 'Þ' => "th",
        'ł' => "l",
        'Ł' => "L",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn whisper_english_by_hand() {
        assert_eq!(whisper_english("Um, I won't (no!) pay $20 million"), "i will not pay $20000000");
        assert_eq!(whisper_english("Dr. Smith's colour: naïve"), "doctor smith is color naive");
        assert_eq!(whisper_english("one and twenty-one"), "one and 21");
        assert_eq!(whisper_english(""), "");
    }

    #[test]
    fn signs_by_hand() {
        assert_eq!(remove_commas("1,2,3 1,000,000 a,1"), "12,3 1000000 a,1");
        assert_eq!(space_before_others("3.5. a... .", &['.'], true), "3.5  a .   ");
        assert_eq!(space_before_others("$5 $x .", &['.', '$'], false), "$5  x .");
        assert_eq!(remove_percent_signs("5% x%% %"), "5% x %  ");
        assert_eq!(remove_signs("ærø §5.5 a\u{301}b-c ½™"), "aero  5.5 ab c 1 2TM");
    }

    proptest! {
        #[test]
        fn any_text_can_be_normalised(text in any::<String>()) {
            prop_assert!(!whisper_english(&text).contains("  "));
        }

        #[test]
        fn numbers_of_any_shape_can_be_normalised(
            text in "((one|oh|ten|forty|million|point|and|double|cents|minus|per|sixth|thousandths|[$¢]?[0-9]{1,40}|3\\.5) ){0,12}"
        ) {
            prop_assert!(!whisper_english(&text).contains("  "));
        }
    }
}
