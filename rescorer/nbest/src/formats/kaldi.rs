//! A folder of what Kaldi's `nbest-to-linear` writes: texts, acoustic costs and language-model costs.
//!
//! `words_text` (or `text`) has `ID-N WORDS` a line, the N-th best of an utterance, from 1 on. Costs, all optional, have
//! `ID-N COST` a line: `ac_cost` or `acwt`, acoustic; `lm_cost` or `lmwt.*`, of graph and language model. A folder may also
//! hold several such folders, `archives.1`, `archives.2` and so on, as `steps/rnnlmrescore.sh` leaves them; they are
//! read as one set. References stand in `ref.txt`, or in `text` beside `words_text` or `archives.1`, `ID TEXT` a line.
//!
//! A cost is a negative log-likelihood, so the score is `−(lm_cost + 0.1 · ac_cost)`, with the usual acoustic scale;
//! the costs that are read are carried along. Of several files of language-model costs the first pass's is taken:
//! `lm_cost`, else `lmwt.withlm`, else `lmwt.nolm` (without the language model) and `lmwt.lmonly` together, else
//! the only `lmwt.interp.*`, `lmwt.nolm`, `lmwt.lmonly`, `lmwt.rnn`. A [`Notice`] says what was taken where there was a choice, and names
//! each file with a number for every hypothesis that is not read. Another says which costs are missing where one kind stands alone.
//!
//! # Reference
//! Kaldi, `src/latbin/nbest-to-linear.cc`; `src/latbin/lattice-to-nbest.cc` numbers the keys;
//! `egs/wsj/s5/steps/rnnlmrescore.sh` writes the archives.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::vec;

use crate::body::Body;
use crate::keyed::{KeyedLine, KeyedLines, numbered};
use crate::reading::Reading;
use crate::spec::{self, Spec};
use crate::{Error, Hypothesis, NBest, Notice, Place, ScoreScale, Utterance};

mod costs;

use costs::{Costs, Flaw};

/// The weight of acoustic costs that Kaldi's recipes begin with.
const ACOUSTIC_SCALE: f64 = 0.1;

pub(super) const SPEC: Spec = Spec::Folder(spec::Folder {
    marker: |path| is_archive(path) || !archives(path).is_empty(),
    open: |path, reading| Ok(Box::new(Folder::open(path, &reading)?)),
});

fn is_archive(path: &Path) -> bool {
    let has = |name: &str| path.join(name).is_file();
    has("words_text") || (has("text") && costs::are_in(path))
}

/// The archives inside a folder, in the order of their numbers.
fn archives(path: &Path) -> Vec<(u64, PathBuf)> {
    numbered(path, "archives.", "").into_iter().filter(|(_, folder)| is_archive(folder)).collect()
}

/// One archive after the other: one is held in memory.
struct Folder {
    archives: vec::IntoIter<PathBuf>,
    /// Of all archives.
    references: Option<KeyedLines>,
    archive: Archive,
}

impl Folder {
    fn open(path: &Path, reading: &Reading) -> Result<Self, Error> {
        if is_archive(path) {
            let archive = Archive::open(path)?;
            archive.say(path, reading);
            return Ok(Self { archives: Vec::new().into_iter(), references: None, archive });
        }
        let found = archives(path);
        if let Some((expected, (_, folder))) =
            (1..).zip(&found).find(|(expected, (number, _))| expected != number)
        {
            let reason = format!(
                "there is no archives.{expected} with `words_text` before it; bring it, or name the folders to read"
            );
            return Err(Error::Parts { path: folder.display().to_string(), reason });
        }
        let mut archives = found.into_iter().map(|(_, folder)| folder).collect::<Vec<_>>().into_iter();
        let Some(first) = archives.next() else {
            return Err(Error::Folder { path: path.display().to_string() });
        };
        let references = file(path, "ref.txt").or_else(|| file(path, "text"));
        let references = references.map(|path| KeyedLines::read(&path)).transpose()?;
        let archive = Archive::open(&first)?;
        archive.say(&first, reading);
        Ok(Self { archives, references, archive })
    }

    /// The next archive. Lists of one input are to have the same scores.
    fn open_next(&mut self, path: &Path) -> Result<(), Error> {
        let next = Archive::open(path)?;
        let (before, now) = (self.archive.costs.names(), next.costs.names());
        if before != now {
            let named =
                |names: Vec<&str>| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            let reason = format!(
                "its costs are {}, but those of the archive before are {}; bring the files that are missing, or name the \
                 folders one by one",
                named(now),
                named(before)
            );
            return Err(Error::Parts { path: path.display().to_string(), reason });
        }
        self.archive = next;
        Ok(())
    }
}

