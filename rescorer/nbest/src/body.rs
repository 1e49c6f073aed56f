//! What yields the utterances of one input, whatever its format.

use crate::{Error, Place, Utterance};

/// The utterances of one input, one after the other, each with its place.
///
/// After a [recoverable](Error::is_recoverable) error the next one follows.
pub(crate) trait Body: Send {
    /// The next utterance; `None` at the end.
    fn next(&mut self) -> Result<Option<(Utterance, Place)>, Error>;
}
