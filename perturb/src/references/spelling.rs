use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

use crate::normalize::text::compose;
use crate::{Metric, Normalization, UtteranceErrors};

/// Two ways to write the same, which a comparison takes for different texts.
#[derive(Debug, Clone, Copy)]
pub(super) enum Spelling {
    /// With combining accents, or composed.
    Composed,
    /// `’` and its like, or `'`.
    Apostrophes,
    /// The reference in capitals or small letters alone, the hypothesis not.
    Casing,
}

impl Spelling {
    /// The errors once both texts are written alike, where they are fewer.
    pub fn mended(
        self,
        reference: &str,
        hypothesis: &str,
        now: UtteranceErrors,
        metric: Metric,
    ) -> Option<UtteranceErrors> {
        if now.errors == 0 || !self.may_differ(reference, hypothesis) {
            return None;
        }
        let mended = metric.errors(&self.written_alike(reference), &self.written_alike(hypothesis));
        (mended.errors < now.errors).then_some(mended)
    }

    fn may_differ(self, reference: &str, hypothesis: &str) -> bool {
        let either = |is: fn(&str) -> bool| is(reference) || is(hypothesis);
        let has = |text: &str, is: fn(char) -> bool| text.contains(is);
        match self {
            Self::Composed => either(|text| !unicode_normalization::is_nfc(text)),
            Self::Apostrophes => either(|text| text.contains(is_curly)),
            Self::Casing => {
                (!has(reference, char::is_lowercase) && has(hypothesis, char::is_lowercase))
                    || (!has(reference, char::is_uppercase) && has(hypothesis, char::is_uppercase))
            }
        }
    }

    fn written_alike(self, text: &str) -> String {
        match self {
            Self::Composed => compose(text.into()).into_owned(),
            Self::Apostrophes => text.replace(is_curly, "'"),
            Self::Casing => text.to_lowercase(),
        }
    }
}

fn is_curly(c: char) -> bool {
    matches!(c, '’' | '‘' | 'ʼ' | '＇')
}

/// Whether a normalisation takes marks away from the letters of a text: what Whisper's do with marks that have no composed form, such as
/// the vowel signs of the scripts of India.
pub(super) fn loses_marks(text: &str, normalize: Normalization) -> bool {
    let drops = matches!(normalize, Normalization::WhisperBasic | Normalization::WhisperEnglish);
    drops && !text.is_ascii() && text.nfkc().any(|c| c.general_category_group() == GeneralCategoryGroup::Mark)
}
