//! Lists of the native format that hold nothing but its own fields, read straight into an utterance.
//!
//! Most lines are such lists, and this way takes a fraction of the time of a tree of values. It knows what it takes and nothing
//! else: `id`, `hypotheses` of `text` and `score`, `reference` and `context`, each once and of its type. All other lists, the
//! broken ones too, are left to [`jsonl`](crate::formats), which gives the same for these.

use serde::Deserialize;
use serde_json::Map;

use crate::{Hypothesis, NBest, Utterance};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    id: Option<String>,
    hypotheses: Vec<One>,
    reference: Option<String>,
    context: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct One {
    text: String,
    score: Option<f64>,
}

/// The utterance of a JSON text; `None` where it holds anything else than the usual fields. `id` gives the id of a list that states none.
pub(crate) fn utterance(bytes: &[u8], id: impl FnOnce() -> String) -> Option<Utterance> {
    // A structure may be written as a list too.
    bytes.trim_ascii_start().first().filter(|first| **first == b'{')?;
    let text = std::str::from_utf8(bytes).ok()?;
    let List { id: stated, hypotheses, reference, context } = serde_json::from_str(text).ok()?;
    if stated.as_deref() == Some("") {
        return None;
    }
    let hypotheses =
        hypotheses.into_iter().map(|one| Hypothesis { text: one.text, score: one.score, extra: Map::new() });
    let nbest = NBest::new(hypotheses.collect()).ok()?;
    Some(Utterance { id: stated.unwrap_or_else(id), nbest, reference, context, extra: Map::new() })
}

#[cfg(test)]
#[path = "plain_tests.rs"]
mod tests;
