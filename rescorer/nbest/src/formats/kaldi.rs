//! A folder of what Kaldi's `nbest-to-linear` writes: texts, acoustic costs and language-model costs.
//!
//! `words_text` (or `text`) has `ID-N WORDS` a line, the N-th best of an utterance, from 1 on; `ac_cost` and `lm_cost`, both
//! optional, have `ID-N COST`. References stand in `ref.txt`, or in `text` beside `words_text`, `ID TEXT` a line. A cost is a
//! negative log-likelihood, so the score is `−(lm_cost + 0.1 · ac_cost)`, with the usual acoustic scale; both costs are carried
//! along.
//!
//! # Reference
//! Kaldi, `src/latbin/nbest-to-linear.cc`; `src/latbin/lattice-to-nbest.cc` numbers the keys.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::vec;

use serde_json::Value;

use super::{Kind, Spec};
use crate::body::Body;
use crate::keyed::{KeyedLine, KeyedLines};
use crate::{Error, Hypothesis, NBest, Place, Utterance};

/// The weight of acoustic costs that Kaldi's recipes begin with.
const ACOUSTIC_SCALE: f64 = 0.1;

pub(super) const SPEC: Spec = Spec {
    name: "kaldi",
    kind: Kind::Folder { marker: is_kaldi, open: |path| Ok(Box::new(Folder::open(path)?)) },
};

fn is_kaldi(path: &Path) -> bool {
    let has = |name: &str| path.join(name).is_file();
    has("words_text") || (has("text") && (has("ac_cost") || has("lm_cost")))
}

struct Folder {
    texts: String,
    lists: vec::IntoIter<(String, Vec<(u64, KeyedLine)>)>,
    references: Option<KeyedLines>,
    ac_cost: Option<KeyedLines>,
    lm_cost: Option<KeyedLines>,
}

impl Folder {
    fn open(path: &Path) -> Result<Self, Error> {
        let there = |name: &str| -> Option<PathBuf> { Some(path.join(name)).filter(|path| path.is_file()) };
        let read = |path: Option<PathBuf>| path.map(|path| KeyedLines::read(&path)).transpose();
        let words = there("words_text");
        let beside = words.as_ref().and_then(|_| there("text"));
        let texts = KeyedLines::read(&words.unwrap_or_else(|| path.join("text")))?;
        let (ac_cost, lm_cost) = (read(there("ac_cost"))?, read(there("lm_cost"))?);
        let mut lists: Vec<(String, Vec<(u64, KeyedLine)>)> = Vec::new();
        let mut index_of: HashMap<String, usize> = HashMap::new();
        for line in texts.lines() {
            let Some((id, number)) =
                line.key.rsplit_once('-').and_then(|(id, n)| Some((id, n.parse().ok()?)))
            else {
                let reason = format!(
                    "{:?} (line {}) does not end in -N, the place in its list; rename it",
                    line.key, line.line
                );
                return Err(Error::Parts { path: texts.path().to_owned(), reason });
            };
            let index = *index_of.entry(id.to_owned()).or_insert_with(|| {
                lists.push((id.to_owned(), Vec::new()));
                lists.len() - 1
            });
            lists[index].1.push((number, line.clone()));
        }
        for costs in [&ac_cost, &lm_cost].into_iter().flatten() {
            let stray = costs.lines().iter().find(|line| texts.get(&line.key).is_none());
            if let Some(KeyedLine { key, line, .. }) = stray {
                let reason =
                    format!("{key:?} (line {line}) has no text in {}; remove the line", texts.path());
                return Err(Error::Parts { path: costs.path().to_owned(), reason });
            }
        }
        if lists.is_empty() {
            return Err(Error::Empty { path: texts.path().to_owned() });
        }
        let references = read(there("ref.txt").or(beside))?;
        Ok(Self { texts: texts.path().to_owned(), lists: lists.into_iter(), references, ac_cost, lm_cost })
    }

    fn utterance(&self, id: String, mut lines: Vec<(u64, KeyedLine)>) -> Result<(Utterance, Place), Error> {
        // Kaldi sorts its keys as text: u1-10 before u1-2.
        lines.sort_by_key(|(number, _)| *number);
        let place = |line: u64| Place {
            path: Some(self.texts.as_str().into()),
            line: Some(line),
            utterance: Some(id.clone()),
        };
        let first = place(lines[0].1.line);
        let part = |line: u64, reason: String| Err(Error::Part { place: place(line), reason });
        let mut hypotheses = Vec::with_capacity(lines.len());
        for (expected, (number, KeyedLine { key, text, line })) in (1..).zip(lines) {
            if number != expected {
                return part(
                    line,
                    format!("has {key} where {id}-{expected} should be; number them from 1 without gaps"),
                );
            }
            let mut hypothesis = Hypothesis::new(text);
            for (name, costs, scale) in
                [("ac_cost", &self.ac_cost, ACOUSTIC_SCALE), ("lm_cost", &self.lm_cost, 1.0)]
            {
                let Some(costs) = costs else { continue };
                let Some(cost) = costs.get(&key).map(|line| line.text.as_str()) else {
                    return part(line, format!("{key} has no line in {}; add one", costs.path()));
                };
                let Ok(value) = cost.parse::<f64>() else {
                    return part(
                        line,
                        format!("{key} costs {cost:?} in {}, expected a number; mend it", costs.path()),
                    );
                };
                if !value.is_finite() {
                    return Err(Error::NotFinite { place: place(line), value: cost.to_owned() });
                }
                hypothesis.score = Some(hypothesis.score.unwrap_or(0.0) - scale * value);
                hypothesis.extra.insert(name.to_owned(), Value::from(value));
            }
            hypotheses.push(hypothesis);
        }
        // Rising scores along a whole list: log-likelihoods were taken for costs.
        let scores: Vec<f64> = hypotheses.iter().filter_map(|hypothesis| hypothesis.score).collect();
        if scores.len() > 2 && scores.windows(2).all(|pair| pair[0] < pair[1]) {
            let reason =
                "its last hypothesis costs least; costs are negative log-likelihoods: turn their signs round";
            return Err(Error::Part { place: first, reason: reason.to_owned() });
        }
        let nbest = NBest::checked(hypotheses, &first)?;
        let reference =
            self.references.as_ref().map(|references| references.reference(&id, &first)).transpose()?;
        Ok((Utterance { reference, ..Utterance::new(id, nbest) }, first))
    }
}

impl Body for Folder {
    fn next(&mut self) -> Result<Option<(Utterance, Place)>, Error> {
        let Some((id, lines)) = self.lists.next() else { return Ok(None) };
        self.utterance(id, lines).map(Some)
    }
}