impl Body for Folder {
    fn next(&mut self) -> Result<Option<(Utterance, Place)>, Error> {
        loop {
            if let Some((id, lines)) = self.archive.lists.next() {
                return self.archive.utterance(id, lines, self.references.as_ref()).map(Some);
            }
            let Some(path) = self.archives.next() else { return Ok(None) };
            self.open_next(&path)?;
        }
    }
}

/// The id of a list, and its lines with their places in it.
type Listed = (String, Vec<(u64, KeyedLine)>);

/// A folder of texts and their costs.
struct Archive {
    texts: String,
    lists: vec::IntoIter<Listed>,
    references: Option<KeyedLines>,
    costs: Costs,
}

fn file(folder: &Path, name: &str) -> Option<PathBuf> {
    Some(folder.join(name)).filter(|path| path.is_file())
}

impl Archive {
    fn open(path: &Path) -> Result<Self, Error> {
        let words = file(path, "words_text");
        let beside = words.as_ref().and_then(|_| file(path, "text"));
        let is_named = words.is_some();
        let texts = KeyedLines::read(&words.unwrap_or_else(|| path.join("text")))?;
        let lists = lists(&texts, is_named)?;
        if lists.is_empty() {
            return Err(Error::Empty { path: texts.path().to_owned() });
        }
        let costs = Costs::open(path, &texts, ACOUSTIC_SCALE)?;
        let references = file(path, "ref.txt").or(beside);
        let references = references.map(|path| KeyedLines::read(&path)).transpose()?;
        Ok(Self { texts: texts.path().to_owned(), lists: lists.into_iter(), references, costs })
    }

    /// Says which costs are read, where others are not or are missing.
    fn say(&self, path: &Path, reading: &Reading) {
        if let Some(file) = self.costs.missing {
            reading.notices.once(|| Notice::MissingCosts {
                path: path.display().to_string(),
                score: self.costs.formula(),
                file,
            });
        }
        if !self.costs.unread.is_empty() {
            reading.notices.once(|| Notice::UnreadCosts {
                path: path.display().to_string(),
                score: self.costs.formula(),
                files: self.costs.unread.clone(),
            });
        }
    }

    fn utterance(
        &self,
        id: String,
        mut lines: Vec<(u64, KeyedLine)>,
        references: Option<&KeyedLines>,
    ) -> Result<(Utterance, Place), Error> {
        // Kaldi sorts its keys as text: u1-10 before u1-2.
        lines.sort_by_key(|(number, _)| *number);
        let place = |line: u64| Place {
            path: Some(self.texts.as_str().into()),
            line: Some(line),
            utterance: Some(id.clone()),
        };
        let first = place(lines[0].1.line);
        let mut hypotheses = Vec::with_capacity(lines.len());
        for (expected, (number, KeyedLine { key, text, line })) in (1..).zip(lines) {
            if number != expected {
                let reason =
                    format!("has {key} where {id}-{expected} should be; number them from 1 without gaps");
                return Err(Error::Part { place: place(line), reason });
            }
            let mut hypothesis = Hypothesis::new(text);
            self.costs.apply(&key, &mut hypothesis).map_err(|flaw| match flaw {
                Flaw::Reason(reason) => Error::Part { place: place(line), reason },
                Flaw::NotFinite(value) => Error::NotFinite { place: place(line), value },
            })?;
            hypotheses.push(hypothesis);
        }
        let nbest = NBest::checked(hypotheses, &first)?.with_score_scale(ScoreScale::Sum);
        let references = self.references.as_ref().or(references);
        let reference = references.map(|references| references.reference(&id, &first)).transpose()?;
        Ok((Utterance { reference, ..Utterance::new(id, nbest) }, first))
    }
}

/// The lines of each list, in the order in which the lists begin. `is_named` where the file is `words_text`: another may be references.
fn lists(texts: &KeyedLines, is_named: bool) -> Result<Vec<Listed>, Error> {
    let mut lists: Vec<Listed> = Vec::new();
    let mut index_of: HashMap<&str, usize> = HashMap::new();
    for line in texts.lines() {
        let Some((id, number)) = line.key.rsplit_once('-').and_then(|(id, n)| Some((id, n.parse().ok()?)))
        else {
            let reason = format!(
                "{:?} (line {}) does not end in -N, the place in its list; rename it{}",
                line.key,
                line.line,
                if is_named { "" } else { ", or write the hypotheses to `words_text`" }
            );
            return Err(Error::Parts { path: texts.path().to_owned(), reason });
        };
        let index = *index_of.entry(id).or_insert_with(|| {
            lists.push((id.to_owned(), Vec::new()));
            lists.len() - 1
        });
        lists[index].1.push((number, line.clone()));
    }
    Ok(lists)
}
