//! Words that sound the same.

mod near;

use std::sync::{Arc, RwLock};

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::{Lexicon, Phone};

/// Which words stand in for another.
///
/// Without any option: every other word with the same pronunciation, whatever variant of either, stress ignored.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HomophoneOptions {
    /// Only words of at most this size (see [`Lexicon::size`]): 35 or 50 leaves out what people hardly ever say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_size: Option<u8>,
    /// Words too whose pronunciation differs in one phone, where the change has at least this similarity, from 0 to 1: that of
    /// the two phones ([`Phone::similarity`]), 0.5 where one is added or missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub near: Option<f32>,
    /// Several words too: `a loan` for `alone`, `i scream` for `ice cream`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub multi_word: bool,
}

/// What may stand in for a word or for two.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Homophone {
    /// One word, or several with spaces between.
    pub text: String,
    /// 1 for the same pronunciation, less for a similar one: how likely it is to be drawn, compared with others.
    pub similarity: f32,
}

/// Finds homophones, and remembers them.
#[derive(Debug)]
pub struct Homophones {
    lexicon: Arc<Lexicon>,
    options: HomophoneOptions,
    known: RwLock<FxHashMap<String, Arc<[Homophone]>>>,
}

impl Homophones {
    /// Finds homophones in a lexicon.
    #[must_use]
    pub fn new(lexicon: Arc<Lexicon>, options: HomophoneOptions) -> Self {
        Self { lexicon, options, known: RwLock::default() }
    }

    /// The lexicon.
    #[must_use]
    pub fn lexicon(&self) -> &Lexicon {
        &self.lexicon
    }

    /// The options.
    #[must_use]
    pub fn options(&self) -> &HomophoneOptions {
        &self.options
    }

    /// What may stand in for a word in lower case, the most similar and most common first; never the word itself.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use rescorer_perturb::{HomophoneOptions, Homophones, Lexicon};
    ///
    /// let options = HomophoneOptions { max_size: Some(50), ..Default::default() };
    /// let homophones = Homophones::new(Lexicon::english(), options);
    /// let found: Vec<String> = homophones.of("their").iter().map(|homophone| homophone.text.clone()).collect();
    /// assert_eq!(found, ["there", "they're"]);
    /// ```
    #[must_use]
    pub fn of(&self, word: &str) -> Arc<[Homophone]> {
        self.remembered(word, || self.find(self.lexicon.pronunciations(word).iter().map(AsRef::as_ref), word))
    }

    /// What may stand in for two words that follow each other, said in one breath; none without `multi_word`.
    #[must_use]
    pub fn of_pair(&self, first: &str, second: &str) -> Arc<[Homophone]> {
        if !self.options.multi_word {
            return Arc::new([]);
        }
        let both = format!("{first} {second}");
        self.remembered(&both, || {
            let joined: Vec<Vec<Phone>> = self
                .lexicon
                .pronunciations(first)
                .iter()
                .flat_map(|a| {
                    self.lexicon.pronunciations(second).iter().map(move |b| [&a[..], &b[..]].concat())
                })
                .collect();
            // Where one of the two stays, the other is a word with a homophone of its own.
            let keeps_one = |homophone: &Homophone| {
                let words: Vec<&str> = homophone.text.split(' ').collect();
                words.len() == 2 && (words[0] == first || words[1] == second)
            };
            let mut found = self.find(joined.iter().map(Vec::as_slice), &both);
            found.retain(|homophone| !keeps_one(homophone));
            found
        })
    }

    fn remembered(&self, key: &str, find: impl FnOnce() -> Vec<Homophone>) -> Arc<[Homophone]> {
        if let Some(found) = self.known.read().ok().and_then(|known| known.get(key).cloned()) {
            return found;
        }
        let found: Arc<[Homophone]> = find().into();
        if let Ok(mut known) = self.known.write() {
            known.insert(key.to_owned(), found.clone());
        }
        found
    }

