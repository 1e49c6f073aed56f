//! Terms of a vocabulary that words of a list sound like become further hypotheses.

use std::path::PathBuf;
use std::sync::Arc;

use rescorer_nbest::{InsertedTerm, TermUse, Utterance};
use rescorer_perturb::{LetterToSound, Lexicon, TermMatch, Vocabulary};
use serde_json::Value;

use crate::error::{Error, VocabularyError};

/// Field of a list with terms of its own, and with classes of the vocabulary that it switches on.
const FIELD: &str = "vocabulary";

/// What begins the name of a class.
const CLASS: char = '@';

/// Hypotheses that are added to a list at most, those with the nearest terms.
const MOST_ADDED: usize = 16;

/// Reads terms that are said in English. `name` stands for the text in messages.
pub(crate) fn english(name: &str, text: &str) -> Result<Vocabulary, rescorer_perturb::Error> {
    Vocabulary::parse(name, text, &Lexicon::english(), &LetterToSound::english())
}

/// Where the terms of a vocabulary come from.
#[derive(Clone)]
pub(crate) enum GivenVocabulary {
    File(PathBuf),
    Read(Arc<Vocabulary>),
}

impl GivenVocabulary {
    pub(crate) fn read(self) -> Result<Arc<Vocabulary>, Error> {
        let path = match self {
            Self::File(path) => path,
            Self::Read(vocabulary) => return Ok(vocabulary),
        };
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|source| VocabularyError::File { path: name.clone(), source })?;
        Ok(Arc::new(english(&name, &text).map_err(VocabularyError::Terms)?))
    }
}

/// Whether a list has terms or classes of its own.
pub(crate) fn has_own(list: &Utterance) -> bool {
    field(list).is_some()
}

/// The field of a list; null is none.
fn field(list: &Utterance) -> Option<&Value> {
    list.extra.get(FIELD).filter(|field| !field.is_null())
}

/// The list with further hypotheses, in which terms stand in place of words that sound like them: the terms of a vocabulary, without a class
/// or of a class that the list switches on, and the list's own.
///
/// # Errors
/// A field `vocabulary` that is no array of texts; terms that can't be said.
pub(crate) fn with_terms(mut list: Utterance, vocabulary: Option<&Vocabulary>) -> Result<Utterance, Error> {
    let (terms, classes) = own(&list)?;
    let own = match terms.is_empty() {
        true => None,
        false => {
            let own = english(FIELD, &terms.join("\n"));
            Some(own.map_err(|source| VocabularyError::OfList { id: list.id.clone(), source })?)
        }
    };
    let vocabularies: Vec<&Vocabulary> = vocabulary.into_iter().chain(&own).collect();
    if vocabularies.is_empty() {
        return Ok(list);
    }
    let recognised = list.nbest.recognised();
    let mut texts: Vec<Text> = Vec::new();
    let mut of: Vec<usize> = Vec::new();
    for (position, hypothesis) in list.nbest.hypotheses()[..recognised].iter().enumerate() {
        let known = texts.iter().position(|text| text.text == hypothesis.text);
        of.push(known.unwrap_or(texts.len()));
        if known.is_none() {
            texts.push(Text::new(position, &hypothesis.text));
        }
    }
    for vocabulary in vocabularies {
        let words: Vec<Vec<&str>> = texts.iter().map(|text| text.words.clone()).collect();
        let found = vocabulary.find_all(&words, Some(&classes));
        texts.iter_mut().zip(found).for_each(|(text, found)| text.take(vocabulary, found));
    }
    let uses = of.iter().map(|&text| texts[text].used()).collect();
    let mut made: Vec<Made> = texts.iter().flat_map(Text::made).collect();
    made.sort_by(|one, other| one.order().total_cmp(&other.order()).then(one.source.cmp(&other.source)));
    made.truncate(MOST_ADDED);
    let made: Vec<(usize, String, TermUse)> =
        made.into_iter().map(|made| (made.source, made.text, made.used)).collect();
    list.nbest = list.nbest.with_terms(uses, made);
    Ok(list)
}

/// The terms of a list's own, and the classes that it switches on.
fn own(list: &Utterance) -> Result<(Vec<&str>, Vec<String>), VocabularyError> {
    let Some(field) = field(list) else { return Ok(Default::default()) };
    let fail = || VocabularyError::Field { id: list.id.clone(), value: field.to_string() };
    let (mut terms, mut classes) = (Vec::new(), Vec::new());
    for entry in field.as_array().ok_or_else(fail)? {
        let Value::String(entry) = entry else { return Err(fail()) };
        match entry.strip_prefix(CLASS) {
            Some(class) => classes.push(class.to_owned()),
            None => terms.push(entry.as_str()),
        }
    }
    Ok((terms, classes))
}

/// A text that the recogniser wrote, and the terms that it has and that it sounds like.
struct Text<'a> {
    position: usize,
    text: &'a str,
    words: Vec<&'a str>,
    /// Terms that it has.
    exact: Vec<Place>,
    /// Terms that words sound like.
    near: Vec<Place>,
}

