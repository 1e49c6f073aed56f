//! What in references makes an error rate wrong without a word.

mod marks;
mod spelling;

use serde::Serialize;

pub use marks::MarkedReference;

use crate::script::Spaceless;
use crate::{Metric, Unit, UtteranceErrors, Wer};
use spelling::Spelling;

/// Letters of a word from which on it is taken for several, since nobody put spaces: Chinese and Japanese words have about two, Thai, Lao,
/// Khmer and Burmese ones about four.
const LONG_EAST_ASIAN: f64 = 3.0;
const LONG_SOUTH_EAST_ASIAN: f64 = 9.0;

/// Share of all letters that scripts without spaces need before words are doubted, and share of other letters from which on units are
/// better mixed.
const MANY: f64 = 0.2;
const MIXED: f64 = 0.1;

/// An utterance that shows what was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Example {
    /// Its id.
    pub utterance: String,
    /// Its reference.
    pub reference: String,
    /// The first-pass best, or what else was compared.
    pub hypothesis: String,
}

/// Something that a user should know of references and hypotheses before an error rate is believed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReferenceFinding {
    /// What it is.
    pub kind: ReferenceKind,
    /// Utterances that have it.
    pub utterances: usize,
    /// The first of them.
    pub example: Example,
    /// Errors in all utterances as they are counted now, in percent of the reference; `None` where references have no unit.
    pub rate: Option<f64>,
    /// What the rate would be with this one thing put right, where that can be told.
    pub mended: Option<Wer>,
}

/// What can be wrong with references.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReferenceKind {
    /// Words are counted, and the references hardly have spaces; the unit that fits.
    FewSpaces(Unit),
    /// Reference and hypothesis write the same letters with and without combining accents.
    Composition,
    /// The references have alternatives or optional words in sclite's notation.
    Marks,
    /// The references end in the id of the utterance.
    Ids,
    /// One side writes `’`, the other `'`.
    Apostrophes,
    /// Most references are in capitals or in small letters alone, and the hypotheses are not.
    Casing,
    /// The normalisation takes vowel signs and other marks away from their letters.
    VowelSigns,
}

/// Looks at utterances, one after the other, for what makes their error rate wrong.
///
/// ```
/// use rescorer_perturb::{Metric, ReferenceCheck, ReferenceKind, Unit};
///
/// let mut check = ReferenceCheck::new(Metric::default());
/// check.add("u1", "我们明天去北京", "我们明天去背景");
/// let found = check.findings();
/// assert_eq!(found[0].kind, ReferenceKind::FewSpaces(Unit::Character));
/// ```
#[derive(Debug)]
pub struct ReferenceCheck {
    metric: Metric,
    total: Wer,
    letters: Letters,
    long: Found,
    composition: Found,
    marks: Found,
    ids: Found,
    apostrophes: Found,
    casing: Found,
    vowel_signs: Found,
}

/// Utterances of one kind, and the errors in all utterances if that kind were put right.
#[derive(Debug, Default)]
struct Found {
    utterances: usize,
    example: Option<Example>,
    mended: Wer,
}

impl Found {
    fn add(&mut self, is_found: bool, example: impl FnOnce() -> Example, row: UtteranceErrors) {
        self.mended.add(row);
        if is_found {
            self.utterances += 1;
            self.example.get_or_insert_with(example);
        }
    }
}

/// Letters of references, and the words that scripts without spaces are in.
#[derive(Debug, Default)]
struct Letters {
    all: usize,
    east_asian: usize,
    south_east_asian: usize,
    /// Words with letters of either kind of script.
    words: [usize; 2],
}

impl ReferenceCheck {
    /// Looks at texts as a metric compares them.
    #[must_use]
    pub fn new(metric: impl Into<Metric>) -> Self {
        Self {
            metric: metric.into(),
            total: Wer::default(),
            letters: Letters::default(),
            long: Found::default(),
            composition: Found::default(),
            marks: Found::default(),
            ids: Found::default(),
            apostrophes: Found::default(),
            casing: Found::default(),
            vowel_signs: Found::default(),
        }
    }

