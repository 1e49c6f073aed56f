//! The words that numbers are spelled with.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

/// From one to nineteen: the number, several of it, its ordinal. The original derives the ordinals by a rule that makes `nineth`
/// of nine, so that `ninth` is no number.
const UNITS: [[&str; 3]; 19] = [
    ["one", "ones", "first"],
    ["two", "twos", "second"],
    ["three", "threes", "third"],
    ["four", "fours", "fourth"],
    ["five", "fives", "fifth"],
    ["six", "sixes", "sixth"],
    ["seven", "sevens", "seventh"],
    ["eight", "eights", "eighth"],
    ["nine", "nines", "nineth"],
    ["ten", "tens", "tenth"],
    ["eleven", "elevens", "eleventh"],
    ["twelve", "twelves", "twelfth"],
    ["thirteen", "thirteens", "thirteenth"],
    ["fourteen", "fourteens", "fourteenth"],
    ["fifteen", "fifteens", "fifteenth"],
    ["sixteen", "sixteens", "sixteenth"],
    ["seventeen", "seventeens", "seventeenth"],
    ["eighteen", "eighteens", "eighteenth"],
    ["nineteen", "nineteens", "nineteenth"],
];

const TENS: [[&str; 3]; 8] = [
    ["twenty", "twenties", "twentieth"],
    ["thirty", "thirties", "thirtieth"],
    ["forty", "forties", "fortieth"],
    ["fifty", "fifties", "fiftieth"],
    ["sixty", "sixties", "sixtieth"],
    ["seventy", "seventies", "seventieth"],
    ["eighty", "eighties", "eightieth"],
    ["ninety", "nineties", "ninetieth"],
];

/// Powers of ten, with their zeros.
const MULTIPLIERS: [(&str, usize); 12] = [
    ("hundred", 2),
    ("thousand", 3),
    ("million", 6),
    ("billion", 9),
    ("trillion", 12),
    ("quadrillion", 15),
    ("quintillion", 18),
    ("sextillion", 21),
    ("septillion", 24),
    ("octillion", 27),
    ("nonillion", 30),
    ("decillion", 33),
];

/// What has one meaning, whatever is added to it.
const OTHERS: [(&str, Meaning); 22] = [
    ("o", Meaning::Zero),
    ("oh", Meaning::Zero),
    ("zero", Meaning::Zero),
    ("zeroth", Meaning::Unit(0, "th")),
    ("minus", Meaning::Sign('-')),
    ("negative", Meaning::Sign('-')),
    ("plus", Meaning::Sign('+')),
    ("positive", Meaning::Sign('+')),
    ("pound", Meaning::Currency('£')),
    ("pounds", Meaning::Currency('£')),
    ("euro", Meaning::Currency('€')),
    ("euros", Meaning::Currency('€')),
    ("dollar", Meaning::Currency('$')),
    ("dollars", Meaning::Currency('$')),
    ("cent", Meaning::Currency('¢')),
    ("cents", Meaning::Currency('¢')),
    ("per", Meaning::Per),
    ("percent", Meaning::Percent),
    ("and", Meaning::And),
    ("double", Meaning::Repeat(2)),
    ("triple", Meaning::Repeat(3)),
    ("point", Meaning::Point),
];

/// What a word means in a number. The ending of plurals and ordinals is empty for cardinals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// `zero` or `oh`.
    Zero,
    /// 1 to 19 with an ending: `two`, `twos`, `second`.
    Unit(u8, &'static str),
    /// 20 to 90 with an ending: `forty`, `forties`, `fortieth`.
    Tens(u8, &'static str),
    /// A power of ten, by its zeros, with an ending: `million`, `millions`, `millionth`.
    Multiplier(usize, &'static str),
    /// What stands before a number, written so.
    Sign(char),
    /// What stands after a number, and is written before it.
    Currency(char),
    /// `per`, which may be the first half of `per cent`.
    Per,
    /// `percent`.
    Percent,
    /// `and`.
    And,
    /// `double` or `triple`.
    Repeat(usize),
    /// `point`.
    Point,
}

impl Meaning {
    /// What a word means, if it may be part of a number.
    pub(super) fn of(word: &str) -> Option<Self> {
        static MEANINGS: LazyLock<FxHashMap<String, Meaning>> = LazyLock::new(meanings);
        MEANINGS.get(word).copied()
    }

    /// A cardinal from 1 to 19.
    pub(super) fn is_unit(self) -> bool {
        matches!(self, Self::Unit(_, ""))
    }

    /// One of the tens, as a cardinal.
    pub(super) fn is_tens(self) -> bool {
        matches!(self, Self::Tens(_, ""))
    }

    /// A power of ten, as a cardinal.
    pub(super) fn is_multiplier(self) -> bool {
        matches!(self, Self::Multiplier(_, ""))
    }

    /// What may follow a decimal point.
    pub(super) fn is_decimal(self) -> bool {
        self == Self::Zero || self.is_unit() || self.is_tens()
    }
}

fn meanings() -> FxHashMap<String, Meaning> {
    let mut meanings: FxHashMap<String, Meaning> = FxHashMap::default();
    for (value, [one, several, ordinal]) in (1..).zip(UNITS) {
        let ending = ["st", "nd", "rd"].get(usize::from(value) - 1).copied().unwrap_or("th");
        meanings.insert(one.into(), Meaning::Unit(value, ""));
        meanings.insert(several.into(), Meaning::Unit(value, "s"));
        meanings.insert(ordinal.into(), Meaning::Unit(value, ending));
    }
    for (value, [one, several, ordinal]) in (20..).step_by(10).zip(TENS) {
        meanings.insert(one.into(), Meaning::Tens(value, ""));
        meanings.insert(several.into(), Meaning::Tens(value, "s"));
        meanings.insert(ordinal.into(), Meaning::Tens(value, "th"));
    }
    for (name, zeros) in MULTIPLIERS {
        for ending in ["", "s", "th"] {
            meanings.insert([name, ending].concat(), Meaning::Multiplier(zeros, ending));
        }
    }
    meanings.extend(OTHERS.map(|(word, meaning)| (word.to_owned(), meaning)));
    meanings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meanings_by_hand() {
        assert_eq!(meanings().len(), 19 * 3 + 8 * 3 + 12 * 3 + 22);
        assert_eq!(Meaning::of("third"), Some(Meaning::Unit(3, "rd")));
        assert_eq!(Meaning::of("nineteenth"), Some(Meaning::Unit(19, "th")));
        assert_eq!(Meaning::of("nineties"), Some(Meaning::Tens(90, "s")));
        assert_eq!(Meaning::of("thousandth"), Some(Meaning::Multiplier(3, "th")));
        assert_eq!((Meaning::of("ninth"), Meaning::of("")), (None, None));
    }
}
