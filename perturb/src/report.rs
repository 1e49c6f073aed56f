//! Word error rate with its substitutions, deletions and insertions.

use serde::Serialize;
use std::fmt;

use crate::{ErrorCounts, Unit, UtteranceErrors, Wer, align};

/// WER, CER or MER of a corpus beside the S, D and I that sclite would report for it.
///
/// The rate counts unit-cost edits, S + D + I come from the alignment of [`align`]. The two totals
/// differ now and then; the text form names both where they do.
///
/// ```
/// use rescorer_perturb::ErrorReport;
///
/// let mut report = ErrorReport::default();
/// report.add(&["1", "2", "3", "4", "5"], &["4", "5", "6", "7", "8"]);
/// assert_eq!(
///     report.to_string(),
///     "WER 100.00 % (5 errors, 5 reference words); 0 substitutions, 3 deletions, 3 insertions \
///      (6 errors with sclite's costs)"
/// );
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ErrorReport {
    /// What the texts are cut into.
    pub unit: Unit,
    /// Unit-cost errors.
    pub wer: Wer,
    /// Steps of the alignments with sclite's costs.
    pub counts: ErrorCounts,
}

impl ErrorReport {
    /// A report over units of this kind, without an utterance yet.
    #[must_use]
    pub fn new(unit: Unit) -> Self {
        Self { unit, ..Self::default() }
    }

    /// Adds one utterance; returns its row.
    pub fn add(&mut self, reference: &[&str], hypothesis: &[&str]) -> UtteranceErrors {
        let row = UtteranceErrors::count(reference, hypothesis);
        self.wer.add(row);
        self.counts += align(reference, hypothesis).counts();
        row
    }

    /// Whether S + D + I is another number than the errors of the WER.
    #[must_use]
    pub fn totals_differ(&self) -> bool {
        self.counts.errors() != self.wer.errors
    }
}

impl fmt::Display for ErrorReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { unit, wer, counts } = self;
        match wer.percent() {
            Some(percent) => write!(f, "{} {percent:.2} %", unit.rate())?,
            None => write!(f, "{} undefined", unit.rate())?,
        }
        write!(
            f,
            " ({} errors, {} reference {}); {} substitutions, {} deletions, {} insertions",
            wer.errors,
            wer.reference_words,
            unit.plural(),
            counts.substitutions,
            counts.deletions,
            counts.insertions
        )?;
        if self.totals_differ() {
            write!(f, " ({} errors with sclite's costs)", counts.errors())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_total_where_both_agree() {
        let mut report = ErrorReport::default();
        report.add(&["a", "b", "c", "d"], &["a", "x", "c"]);
        report.add(&["yes"], &["yes"]);
        assert!(!report.totals_differ());
        assert_eq!(
            report.to_string(),
            "WER 40.00 % (2 errors, 5 reference words); 1 substitutions, 1 deletions, 0 insertions"
        );
    }

    #[test]
    fn other_units_have_other_names() {
        let mut report = ErrorReport::new(Unit::Character);
        report.add(&Unit::Character.split("七里香"), &Unit::Character.split("七里相"));
        let text = report.to_string();
        assert!(text.starts_with("CER 33.33 % (1 errors, 3 reference characters);"), "{text}");
    }

    #[test]
    fn no_words_no_rate() {
        let mut report = ErrorReport::default();
        report.add(&[], &["um"]);
        assert_eq!(
            report.to_string(),
            "WER undefined (1 errors, 0 reference words); 0 substitutions, 0 deletions, 1 insertions"
        );
    }
}
