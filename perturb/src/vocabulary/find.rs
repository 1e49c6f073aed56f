//! Looks terms up in texts.

use std::collections::BTreeSet;

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::cost::{UNIT, allowed};
use super::following::{Following, Soil, Text, trees};
use super::options::VocabularyOptions;
use super::possessive;
use super::pronouncer::Pronouncer;
use super::search::{Found, Search};
use super::term::{Term, TermMatch};
use super::trie::{Entry, Trie};
use crate::{Pronunciation, spoken};

/// Words of a span at most, and how many more than the term's.
const SPAN: usize = 6;
const MORE: usize = 2;

/// Terms by their sounds and by their words.
#[derive(Debug)]
pub struct Index {
    groups: Vec<Group>,
    /// Terms by the first of their words without case and punctuation, with all of these words.
    written: FxHashMap<String, Vec<(Vec<String>, usize)>>,
    classes: Vec<Option<String>>,
}

/// The terms of one class.
#[derive(Debug)]
struct Group {
    class: Option<String>,
    /// Words of a span at most.
    most: usize,
    forwards: Trie,
    /// Its phones are in reverse.
    backwards: Trie,
}

/// Start and end of a span and number of a term.
type Place = (usize, usize, usize);

impl Index {
    pub fn new(terms: &[Term], options: VocabularyOptions) -> Self {
        let mut written: FxHashMap<String, Vec<_>> = FxHashMap::default();
        let classes: Vec<Option<String>> = terms.iter().map(|term| term.class.clone()).collect();
        let of = |class: &Option<String>| {
            terms.iter().enumerate().filter(move |(_, term)| term.class == *class).collect::<Vec<_>>()
        };
        let different: BTreeSet<&Option<String>> = classes.iter().collect();
        let groups = different.into_iter().map(|class| Group::new(class, &of(class), options)).collect();
        for (number, term) in terms.iter().enumerate() {
            let words: Vec<String> = spoken(&term.text).split_whitespace().map(str::to_owned).collect();
            if let Some(first) = words.first() {
                written.entry(first.clone()).or_default().push((words, number));
            }
        }
        Self { groups, written, classes }
    }

    pub fn find(
        &self,
        texts: &[Vec<&str>],
        classes: Option<&[String]>,
        pronouncer: &Pronouncer,
    ) -> Vec<Vec<TermMatch>> {
        let takes_part = |class: &Option<String>| {
            class.as_ref().is_none_or(|class| classes.is_none_or(|classes| classes.contains(class)))
        };
        let mut numbers: FxHashMap<&str, usize> = FxHashMap::default();
        let mut words: Vec<&str> = Vec::new();
        let mut number = |word| {
            *numbers.entry(word).or_insert_with(|| {
                words.push(word);
                words.len() - 1
            })
        };
        let mut numbered: Vec<Text> =
            texts.iter().map(|text| text.iter().map(|&word| number(word)).collect()).collect();
        let said: Vec<_> = words.iter().map(|word| pronouncer.word(word)).collect();
        let said: Vec<&[Pronunciation]> = said.iter().map(AsRef::as_ref).collect();
        let mut found: Vec<FxHashMap<Place, TermMatch>> = vec![FxHashMap::default(); texts.len()];
        for backwards in [false, true] {
            for group in self.groups.iter().filter(|group| takes_part(&group.class)) {
                group.find(&numbered, &said, backwards, &mut found);
            }
            numbered.iter_mut().for_each(|text| text.reverse());
        }
        let spoken: Vec<_> = words.iter().map(|word| spoken(word)).collect();
        for (text, found) in numbered.iter().zip(&mut found) {
            let words: Vec<&str> = text.iter().map(|&word| spoken[word].as_ref()).collect();
            self.find_written(&words, |place: Place| {
                if takes_part(&self.classes[place.2]) {
                    let (start, end, term) = place;
                    found.insert(
                        place,
                        TermMatch { start, end, term, distance: 0.0, possessive: false, exact: true },
                    );
                }
            });
        }
        found.into_iter().map(sorted).collect()
    }

