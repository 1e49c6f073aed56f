//! A line of JSON for every list.

use rescorer::fusion::{ScoredAnswer, ScoredReference};
use serde::Serialize;

use crate::sink::{Sink, write_json};

#[derive(Serialize)]
struct UtteranceRow<'a> {
    utterance: &'a str,
    reference_words: usize,
    first_pass_errors: usize,
    rescored_errors: usize,
    oracle_errors: usize,
    changed: bool,
}

/// Writes them.
pub(super) fn write_rows(
    mut file: Sink,
    judged: &[ScoredReference],
    answers: &[ScoredAnswer],
) -> anyhow::Result<()> {
    for (list, answer) in judged.iter().zip(answers) {
        let row = UtteranceRow {
            utterance: &list.id,
            reference_words: list.reference_words,
            first_pass_errors: list.first_pass().errors,
            rescored_errors: answer.errors.errors,
            oracle_errors: list.oracle().errors,
            changed: answer.changed,
        };
        write_json(&mut file, &row)?;
    }
    file.finish()
}
