//! Lists without an object around them: of texts, of pairs of text and score, of the beams that decoders of CTC models
//! give. One list is a document, several are a list of lists; each hypothesis is as in the [native format](super::jsonl).

use super::jsonl::parse;
use crate::shape::{Json, Layout, Read};
use crate::spec::Spec;

const ONE: Json =
    Json { marks: &[], certain: true, layout: Layout::LISTS, unfinished: &[], read: Read::Own(parse) };

/// The shapes: one list, several lists, a list of objects.
pub(super) const SPEC: Spec =
    Spec::Json(&[ONE, Json { layout: Layout { path: "[]", ..Layout::LISTS }, ..ONE }, ONE]);

/// Whether the keys of the first object of a list are those of a hypothesis.
pub(crate) fn is_hypothesis(has: impl Fn(&str) -> bool) -> bool {
    let scored = has("score") || has("logit_score") || has("lm_score");
    !has("id") && ((has("text") && scored) || (has("words") && has("tokens") && has("score")))
}
