use std::fmt;
use std::str::FromStr;

/// What `tune` fits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum FusionKind {
    /// Weights of [features](crate::fusion::Feature), near those of the default policy.
    #[default]
    Features,
    /// The three numbers of [`Fusion`](crate::Fusion), by a grid search.
    Classic,
}

impl FusionKind {
    /// Both kinds.
    pub const ALL: [Self; 2] = [Self::Features, Self::Classic];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Features => "features",
            Self::Classic => "classic",
        }
    }
}

impl fmt::Display for FusionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for FusionKind {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|kind| kind.name() == name);
        found.ok_or_else(|| format!("{name:?} is no fusion; expected features or classic"))
    }
}
