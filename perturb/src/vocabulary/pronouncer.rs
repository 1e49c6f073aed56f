//! Pronunciations of written words, from the lexicon, by rule or from their letters.

use std::sync::{Arc, RwLock};

use rustc_hash::FxHashMap;

use super::written::{Piece, pieces};
use crate::{LetterToSound, Lexicon, Phone, Pronunciation};

/// Pronunciations of a word or a term at most.
const MOST: usize = 4;
/// Pronunciations that are taken from letters.
const GUESSES: usize = 2;
/// Letters of an abbreviation at most.
const ABBREVIATION: usize = 5;
/// Phones of a word or a term at most.
pub const LONGEST: usize = 60;
/// Written words that are remembered at most; then all are forgotten.
const REMEMBERED: usize = 1 << 16;

/// How the letters a to z are named.
const NAMES: [&str; 26] = [
    "EY",
    "B IY",
    "S IY",
    "D IY",
    "IY",
    "EH F",
    "JH IY",
    "EY CH",
    "AY",
    "JH EY",
    "K EY",
    "EH L",
    "EH M",
    "EH N",
    "OW",
    "P IY",
    "K Y UW",
    "AA R",
    "EH S",
    "T IY",
    "Y UW",
    "V IY",
    "D AH B AH L Y UW",
    "EH K S",
    "W AY",
    "Z IY",
];

/// Pronounces written words, and remembers them.
#[derive(Debug)]
pub struct Pronouncer {
    lexicon: Arc<Lexicon>,
    letters: Arc<LetterToSound>,
    known: RwLock<FxHashMap<String, Arc<[Pronunciation]>>>,
}

impl Pronouncer {
    pub fn new(lexicon: Arc<Lexicon>, letters: Arc<LetterToSound>) -> Self {
        Self { lexicon, letters, known: RwLock::default() }
    }

    /// Pronunciations of what stands between two spaces of a text, none where it can't be said.
    pub fn word(&self, written: &str) -> Arc<[Pronunciation]> {
        if let Some(found) = self.known.read().ok().and_then(|known| known.get(written).cloned()) {
            return found;
        }
        let found: Arc<[Pronunciation]> = self.say(written).into();
        if let Ok(mut known) = self.known.write() {
            if known.len() >= REMEMBERED {
                known.clear();
            }
            known.insert(written.to_owned(), found.clone());
        }
        found
    }

    /// Pronunciations of several words, or the first word that can't be said.
    pub fn words<'a>(&self, text: &'a str) -> Result<Vec<Pronunciation>, &'a str> {
        let say = |word| match self.say(word) {
            said if said.is_empty() => Err(word),
            said => Ok(said),
        };
        let said: Vec<Vec<Pronunciation>> = text.split_whitespace().map(say).collect::<Result<_, _>>()?;
        Ok(combined(&said))
    }

    fn say(&self, written: &str) -> Vec<Pronunciation> {
        let said = pieces(written).and_then(|pieces| {
            let said = |piece: &Piece| Some(self.piece(piece)).filter(|said| !said.is_empty());
            pieces.iter().map(said).collect::<Option<Vec<_>>>()
        });
        said.map_or(Vec::new(), |said| combined(&said))
            .into_iter()
            .filter(|said| said.len() <= LONGEST)
            .collect()
    }

    fn piece(&self, piece: &Piece) -> Vec<Pronunciation> {
        let word = match piece {
            Piece::Letters(letters) => return vec![spelled(letters)],
            Piece::Word(word) => word,
        };
        let lower = word.to_lowercase().replace('\u{2019}', "'");
        let is_short = (2..=ABBREVIATION).contains(&word.len());
        let is_abbreviation = is_short && word.bytes().all(|byte| byte.is_ascii_uppercase());
        if is_abbreviation && !lower.contains(['a', 'e', 'i', 'o', 'u', 'y']) {
            return vec![spelled(&lower)];
        }
        let listed = self.lexicon.pronunciations(&lower);
        if !listed.is_empty() {
            return listed.iter().take(MOST).cloned().collect();
        }
        let mut said = if is_abbreviation { vec![spelled(&lower)] } else { Vec::new() };
        said.extend(self.letters.pronounce(&lower, GUESSES));
        said
    }
}

/// The names of letters, one after the other.
fn spelled(letters: &str) -> Pronunciation {
    let names = letters.bytes().map(|letter| NAMES[usize::from(letter - b'a')]);
    names.flat_map(|name| name.split(' ').filter_map(Phone::from_name)).collect()
}

/// A pronunciation of each part, in all combinations, those of first pronunciations first, and no more than [`MOST`].
fn combined(parts: &[Vec<Pronunciation>]) -> Vec<Pronunciation> {
    let mut joined: Vec<(usize, Vec<Phone>)> = vec![(0, Vec::new())];
    for part in parts {
        let longer = |(rank, phones): &(usize, Vec<Phone>)| {
            let (rank, phones) = (*rank, phones.clone());
            let with =
                move |(place, more): (usize, &Pronunciation)| (rank + place, [&phones, &more[..]].concat());
            part.iter().enumerate().map(with).collect::<Vec<_>>()
        };
        joined = joined.iter().flat_map(longer).collect();
        joined.sort_by_key(|&(rank, _)| rank);
        joined.truncate(MOST);
    }
    let mut pronunciations: Vec<Pronunciation> = Vec::new();
    for (_, phones) in joined {
        if !phones.is_empty() && !pronunciations.iter().any(|known| **known == *phones) {
            pronunciations.push(phones.into());
        }
    }
    pronunciations
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Vec<String> {
        let pronouncer = Pronouncer::new(Lexicon::english(), LetterToSound::english());
        let name = |said: &Pronunciation| said.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        pronouncer.words(text).map_or(Vec::new(), |said| said.iter().map(name).collect())
    }

    #[test]
    fn listed_spelled_and_guessed() {
        assert_eq!(said("read"), ["R EH D", "R IY D"]);
        assert_eq!(said("read read").len(), 4);
        assert_eq!(said("NHS"), ["EH N EY CH EH S"]);
        assert_eq!(said("U.S."), ["Y UW EH S"]);
        assert_eq!(said("NATO"), ["N EY T OW"]);
        assert_eq!(said("7up"), ["S EH V AH N AH P"]);
        assert_eq!(said("AWS")[0], "EY D AH B AH L Y UW EH S");
        assert!(said("AWS").len() > 1, "it may be said as a word");
        assert!(said("Blorvik").contains(&"B L AO R V IH K".to_owned()));
        assert!(said("a/b").is_empty() && said("Юрий").is_empty());
    }
}
