//! The plain text that a recipe names.

use rescorer::Utterance;
use rescorer::train::{Recipe, TextCorpus, TextForm};

use crate::status::Status;

/// Lists that the form of the text is found from, at most.
const SAMPLE: usize = 1000;

/// Share of the words of the lists below which the text is of another language or domain.
const COVERED: f64 = 0.5;

/// Reads the text once and says what is there; `None` where the recipe names none.
pub fn open<'a>(
    recipe: &Recipe,
    lists: impl Iterator<Item = &'a Utterance>,
    status: Status,
) -> anyhow::Result<Option<TextCorpus>> {
    if recipe.data.text.is_empty() {
        return Ok(None);
    }
    let sample: Vec<&str> = lists
        .take(SAMPLE)
        .flat_map(|list| list.nbest.hypotheses())
        .map(|found| found.text.as_str())
        .collect();
    let text = TextCorpus::open(&recipe.data, sample.iter().copied())?;
    let form = match text.form() {
        TextForm::Auto | TextForm::Keep => "as it is written",
        TextForm::Lower => "in lower case",
        TextForm::Plain => "in lower case without punctuation",
        TextForm::Upper => "in capitals without punctuation",
        TextForm::Unpunctuated => "without punctuation",
    };
    let (lines, words) = (text.line_count(), text.word_count());
    status.say(format_args!("text: {words} words in {lines} lines, {form}"));
    let covered = text.coverage(sample.iter().copied());
    if !sample.is_empty() && covered < COVERED {
        status.warn(format_args!(
            "{:.0}% of the words of the lists occur in the text; is it of the same language and domain?",
            100.0 * covered
        ));
    }
    Ok(Some(text))
}
