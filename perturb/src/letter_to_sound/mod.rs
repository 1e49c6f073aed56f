//! How words sound that no dictionary has.

mod model;
mod spelling;

use std::sync::{Arc, OnceLock};

use rustc_hash::FxHashMap;

use crate::{Error, Phone, Pronunciation};
use model::{END, Model, State};

/// The model that `examples/letter_to_sound` trains on the CMU dictionary.
const ENGLISH: &[u8] = include_bytes!("../../data/letter_to_sound.gz");
/// Beginnings of a word that are kept at each letter, but no fewer than twice the pronunciations asked for.
const BEAM: usize = 16;
/// What is this much less likely than the best beginning is given up, in nats.
const GIVEN_UP: f32 = 6.0;

/// Pronounces English words from their letters: names, brands and drugs that the dictionary lacks.
///
/// The word is cut into chunks of one or two letters, each with no phone, one or two: `ph` F, `o` OW, `n` N, `e` nothing. The
/// probability of a pronunciation is the sum, over all its cuts, of the chunks' probabilities, each given the chunks before it.
/// Phones have no stress.
///
/// Of the dictionary's words 5 % were held out of training. On these the most likely pronunciation has a phone error rate of
/// 6.6 %, and 27.8 % of the words have at least one error, against the nearest pronunciation listed.
///
/// # Reference
/// Bisani and Ney 2008, "Joint-sequence models for grapheme-to-phoneme conversion". Unlike theirs, every chunk has a letter,
/// chunks are those of the most likely alignment, and the n-grams are smoothed as by Kneser and Ney and pruned.
///
/// ```
/// use rescorer_perturb::LetterToSound;
///
/// let said = LetterToSound::english().pronounce("Blorvik", 1);
/// let phones: Vec<String> = said[0].iter().map(ToString::to_string).collect();
/// assert_eq!(phones.join(" "), "B L AO R V IH K");
/// ```
#[derive(Debug)]
pub struct LetterToSound {
    model: Model,
}

/// A beginning of a word, said in some way.
type Beginning = (State, Vec<Phone>);

impl LetterToSound {
    /// The model of English, unpacked when it is first asked for, then shared.
    #[must_use]
    pub fn english() -> Arc<Self> {
        static MODEL: OnceLock<Arc<LetterToSound>> = OnceLock::new();
        let unpack =
            || Arc::new(Self::from_bytes(ENGLISH).expect("the embedded model is the one that tests read"));
        MODEL.get_or_init(unpack).clone()
    }

    /// Reads a model that the example `letter_to_sound` wrote.
    ///
    /// # Errors
    /// [`Error::LetterToSound`] if the bytes are something else or cut off.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        Ok(Self { model: Model::read(bytes)? })
    }

    /// The `count` most likely pronunciations of a word, best first; none where it has characters that can't be said.
    ///
    /// Letters are a to z in either case and apostrophes. Accents are ignored, and the parts of a hyphenated word are said one
    /// by one.
    #[must_use]
    pub fn pronounce(&self, word: &str, count: usize) -> Vec<Pronunciation> {
        let parts = spelling::parts(word).unwrap_or_default();
        if parts.is_empty() || count == 0 {
            return Vec::new();
        }
        let mut joined: Vec<(Vec<Phone>, f32)> = vec![(Vec::new(), 0.0)];
        for part in &parts {
            let said = self.say(part, count);
            let with = |(phones, score): &(Vec<Phone>, f32)| {
                let (phones, score) = (phones.clone(), *score);
                let longer =
                    |(more, other): &(Vec<Phone>, f32)| ([&phones[..], more].concat(), score + other);
                said.iter().map(longer).collect::<Vec<_>>()
            };
            joined = best(joined.iter().flat_map(with).collect(), count);
        }
        joined.into_iter().map(|(phones, _)| phones.into()).collect()
    }

    /// The most likely pronunciations of letters, with the logarithms of their probabilities.
    fn say(&self, letters: &[u8], count: usize) -> Vec<(Vec<Phone>, f32)> {
        let beam = BEAM.max(2 * count);
        let mut stacks: Vec<FxHashMap<Beginning, f32>> = vec![FxHashMap::default(); letters.len() + 1];
        stacks[0].insert((self.model.begin(), Vec::new()), 0.0);
        for place in 0..letters.len() {
            let open = best(std::mem::take(&mut stacks[place]).into_iter().collect(), beam);
            let Some(limit) = open.first().map(|(_, score)| score - GIVEN_UP) else { continue };
            for ((state, phones), score) in open.iter().take_while(|(_, score)| *score >= limit) {
                let steps = self.steps(*state, &letters[place..]);
                let best = steps.iter().map(|(_, step, ..)| *step).fold(f32::NEG_INFINITY, f32::max);
                for (chunk, step, next, length) in steps {
                    if step >= best - 2.0 * GIVEN_UP {
                        let phones = [phones, self.model.phones(chunk)].concat();
                        add(&mut stacks[place + length], (next, phones), score + step);
                    }
                }
            }
        }
        let mut ends: FxHashMap<Vec<Phone>, f32> = FxHashMap::default();
        for ((state, phones), score) in stacks.pop().unwrap_or_default() {
            if !phones.is_empty() {
                add(&mut ends, phones, score + self.model.step(state, END).0);
            }
        }
        best(ends.into_iter().collect(), count)
    }

    /// The chunks that letters may begin with: the logarithm of each one's probability, the state after it, and how many letters
    /// it has.
    fn steps(&self, state: State, letters: &[u8]) -> Vec<(u16, f32, State, usize)> {
        let mut steps = Vec::with_capacity(32);
        for length in 1..=2.min(letters.len()) {
            for &chunk in self.model.chunks(letters[0], (length == 2).then(|| letters[1])) {
                let (step, next) = self.model.step(state, chunk);
                steps.push((chunk, step, next, length));
            }
        }
        steps
    }
}

