//! N-best lists of SRILM and SRI's Decipher: a file for each utterance, or a folder of them.
//!
//! The name of a file is the id of its utterance, without `.gz` and without `.nbest`, `.score` or `.txt`; of a folder every
//! file is read but hidden ones, in the order of their names. Each may be gzip.
//!
//! - Format 1: the line `NBestList1.0`, then `(SCORE) WORDS` a line. The score is a bytelog, a logarithm to base 1.0001
//!   divided by 1024, which SRILM takes as `ln p · 10000.5 / 1024`: ours is `SCORE · 1024 / 10000.5`.
//! - Format 3: `ACOUSTIC LM COUNT WORDS` a line, two logarithms to base 10 and the number of words. The score is
//!   `ln 10 · (ACOUSTIC / 8 + LM)`: 8 is the weight of the language model that `nbest-lattice` begins with
//!   (`-rescore-lmw`), and the sum stands in the unit of the language model. Both are carried along, as `ac_log10` and
//!   `lm_log10`, and `num_words`.
//! - Format 2, `NBestList2.0`, is refused: SRILM's `nbest2-to-nbest1` makes format 1 of it.
//!
//! `<s>`, `</s>` and the pause `-pau-` are no words and are left out, as SRILM does.
//!
//! # Reference
//! SRILM 1.7.3, nbest-format(5); `lm/src/NBest.cc`, `misc/src/Prob.h`.

use std::f64::consts::LN_10;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::vec;

use crate::body::Body;
use crate::source::Source;
use crate::spec::{self, Spec};
use crate::split::{Piece, next_line};
use crate::{Error, Hypothesis, NBest, Place, ScoreScale, Utterance};

pub(super) const SPEC: Spec = Spec::Text {
    marker: |line, _| begins(line),
    open: |source, _| Ok(Box::new(Single(Some(source)))),
    folder: Some(spec::Folder {
        marker: is_folder,
        open: |path, _| {
            let files = files(path);
            let empty = || Error::Empty { path: path.display().to_string() };
            if files.is_empty() { Err(empty()) } else { Ok(Box::new(Folder(files.into_iter()))) }
        },
    }),
};

/// The headers of the first two formats.
const HEADER: &str = "NBestList1.0";
const HEADER_2: &str = "NBestList2.0";

/// What is no word.
const NO_WORDS: [&str; 3] = ["<s>", "</s>", "-pau-"];

/// The weight of the language model in `nbest-lattice`.
const LM_WEIGHT: f64 = 8.0;

/// Natural logarithms in a bytelog.
const BYTELOG: f64 = 1024.0 / 10000.5;

/// Files of a folder that are looked into before it is taken for one of lists.
const LOOK: usize = 3;

fn begins(line: &[u8]) -> bool {
    let line = String::from_utf8_lossy(line);
    let line = line.trim();
    line == HEADER || line == HEADER_2 || third(line).is_ok_and(|hypothesis| hypothesis.score.is_some())
}

fn is_folder(path: &Path) -> bool {
    let files = files(path);
    let is_list = |path: &PathBuf| {
        let line = open(path).and_then(|mut source| next_line(&mut source));
        line.is_ok_and(|line| line.is_some_and(|line| begins(&line.bytes)))
    };
    !files.is_empty() && files.iter().take(LOOK).all(is_list)
}

/// The files of a folder but hidden ones, by name.
fn files(path: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
    let hidden =
        |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    let mut found: Vec<PathBuf> = entries.filter(|path| path.is_file() && !hidden(path)).collect();
    found.sort();
    found
}

fn open(path: &Path) -> Result<Source, Error> {
    let name = path.display().to_string();
    let file = File::open(path).map_err(|source| Error::Open { path: name.clone(), source })?;
    let mut source = Source::new(&name, file);
    source.unpack()?;
    source.skip_byte_order_mark()?;
    Ok(source)
}

/// The id of the utterance that a file holds.
fn id(name: &str) -> String {
    let name = Path::new(name).file_name().unwrap_or_default().to_string_lossy();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    let ends = [".nbest", ".score", ".txt"];
    ends.iter().find_map(|end| name.strip_suffix(end)).filter(|id| !id.is_empty()).unwrap_or(name).to_owned()
}

struct Single(Option<Source>);

impl Body for Single {
    fn next(&mut self) -> Result<Option<(Utterance, Place)>, Error> {
        self.0.take().map(list).transpose()
    }
}

struct Folder(vec::IntoIter<PathBuf>);

impl Body for Folder {
    fn next(&mut self) -> Result<Option<(Utterance, Place)>, Error> {
        self.0.next().map(|path| list(open(&path)?)).transpose()
    }
}

