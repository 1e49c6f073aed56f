//! PocketSphinx, called through its C interface (feature `pocketsphinx`).

#[cfg(feature = "pocketsphinx")]
#[allow(unsafe_code, reason = "calls a library in C")]
mod decoder;
#[cfg(feature = "pocketsphinx")]
#[allow(unsafe_code, reason = "calls a library in C")]
mod ffi;
mod options;

#[cfg(feature = "pocketsphinx")]
pub use decoder::PocketSphinx;
#[cfg(not(feature = "pocketsphinx"))]
use options::NAME;
pub use options::PocketSphinxOptions;

use crate::{Error, FirstPass};

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
