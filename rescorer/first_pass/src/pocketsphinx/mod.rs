//! PocketSphinx, called through its C interface (feature `pocketsphinx`).

#[cfg(feature = "pocketsphinx")]
#[allow(unsafe_code, reason = "calls a library in C")]
mod decoder;
#[cfg(feature = "pocketsphinx")]
#[allow(unsafe_code, reason = "calls a library in C")]
mod ffi;

use std::path::PathBuf;

#[cfg(feature = "pocketsphinx")]
pub use decoder::PocketSphinx;

use crate::{Error, FirstPass};

const NAME: &str = "pocketsphinx";

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

/// PocketSphinx, where it was built in.
#[cfg(feature = "pocketsphinx")]
pub(crate) fn open(options: &PocketSphinxOptions) -> Result<Box<dyn FirstPass>, Error> {
    Ok(Box::new(PocketSphinx::new(options)?))
}

/// How to get a build that has it.
#[cfg(not(feature = "pocketsphinx"))]
pub(crate) fn open(_options: &PocketSphinxOptions) -> Result<Box<dyn FirstPass>, Error> {
    Err(Error::Unavailable {
        first_pass: NAME,
        reason: "this build does not have it; install the libraries (Debian: libpocketsphinx-dev, pocketsphinx-en-us) \
                 and build with the feature: cargo install --locked --path rescorer/cli --features pocketsphinx; or take \
                 the first pass whisper, which needs no build"
            .into(),
    })
}
