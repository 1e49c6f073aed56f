//! Words that users put in, and that no hypothesis has.

use std::collections::{BTreeMap, HashSet};

use rescorer_nbest::Utterance;
use rescorer_perturb::{EditOp, Lexicon, align};
use serde::Serialize;

/// Corrections that a term occurs in before it is offered.
const RECURS: usize = 2;

/// Words of a term at most.
const LONGEST: usize = 3;

/// Words of this size of SCOWL and below are everyone's.
const COMMON: u8 = 50;

/// A term that users put in repeatedly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecurringTerm {
    /// As it was written most often.
    pub text: String,
    /// Corrections that have it.
    pub count: usize,
}

/// The terms that recur: runs of words that were put in place of others, and that no hypothesis of their list has. The most frequent first.
pub fn recurring(corrections: &[Utterance]) -> Vec<RecurringTerm> {
    let mut found: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
    for list in corrections {
        let terms: HashSet<String> = terms_of(list).into_iter().collect();
        for term in terms {
            *found.entry(term.to_lowercase()).or_default().entry(term).or_default() += 1;
        }
    }
    let term = |spellings: BTreeMap<String, usize>| {
        let count = spellings.values().sum();
        let most = spellings.into_iter().max_by_key(|(_, count)| *count);
        most.map(|(text, _)| RecurringTerm { text, count })
    };
    let mut terms: Vec<RecurringTerm> = found.into_values().filter_map(term).collect();
    terms.retain(|term| term.count >= RECURS);
    terms.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.text.cmp(&b.text)));
    terms
}

fn terms_of(list: &Utterance) -> Vec<String> {
    let Some(reference) = &list.reference else { return Vec::new() };
    let said = bare(reference);
    let heard: HashSet<String> = list
        .nbest
        .hypotheses()
        .iter()
        .flat_map(|hypothesis| bare(&hypothesis.text))
        .map(|word| word.to_lowercase())
        .collect();
    let lower = |words: &[&str]| -> Vec<String> { words.iter().map(|word| word.to_lowercase()).collect() };
    let (said_lower, answered) = (lower(&said), lower(&bare(&list.nbest.first().text)));
    let said_lower: Vec<&str> = said_lower.iter().map(String::as_str).collect();
    let answered: Vec<&str> = answered.iter().map(String::as_str).collect();
    let mut terms = Vec::new();
    let mut run: Vec<usize> = Vec::new();
    let mut place = 0;
    for op in align(&said_lower, &answered).ops() {
        match op {
            EditOp::Correct => {
                terms.extend(term(&said, &run, &heard));
                run.clear();
                place += 1;
            }
            EditOp::Substitution | EditOp::Deletion => {
                run.push(place);
                place += 1;
            }
            EditOp::Insertion => {}
        }
    }
    terms.extend(term(&said, &run, &heard));
    terms
}

/// The words of a run without common ones at its ends, if that is a term.
fn term(said: &[&str], run: &[usize], heard: &HashSet<String>) -> Option<String> {
    let is_new = |&&place: &&usize| {
        let word = said[place].to_lowercase();
        // A capital inside of a text is a name's, however common the word is.
        let is_name = place > 0 && said[place].starts_with(char::is_uppercase);
        let is_rare = || Lexicon::english().size(&word).is_none_or(|size| size > COMMON);
        !heard.contains(&word) && (is_name || is_rare())
    };
    let first = run.iter().position(|place| is_new(&place))?;
    let last = run.iter().rposition(|place| is_new(&place))?;
    let words: Vec<&str> = run[first..=last].iter().map(|&place| said[place]).collect();
    (words.len() <= LONGEST).then(|| words.join(" "))
}

/// Words without the punctuation around them.
fn bare(text: &str) -> Vec<&str> {
    let is_outer = |c: char| !c.is_alphanumeric();
    text.split_whitespace().map(|word| word.trim_matches(is_outer)).filter(|word| !word.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use rescorer_nbest::NBest;

    use super::*;

    fn list(texts: &[&str], reference: &str) -> Utterance {
        let mut list = Utterance::new("u", NBest::from_texts(texts.iter().copied()).unwrap());
        list.reference = Some(reference.into());
        list
    }

    #[test]
    fn names_that_no_hypothesis_has_recur() {
        let lists = [
            list(&["write to dwindle in soon"], "Write to Gwendolyn soon."),
            list(&["call when do lin", "call gwen do lin"], "Call Gwendolyn!"),
            list(&["call josef in", "call Josefin"], "Call Josefin"),
            list(&["call joe's fin", "call Josefin"], "Call Josefin"),
            list(&["please right it"], "please write it"),
            list(&["please right it down"], "please write it down"),
        ];
        let found = recurring(&lists);
        assert_eq!(found, [RecurringTerm { text: "Gwendolyn".into(), count: 2 }]);
    }

    #[test]
    fn terms_of_several_words_stay_together() {
        let lists = ["take zar elto forte", "more zarelle to fort"].map(|text| {
            list(
                &[text],
                &text.replace("zar elto forte", "Xarelto Forte").replace("zarelle to fort", "Xarelto forte"),
            )
        });
        let found = recurring(&lists);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].text.eq_ignore_ascii_case("xarelto forte") || found[0].text == "Xarelto",
            "{found:?}"
        );
    }
}
