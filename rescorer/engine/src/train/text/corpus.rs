use std::collections::HashSet;
use std::path::{Path, PathBuf};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rescorer_nbest::{TextLine, TextLines};
use rescorer_perturb::{ConfusionTable, Hallucinator, Lexicon};
use sha2::{Digest, Sha256};

use super::form::{TextForm, Written};
use crate::error::Error;
use crate::train::DataRecipe;

/// Lines that stand for the rest, where tokens are counted and words looked up.
const SAMPLE: usize = 10_000;

/// Text files to train on. They are read once to check and count them, and then in a stream: memory does not grow with them.
#[derive(Debug)]
pub struct TextCorpus {
    paths: Vec<PathBuf>,
    max_words: Option<usize>,
    pub(super) written: Written,
    pub(super) hallucinator: Option<Hallucinator>,
    /// Hypotheses of a made-up list.
    pub(super) hypotheses: usize,
    lines: usize,
    words: usize,
    digest: String,
    sample: Vec<String>,
}

impl TextCorpus {
    /// Reads the text files of a recipe once. `lists` are texts of the recogniser, whose form the text takes if the recipe says so.
    ///
    /// # Errors
    /// A file that is not text, or empty; a table of confusions that can't be read.
    pub fn open<'a>(data: &DataRecipe, lists: impl IntoIterator<Item = &'a str>) -> Result<Self, Error> {
        let written = data.text_casing.found(lists);
        let mut corpus = Self {
            paths: data.text.clone(),
            max_words: data.text_words,
            written,
            hallucinator: hallucinator(data)?,
            hypotheses: data.hallucinate,
            lines: 0,
            words: 0,
            digest: String::new(),
            sample: Vec::new(),
        };
        corpus.survey()?;
        Ok(corpus)
    }

    /// Counts, hashes and samples the lines.
    fn survey(&mut self) -> Result<(), Error> {
        let mut hasher = Sha256::new();
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let mut full: HashSet<String> = HashSet::new();
        for line in self.lines() {
            let line = line?;
            hasher.update(&line.text);
            hasher.update("\n");
            self.lines += 1;
            self.words += line.text.split_whitespace().count();
            full.insert(line.path);
            let place = rng.random_range(0..self.lines);
            if self.sample.len() < SAMPLE {
                self.sample.push(line.text);
            } else if place < SAMPLE {
                self.sample[place] = line.text;
            }
        }
        let is_empty = |path: &&PathBuf| !full.contains(&path.display().to_string());
        // After the words that were asked for the rest is not looked at.
        if self.max_words.is_none_or(|max| self.words < max)
            && let Some(path) = self.paths.iter().find(is_empty)
        {
            let reason = "the file holds no text; give a sentence or a paragraph on each line".into();
            return Err(Error::Text { place: path.display().to_string(), reason });
        }
        self.digest = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(())
    }

    /// The lines, as many as have the words that were asked for.
    pub(super) fn lines(&self) -> impl Iterator<Item = Result<TextLine, Error>> + Send + use<> {
        let mut left = self.max_words.unwrap_or(usize::MAX);
        TextLines::new(self.paths.clone()).map_while(move |line| {
            let line = match line {
                Ok(line) => line,
                Err(error) => return Some(Err(error.into())),
            };
            let words = line.text.split_whitespace().count();
            let is_over = left == 0;
            left = left.saturating_sub(words);
            (!is_over).then_some(Ok(line))
        })
    }

    /// Number of lines that are not empty.
    pub fn line_count(&self) -> usize {
        self.lines
    }

    /// Number of words.
    pub fn word_count(&self) -> usize {
        self.words
    }

    /// How the text is written for the model; never [`TextForm::Auto`].
    pub fn form(&self) -> TextForm {
        self.written.form
    }

    /// The share of the running words of `texts` that occur in a sample of the text, case and punctuation aside. A small one tells of
    /// another language or domain.
    pub fn coverage<'a>(&self, texts: impl IntoIterator<Item = &'a str>) -> f64 {
        let plain = TextForm::Plain.found([]);
        let known: Vec<String> = self.sample.iter().map(|line| plain.apply(line).into_owned()).collect();
        let known: HashSet<&str> = known.iter().flat_map(|line| line.split(' ')).collect();
        let (mut words, mut found) = (0_usize, 0_usize);
        for text in texts {
            for word in plain.apply(text).split(' ').filter(|word| !word.is_empty()) {
                words += 1;
                found += usize::from(known.contains(word));
            }
        }
        found as f64 / words.max(1) as f64
    }

    /// Lines that stand for all.
    pub(super) fn sample(&self) -> &[String] {
        &self.sample
    }

    /// Hash of the lines, and of what is done to them.
    pub(in crate::train) fn identity(&self) -> String {
        format!("{} {:?}", self.digest, self.written)
    }
}

fn hallucinator(data: &DataRecipe) -> Result<Option<Hallucinator>, Error> {
    if data.hallucinate == 0 {
        return Ok(None);
    }
    let table = data.confusions.as_deref().map(confusions).transpose()?;
    Ok(Some(Hallucinator::new(Lexicon::english(), table)))
}

fn confusions(path: &Path) -> Result<ConfusionTable, Error> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|e| Error::Text {
        place: name.clone(),
        reason: format!("{e}; give the file that `stats --confusions` wrote"),
    })?;
    Ok(ConfusionTable::parse(&name, &text)?)
}