    /// Everything that sounds like one of the pronunciations, but for `own`.
    fn find<'a>(&self, pronunciations: impl Iterator<Item = &'a [Phone]>, own: &str) -> Vec<Homophone> {
        let mut best: FxHashMap<String, f32> = FxHashMap::default();
        let mut add = |text: String, similarity: f32| {
            if text != own {
                let known = best.entry(text).or_insert(similarity);
                *known = known.max(similarity);
            }
        };
        for phones in pronunciations {
            self.usable(phones).for_each(|word| add(word.to_owned(), 1.0));
            if self.options.multi_word {
                for cut in 1..phones.len() {
                    let (head, tail) = phones.split_at(cut);
                    for first in self.usable(head) {
                        self.usable(tail).for_each(|second| add(format!("{first} {second}"), 1.0));
                    }
                }
            }
            if let Some(least) = self.options.near {
                near::for_each_neighbour(phones, least, |phones, similarity| {
                    self.usable(phones).for_each(|word| add(word.to_owned(), similarity));
                });
            }
        }
        let mut found: Vec<Homophone> =
            best.into_iter().map(|(text, similarity)| Homophone { text, similarity }).collect();
        let rank = |text: &str| text.split(' ').map(|word| self.lexicon.size(word).unwrap_or(100)).max();
        found.sort_by(|a, b| {
            b.similarity
                .total_cmp(&a.similarity)
                .then_with(|| (rank(&a.text), &a.text).cmp(&(rank(&b.text), &b.text)))
        });
        found
    }

    /// The words that can be said so and are common enough.
    fn usable(&self, phones: &[Phone]) -> impl Iterator<Item = &str> {
        let limit = self.options.max_size;
        self.lexicon.words(phones).filter(move |word| {
            limit.is_none_or(|limit| self.lexicon.size(word).is_some_and(|size| size <= limit))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn homophones(options: HomophoneOptions) -> Homophones {
        Homophones::new(Lexicon::english(), options)
    }

    fn texts(found: &[Homophone]) -> Vec<&str> {
        found.iter().map(|homophone| homophone.text.as_str()).collect()
    }

    #[test]
    fn the_same_pronunciation_whatever_the_variant() {
        let all = homophones(HomophoneOptions::default());
        assert_eq!(texts(&all.of("too")), ["to", "two", "tew", "tu", "tue", "thuy"]);
        let found = all.of("read");
        assert!(texts(&found).contains(&"red") && texts(&found).contains(&"reed"));
        assert!(!texts(&found).contains(&"read"));
        assert!(all.of("orange").is_empty() && all.of("").is_empty());
    }

    #[test]
    fn rare_words_can_be_left_out() {
        let common = homophones(HomophoneOptions { max_size: Some(35), ..Default::default() });
        assert_eq!(texts(&common.of("right")), ["write", "rite", "wright"]);
        assert_eq!(texts(&common.of("to")), ["too", "two"]);
    }

    #[test]
    fn near_ones_weigh_what_their_phones_have_in_common() {
        let near = homophones(HomophoneOptions { max_size: Some(35), near: Some(0.6), ..Default::default() });
        let found = near.of("sip");
        let similarity =
            |word: &str| found.iter().find(|found| found.text == word).map(|found| found.similarity);
        // z differs from s in voice alone, l in manner and voice; "sips" has a phone more.
        assert!((similarity("zip").unwrap() - 2.0 / 3.0).abs() < 1e-6);
        assert_eq!((similarity("lip"), similarity("sips")), (None, None));
        let wider =
            homophones(HomophoneOptions { max_size: Some(35), near: Some(0.5), ..Default::default() });
        assert!(texts(&wider.of("sip")).contains(&"sips"));
        assert!(wider.of("sip").windows(2).all(|pair| pair[0].similarity >= pair[1].similarity));
    }

    #[test]
    fn words_come_apart_and_together() {
        let several =
            homophones(HomophoneOptions { max_size: Some(35), multi_word: true, ..Default::default() });
        assert!(texts(&several.of("alone")).contains(&"a loan"));
        assert!(texts(&several.of_pair("ice", "cream")).contains(&"i scream"));
        assert!(texts(&several.of_pair("i", "scream")).contains(&"ice cream"));
        assert!(texts(&several.of_pair("a", "loan")).contains(&"alone"));
        // Only one of the two would change.
        assert!(!texts(&several.of_pair("to", "read")).contains(&"two read"));
        assert!(homophones(HomophoneOptions::default()).of_pair("ice", "cream").is_empty());
    }
}
