//! What is known of an input beside its bytes.

use crate::FieldNames;
use crate::notice::Notices;

/// How one input is read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reading {
    /// The names that the user gave the fields.
    pub(crate) names: FieldNames,
    /// Who is told what is no error.
    pub(crate) notices: Notices,
}
