//! What errors mean to programs.

use rescorer_perturb::Unit;

use super::{Error, PoolError, SettingsError, VocabularyError};

/// What an error is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A list that can't be answered, or a file of lists that can't be read.
    List,
    /// A model that can't be found, loaded or run.
    Model,
    /// An adapter that can't be read, is not for the model, or is not there.
    Adapter,
    /// A policy that can't be read, or is not for the model, the adapter or the unit.
    Policy,
    /// Settings that contradict each other or the model.
    Settings,
    /// Training, a benchmark or a statistic that can't be done.
    Job,
}

/// What helps. Programs put it into their own words: a flag, a parameter, a button.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Remedy {
    /// Leave this list out and go on with the next one.
    SkipInvalid,
    /// Compute on the CPU.
    Cpu,
    /// Compute in another precision, or elsewhere.
    Precision,
    /// Give the token that begins a sentence.
    Bos,
    /// Leave the end of the sentence unscored.
    NoEos,
    /// Score the end of the sentence.
    Eos,
    /// Choose another score of encoders, or leave it out.
    EncoderScore,
    /// Take the sum in place of the mean.
    Sum,
    /// Give an adapter, or another name for it.
    Adapter,
    /// Give the model of the first stage of a cascade, or leave it out.
    FirstStage,
    /// Give the adapter of the first stage of a cascade.
    FirstStageAdapter,
    /// Give a policy, or tune one.
    Policy,
    /// Answer by the maximum.
    Maximum,
    /// Take the policy's unit.
    Unit,
    /// Choose another number of folds.
    Folds,
    /// Name the format of the lists.
    Format,
    /// Name the fields or columns of the lists.
    Columns,
    /// Begin the training anew.
    Restart,
}

impl Error {
    /// No lists, or none whose reference has a word.
    pub(crate) fn no_words(what: &'static str, lists: usize, unit: Unit) -> Self {
        match lists {
            0 => Self::NothingLeft { what, reason: "there were none".into() },
            lists => Self::NoReferenceWords { what, lists, units: unit.plural() },
        }
    }

    /// What the error is about.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Lists(_)
            | Self::TooLong { .. }
            | Self::Text { .. }
            | Self::NoReference { .. }
            | Self::Vocabulary(VocabularyError::Field { .. } | VocabularyError::OfList { .. })
            | Self::ContextOfEncoder
            | Self::Position { .. }
            | Self::SameText { .. }
            | Self::NoRival { .. }
            | Self::EarlyExit { .. }
            | Self::Unscored => ErrorKind::List,
            Self::Model(_) | Self::NotFinite { .. } => ErrorKind::Model,
            Self::Adapter(_)
            | Self::Audit(_)
            | Self::Pool(_)
            | Self::AdapterTwice { .. }
            | Self::UnknownAdapter { .. } => ErrorKind::Adapter,
            Self::Policy { .. }
            | Self::NoPolicy
            | Self::AdapterWithoutPolicy { .. }
            | Self::CascadeMissing { .. }
            | Self::OtherModel { .. }
            | Self::OtherAdapter { .. }
            | Self::Vocabulary(VocabularyError::OfClassic { .. })
            | Self::OtherUnit { .. } => ErrorKind::Policy,
            Self::Settings(_)
            | Self::Vocabulary(VocabularyError::File { .. } | VocabularyError::Terms(_))
            | Self::DeadlineOfTwo
            | Self::DeadlineOfRule { .. }
            | Self::DeadlineOnGpu
            | Self::Folds { .. } => ErrorKind::Settings,
            _ => ErrorKind::Job,
        }
    }

    /// What helps, where a program can offer it.
    pub fn remedy(&self) -> Option<Remedy> {
        match self {
            _ if self.is_recoverable() => Some(match self {
                Self::UnknownAdapter { .. } => Remedy::Adapter,
                _ => Remedy::SkipInvalid,
            }),
            Self::Settings(error) => error.remedy(),
            Self::Lists(error) => Remedy::of_lists(error),
            Self::Model(error) => Remedy::of_model(error),
            Self::Checkpoint { .. } => Some(Remedy::Restart),
            Self::NotFinite { .. } | Self::DeadlineOnGpu => Some(Remedy::Cpu),
            Self::AdapterTwice { .. } => Some(Remedy::Adapter),
            Self::CascadeMissing { .. } => Some(Remedy::FirstStage),
            Self::NoPolicy
            | Self::OtherModel { .. }
            | Self::OtherAdapter { .. }
            | Self::Vocabulary(VocabularyError::OfClassic { .. }) => Some(Remedy::Policy),
            Self::DeadlineOfRule { .. } => Some(Remedy::Maximum),
            Self::OtherUnit { .. } => Some(Remedy::Unit),
            Self::Folds { .. } => Some(Remedy::Folds),
            _ => None,
        }
    }

    /// Whether only this list is lost and the next one can be worked on.
    pub fn is_recoverable(&self) -> bool {
        match self {
            Self::Lists(rescorer_nbest::Error::Unwritable { .. }) => true,
            Self::Lists(error) => error.is_recoverable(),
            Self::TooLong { .. }
            | Self::UnknownAdapter { .. }
            | Self::Pool(PoolError::Unknown { .. } | PoolError::Unavailable { .. })
            | Self::NoReference { .. }
            | Self::Vocabulary(VocabularyError::Field { .. } | VocabularyError::OfList { .. })
            | Self::Text { .. } => true,
            _ => false,
        }
    }
}

impl Remedy {
    /// What helps against an error of reading lists.
    pub fn of_lists(error: &rescorer_nbest::Error) -> Option<Self> {
        match error {
            error if error.is_recoverable() => Some(Self::SkipInvalid),
            rescorer_nbest::Error::UnknownFormat { .. } | rescorer_nbest::Error::OtherFormat { .. } => {
                Some(Self::Format)
            }
            rescorer_nbest::Error::Header { .. } => Some(Self::Columns),
            _ => None,
        }
    }

    /// What helps against an error of a model.
    pub fn of_model(error: &rescorer_models::Error) -> Option<Self> {
        match error {
            rescorer_models::Error::Precision { .. } => Some(Self::Precision),
            rescorer_models::Error::Device { .. }
            | rescorer_models::Error::SelfTest { .. }
            | rescorer_models::Error::Compute { .. } => Some(Self::Cpu),
            _ => None,
        }
    }
}

impl SettingsError {
    /// What helps, where a program can offer it.
    pub fn remedy(&self) -> Option<Remedy> {
        match self {
            Self::NoBos | Self::BosOutside { .. } => Some(Remedy::Bos),
            Self::NoEos => Some(Remedy::NoEos),
            Self::EncoderWithoutEnd => Some(Remedy::Eos),
            Self::NotAnEncoder | Self::NoMask => Some(Remedy::EncoderScore),
            Self::NoScoreHead | Self::NothingToRoute => Some(Remedy::Adapter),
            Self::MeanOfHead => Some(Remedy::Sum),
            Self::RuleWithoutNumbers { .. } | Self::NoSlack { .. } => Some(Remedy::Policy),
            Self::FirstStageUnused => Some(Remedy::FirstStage),
            Self::FirstStageAdapterMissing { .. } => Some(Remedy::FirstStageAdapter),
            _ => None,
        }
    }
}
