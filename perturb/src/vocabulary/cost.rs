//! What it costs to hear one sound for another.

use std::sync::OnceLock;

use crate::Phone;

/// Costs are counted in hundredths.
pub type Cost = u16;
/// The cost of hearing something else altogether.
pub const UNIT: Cost = 100;
/// A phone that is missing, or one too many.
pub const GAP: Cost = 70;
/// What any other phone costs, and how fast the cost grows as two consonants or two vowels grow less similar. Much the same
/// names are found, among as many others, with half of these or twice as much.
const OTHER: f32 = 0.2;
const CONSONANT: f32 = 1.5;
const VOWEL: f32 = 1.0;

/// Phones of English and room for one that is like none, rounded up for the sake of vector instructions.
const PHONES: usize = 48;

/// Costs of other phones in a phone's place, or in the place of one of several.
#[derive(Debug, Clone, Copy)]
pub struct Substitutions {
    /// By number; as unlike as can be from 39. Bytes, of which vector instructions take many; 255 is that or more.
    costs: [u8; PHONES],
}

impl Substitutions {
    /// No phone yet.
    pub const NONE: Self = Self { costs: [u8::MAX; PHONES] };

    /// A phone that is like no phone of English.
    pub const OTHER: Self = Self { costs: [UNIT as u8; PHONES] };

    /// Costs in the place of a phone of English: 0 for the same, at most [`UNIT`].
    pub fn of(phone: Phone) -> Option<&'static Self> {
        Self::all().get(phone.number())
    }

    /// Those of all phones of English, by number.
    pub fn all() -> &'static [Self] {
        static TABLE: OnceLock<Vec<Substitutions>> = OnceLock::new();
        let row = |a: Phone| {
            let mut costs = [UNIT as u8; PHONES];
            costs.iter_mut().zip(Phone::all()).for_each(|(cost, b)| *cost = compute(a, b) as u8);
            Self { costs }
        };
        TABLE.get_or_init(|| Phone::all().map(row).collect())
    }

    /// Lets a place be one of a phone too, where it costs `before` to get there.
    pub fn allow(&mut self, phone: &Self, before: Cost) {
        let before = before.min(u8::MAX.into()) as u8;
        for (cost, new) in self.costs.iter_mut().zip(&phone.costs) {
            *cost = (*cost).min(before.saturating_add(*new));
        }
    }

    /// The cost of a phone. All that a lexicon brought along cost the same.
    pub fn cost(&self, other: Phone) -> Cost {
        self.costs[other.number().min(PHONES - 1)].into()
    }
}

/// The cost of one phone in another's place.
pub fn substitution(a: Phone, b: Phone) -> Cost {
    match Substitutions::of(a) {
        Some(costs) => costs.cost(b),
        None if a == b => 0,
        None => UNIT,
    }
}

fn compute(a: Phone, b: Phone) -> Cost {
    let slope = if a.is_vowel() && b.is_vowel() { VOWEL } else { CONSONANT };
    let cost = if a == b { 0.0 } else { OTHER + slope * (1.0 - a.similarity(b)) };
    (f32::from(UNIT) * cost.min(1.0)).round() as Cost
}

/// What a pronunciation of this many phones may cost at most: a share of its phones, less for short ones.
pub fn allowed(phones: usize, max_distance: f32) -> Cost {
    let share = ((phones as f32 - 2.0) / 4.0).clamp(0.0, 1.0);
    (max_distance * share * phones as f32 * f32::from(UNIT)) as Cost
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(a: &str, b: &str) -> Cost {
        substitution(Phone::from_name(a).unwrap(), Phone::from_name(b).unwrap())
    }

    #[test]
    fn like_phones_cost_less() {
        assert_eq!(cost("S", "S"), 0);
        // Voice alone: a third of the features. 0.2 + 1.5 / 3.
        assert_eq!(cost("S", "Z"), 70);
        // Height by 0.2, backness by 0.2: a tenth of the features.
        assert_eq!(cost("IH", "IY"), 30);
        assert_eq!(cost("S", "AA"), UNIT);
        let own = [0, 1].map(|number| Phone::own(number).unwrap());
        assert_eq!(own.map(|phone| substitution(own[0], phone)), [0, UNIT]);
        assert_eq!(substitution(own[0], Phone::FIRST), UNIT);
    }

    #[test]
    fn short_terms_must_be_nearer() {
        let allowed = |phones| super::allowed(phones, 0.25);
        assert_eq!([1, 2, 3, 4, 5, 6, 8].map(allowed), [0, 0, 18, 50, 93, 150, 200]);
    }
}
