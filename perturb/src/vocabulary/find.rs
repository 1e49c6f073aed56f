//! Looks terms up in texts.

use std::collections::BTreeSet;
use std::hash::Hash;

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::cost::{UNIT, allowed};
use super::following::{Following, Soil, Text, trees};
use super::options::VocabularyOptions;
use super::possessive;
use super::pronouncer::Pronouncer;
use super::search::{Found, Search};
use super::term::{Term, TermMatch};
use super::trie::{Entry, Said, Trie};
use crate::{Phone, spoken};

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
    /// Short and long terms for texts as they are, and for texts in reverse.
    tries: [[Trie; 2]; 2],
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
        let (words, numbers) = numbered(texts.iter().flatten().copied());
        let mut numbers = numbers.into_iter();
        let written: Vec<Text> =
            texts.iter().map(|text| numbers.by_ref().take(text.len()).collect()).collect();
        let said: Vec<_> = words.iter().map(|word| pronouncer.word(word)).collect();
        // Words that are said alike are the same for the search.
        let (said, sounds) = numbered(said.iter().map(AsRef::as_ref));
        let heard: Vec<Text> =
            written.iter().map(|text| text.iter().map(|&word| sounds[word]).collect()).collect();
        let reversed: Vec<Text> = heard.iter().map(|text| text.iter().rev().copied().collect()).collect();
        let searched = self.groups.iter().filter(|group| takes_part(&group.class));
        let searches: Vec<(&Group, bool)> =
            searched.flat_map(|group| [(group, false), (group, true)]).collect();
        let near = searches.par_iter().flat_map_iter(|&(group, backwards)| {
            let texts = if backwards { &reversed } else { &heard };
            group.find(Soil { texts, said: &said, most: group.most, backwards })
        });
        let near: Vec<(usize, TermMatch)> = near.collect();
        let mut found: Vec<FxHashMap<Place, TermMatch>> = vec![FxHashMap::default(); texts.len()];
        for (text, new) in near {
            let known = found[text].entry((new.start, new.end, new.term)).or_insert(new);
            // Of equally near ones the term itself.
            if (new.distance, new.possessive) < (known.distance, known.possessive) {
                *known = new;
            }
        }
        let spoken: Vec<_> = words.iter().map(|word| spoken(word)).collect();
        for (text, found) in written.iter().zip(&mut found) {
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
        let mut said = [Vec::new(), Vec::new()];
        for &(term, described) in terms {
            let words = SPAN.min(described.text.split_whitespace().count() + MORE);
            for phones in &described.pronunciations {
                let allowed = allowed(phones.len(), options.max_distance);
                let mut add = |phones: Vec<Phone>, possessive| {
                    let entry = Entry { term, phones: phones.len(), words, allowed, possessive };
                    let (forwards, backwards) = Said::both(phones, entry);
                    said[0].push(forwards);
                    said[1].extend(backwards);
                };
                add(phones.to_vec(), false);
                if possessive::has_one(&described.text) {
                    add(possessive::said(phones), true);
                }
            }
        }
        let most = said[0].iter().map(|said| said.entry.words).max().unwrap_or_default();
        let tries = said.map(|said| {
            let (short, long) = said.into_iter().partition(Said::is_short);
            [short, long].map(Trie::new)
        });
        Self { class: class.clone(), most, tries }
    }

    /// Matches with the numbers of their texts.
    fn find(&self, soil: Soil<'_>) -> Vec<(usize, TermMatch)> {
        let places = soil.places();
        let trees = trees(soil, &places);
        let tries = &self.tries[usize::from(soil.backwards)];
        let searches: Vec<(&Following, &Trie)> =
            trees.iter().flat_map(|tree| tries.iter().map(move |trie| (tree, trie))).collect();
        let search = |&(tree, trie): &(&Following, &Trie)| {
            let mut matches = Vec::new();
            Search::run(trie, tree, |Found { span, entry, cost }| {
                let (span, entry) = (&tree.spans[span], trie.entries[entry]);
                if span.words > entry.words {
                    return;
                }
                let Entry { term, possessive, .. } = entry;
                let distance = f32::from(cost) / (f32::from(UNIT) * entry.phones as f32);
                for &(text, start) in span.places {
                    let length = soil.texts[text].len();
                    let start = if soil.backwards { length - start - span.words } else { start };
                    let end = start + span.words;
                    matches.push((text, TermMatch { start, end, term, distance, possessive, exact: false }));
                }
            });
            matches
        };
        searches.par_iter().flat_map_iter(search).collect()
    }
}

/// The different ones of some items, and all items as numbers of these.
fn numbered<T: Copy + Eq + Hash>(items: impl Iterator<Item = T>) -> (Vec<T>, Vec<usize>) {
    let mut known: FxHashMap<T, usize> = FxHashMap::default();
    let mut different = Vec::new();
    let number = |item| {
        *known.entry(item).or_insert_with(|| {
            different.push(item);
            different.len() - 1
        })
    };
    let numbers = items.map(number).collect();
    (different, numbers)
}
