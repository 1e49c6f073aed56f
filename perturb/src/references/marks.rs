//! References with sclite's marks, scored as sclite does.

use crate::{Metric, UtteranceErrors};

/// What sclite's alignment costs, in thousandths: a word for another, a word that is missing or added, a word that may be left out and
/// is, and `@`.
const SUBSTITUTION: u64 = 4000;
const GAP: u64 = 3000;
const LEFT_OUT: u64 = 2000;
const NOTHING: u64 = 1;

/// Alternatives inside of alternatives, at most; what is deeper is text.
const DEEPEST: usize = 8;

/// A reference taken apart at sclite's marks.
///
/// `{ a / b / @ }` stands for any of its alternatives, which may hold others; `@` is nothing. `(uh)` may be left out. An id
/// in parentheses at the end, as lines of a `.trn` file have it, is no text.
///
/// # Reference
/// NIST's SCTK 2.4.12: `sclite` with `-D`, where a word in parentheses that is left out counts as correct. Alternatives are chosen and
/// words aligned by its costs, so that the errors are its S + D + I.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarkedReference {
    parts: Vec<Part>,
    has_marks: bool,
    has_id: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// Words as they are.
    Text(String),
    /// Words that may be left out, without their parentheses.
    Optional(String),
    /// `@`.
    Nothing,
    /// One of these.
    Alternatives(Vec<Vec<Part>>),
}

/// The cheapest way to reach a place of the hypothesis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Reached {
    cost: u64,
    errors: u32,
    /// Units of the reference on the way.
    units: u32,
}

impl Reached {
    fn after(self, cost: u64, units: u32) -> Self {
        let is_error = cost >= GAP;
        Self { cost: self.cost + cost, errors: self.errors + u32::from(is_error), units: self.units + units }
    }
}

impl MarkedReference {
    /// Takes a reference apart, as it was written: normalisations would change its marks. `None` where it has neither marks nor an id.
    ///
    /// ```
    /// use rescorer_perturb::{MarkedReference, Metric};
    ///
    /// let reference = MarkedReference::new("we are { going to / gonna } stop (uh) here").unwrap();
    /// let row = reference.errors(&["we", "are", "gonna", "stop", "there"], Metric::default());
    /// assert_eq!((row.errors, row.reference_words), (1, 6));
    /// ```
    #[must_use]
    pub fn new(reference: &str) -> Option<Self> {
        let (text, has_id) = match without_id(reference) {
            Some(text) => (text, true),
            None => (reference, false),
        };
        let tokens = tokens(text);
        let mut at = 0;
        let parts = sequence(&tokens, &mut at, 0).unwrap_or_else(|| vec![Part::Text(text.to_owned())]);
        let has_marks = parts.iter().any(|part| !matches!(part, Part::Text(_)));
        (has_marks || has_id).then_some(Self { parts, has_marks, has_id })
    }

    /// Whether there are alternatives, or words that may be left out.
    #[must_use]
    pub fn has_marks(&self) -> bool {
        self.has_marks
    }

    /// Whether an id stood at the end.
    #[must_use]
    pub fn has_id(&self) -> bool {
        self.has_id
    }

    /// The errors of a hypothesis, given by its units after normalisation. Each stretch of the reference between marks is normalised by
    /// itself.
    #[must_use]
    pub fn errors(&self, hypothesis: &[&str], metric: Metric) -> UtteranceErrors {
        let start = (0..=hypothesis.len() as u32).map(|added| Reached {
            cost: GAP * u64::from(added),
            errors: added,
            units: 0,
        });
        let reached = advance(start.collect(), &self.parts, hypothesis, metric);
        let Reached { errors, units, .. } = reached[hypothesis.len()];
        UtteranceErrors { errors: errors as usize, reference_words: units as usize }
    }
}

