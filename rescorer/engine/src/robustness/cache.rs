use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::scoring::config::ScoringConfig;

/// What a language-model score depends on, besides the text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CacheKey {
    /// Fingerprint of the model.
    pub model: String,
    /// Fingerprint of the adapter.
    pub adapter: Option<String>,
    /// What a score means.
    pub convention: ScoringConfig,
    /// Arithmetic of the forward pass.
    pub precision: String,
}

/// Language-model scores of texts, kept in a file so that nothing is scored twice.
///
/// The file is JSON Lines: the key, then a text with its score in each line. It is only ever added to; a last line that a
/// broken-off run left unfinished is dropped.
#[derive(Debug)]
pub struct ScoreCache {
    path: PathBuf,
    scores: HashMap<String, f64>,
    file: BufWriter<File>,
}

#[derive(Serialize, Deserialize)]
struct Line<'a> {
    text: std::borrow::Cow<'a, str>,
    lm_score: f64,
}

impl CacheKey {
    fn head(&self, folder: &Path) -> Result<String, Error> {
        serde_json::to_string(self)
            .map_err(|e| Error::ScoreCache { path: folder.into(), reason: e.to_string() })
    }

    fn path(head: &str, folder: &Path) -> PathBuf {
        let hash: String = Sha256::digest(head).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        folder.join(format!("{hash}.jsonl"))
    }

    /// This key, or `earlier`, the same one in another spelling, where the folder has a file of that one alone.
    ///
    /// # Errors
    /// A key that can't be written.
    pub fn or_earlier(self, earlier: Self, folder: &Path) -> Result<Self, Error> {
        let exists = |key: &Self| Ok::<_, Error>(Self::path(&key.head(folder)?, folder).exists());
        Ok(if !exists(&self)? && exists(&earlier)? { earlier } else { self })
    }
}

impl ScoreCache {
    /// Opens the file of a key in a folder, which is made where it is missing.
    ///
    /// # Errors
    /// A folder or file that can't be read or written, a line inside the file that is none of ours.
    pub fn open(folder: &Path, key: &CacheKey) -> Result<Self, Error> {
        let head = key.head(folder)?;
        let path = CacheKey::path(&head, folder);
        let fail = |reason: String| Error::ScoreCache { path: path.clone(), reason };
        let cannot = |e: std::io::Error| fail(format!("{e}; give a folder that can be written"));
        std::fs::create_dir_all(folder).map_err(cannot)?;
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(&path).map_err(cannot)?;
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(|e| fail(format!("{e}; remove the file")))?;
        // What comes after the last end of a line was being written when the run broke off.
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        file.set_len(whole as u64).map_err(cannot)?;
        let mut lines = text[..whole].lines().enumerate();
        let mut scores = HashMap::new();
        let mut file = BufWriter::new(file);
        match lines.next() {
            None => writeln!(file, "{head}").map_err(cannot)?,
            Some((_, found)) if found == head => {}
            Some(_) => return Err(fail("is the file of another key; remove it".into())),
        }
        for (number, line) in lines {
            let Line { text, lm_score } = serde_json::from_str(line)
                .map_err(|e| fail(format!("line {}: {e}; remove the file", number + 1)))?;
            scores.insert(text.into_owned(), lm_score);
        }
        Ok(Self { path, scores, file })
    }

    /// The score of a text, if it is known.
    pub fn get(&self, text: &str) -> Option<f64> {
        self.scores.get(text).copied()
    }

    /// Texts that are known.
    pub fn len(&self) -> usize {
        self.scores.len()
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.scores.is_empty()
    }

    /// Keeps scores, in memory and in the file.
    ///
    /// # Errors
    /// The file can't be written, as where the disk is full.
    pub fn add<'a>(&mut self, scores: impl IntoIterator<Item = (&'a str, f64)>) -> Result<(), Error> {
        let fail = |e: std::io::Error| Error::ScoreCache {
            path: self.path.clone(),
            reason: format!("{e}; make room, and go on"),
        };
        for (text, lm_score) in scores {
            let line = serde_json::to_string(&Line { text: text.into(), lm_score });
            writeln!(self.file, "{}", line.map_err(|e| fail(e.into()))?).map_err(fail)?;
            self.scores.insert(text.to_owned(), lm_score);
        }
        self.file.flush().map_err(fail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(model: &str) -> CacheKey {
        CacheKey {
            model: model.into(),
            adapter: None,
            convention: ScoringConfig::default(),
            precision: "f32".into(),
        }
    }

    #[test]
    fn scores_are_there_again_and_a_torn_line_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let mut cache = ScoreCache::open(folder.path(), &key("a")).unwrap();
        cache.add([("one \"two\"", -1.25), ("", -0.1)]).unwrap();
        let path = cache.path.clone();
        drop(cache);
        let whole = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("{whole}{{\"text\":\"thr")).unwrap();
        let mut cache = ScoreCache::open(folder.path(), &key("a")).unwrap();
        assert_eq!(
            (cache.get("one \"two\""), cache.get(""), cache.get("thr"), cache.len()),
            (Some(-1.25), Some(-0.1), None, 2)
        );
        cache.add([("three", -3.0)]).unwrap();
        drop(cache);
        assert_eq!(ScoreCache::open(folder.path(), &key("a")).unwrap().get("three"), Some(-3.0));
        assert!(ScoreCache::open(folder.path(), &key("b")).unwrap().is_empty());
    }

    #[test]
    fn a_file_in_an_earlier_spelling_is_gone_on_with() {
        let folder = tempfile::tempdir().unwrap();
        let choose = || key("v2:a").or_earlier(key("a"), folder.path()).unwrap();
        assert_eq!(choose(), key("v2:a"), "there is no file");
        ScoreCache::open(folder.path(), &key("a")).unwrap().add([("one", -1.0)]).unwrap();
        assert_eq!(choose(), key("a"));
        assert_eq!(ScoreCache::open(folder.path(), &choose()).unwrap().get("one"), Some(-1.0));
        ScoreCache::open(folder.path(), &key("v2:a")).unwrap();
        assert_eq!(choose(), key("v2:a"), "there are both");
    }

    #[test]
    fn a_file_that_is_none_of_ours_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = ScoreCache::open(folder.path(), &key("a")).unwrap().path;
        let head = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("{head}{{\"text\": 3}}\n")).unwrap();
        let error = ScoreCache::open(folder.path(), &key("a")).unwrap_err().to_string();
        assert!(error.contains("line 2: ") && error.contains("remove the file"), "{error}");
        std::fs::write(&path, "something else\n").unwrap();
        assert!(ScoreCache::open(folder.path(), &key("a")).unwrap_err().to_string().contains("another key"));
    }
}