    /// The spans that are written as a term, given words without case and punctuation.
    fn find_written(&self, words: &[&str], mut found: impl FnMut(Place)) {
        for start in 0..words.len() {
            let first = words[start].split_whitespace().next();
            for (term, number) in first.and_then(|first| self.written.get(first)).into_iter().flatten() {
                let mut rest = term.as_slice();
                for end in start + 1..=words.len().min(start + SPAN) {
                    let matching =
                        words[end - 1].split_whitespace().zip(rest).filter(|(word, term)| word == term);
                    let count = words[end - 1].split_whitespace().count();
                    if count == 0 || count > rest.len() || matching.count() < count {
                        break;
                    }
                    rest = &rest[count..];
                    if rest.is_empty() {
                        found((start, end, *number));
                    }
                }
            }
        }
    }
}

/// By place; of the same place the nearest first.
fn sorted(found: FxHashMap<Place, TermMatch>) -> Vec<TermMatch> {
    let mut found: Vec<TermMatch> = found.into_values().collect();
    found.sort_unstable_by(|a, b| {
        let by_distance = a.distance.total_cmp(&b.distance);
        (a.start, a.end).cmp(&(b.start, b.end)).then(by_distance).then(a.term.cmp(&b.term))
    });
    found
}

impl Group {
    fn new(class: &Option<String>, terms: &[(usize, &Term)], options: VocabularyOptions) -> Self {
        let mut entries = Vec::new();
        for &(term, described) in terms {
            let words = SPAN.min(described.text.split_whitespace().count() + MORE);
            for phones in &described.pronunciations {
                let allowed = allowed(phones.len(), options.max_distance);
                entries.push(Entry { phones: phones.to_vec(), term, words, allowed, possessive: false });
                if possessive::has_one(&described.text) {
                    let phones = possessive::said(phones);
                    entries.push(Entry { phones, term, words, allowed, possessive: true });
                }
            }
        }
        let most = entries.iter().map(|entry| entry.words).max().unwrap_or_default();
        let forwards = Trie::new(entries.clone());
        entries.iter_mut().for_each(|entry| entry.phones.reverse());
        Self { class: class.clone(), most, forwards, backwards: Trie::new(entries) }
    }

    /// Adds the matches of texts, which are in reverse where `backwards` is true.
    fn find(
        &self,
        texts: &[Text],
        said: &[&[Pronunciation]],
        backwards: bool,
        matches: &mut [FxHashMap<Place, TermMatch>],
    ) {
        let trie = if backwards { &self.backwards } else { &self.forwards };
        let trees = trees(Soil { texts, said, most: self.most, backwards });
        let search = |tree: &Following| {
            let mut found = Vec::new();
            Search::run(trie, tree, |one| found.push(one));
            found
        };
        let found: Vec<Vec<Found>> = trees.par_iter().map(search).collect();
        let found =
            trees.iter().zip(found).flat_map(|(tree, found)| found.into_iter().map(move |one| (tree, one)));
        for (tree, Found { span, entry, cost }) in found {
            let (span, entry) = (&tree.spans[span], &trie.entries[entry]);
            if span.words > entry.words {
                continue;
            }
            let distance = f32::from(cost) / (f32::from(UNIT) * entry.phones.len() as f32);
            for &(text, start) in &span.places {
                let start = if backwards { texts[text].len() - start - span.words } else { start };
                let (end, term) = (start + span.words, entry.term);
                let possessive = entry.possessive;
                let new = TermMatch { start, end, term, distance, possessive, exact: false };
                let known = matches[text].entry((start, end, term)).or_insert(new);
                // Of equally near ones the term itself.
                if (distance, possessive) < (known.distance, known.possessive) {
                    *known = new;
                }
            }
        }
    }
}
