use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::Error;

/// Scores of another rescorer, which a model learns to give too: what `rescorer score LISTS --json` writes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Teacher {
    /// By utterance and text.
    scores: HashMap<String, HashMap<String, f64>>,
    paths: Vec<PathBuf>,
}

#[derive(Deserialize)]
struct Line {
    utterance: Option<String>,
    text: String,
    lm_score: f64,
}

impl Teacher {
    /// Reads files of scores.
    ///
    /// # Errors
    /// A file that can't be read; a line that is no score, that names no utterance, or whose score is not finite.
    pub fn from_files(paths: &[PathBuf]) -> Result<Self, Error> {
        let mut teacher = Self { paths: paths.to_vec(), ..Self::default() };
        paths.iter().try_for_each(|path| teacher.read(path))?;
        Ok(teacher)
    }

    fn read(&mut self, path: &Path) -> Result<(), Error> {
        let remedy = "give what `rescorer score LISTS --json` writes";
        let text = std::fs::read_to_string(path).map_err(|e| Error::Text {
            place: path.display().to_string(),
            reason: format!("{e}; {remedy}"),
        })?;
        for (number, line) in text.lines().enumerate() {
            let fail = |reason: String| Error::Text {
                place: format!("{}:{}", path.display(), number + 1),
                reason: format!("{reason}; {remedy}"),
            };
            let Line { utterance, text, lm_score } =
                serde_json::from_str(line).map_err(|e| fail(e.to_string()))?;
            let utterance = utterance.ok_or_else(|| fail("the score names no utterance".into()))?;
            if !lm_score.is_finite() {
                return Err(fail(format!("the score is {lm_score}")));
            }
            self.scores.entry(utterance).or_default().insert(text, lm_score);
        }
        Ok(())
    }

    /// The score of a text.
    ///
    /// # Errors
    /// A text that the teacher has no score for.
    pub fn score(&self, utterance: &str, position: usize, text: &str) -> Result<f64, Error> {
        let found = self.scores.get(utterance).and_then(|scores| scores.get(text));
        found.copied().ok_or_else(|| {
            let paths: Vec<String> = self.paths.iter().map(|path| path.display().to_string()).collect();
            Error::Text {
                place: format!("utterance {utterance:?}, position {position}"),
                reason: format!("the teacher ({}) has no score for it; score these lists", paths.join(", ")),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn teacher(text: &str) -> Result<Teacher, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("scores.jsonl");
        std::fs::write(&path, text).unwrap();
        Teacher::from_files(&[path]).map_err(|e| e.to_string())
    }

    #[test]
    fn scores_are_found_by_utterance_and_text() {
        let line = r#"{"utterance": "u", "position": 0, "text": "a", "lm_score": -2.5}"#;
        let known = teacher(line).unwrap();
        assert_eq!(known.score("u", 0, "a").unwrap(), -2.5);
        let missing = known.score("u", 1, "b").unwrap_err().to_string();
        assert!(missing.contains("\"u\", position 1") && missing.contains("scores.jsonl"), "{missing}");
    }

    #[test]
    fn a_bad_line_is_named() {
        for (line, part) in [
            ("{}", "missing field"),
            (r#"{"text": "a", "lm_score": 1}"#, "names no utterance"),
            ("nonsense", "expected"),
        ] {
            let text = format!("{}\n{line}", r#"{"utterance": "u", "text": "a", "lm_score": -2.5}"#);
            let error = teacher(&text).unwrap_err();
            assert!(error.contains("scores.jsonl:2") && error.contains(part), "{error}");
        }
    }
}
