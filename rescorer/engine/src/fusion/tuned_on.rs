use serde::{Deserialize, Serialize};

/// The lists a policy was tuned on, so that they are not reported on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TunedOn {
    /// WER of the first pass on them, in percent.
    pub first_pass_wer: f64,
    /// WER with these weights on them, in percent.
    pub rescored_wer: f64,
    /// [`content_hash`](crate::fusion::content_hash) of every list.
    pub hashes: Vec<String>,
}