/// Goes on over parts of the reference: from the ways to every place of the hypothesis to those behind the parts.
fn advance(mut row: Vec<Reached>, parts: &[Part], hypothesis: &[&str], metric: Metric) -> Vec<Reached> {
    for part in parts {
        row = match part {
            Part::Text(text) | Part::Optional(text) => {
                let missing = if matches!(part, Part::Optional(_)) { LEFT_OUT } else { GAP };
                let text = metric.normalize.apply(text);
                let units = metric.unit.split(&text);
                units.into_iter().fold(row, |row, unit| advance_unit(&row, unit, missing, hypothesis))
            }
            Part::Nothing => row.into_iter().map(|way| way.after(NOTHING, 0)).collect(),
            Part::Alternatives(alternatives) => {
                let mut ways =
                    alternatives.iter().map(|parts| advance(row.clone(), parts, hypothesis, metric));
                let first = ways.next().unwrap_or_default();
                ways.fold(first, |best, other| best.into_iter().zip(other).map(|(a, b)| a.min(b)).collect())
            }
        };
    }
    row
}

fn advance_unit(row: &[Reached], unit: &str, missing: u64, hypothesis: &[&str]) -> Vec<Reached> {
    let mut next: Vec<Reached> = Vec::with_capacity(row.len());
    for (place, above) in row.iter().enumerate() {
        let mut best = above.after(missing, 1);
        if let Some(before) = place.checked_sub(1) {
            let pair = if hypothesis[before] == unit { 0 } else { SUBSTITUTION };
            best = best.min(row[before].after(pair, 1)).min(next[before].after(GAP, 0));
        }
        next.push(best);
    }
    next
}

/// The words of a text, braces and strokes of alternatives apart.
fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut depth = 0usize;
    for word in text.split_whitespace() {
        let mut start = 0;
        for (at, c) in word.char_indices() {
            let is_mark = match c {
                '{' => true,
                '}' => depth > 0,
                '/' => depth > 0,
                _ => false,
            };
            if !is_mark {
                continue;
            }
            depth = match c {
                '{' => depth + 1,
                '}' => depth - 1,
                _ => depth,
            };
            if start < at {
                tokens.push(&word[start..at]);
            }
            tokens.push(&word[at..at + 1]);
            start = at + 1;
        }
        if start < word.len() {
            tokens.push(&word[start..]);
        }
    }
    tokens
}

/// Parts up to the end, or inside of braces up to the stroke or brace that ends an alternative; `None` where braces have no partner or
/// hold no alternatives.
fn sequence(tokens: &[&str], at: &mut usize, depth: usize) -> Option<Vec<Part>> {
    let mut parts: Vec<Part> = Vec::new();
    while let Some(&token) = tokens.get(*at) {
        match token {
            "/" | "}" if depth > 0 => return Some(parts),
            "{" => {
                *at += 1;
                parts.push(alternatives(tokens, at, depth + 1)?);
            }
            "@" if depth > 0 => {
                *at += 1;
                parts.push(Part::Nothing);
            }
            word => {
                *at += 1;
                match (optional(word), parts.last_mut()) {
                    (Some(word), _) => parts.push(Part::Optional(word.to_owned())),
                    (None, Some(Part::Text(text))) => text.extend([" ", word]),
                    (None, _) => parts.push(Part::Text(word.to_owned())),
                }
            }
        }
    }
    (depth == 0).then_some(parts)
}

fn alternatives(tokens: &[&str], at: &mut usize, depth: usize) -> Option<Part> {
    let mut found = Vec::new();
    loop {
        if depth > DEEPEST {
            return None;
        }
        found.push(sequence(tokens, at, depth)?);
        *at += 1;
        if tokens.get(*at - 1) == Some(&"}") {
            return (found.len() > 1).then_some(Part::Alternatives(found));
        }
    }
}

/// What stands between the parentheses of a word that may be left out.
fn optional(word: &str) -> Option<&str> {
    let inside = word.strip_prefix('(')?.strip_suffix(')')?;
    (!inside.is_empty() && !inside.contains(['(', ')'])).then_some(inside)
}

/// A text without the id of its speaker and utterance at the end, as `(fjk-012)`.
fn without_id(text: &str) -> Option<&str> {
    let text = text.trim_end();
    let (before, last) = text.rsplit_once(char::is_whitespace).unwrap_or(("", text));
    let id = optional(last)?;
    let is_id = id.contains(['-', '_']) && id.contains(|c: char| c.is_ascii_digit());
    is_id.then_some(before)
}

#[cfg(test)]
#[path = "marks_tests.rs"]
mod tests;
