//! The errors that a text can have, and how likely each is.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::confusions::{ConfusionTable, SPAN};
use crate::perturbation::{Word, find_words, in_the_case_of};
use crate::{Homophone, Homophones, Unit};

/// Probability that a word is taken for one that sounds alike, without a table; a share of it with one, for words that the table has
/// not seen.
const SOUND: f64 = 0.06;
const SOUND_BESIDE_TABLE: f64 = 0.015;

/// Probability that a short word is dropped, without a table.
const DROPPED: f64 = 0.01;
const SHORT: usize = 3;

/// How much less likely a change of sound is: the share `similarity^STEEPNESS`.
const STEEPNESS: i32 = 4;

/// A change of a span of bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Edit {
    start: usize,
    end: usize,
    text: String,
    weight: f64,
}

impl Edit {
    /// Whether both change the same place.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.start < other.end && other.start < self.end || self.start == other.start
    }
}

/// All errors that a text can have.
pub struct Edits<'a> {
    text: &'a str,
    edits: Vec<Edit>,
    total: f64,
}

impl<'a> Edits<'a> {
    pub fn new(text: &'a str, homophones: &Homophones, table: Option<&ConfusionTable>) -> Self {
        let words = find_words(text, Unit::Word, homophones);
        let mut found = Self { text, edits: Vec::new(), total: 0.0 };
        let cased = text.chars().any(char::is_uppercase);
        for (index, word) in words.iter().enumerate() {
            if let Some(table) = table {
                found.add_confusions(&words[index..], table, cased);
            }
            let Some(key) = &word.key else { continue };
            let next = words.get(index + 1).filter(|next| found.is_gap(word.end, next.start));
            let pair = next.and_then(|next| Some((next, next.key.as_ref()?)));
            let of_pair = pair.map(|(_, second)| homophones.of_pair(key, second));
            found.add_sounds(
                (word, &homophones.of(key)),
                pair.map(|(next, _)| next.end).zip(of_pair.as_deref()),
                if table.is_some() { SOUND_BESIDE_TABLE } else { SOUND },
                cased,
            );
            if table.is_none() && key.chars().count() <= SHORT {
                found.add(word.start, word.end, "", DROPPED, cased);
            }
        }
        found
    }

    fn is_gap(&self, from: usize, to: usize) -> bool {
        self.text[from..to].trim().is_empty()
    }

    /// What sounds like a word, and like it and the next; their weights sum to `mass`.
    fn add_sounds(
        &mut self,
        (word, single): (&Word, &[Homophone]),
        pair: Option<(usize, &[Homophone])>,
        mass: f64,
        cased: bool,
    ) {
        // They stand by similarity, and equally similar ones by how common they are.
        let weigh = |(rank, found): (usize, &Homophone)| {
            f64::from(found.similarity.powi(STEEPNESS)) / (1.0 + rank as f64)
        };
        let of_pair = pair.map_or(&[][..], |(_, found)| found);
        let total: f64 = single.iter().enumerate().chain(of_pair.iter().enumerate()).map(weigh).sum();
        let mut add = |end: usize, found: &[Homophone]| {
            for (rank, homophone) in found.iter().enumerate() {
                let weight = mass * weigh((rank, homophone)) / total;
                self.add(word.start, end, &homophone.text, weight, cased);
            }
        };
        add(word.end, single);
        if let Some((end, found)) = pair {
            add(end, found);
        }
    }

    /// What the recogniser makes of the first words, and what it inserts before them.
    fn add_confusions(&mut self, words: &[Word], table: &ConfusionTable, cased: bool) {
        let start = words[0].start;
        for (heard, weight) in table.heard("") {
            self.edits.push(Edit { start, end: start, text: format!("{heard} "), weight });
            self.total += weight;
        }
        let mut said = String::new();
        let mut end = start;
        for word in words.iter().take(SPAN) {
            if end > start {
                if !self.is_gap(end, word.start) {
                    break;
                }
                said.push(' ');
            }
            let key = || self.text[word.start..word.end].to_lowercase();
            said.push_str(&word.key.clone().unwrap_or_else(key));
            end = word.end;
            for (heard, weight) in table.heard(&said) {
                self.add(start, end, heard, weight, cased);
            }
        }
    }