/// The list of one file.
fn list(mut source: Source) -> Result<(Utterance, Place), Error> {
    let id = id(source.name());
    let place = |source: &Source, line: u64| Place {
        path: Some(source.name().clone()),
        line: Some(line),
        utterance: Some(id.clone()),
    };
    let first = place(&source, 1);
    let mut hypotheses = Vec::new();
    let (mut decipher, mut begun) = (false, false);
    while let Some(Piece { bytes, line, .. }) = next_line(&mut source)? {
        let place = place(&source, line);
        let text = std::str::from_utf8(&bytes).map_err(|_| Error::Encoding { place: place.clone() })?.trim();
        let header = text == HEADER;
        if header && !std::mem::replace(&mut begun, true) {
            decipher = true;
            continue;
        }
        begun = true;
        let read = match text {
            HEADER_2 => {
                Err("is NBestList2.0, which is not read; convert it with SRILM's nbest2-to-nbest1".to_owned())
            }
            _ if header => Err("a second list begins here; write each list to a file of its own".to_owned()),
            _ if decipher => self::first(text),
            _ => third(text),
        };
        let hypothesis = read.map_err(|reason| Error::Part { place: place.clone(), reason })?;
        if let Some(value) = hypothesis.score.filter(|score| !score.is_finite()) {
            return Err(Error::NotFinite { place, value: value.to_string() });
        }
        hypotheses.push(hypothesis);
    }
    let nbest = NBest::checked(hypotheses, &first)?.with_score_scale(ScoreScale::Sum);
    Ok((Utterance::new(id.clone(), nbest), first))
}

/// A line of format 1.
fn first(line: &str) -> Result<Hypothesis, String> {
    let inner = line.strip_prefix('(').and_then(|rest| rest.split_once(')'));
    let Some((score, words)) = inner else {
        return Err(format!("its line does not begin with (SCORE), but with {:?}; mend it", start(line)));
    };
    let score: f64 = score
        .trim()
        .parse()
        .map_err(|_| format!("its score is {:?}, expected a number in parentheses; mend it", start(score)))?;
    let words: Vec<&str> = words.split_whitespace().collect();
    Ok(Hypothesis::scored(text(&words), score * BYTELOG))
}

/// A line of format 3.
fn third(line: &str) -> Result<Hypothesis, String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [acoustic, language, count, words @ ..] = &words[..] else {
        return Err(format!("its line is {:?}, expected ACOUSTIC LM COUNT WORDS; mend it", start(line)));
    };
    let number = |name: &str, text: &str| {
        text.parse::<f64>().map_err(|_| format!("its {name} is {text:?}, expected a number; mend it"))
    };
    let (acoustic, language) = (number("acoustic score", acoustic)?, number("LM score", language)?);
    let count: usize =
        count.parse().map_err(|_| format!("its number of words is {count:?}, expected one; mend it"))?;
    // Words joined by `_` may count as several.
    let most: usize = words.iter().map(|word| 1 + word.matches('_').count()).sum();
    if count > most {
        return Err(format!(
            "says {count} words, but {} stand in its line; it may be cut short: mend it",
            words.len()
        ));
    }
    let score = LN_10 * (acoustic / LM_WEIGHT + language);
    let mut hypothesis = Hypothesis::scored(text(words), score);
    hypothesis.extra.insert("ac_log10".to_owned(), acoustic.into());
    hypothesis.extra.insert("lm_log10".to_owned(), language.into());
    hypothesis.extra.insert("num_words".to_owned(), count.into());
    Ok(hypothesis)
}

fn text(words: &[&str]) -> String {
    let words: Vec<&str> = words.iter().copied().filter(|word| !NO_WORDS.contains(word)).collect();
    words.join(" ")
}

/// How a text begins, for messages.
fn start(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_the_names_of_files() {
        let ids = ["a/sw_2001.A.0001.gz", "u1.nbest.gz", "u1.txt", ".nbest", "stdin"].map(id);
        assert_eq!(ids, ["sw_2001.A.0001", "u1", "u1", ".nbest", "stdin"]);
    }

    #[test]
    fn only_lists_are_taken_for_lists() {
        for line in ["NBestList1.0", " NBestList2.0\r", "-12.5 -3 2 a cat", "-1 -2 0", "0 0 2 a_lot"] {
            assert!(begins(line.as_bytes()), "{line}");
        }
        for line in
            ["", "1 2 3", "-1 -2 3 a cat", "u1 a cat", "(12) a cat", "1,2,3", "-1 -2 1.5 a cat", "NBestList"]
        {
            assert!(!begins(line.as_bytes()), "{line}");
        }
    }
}
