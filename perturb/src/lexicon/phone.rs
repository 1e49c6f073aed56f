//! The phones of the CMU Pronouncing Dictionary and how much they sound alike.

use std::fmt;

/// A phone of English in ARPAbet, stress left out; or one that a lexicon brought along, see [`crate::Lexicon::phone_name`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Phone(u16);

/// How a phone is made.
enum Articulation {
    /// Place from the lips (0) to the glottis (7), manner from stop (0) to glide (5), voice.
    Consonant(f32, f32, bool),
    /// Height and backness from 0 to 1, rounded lips, and where a diphthong goes: 0 nowhere, 1 to the front, 2 to the back.
    Vowel(f32, f32, bool, u8),
}

use Articulation::{Consonant, Vowel};

/// Names and articulations, by name.
///
/// Places: bilabial 0, labiodental 1, dental 2, alveolar 3, postalveolar 4, palatal 5, velar 6, glottal 7. Manners: stop 0,
/// affricate 1, fricative 2, nasal 3, liquid 4, glide 5.
const PHONES: [(&str, Articulation); 39] = [
    ("AA", Vowel(0.0, 1.0, false, 0)),
    ("AE", Vowel(0.1, 0.0, false, 0)),
    ("AH", Vowel(0.4, 0.6, false, 0)),
    ("AO", Vowel(0.3, 1.0, true, 0)),
    ("AW", Vowel(0.1, 0.4, false, 2)),
    ("AY", Vowel(0.1, 0.4, false, 1)),
    ("B", Consonant(0.0, 0.0, true)),
    ("CH", Consonant(4.0, 1.0, false)),
    ("D", Consonant(3.0, 0.0, true)),
    ("DH", Consonant(2.0, 2.0, true)),
    ("EH", Vowel(0.4, 0.1, false, 0)),
    ("ER", Vowel(0.5, 0.5, true, 0)),
    ("EY", Vowel(0.6, 0.0, false, 1)),
    ("F", Consonant(1.0, 2.0, false)),
    ("G", Consonant(6.0, 0.0, true)),
    ("HH", Consonant(7.0, 2.0, false)),
    ("IH", Vowel(0.8, 0.2, false, 0)),
    ("IY", Vowel(1.0, 0.0, false, 0)),
    ("JH", Consonant(4.0, 1.0, true)),
    ("K", Consonant(6.0, 0.0, false)),
    ("L", Consonant(3.0, 4.0, true)),
    ("M", Consonant(0.0, 3.0, true)),
    ("N", Consonant(3.0, 3.0, true)),
    ("NG", Consonant(6.0, 3.0, true)),
    ("OW", Vowel(0.6, 1.0, true, 2)),
    ("OY", Vowel(0.4, 1.0, true, 1)),
    ("P", Consonant(0.0, 0.0, false)),
    ("R", Consonant(4.0, 4.0, true)),
    ("S", Consonant(3.0, 2.0, false)),
    ("SH", Consonant(4.0, 2.0, false)),
    ("T", Consonant(3.0, 0.0, false)),
    ("TH", Consonant(2.0, 2.0, false)),
    ("UH", Vowel(0.8, 0.8, true, 0)),
    ("UW", Vowel(1.0, 1.0, true, 0)),
    ("V", Consonant(1.0, 2.0, true)),
    ("W", Consonant(0.0, 5.0, true)),
    ("Y", Consonant(5.0, 5.0, true)),
    ("Z", Consonant(3.0, 2.0, true)),
    ("ZH", Consonant(4.0, 2.0, true)),
];

impl Phone {
    /// Some phone.
    pub(crate) const FIRST: Self = Self(0);

    /// All phones of English.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..PHONES.len() as u16).map(Self)
    }

    /// The phone of a lexicon's own that has this number, from 0; `None` where there are too many.
    pub(crate) fn own(number: usize) -> Option<Self> {
        u16::try_from(PHONES.len() + number).ok().map(Self)
    }

    /// Its number among a lexicon's own.
    pub(super) fn own_number(self) -> Option<usize> {
        usize::from(self.0).checked_sub(PHONES.len())
    }

    /// Its number, from 0; those of English come first.
    pub(crate) fn number(self) -> usize {
        usize::from(self.0)
    }

    /// Whether it is a vowel of English.
    pub(crate) fn is_vowel(self) -> bool {
        matches!(PHONES.get(self.number()), Some((_, Vowel(..))))
    }

    /// The phone of an ARPAbet name; a stress digit behind it is ignored.
    ///
    /// ```
    /// use rescorer_perturb::Phone;
    ///
    /// assert_eq!(Phone::from_name("AH0"), Phone::from_name("AH"));
    /// assert_eq!(Phone::from_name("QX"), None);
    /// ```
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let name = name.strip_suffix(['0', '1', '2']).unwrap_or(name);
        PHONES.binary_search_by(|(known, _)| (*known).cmp(name)).ok().map(|index| Self(index as u16))
    }

    /// The ARPAbet name; `None` for a phone that a lexicon brought along.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        PHONES.get(usize::from(self.0)).map(|(name, _)| *name)
    }

    /// How much two phones sound alike, from 0 to 1: 1 less the mean difference of their articulatory features.
    ///
    /// Consonants differ in place (lips to glottis), manner (stop to glide) and voice, vowels in height, backness, rounding
    /// and glide; each difference is scaled to at most 1. A consonant and a vowel have nothing in common, nor have phones that a
    /// lexicon brought along.
    ///
    /// # Reference
    /// The features are those of the International Phonetic Alphabet's chart; their spacing is ours.
    ///
    /// ```
    /// use rescorer_perturb::Phone;
    ///
    /// let similarity = |a, b| Phone::similarity(Phone::from_name(a).unwrap(), Phone::from_name(b).unwrap());
    /// assert!(similarity("S", "Z") > similarity("S", "G"));
    /// assert_eq!(similarity("S", "AA"), 0.0);
    /// ```
    #[must_use]
    pub fn similarity(self, other: Self) -> f32 {
        let step = |differs: bool| if differs { 1.0 } else { 0.0 };
        let made = |phone: Self| PHONES.get(usize::from(phone.0)).map(|(_, made)| made);
        match (made(self), made(other)) {
            (Some(Consonant(place, manner, voice)), Some(Consonant(place_b, manner_b, voice_b))) => {
                let differences =
                    (place - place_b).abs() / 7.0 + (manner - manner_b).abs() / 5.0 + step(voice != voice_b);
                1.0 - differences / 3.0
            }
            (Some(Vowel(height, back, round, glide)), Some(Vowel(height_b, back_b, round_b, glide_b))) => {
                let differences = (height - height_b).abs()
                    + (back - back_b).abs()
                    + step(round != round_b)
                    + step(glide != glide_b);
                1.0 - differences / 4.0
            }
            _ => step(self == other),
        }
    }
}

impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => f.pad(&format!("#{}", self.0)),
        }
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_both_ways() {
        for phone in Phone::all() {
            assert_eq!(phone.name().and_then(Phone::from_name), Some(phone));
        }
        assert_eq!(Phone::all().count(), 39);
        assert_eq!(Phone::from_name("ah"), None);
    }

    #[test]
    fn similarity_is_symmetric_and_one_only_for_the_same() {
        for a in Phone::all() {
            for b in Phone::all() {
                let similarity = a.similarity(b);
                assert!((0.0..=1.0).contains(&similarity), "{a} {b}: {similarity}");
                assert_eq!(similarity, b.similarity(a));
                assert_eq!(similarity == 1.0, a == b, "{a} {b}");
            }
        }
    }
}
