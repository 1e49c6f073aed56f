//! What `--policy` names.

use std::convert::Infallible;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// A policy file, or one of two names. A file of such a name is `./default`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicyArg {
    /// The policy in the program.
    Default,
    /// The first pass as it is.
    None,
    File(PathBuf),
}

impl FromStr for PolicyArg {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            "default" => Self::Default,
            "none" => Self::None,
            path => Self::File(path.into()),
        })
    }
}

impl fmt::Display for PolicyArg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::None => f.write_str("none"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

impl PolicyArg {
    /// The file, where it is one.
    pub fn file(&self) -> Option<&PathBuf> {
        match self {
            Self::File(path) => Some(path),
            Self::Default | Self::None => None,
        }
    }
}