    fn add(&mut self, start: usize, end: usize, text: &str, weight: f64, cased: bool) {
        let original = &self.text[start..end];
        let text = in_the_case_of(original, text, cased);
        self.edits.push(Edit { start, end, text, weight });
        self.total += weight;
    }

    /// One of them, as likely as it is; `None` where there are none.
    pub fn draw(&self, rng: &mut ChaCha8Rng) -> Option<&Edit> {
        let mut left = rng.random::<f64>() * self.total;
        let hit = self.edits.iter().find(|edit| {
            left -= edit.weight;
            left < 0.0
        });
        hit.or(self.edits.last())
    }

    /// The text with edits that don't overlap. A dropped word takes a space with it.
    pub fn applied(&self, edits: &[&Edit]) -> String {
        let mut ordered = edits.to_vec();
        ordered.sort_by_key(|edit| edit.start);
        let mut text = String::with_capacity(self.text.len());
        let mut copied = 0;
        for edit in ordered {
            text.push_str(&self.text[copied..edit.start]);
            text.push_str(&edit.text);
            copied = edit.end;
            if edit.text.is_empty() {
                let rest = &self.text[copied..];
                match rest.len() - rest.trim_start().len() {
                    0 => text.truncate(text.trim_end().len()),
                    space if text.is_empty() || text.ends_with(char::is_whitespace) => copied += space,
                    _ => {}
                }
            }
        }
        text.push_str(&self.text[copied..]);
        text
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;
    use crate::{HomophoneOptions, Lexicon};

    fn edits<'a>(text: &'a str, table: Option<&ConfusionTable>) -> Edits<'a> {
        let options = HomophoneOptions { max_size: Some(35), near: None, multi_word: true };
        Edits::new(text, &Homophones::new(Lexicon::english(), options), table)
    }

    fn weight(edits: &Edits<'_>, text: &str) -> f64 {
        edits.edits.iter().filter(|edit| edit.text == text).map(|edit| edit.weight).sum()
    }

    #[test]
    fn weights_by_hand() {
        let alone = edits("a loan to write", None);
        assert!((weight(&alone, "") - 2.0 * DROPPED).abs() < 1e-12, "a and to are short");
        assert!(weight(&alone, "alone") > 0.0 && weight(&alone, "right") > 0.0);
        let sounds: f64 = alone.edits.iter().filter(|e| !e.text.is_empty()).map(|edit| edit.weight).sum();
        assert!(sounds <= 4.0 * SOUND + 1e-12);
        let table =
            ConfusionTable::parse("t", "write\twriting\t1\t4\n\tuh\t1\t100\nto write\tall right\t1\t2");
        let table = table.unwrap();
        let learned = edits("to write", Some(&table));
        assert_eq!((weight(&learned, "writing"), weight(&learned, "all right")), (0.25, 0.5));
        assert_eq!(weight(&learned, "uh "), 0.02, "before each word");
        assert_eq!(weight(&learned, ""), 0.0, "the table has no deletion");
    }

    #[test]
    fn a_dropped_word_takes_one_space_with_it() {
        let apply = |text: &str, word: &str| {
            let edits = edits(text, None);
            let start = text.find(word).unwrap();
            let edit = Edit { start, end: start + word.len(), text: String::new(), weight: 1.0 };
            edits.applied(&[&edit])
        };
        assert_eq!(apply("to be sure", "to"), "be sure");
        assert_eq!(apply("sure to be", "to"), "sure be");
        assert_eq!(apply("sure to be", "be"), "sure to");
        assert_eq!(apply("sure to be.", "be"), "sure to.");
    }

    #[test]
    fn draws_follow_the_weights() {
        let table = ConfusionTable::parse("t", "boston\tbosting\t3\t10\nboston\taustin\t1\t10").unwrap();
        let edits = edits("boston", Some(&table));
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let drawn: Vec<&Edit> = (0..1000).filter_map(|_| edits.draw(&mut rng)).collect();
        let count = |text: &str| drawn.iter().filter(|edit| edit.text == text).count();
        assert!((650..850).contains(&count("bosting")), "{}", count("bosting"));
        assert!((170..330).contains(&count("austin")), "{}", count("austin"));
    }
}