    /// Looks at a reference and what was recognised, most often the first-pass best.
    pub fn add(&mut self, utterance: &str, reference: &str, hypothesis: &str) {
        let metric = self.metric;
        let row = metric.errors(reference, hypothesis);
        self.total.add(row);
        let example = || Example {
            utterance: utterance.to_owned(),
            reference: reference.to_owned(),
            hypothesis: hypothesis.to_owned(),
        };
        let is_long = self.letters.add(reference);
        self.long.add(is_long, example, row);
        for (spelling, found) in [
            (Spelling::Composed, &mut self.composition),
            (Spelling::Apostrophes, &mut self.apostrophes),
            (Spelling::Casing, &mut self.casing),
        ] {
            let mended = spelling.mended(reference, hypothesis, row, metric);
            found.add(mended.is_some(), example, mended.unwrap_or(row));
        }
        let marked = MarkedReference::new(reference);
        let mended = marked.as_ref().map_or(row, |marked| {
            let hypothesis = metric.normalize.apply(hypothesis);
            marked.errors(&metric.unit.split(&hypothesis), metric)
        });
        let is_marked = |has: fn(&MarkedReference) -> bool| marked.as_ref().is_some_and(has);
        self.marks.add(is_marked(MarkedReference::has_marks), example, mended);
        self.ids.add(is_marked(MarkedReference::has_id), example, mended);
        self.vowel_signs.add(spelling::loses_marks(reference, metric.normalize), example, row);
    }

    /// What was found, each kind once.
    #[must_use]
    pub fn findings(&self) -> Vec<ReferenceFinding> {
        let spaces = self.letters.unit().filter(|_| self.metric.unit.is_word());
        // A word in capitals now and then is an error of the recogniser.
        let is_usual = 2 * self.casing.utterances >= self.utterances();
        let kinds = [
            (spaces.map(ReferenceKind::FewSpaces), &self.long, false),
            (Some(ReferenceKind::Composition), &self.composition, true),
            (Some(ReferenceKind::Marks), &self.marks, true),
            (Some(ReferenceKind::Ids), &self.ids, true),
            (Some(ReferenceKind::Apostrophes), &self.apostrophes, true),
            (is_usual.then_some(ReferenceKind::Casing), &self.casing, true),
            (Some(ReferenceKind::VowelSigns), &self.vowel_signs, false),
        ];
        let finding = |(kind, found, is_mended): (Option<ReferenceKind>, &Found, bool)| {
            Some(ReferenceFinding {
                kind: kind?,
                utterances: found.utterances,
                example: found.example.clone()?,
                rate: self.total.percent(),
                mended: is_mended.then_some(found.mended),
            })
        };
        kinds.into_iter().filter_map(finding).collect()
    }

    /// Utterances that were looked at.
    #[must_use]
    pub fn utterances(&self) -> usize {
        self.total.utterances
    }
}

impl Letters {
    /// Counts the letters of a reference; says whether it has a word that is too long to be one.
    fn add(&mut self, reference: &str) -> bool {
        let mut has_long = false;
        for word in reference.split_whitespace() {
            let (mut east, mut south) = (0usize, 0usize);
            for c in word.chars().filter(|c| c.is_alphabetic()) {
                self.all += 1;
                match Spaceless::of(c) {
                    Some(Spaceless::EastAsian) => east += 1,
                    Some(Spaceless::SouthEastAsian) => south += 1,
                    None => {}
                }
            }
            self.east_asian += east;
            self.south_east_asian += south;
            self.words[0] += usize::from(east > 0);
            self.words[1] += usize::from(south > 0);
            has_long |= east as f64 > LONG_EAST_ASIAN || south as f64 > LONG_SOUTH_EAST_ASIAN;
        }
        has_long
    }

    /// The unit that fits letters which hardly have spaces; `None` where they have them, or are few.
    fn unit(&self) -> Option<Unit> {
        let mean = |letters: usize, words: usize| letters as f64 / words.max(1) as f64;
        let is_long = mean(self.east_asian, self.words[0]) > LONG_EAST_ASIAN
            || mean(self.south_east_asian, self.words[1]) > LONG_SOUTH_EAST_ASIAN;
        let share = mean(self.east_asian + self.south_east_asian, self.all);
        let unit = if 1.0 - share > MIXED { Unit::Mixed } else { Unit::Character };
        (is_long && share >= MANY).then_some(unit)
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
