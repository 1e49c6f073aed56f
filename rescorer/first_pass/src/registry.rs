//! The registry of recognisers. To add one: a file that implements [`FirstPass`], a variant of [`FirstPassKind`], its name
//! in `ALL`, its branch in `open`, and what it has to know in [`FirstPassOptions`].

use std::fmt;
use std::str::FromStr;

use crate::{Error, FirstPass, PocketSphinxOptions, Whisper, WhisperOptions, pocketsphinx};

/// A recogniser that comes with the crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FirstPassKind {
    /// `whisper`: Whisper in a Python process.
    Whisper,
    /// `pocketsphinx`: PocketSphinx, where the feature is on.
    PocketSphinx,
}

/// What the recognisers have to know; each takes its own part.
#[derive(Debug, Clone, Default)]
pub struct FirstPassOptions {
    /// For [`FirstPassKind::Whisper`].
    pub whisper: WhisperOptions,
    /// For [`FirstPassKind::PocketSphinx`].
    pub pocketsphinx: PocketSphinxOptions,
}

impl FirstPassKind {
    /// Every recogniser with its name.
    pub const ALL: &'static [(&'static str, Self)] =
        &[("whisper", Self::Whisper), ("pocketsphinx", Self::PocketSphinx)];

    /// Gets a recogniser ready.
    ///
    /// # Errors
    /// [`Error::Unavailable`] with what to install; [`Error::Broken`].
    pub fn open(self, options: &FirstPassOptions) -> Result<Box<dyn FirstPass>, Error> {
        match self {
            Self::PocketSphinx => pocketsphinx::open(&options.pocketsphinx),
            Self::Whisper => Ok(Box::new(Whisper::start(&options.whisper)?)),
        }
    }
}

impl fmt::Display for FirstPassKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::ALL.iter().find(|(_, kind)| kind == self).map_or("", |(name, _)| name);
        f.write_str(name)
    }
}

impl FromStr for FirstPassKind {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let found = Self::ALL.iter().find(|(known, _)| *known == name);
        found.map(|(_, kind)| *kind).ok_or_else(|| Error::Unknown {
            name: name.to_owned(),
            known: Self::ALL.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(" or "),
        })
    }
}