/// A term and the words that it stands for.
#[derive(Clone)]
struct Place {
    start: usize,
    end: usize,
    /// As the file has it.
    term: Arc<str>,
    /// As it stands in the text, perhaps with `'s`.
    text: Arc<str>,
    weight: f64,
    distance: f64,
}

/// A text with terms put in.
struct Made {
    source: usize,
    text: String,
    used: TermUse,
}

impl Made {
    /// The smaller, the rather it is added.
    fn order(&self) -> f64 {
        self.used.distance / self.used.inserted.len().max(1) as f64
    }
}

impl Place {
    fn meets(&self, other: &Self) -> bool {
        self.start < other.end && other.start < self.end
    }
}

impl<'a> Text<'a> {
    fn new(position: usize, text: &'a str) -> Self {
        Self { position, text, words: text.split_whitespace().collect(), exact: Vec::new(), near: Vec::new() }
    }

    /// Takes the matches of a vocabulary.
    fn take(&mut self, vocabulary: &Vocabulary, found: Vec<TermMatch>) {
        for TermMatch { start, end, term, distance, possessive, exact } in found {
            let term = &vocabulary.terms()[term];
            let place = Place {
                start,
                end,
                term: term.text.as_str().into(),
                text: if possessive { format!("{}'s", term.text).into() } else { term.text.as_str().into() },
                weight: term.weight,
                distance: f64::from(distance),
            };
            let has_it = exact || (possessive && self.written(&place).eq_ignore_ascii_case(&place.text));
            if has_it { self.exact.push(place) } else { self.near.push(place) }
        }
    }

    /// The terms that it has, where they overlap the longest.
    fn kept(&self) -> Vec<&Place> {
        let mut kept: Vec<&Place> = Vec::new();
        let mut longest: Vec<&Place> = self.exact.iter().collect();
        longest.sort_by_key(|place| (std::cmp::Reverse(place.end - place.start), place.start));
        for place in longest {
            if !kept.iter().any(|known| known.meets(place)) {
                kept.push(place);
            }
        }
        kept
    }

    /// The terms that it has in their own spelling. Another spelling does not count, so that the text with the right one wins.
    fn used(&self) -> TermUse {
        let spelled = self.kept().into_iter().filter(|place| self.written(place) == *place.text);
        TermUse { weight: spelled.map(|place| place.weight).sum(), ..TermUse::default() }
    }

    /// The texts that are made from it: with each term that words sound like, with all of these that do not overlap, the nearest first;
    /// and terms that it has in their own spelling. A term that it has stays.
    fn made(&self) -> Vec<Made> {
        let kept = self.kept();
        let is_free = |place: &&Place| !kept.iter().any(|known| known.meets(place));
        let mut near: Vec<&Place> = self.near.iter().filter(is_free).collect();
        near.sort_by(|one, other| one.distance.total_cmp(&other.distance).then(one.start.cmp(&other.start)));
        let spelled: Vec<&Place> =
            kept.iter().copied().filter(|place| self.written(place) != *place.text).collect();
        let mut all: Vec<&Place> = Vec::new();
        for place in &near {
            if !all.iter().any(|known| known.meets(place)) {
                all.push(place);
            }
        }
        let single = near.iter().map(|place| vec![*place]);
        let several = (all.len() > 1).then_some(all);
        let own = (!spelled.is_empty()).then(Vec::new);
        let sets = own.into_iter().chain(single).chain(several);
        sets.map(|set| self.with([set, spelled.clone()].concat())).collect()
    }

    /// The words of a place without the punctuation around them.
    fn written(&self, place: &Place) -> String {
        let words = self.words[place.start..place.end].join(" ");
        words.trim_matches(is_around).to_owned()
    }

    /// The text with terms in their places.
    fn with(&self, mut places: Vec<&Place>) -> Made {
        places.sort_by_key(|place| place.start);
        let mut words: Vec<&str> = Vec::new();
        let mut used = self.used();
        let mut next = 0;
        let pieces: Vec<String> = places.iter().map(|place| self.piece(place)).collect();
        for (place, piece) in places.iter().zip(&pieces) {
            words.extend(&self.words[next..place.start]);
            let start = words.len();
            words.extend(piece.split_whitespace());
            next = place.end;
            used.weight += place.weight;
            used.distance += place.distance;
            used.inserted.push(InsertedTerm {
                term: place.term.to_string(),
                start,
                end: words.len(),
                replaced: self.words[place.start..place.end].join(" "),
                distance: place.distance,
            });
        }
        words.extend(&self.words[next..]);
        Made { source: self.position, text: words.join(" "), used }
    }

    /// A term with the punctuation around the words that it replaces.
    fn piece(&self, place: &Place) -> String {
        let (first, last) = (self.words[place.start], self.words[place.end - 1]);
        let before = &first[..first.len() - first.trim_start_matches(is_around).len()];
        let behind = last.trim_end_matches(is_around).len();
        let behind = if place.text.ends_with(is_around) { "" } else { &last[behind..] };
        format!("{before}{}{behind}", place.text)
    }
}

/// Whether a character may stand around a word without being part of it.
fn is_around(c: char) -> bool {
    !c.is_alphanumeric() && c != '\''
}
