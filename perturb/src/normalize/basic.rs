//! Whisper's normaliser for languages other than English.

use unicode_normalization::UnicodeNormalization;

use super::text::{collapse, is_sign, lower, remove_asides};

/// What [`super::Normalization::WhisperBasic`] does.
pub(super) fn whisper_basic(text: &str) -> String {
    let text = remove_asides(&lower(text));
    let spaced: String = text.nfkc().map(|c| if is_sign(c) { ' ' } else { c }).collect();
    collapse(&lower(&spaced))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words;
    use proptest::prelude::*;

    #[test]
    fn whisper_basic_by_hand() {
        assert_eq!(whisper_basic("Don't!"), "don t ");
        assert_eq!(whisper_basic("a [b] <c> (d) e"), "a e");
        assert_eq!(whisper_basic("a [b> c"), "a c");
        assert_eq!(whisper_basic("() (x [y"), " x y");
        assert_eq!(whisper_basic("ＡＢＣ\u{a0}caf\u{65}\u{301}"), "abc café");
    }

    proptest! {
        #[test]
        fn whisper_basic_leaves_no_signs(text in any::<String>()) {
            let normal = whisper_basic(&text);
            prop_assert!(!normal.contains("  "));
            prop_assert!(!normal.chars().any(|c| c.is_ascii_punctuation() || c.is_ascii_uppercase()));
        }

        #[test]
        fn no_word_is_lost(text in "[a-z ]{0,40}") {
            let normal = whisper_basic(&text);
            prop_assert_eq!(words(&normal), words(&text));
        }
    }
}
