//! What a recogniser makes of words.

use std::cmp::Reverse;
use std::fmt::Write;

use rustc_hash::FxHashMap;

use crate::{EditOp, Error, align};

/// Words that a confusion has at most on either side.
pub const SPAN: usize = 3;

/// First line of a file.
const HEADER: &str = "# said\theard\tcount\toccurrences";

/// How often a recogniser hears words as others, learned from lists with references.
///
/// A file has a line for every confusion: what was said, what was heard, how often, and how often the words were said. Nothing said is an
/// insertion, nothing heard a deletion.
///
/// ```
/// use rescorer_perturb::ConfusionTable;
///
/// let mut table = ConfusionTable::default();
/// table.add(&["flights", "to", "boston"], &["flight", "to", "boston"]);
/// table.add(&["all", "flights"], &["all", "flights"]);
/// assert_eq!(table.to_tsv(), "# said\theard\tcount\toccurrences\nflights\tflight\t1\t2\n");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConfusionTable {
    heard: FxHashMap<String, Vec<Heard>>,
    words: FxHashMap<String, usize>,
    total: usize,
}

/// What was heard in place of words.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Heard {
    text: String,
    count: usize,
    /// Occurrences of what was said, in a table that was read.
    occurrences: Option<usize>,
}

impl ConfusionTable {
    /// Counts the confusions of a hypothesis with a reference, case and the punctuation around words aside.
    ///
    /// Words next to each other that differ are one confusion, of at most three words on either side, unless as many were heard as were
    /// said: then each word is one. Longer ones are left out, since they tell little about their words.
    pub fn add(&mut self, reference: &[&str], hypothesis: &[&str]) {
        let (reference, hypothesis) = (bare(reference), bare(hypothesis));
        let reference: Vec<&str> = reference.iter().map(String::as_str).collect();
        let hypothesis: Vec<&str> = hypothesis.iter().map(String::as_str).collect();
        for word in &reference {
            *self.words.entry((*word).to_owned()).or_default() += 1;
        }
        self.total += reference.len();
        let (mut said, mut heard) = (Vec::new(), Vec::new());
        let (mut next_said, mut next_heard) = (reference.iter(), hypothesis.iter());
        for op in align(&reference, &hypothesis).ops() {
            let (says, hears) = match op {
                EditOp::Correct | EditOp::Substitution => (next_said.next(), next_heard.next()),
                EditOp::Deletion => (next_said.next(), None),
                EditOp::Insertion => (None, next_heard.next()),
            };
            if *op == EditOp::Correct {
                self.block(&std::mem::take(&mut said), &std::mem::take(&mut heard));
            } else {
                said.extend(says);
                heard.extend(hears);
            }
        }
        self.block(&said, &heard);
    }

    fn block(&mut self, said: &[&str], heard: &[&str]) {
        if said.len() == heard.len() {
            said.iter().zip(heard).for_each(|(said, heard)| self.count(said, heard));
        } else if said.len() <= SPAN && heard.len() <= SPAN {
            self.count(&said.join(" "), &heard.join(" "));
        }
    }

    fn count(&mut self, said: &str, heard: &str) {
        let all = self.heard.entry(said.to_owned()).or_default();
        match all.iter_mut().find(|known| known.text == heard) {
            Some(known) => known.count += 1,
            None => all.push(Heard { text: heard.to_owned(), count: 1, occurrences: None }),
        }
    }

    /// Number of different confusions.
    #[must_use]
    pub fn len(&self) -> usize {
        self.heard.values().map(Vec::len).sum()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.heard.is_empty()
    }

    /// What is heard in place of words, joined by spaces, each with its probability. For no words: what is inserted before a word.
    ///
    /// The probability is the count divided by the occurrences of the rarest of the words, or for insertions by all words.
    pub fn heard(&self, said: &str) -> impl Iterator<Item = (&str, f64)> {
        let occurrences = self.occurrences(said);
        self.heard.get(said).into_iter().flatten().map(move |heard| {
            let of = heard.occurrences.unwrap_or(occurrences).max(heard.count);
            (heard.text.as_str(), heard.count as f64 / of as f64)
        })
    }

    fn occurrences(&self, said: &str) -> usize {
        let words = said.split(' ').filter(|word| !word.is_empty());
        words.map(|word| self.words.get(word).copied().unwrap_or(0)).min().unwrap_or(self.total)
    }