/// Adds a probability to what a key has already.
fn add<Key: std::hash::Hash + Eq>(sums: &mut FxHashMap<Key, f32>, key: Key, score: f32) {
    let sum = sums.entry(key).or_insert(f32::NEG_INFINITY);
    let (low, high) = (sum.min(score), sum.max(score));
    *sum = high + libm::log1pf(libm::expf(low - high));
}

/// The likeliest first, ties in the order of what they are.
fn best<Key: Ord>(mut scored: Vec<(Key, f32)>, count: usize) -> Vec<(Key, f32)> {
    scored.sort_unstable_by(|(a, score_a), (b, score_b)| score_b.total_cmp(score_a).then_with(|| a.cmp(b)));
    scored.truncate(count);
    scored
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(word: &str, count: usize) -> Vec<String> {
        let name = |said: &Pronunciation| said.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        LetterToSound::english().pronounce(word, count).iter().map(name).collect()
    }

    #[test]
    fn words_that_no_dictionary_has() {
        assert_eq!(said("Blorvik", 1), ["B L AO R V IH K"]);
        assert_eq!(said("blorvik-phone", 1), ["B L AO R V IH K F OW N"]);
        assert_eq!(said("phoné", 1), said("phone", 1));
        let several = said("Zelboraf", 5);
        assert_eq!(several.len(), 5);
        assert!((1..5).all(|place| !several[..place].contains(&several[place])));
        assert_eq!(said("Zelboraf", 2), several[..2], "more asked for leaves the best as they are");
    }

    #[test]
    fn what_cannot_be_said_has_no_pronunciation() {
        for word in ["", "-", "'", "7up", "a b", "Юрий", "北京"] {
            assert!(said(word, 3).is_empty(), "{word}");
        }
        assert!(said("phone", 0).is_empty());
        assert_eq!(said(&"ab".repeat(500), 1).len(), 1);
    }

    #[test]
    fn files_that_are_no_model_are_refused() {
        let packed = |text: &[u8]| {
            let mut file = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            std::io::Write::write_all(&mut file, text).unwrap();
            file.finish().unwrap()
        };
        let refusal = |bytes: &[u8]| LetterToSound::from_bytes(bytes).unwrap_err().to_string();
        assert!(refusal(b"no").starts_with("no letter-to-sound model: no gzip file"));
        assert!(refusal(&packed(b"other 1 1\n")).contains("it does not begin with \"letter-to-sound-1\""));
        assert!(refusal(&packed(b"letter-to-sound-1 1\n")).contains("numbers of chunks and nodes"));
        assert!(refusal(&packed(b"letter-to-sound-1 1 1\nabc\tB\n")).contains("a chunk is not"));
        assert!(refusal(&packed(b"letter-to-sound-1 1 1\na\tEY\n")).contains("do not make a trie"));
        // A root with one child, the beginning, which has none; probabilities; the root's backoff.
        let least = b"letter-to-sound-1 1 2\na\tEY\n\x01\x00\x00\xff\xff\xc8";
        let model = LetterToSound::from_bytes(&packed(least)).unwrap();
        assert_eq!(model.pronounce("aa", 1)[0].len(), 2);
        for end in 22..least.len() {
            assert!(LetterToSound::from_bytes(&packed(&least[..end])).is_err(), "{end}");
        }
    }
}
