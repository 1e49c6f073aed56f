//! Warnings of references that make an error rate wrong.

use rescorer::fusion::Metric;
use rescorer::{Normalization, Unit};
use rescorer_perturb::{Example, ReferenceCheck, ReferenceFinding, ReferenceKind, Wer};

use crate::status::Status;

/// Characters of an example that are shown.
const SHOWN: usize = 60;

/// Looks at utterances on their way through a command, and says at the end what was found.
pub struct References {
    check: ReferenceCheck,
    metric: Metric,
}

impl References {
    pub fn new(metric: Metric) -> Self {
        Self { check: ReferenceCheck::new(metric), metric }
    }

    /// Looks at the first-pass best of an utterance that has a reference.
    pub fn add(&mut self, utterance: &rescorer::Utterance) {
        if let Some(reference) = &utterance.reference {
            self.check.add(&utterance.id, reference, &utterance.nbest.first().text);
        }
    }

    /// Looks at a text that was recognised.
    pub fn add_text(&mut self, utterance: &str, reference: &str, text: &str) {
        self.check.add(utterance, reference, text);
    }

    /// A line for each kind of thing that was found.
    pub fn warn(&self, status: Status) {
        for found in self.check.findings() {
            status.warn(self.message(&found));
        }
    }

    fn message(&self, found: &ReferenceFinding) -> String {
        let Metric { normalize, unit } = self.metric;
        let (count, of) = (found.utterances, self.check.utterances());
        let example = shown(&found.example, found.kind);
        let would = mended(unit, found.rate, found.mended);
        match found.kind {
            ReferenceKind::FewSpaces(better) => format!(
                "{count} of {of} references have hardly any spaces, so whole phrases count as words, such as {example}; use \
                 --unit {better}"
            ),
            ReferenceKind::Composition => {
                let remedy = match normalize {
                    Normalization::Lower => Normalization::NfcLower,
                    _ => Normalization::Nfc,
                };
                format!(
                    "{count} of {of} references write the same letters differently from the hypotheses, composed or with combining accents (NFC and \
                     NFD), such as {example}; {would}: use --normalize {remedy}"
                )
            }
            ReferenceKind::Marks => format!(
                "{count} of {of} references have sclite's marks, {{ a / b }} or (uh), which count as {} here, such as {example}; {would} as \
                 sclite -D reads them: report that, or write out what was said",
                unit.plural()
            ),
            ReferenceKind::Ids => format!(
                "{count} of {of} references end in an id, which counts as an error, such as {example}; {would} without: remove the ids"
            ),
            ReferenceKind::Apostrophes => format!(
                "{count} of {of} references have other apostrophes than the hypotheses, ’ and ', such as {example}; {would} with the same: \
                 replace one, or use --normalize whisper-basic, which removes both"
            ),
            ReferenceKind::Casing => {
                let remedy = match normalize {
                    Normalization::Nfc => Normalization::NfcLower,
                    _ => Normalization::Lower,
                };
                format!(
                    "{count} of {of} references have another casing than the hypotheses, such as {example}; {would} in lower case: use \
                     --normalize {remedy}, or whisper-basic, which removes punctuation too"
                )
            }
            ReferenceKind::VowelSigns => format!(
                "--normalize {normalize} removes vowel signs and other marks from their letters, as Whisper does; words break apart and different \
                 words become equal in {count} of {of} references, such as {example}; use --normalize nfc-lower"
            ),
        }
    }
}

/// What the rate of the first pass is, and what it would be.
fn mended(unit: Unit, now: Option<f64>, mended: Option<Wer>) -> String {
    let number = |rate: Option<f64>| rate.map_or_else(|| "undefined".to_owned(), |rate| format!("{rate:.2}"));
    let after = mended.map(|mended| {
        let Wer { errors, reference_words, .. } = mended;
        format!("{} ({errors} of {reference_words} {})", number(mended.percent()), unit.plural())
    });
    format!(
        "the {} of the first pass is {}, and would be {}",
        unit.rate(),
        number(now),
        after.unwrap_or_default()
    )
}

/// An example with its place, cut to what a line can bear.
fn shown(example: &Example, kind: ReferenceKind) -> String {
    let cut = |text: &str| {
        let mut cut: String = text.chars().take(SHOWN).collect();
        if cut.len() < text.len() {
            cut.push('…');
        }
        cut
    };
    let Example { utterance, reference, hypothesis } = example;
    let reference = cut(reference);
    match kind {
        ReferenceKind::Composition | ReferenceKind::Apostrophes => {
            let differ = example.reference.chars().zip(hypothesis.chars()).find(|(a, b)| a != b);
            let places = differ.map_or_else(String::new, |(a, b)| {
                format!(", U+{:04X} against U+{:04X}", u32::from(a), u32::from(b))
            });
            format!("utterance {utterance:?} ({reference:?}{places})")
        }
        _ => format!("utterance {utterance:?} ({reference:?})"),
    }
}