    /// The file: the most frequent confusions first.
    #[must_use]
    pub fn to_tsv(&self) -> String {
        let rows = self.heard.iter().flat_map(|(said, all)| {
            let occurrences = self.occurrences(said);
            all.iter().map(move |heard| (said, heard, heard.occurrences.unwrap_or(occurrences)))
        });
        let mut rows: Vec<_> = rows.collect();
        rows.sort_by_key(|(said, heard, _)| (Reverse(heard.count), *said, &heard.text));
        let mut text = format!("{HEADER}\n");
        for (said, heard, occurrences) in rows {
            // Writing to a string never fails.
            let _ = writeln!(text, "{said}\t{}\t{}\t{occurrences}", heard.text, heard.count);
        }
        text
    }

    /// Reads a file. `name` stands for it in messages.
    ///
    /// # Errors
    /// [`Error::Confusions`] with the line: not four fields, no number, an impossible count, a confusion that was there before.
    pub fn parse(name: &str, text: &str) -> Result<Self, Error> {
        let mut table = Self::default();
        for (index, line) in text.lines().enumerate() {
            let fail = |reason: &str| {
                Err(Error::Confusions { name: name.into(), line: index + 1, reason: reason.into() })
            };
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let [said, heard, count, occurrences] = line.split('\t').collect::<Vec<_>>()[..] else {
                return fail("expected four fields with tabs between: said, heard, count, occurrences");
            };
            let (Ok(count), Ok(occurrences)) =
                (count.trim().parse::<usize>(), occurrences.trim().parse::<usize>())
            else {
                return fail("count and occurrences have to be whole numbers");
            };
            if count == 0 || said == heard {
                return fail("a confusion is of different words, and occurs at least once; remove the line");
            }
            let all = table.heard.entry(said.to_lowercase()).or_default();
            let heard = heard.to_lowercase();
            if all.iter().any(|known| known.text == heard) {
                return fail("the confusion stands in an earlier line; remove one of them");
            }
            all.push(Heard { text: heard, count, occurrences: Some(occurrences) });
        }
        Ok(table)
    }
}

/// Words in lower case, without the punctuation around them.
fn bare(words: &[&str]) -> Vec<String> {
    let is_outer = |c: char| !c.is_alphanumeric() && c != '\'';
    let bare = words.iter().map(|word| word.trim_matches(is_outer).to_lowercase().replace('’', "'"));
    bare.filter(|word| !word.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(pairs: &[(&str, &str)]) -> ConfusionTable {
        let mut table = ConfusionTable::default();
        for (reference, hypothesis) in pairs {
            table.add(&crate::words(reference), &crate::words(hypothesis));
        }
        table
    }

    #[test]
    fn blocks_by_hand() {
        let table = table(&[
            ("their is a loan", "there's alone"),
            ("a cat sat", "a bat sat down"),
            ("the cat", "cat"),
            ("one two three four", "five"),
        ]);
        let heard = |said: &str| table.heard(said).map(|(text, p)| (text.to_owned(), p)).collect::<Vec<_>>();
        assert_eq!(heard("cat"), [("bat".to_owned(), 0.5)]);
        assert_eq!(heard(""), [("down".to_owned(), 1.0 / 13.0)]);
        assert_eq!(heard("the"), [(String::new(), 1.0)]);
        assert!(heard("one two three four").is_empty(), "too long to tell anything");
        assert_eq!(table.len(), 3, "{}", table.to_tsv());
    }

    #[test]
    fn spans_of_other_lengths_are_one_confusion() {
        let table = table(&[("go a long way", "go along way"), ("a long story", "a long story")]);
        let heard: Vec<_> = table.heard("a long").collect();
        assert_eq!(heard, [("along", 0.5)]);
    }

    #[test]
    fn case_and_punctuation_are_no_confusions() {
        let table = table(&[("Please write — it’s late.", "please right, it's late")]);
        assert_eq!(table.to_tsv().lines().nth(1), Some("write\tright\t1\t1"));
        assert_eq!(table.len(), 1);
    }

    #[test]
    fn a_file_survives() {
        let table = table(&[("a cat sat", "a bat sat down"), ("the cat", "cat")]);
        let text = table.to_tsv();
        let read = ConfusionTable::parse("x.tsv", &text).unwrap();
        assert_eq!(read.to_tsv(), text);
        assert_eq!(read.heard("cat").collect::<Vec<_>>(), table.heard("cat").collect::<Vec<_>>());
    }

    #[test]
    fn bad_lines_are_refused() {
        for (line, part) in [
            ("a\tb\t1", "x.tsv:1: expected four fields"),
            ("a\tb\tone\t2", "whole numbers"),
            ("a\ta\t1\t2", "different words"),
            ("a\tb\t0\t2", "at least once"),
            ("a\tb\t1\t2\na\tb\t1\t2", "x.tsv:2: the confusion stands in an earlier line"),
        ] {
            let message = ConfusionTable::parse("x.tsv", line).unwrap_err().to_string();
            assert!(message.contains(part), "{message}");
        }
    }
}
