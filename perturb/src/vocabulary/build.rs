//! Makes terms that can be looked for: checked, pronounced, and each one once.

use std::collections::hash_map::Entry;

use rustc_hash::FxHashMap;

use super::notice::VocabularyNotice;
use super::pronouncer::{LONGEST, Pronouncer};
use super::term::Term;
use crate::Error;

/// Words of a term at most.
const WORDS: usize = 6;
const REMEDY: &str = "write phones behind a tab (JH OW Z AH F IY N), or sounds-like= and ordinary words";

/// Terms with their pronunciations, and what became of duplicates.
pub fn build(
    name: &str,
    listed: Vec<(usize, Term)>,
    pronouncer: &Pronouncer,
) -> Result<(Vec<Term>, Vec<VocabularyNotice>), Error> {
    let mut terms: Vec<Term> = Vec::new();
    let mut notices = Vec::new();
    let mut known: FxHashMap<(String, Option<String>), (usize, usize)> = FxHashMap::default();
    for (line, term) in listed {
        let fail = |reason| Error::Vocabulary { name: name.into(), line, reason };
        let term = complete(term, pronouncer).map_err(fail)?;
        match known.entry((term.text.clone(), term.class.clone())) {
            Entry::Vacant(entry) => {
                entry.insert((line, terms.len()));
                terms.push(term);
            }
            Entry::Occupied(entry) => {
                let (first_line, number) = *entry.get();
                let first = &mut terms[number];
                first.weight = first.weight.max(term.weight);
                first.sounds_like.extend(term.sounds_like);
                for pronunciation in term.pronunciations {
                    add(pronunciation, &mut first.pronunciations);
                }
                let (name, weight) = (name.to_owned(), first.weight);
                notices.push(VocabularyNotice::Duplicate { name, line, term: term.text, first_line, weight });
            }
        }
    }
    if terms.is_empty() {
        return Err(Error::NoTerms { name: name.into() });
    }
    Ok((terms, notices))
}

fn add<T: PartialEq>(item: T, items: &mut Vec<T>) {
    if !items.contains(&item) {
        items.push(item);
    }
}

/// Checks a term and adds its pronunciations.
fn complete(term: Term, pronouncer: &Pronouncer) -> Result<Term, String> {
    let Term { text, weight, pronunciations: given, sounds_like, class } = term;
    let words: Vec<&str> = text.split_whitespace().collect();
    let text = words.join(" ");
    match words.len() {
        0 => return Err("a term has no words; write at least one".into()),
        1..=WORDS => {}
        count => {
            return Err(format!(
                "{text:?} has {count} words; give at most {WORDS}, those that tell it from others"
            ));
        }
    }
    if !(weight.is_finite() && weight > 0.0) {
        return Err(format!("weight {weight} of {text:?} is not above 0; write weight=2.5"));
    }
    if class.as_ref().is_some_and(String::is_empty) {
        return Err(format!("the class of {text:?} is empty; write class=contacts, or nothing"));
    }
    let mut pronunciations = Vec::new();
    given.into_iter().for_each(|given| add(given, &mut pronunciations));
    for words in &sounds_like {
        let said = pronouncer.words(words).map_err(|word| {
            format!("{word:?} in sounds-like={words} of {text:?} can't be said; use ordinary English words")
        })?;
        said.into_iter().for_each(|said| add(said, &mut pronunciations));
    }
    if pronunciations.is_empty() {
        let cannot = |word| {
            let what = if word == text { format!("{text:?}") } else { format!("{word:?} in {text:?}") };
            format!("{what} can't be said by rule; {REMEDY}")
        };
        pronunciations = pronouncer.words(&text).map_err(cannot)?;
    }
    if pronunciations.iter().any(|said| said.is_empty() || said.len() > LONGEST) || pronunciations.is_empty()
    {
        return Err(format!(
            "{text:?} has a pronunciation without phones or with more than {LONGEST}; {REMEDY}"
        ));
    }
    Ok(Term { text, weight, pronunciations, sounds_like, class })
}
