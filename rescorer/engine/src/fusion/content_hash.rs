//! What a list is known by, whatever its id.

use rescorer_nbest::Utterance;
use sha2::{Digest, Sha256};

/// Hash of an utterance's content, the recogniser's hypotheses and its reference, whatever its id.
pub fn content_hash(utterance: &Utterance) -> String {
    let mut hasher = Sha256::new();
    let mut add = |text: &str| {
        hasher.update((text.len() as u64).to_le_bytes());
        hasher.update(text);
    };
    add(utterance.reference.as_deref().unwrap_or_default());
    utterance.nbest.iter().take(utterance.nbest.recognised()).for_each(|hypothesis| add(&hypothesis.text));
    hasher.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
