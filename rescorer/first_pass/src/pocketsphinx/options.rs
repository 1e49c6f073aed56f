use std::path::PathBuf;

/// The name of this first pass, in messages and in results.
pub(super) const NAME: &str = "pocketsphinx";

/// How to run PocketSphinx.
#[derive(Debug, Clone)]
pub struct PocketSphinxOptions {
    /// Folder with `en-us/`, `en-us.lm.bin` and `cmudict-en-us.dict`; none takes that of the system's package.
    pub models: Option<PathBuf>,
    /// Hypotheses of a list.
    pub nbest: usize,
}

impl Default for PocketSphinxOptions {
    fn default() -> Self {
        Self { models: None, nbest: 20 }
    }
}
