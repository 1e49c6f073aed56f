//! Which characters belong to scripts that are written without spaces between words.

use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};
use unicode_script::{Script, UnicodeScript};

/// Scripts of Chinese and Japanese.
const EAST_ASIAN: [Script; 4] = [Script::Han, Script::Hiragana, Script::Katakana, Script::Bopomofo];

/// Scripts of Thai, Lao, Khmer and Burmese.
const SOUTH_EAST_ASIAN: [Script; 4] = [Script::Thai, Script::Lao, Script::Khmer, Script::Myanmar];

/// A script that is written without spaces between words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spaceless {
    EastAsian,
    SouthEastAsian,
}

impl Spaceless {
    /// The kind of script that a character belongs to; what several scripts share (`ー`, `。`) belongs to each.
    pub(crate) fn of(c: char) -> Option<Self> {
        // The first of these scripts, Thai, begins here; this decides for most texts.
        if c < '\u{e00}' {
            return None;
        }
        let is_one_of = |scripts: &[Script]| {
            let known = c.script_extension();
            // Signs that belong to every script say nothing.
            c.script() != Script::Inherited && scripts.iter().any(|&script| in_extension(known, script))
                || scripts.contains(&c.script())
        };
        if is_one_of(&EAST_ASIAN) {
            return Some(Self::EastAsian);
        }
        is_one_of(&SOUTH_EAST_ASIAN).then_some(Self::SouthEastAsian)
    }
}

fn in_extension(known: unicode_script::ScriptExtension, script: Script) -> bool {
    !known.is_common() && !known.is_inherited() && known.contains_script(script)
}

/// Whether a character is a unit by itself where units are mixed: it belongs to a script without spaces, or is punctuation as wide
/// as its letters.
pub(crate) fn stands_alone(c: char) -> bool {
    let is_wide_punctuation = || {
        let group = c.general_category_group();
        let is_sign = matches!(group, GeneralCategoryGroup::Punctuation | GeneralCategoryGroup::Symbol);
        is_sign && matches!(c, '\u{3000}'..='\u{303f}' | '\u{fe30}'..='\u{fe4f}' | '\u{ff00}'..='\u{ffef}')
    };
    Spaceless::of(c).is_some() || is_wide_punctuation()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        assert!("漢字かなカナーｶﾅ〆々ㄅ𠮷、。「」，！？～กำ໑ខ្មែរမြန်မာ".chars().all(stands_alone));
        assert!(!"aéßд한ㅎعअक्षＡ１1-'…—·“”\u{301}\u{200b}".chars().any(stands_alone));
        assert_eq!(Spaceless::of('ー'), Some(Spaceless::EastAsian));
        assert_eq!(Spaceless::of('ဿ'), Some(Spaceless::SouthEastAsian));
        assert_eq!(Spaceless::of('，'), None, "punctuation of no script");
    }
}
