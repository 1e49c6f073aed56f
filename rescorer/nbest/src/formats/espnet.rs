//! The folder that ESPnet decodes into: `logdir/output.N/Kbest_recog/{text,score}`.
//!
//! Job N wrote the K-th best hypotheses of its utterances to `Kbest_recog`: `text` has `ID TEXT` a line, `score` `ID tensor(-4.06)`,
//! a sum of log probabilities. An utterance for which the beam held fewer hypotheses is missing in the later folders; one that
//! is missing in between, or in one of the two files, is an error, since what follows would move up. References stand in
//! `ref.txt` beside `logdir`, `ID TEXT` a line, where there is one.
//!
//! # Reference
//! ESPnet 2, `espnet2/bin/asr_inference.py` and `espnet2/fileio/datadir_writer.py`.

use std::path::{Path, PathBuf};
use std::vec;

use crate::body::Body;
use crate::keyed::{KeyedLine, KeyedLines, numbered};
use crate::spec::{self, Spec};
use crate::{Error, Hypothesis, NBest, Place, ScoreScale, Utterance};

pub(super) const SPEC: Spec = Spec::Folder(spec::Folder {
    marker: |path| !jobs(path).is_empty(),
    open: |path, _| Ok(Box::new(Folder::open(path)?)),
});

/// The jobs of a decode folder, job after job: one is held in memory.
struct Folder {
    jobs: vec::IntoIter<PathBuf>,
    references: Option<KeyedLines>,
    job: Job,
}

/// One `output.N`.
#[derive(Default)]
struct Job {
    /// Ids in the order of the first-best text.
    ids: vec::IntoIter<KeyedLine>,
    /// Texts and scores of the K-th best, by K.
    best: Vec<Best>,
}

struct Best {
    folder: PathBuf,
    texts: KeyedLines,
    scores: KeyedLines,
}

impl Folder {
    fn open(path: &Path) -> Result<Self, Error> {
        let jobs = jobs(path);
        if jobs.is_empty() {
            return Err(Error::Folder { path: path.display().to_string() });
        }
        let references = path.join("ref.txt");
        let references = references.exists().then(|| KeyedLines::read(&references)).transpose()?;
        Ok(Self { jobs: jobs.into_iter(), references, job: Job::default() })
    }

    fn utterance(&self, line: KeyedLine) -> Result<(Utterance, Place), Error> {
        let id = line.key;
        let mut hypotheses = Vec::new();
        let mut place = Place { path: None, line: None, utterance: Some(id.clone()) };
        let mut ended: Option<usize> = None;
        for (index, best) in self.job.best.iter().enumerate() {
            let place_of = |file: &str, line: Option<u64>| Place {
                path: Some(best.folder.join(file).display().to_string().into()),
                line,
                utterance: Some(id.clone()),
            };
            let (text, score) = match (best.texts.get(&id), best.scores.get(&id)) {
                (Some(text), Some(score)) => (text, score),
                (None, None) => {
                    ended.get_or_insert(index + 1);
                    continue;
                }
                (Some(text), None) => {
                    let reason =
                        "`score` beside it has no line for it; decode again, or remove its lines".into();
                    return Err(Error::Part { place: place_of("text", Some(text.line)), reason });
                }
                (None, Some(score)) => {
                    let reason =
                        "`text` beside it has no line for it; decode again, or remove its lines".into();
                    return Err(Error::Part { place: place_of("score", Some(score.line)), reason });
                }
            };
            if let Some(missing) = ended {
                let reason = format!(
                    "is not in {missing}best_recog, though it is here; decode again, or remove its lines"
                );
                return Err(Error::Part { place: place_of("text", Some(text.line)), reason });
            }
            if index == 0 {
                place = place_of("text", Some(text.line));
            }
            let value = number(&score.text).ok_or_else(|| Error::Part {
                place: place_of("score", Some(score.line)),
                reason: format!("{:?} is no score; expected a number, or tensor(-1.5)", score.text),
            })?;
            if !value.is_finite() {
                return Err(Error::NotFinite {
                    place: place_of("score", Some(score.line)),
                    value: score.text.clone(),
                });
            }
            hypotheses.push(Hypothesis::scored(text.text.clone(), value));
        }
        let nbest = NBest::checked(hypotheses, &place)?.with_score_scale(ScoreScale::Sum);
        let reference =
            self.references.as_ref().map(|references| references.reference(&id, &place)).transpose()?;
        Ok((Utterance { reference, ..Utterance::new(id, nbest) }, place))
    }
}

impl Body for Folder {
    fn next(&mut self) -> Result<Option<(Utterance, Place)>, Error> {
        loop {
            if let Some(line) = self.job.ids.next() {
                return self.utterance(line).map(Some);
            }
            match self.jobs.next() {
                Some(folder) => self.job = Job::read(&folder)?,
                None => return Ok(None),
            }
        }
    }
}

impl Job {
    fn read(folder: &Path) -> Result<Self, Error> {
        let mut best = Vec::new();
        for (expected, (number, folder)) in (1..).zip(numbered(folder, "", "best_recog")) {
            if number != expected {
                let reason =
                    format!("there is no {expected}best_recog before it; decode again, or rename it");
                return Err(Error::Parts { path: folder.display().to_string(), reason });
            }
            let (texts, scores) =
                (KeyedLines::read(&folder.join("text"))?, KeyedLines::read(&folder.join("score"))?);
            // What only a later file has would be lost without a word.
            let first = best.first().map_or(&texts, |best: &Best| &best.texts);
            let stray =
                texts.lines().iter().chain(scores.lines()).find(|line| first.get(&line.key).is_none());
            if let Some(stray) = stray {
                let reason =
                    format!("{:?} is not in 1best_recog/text; decode again, or remove its lines", stray.key);
                return Err(Error::Parts { path: folder.display().to_string(), reason });
            }
            best.push(Best { folder, texts, scores });
        }
        let ids = best.first().map(|best| best.texts.lines().to_vec()).unwrap_or_default();
        Ok(Self { best, ids: ids.into_iter() })
    }
}

/// The folders of the jobs, in the order of their numbers.
fn jobs(path: &Path) -> Vec<PathBuf> {
    let jobs = numbered(&path.join("logdir"), "output.", "");
    jobs.into_iter().map(|(_, folder)| folder).filter(|folder| folder.join("1best_recog").is_dir()).collect()
}

/// `-4.06`, or `tensor(-4.06, device='cuda:0')` as PyTorch prints it.
fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    let inner = text.strip_prefix("tensor(").and_then(|rest| rest.strip_suffix(')'));
    inner.map_or(text, |inner| inner.split(',').next().unwrap_or_default()).trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn scores_as_torch_prints_them() {
        assert_eq!(number("tensor(-4.0636)"), Some(-4.0636));
        assert_eq!(number("tensor(-4.5e-2, device='cuda:0')"), Some(-0.045));
        assert_eq!(number(" -3 "), Some(-3.0));
        assert_eq!((number("tensor(x)"), number("tensor(1"), number("")), (None, None, None));
    }
}
