//! What it costs to hear one sound for another.

use std::sync::OnceLock;

use crate::Phone;

/// Costs are counted in hundredths.
pub type Cost = u16;
/// The cost of a phone more or less: that of hearing something else altogether.
pub const UNIT: Cost = 100;
/// A phone that is missing, or one too many.
pub const GAP: Cost = 70;
/// What any other phone costs, and how fast the cost grows as two consonants or two vowels grow less similar. Much the same names are
/// found, among as many others, with half of these or twice as much.
const OTHER: f32 = 0.2;
const CONSONANT: f32 = 1.5;
const VOWEL: f32 = 1.0;

/// The cost of one phone in another's place: 0 for the same, at most [`UNIT`].
pub fn substitution(a: Phone, b: Phone) -> Cost {
    static TABLE: OnceLock<Vec<Cost>> = OnceLock::new();
    let english = Phone::all().count();
    let table =
        TABLE.get_or_init(|| Phone::all().flat_map(|a| Phone::all().map(move |b| compute(a, b))).collect());
    match (a.number(), b.number()) {
        (a, b) if a < english && b < english => table[a * english + b],
        (a, b) if a == b => 0,
        _ => UNIT,
    }
}

fn compute(a: Phone, b: Phone) -> Cost {
    let slope = if a.is_vowel() && b.is_vowel() { VOWEL } else { CONSONANT };
    let cost = if a == b { 0.0 } else { OTHER + slope * (1.0 - a.similarity(b)) };
    (f32::from(UNIT) * cost.min(1.0)).round() as Cost
}

/// What a pronunciation of this many phones may cost at most: a share of its phones, less for short ones. One or two phones must be the
/// same, three and four may cost a quarter and a half of what their share is.
pub fn allowed(phones: usize, max_distance: f32) -> Cost {
    let share = match phones {
        0..=2 => 0.0,
        3 => 0.25,
        4 => 0.5,
        5 => 0.75,
        _ => 1.0,
    };
    (max_distance * share * phones as f32 * f32::from(UNIT)) as Cost
}
