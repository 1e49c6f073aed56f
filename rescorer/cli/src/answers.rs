use std::io::Write;

use rescorer::{AnswerRecord, Anytime, Choice, Rescored, Utterance};
use rescorer_nbest::{AnswerEncoder, AnswerLine, Hypothesis, NBest, OutputContent, OutputFormat};

use crate::sink::{Sink, write_json};

/// What is known of a list when it is answered.
pub struct Answered {
    pub position: usize,
    /// Score and total of the winner; without time for them there are none.
    pub choice: Option<Choice>,
    /// All hypotheses, where all were scored.
    pub list: Option<Rescored>,
    /// How far a decision by a deadline got.
    pub progress: Option<Anytime>,
}

impl Answered {
    /// Of a list whose hypotheses were all scored.
    pub fn of_list(list: Rescored) -> Self {
        let choice = list.choice();
        Self { position: choice.position, choice: Some(choice), list: Some(list), progress: None }
    }

    /// Of a list of which only the winner is known.
    pub fn of_choice(choice: Choice) -> Self {
        Self { position: choice.position, choice: Some(choice), list: None, progress: None }
    }

    /// The text that was voted on, where it is not that of a hypothesis.
    fn merged(&self) -> Option<&str> {
        let of_choice = || self.choice.as_ref().and_then(|choice| choice.merged.as_deref());
        self.list.as_ref().map_or_else(of_choice, Rescored::merged)
    }

    pub fn text<'a>(&'a self, utterance: &'a Utterance) -> &'a str {
        match (&self.list, &self.choice) {
            (Some(list), _) => list.text(),
            (None, Some(choice)) => choice.text(&utterance.nbest),
            (None, None) => &utterance.nbest.hypotheses()[self.position].text,
        }
    }

    /// The JSON of the command line.
    pub fn record<'a>(&'a self, utterance: &'a Utterance, nbest: bool) -> AnswerRecord<'a> {
        match &self.list {
            Some(list) => AnswerRecord::of_list(utterance, list, nbest),
            None => {
                AnswerRecord::of_text(utterance, self.text(utterance), self.position, self.progress.as_ref())
            }
        }
    }
}

/// Writes answers as JSON, or in one of the formats.
pub struct Writer {
    out: Sink,
    /// `None` for the JSON of the command line.
    encoder: Option<AnswerEncoder>,
    /// Whether the whole list is written.
    nbest: bool,
    /// Whether answers have to come line by line.
    immediate: bool,
}

impl Writer {
    /// Without a format it is the JSON of the command line.
    pub fn new(format: Option<OutputFormat>, nbest: bool, immediate: bool, out: Sink) -> Self {
        let content = OutputContent { lists: nbest, second_pass: true };
        let encoder = format.map(|format| format.encoder(content));
        Self { out, encoder, nbest, immediate }
    }

    /// The outer error ends the run; the inner one is the utterance's, which the format can't hold.
    pub fn write(
        &mut self,
        utterance: &Utterance,
        answered: &Answered,
    ) -> anyhow::Result<Result<(), rescorer_nbest::Error>> {
        let Some(encoder) = &mut self.encoder else {
            write_json(&mut self.out, &answered.record(utterance, self.nbest))?;
            self.flush()?;
            return Ok(Ok(()));
        };
        let with_merged =
            answered.merged().map(|text| with_merged(utterance, answered.position, text)).transpose()?;
        let answer = answer(with_merged.as_ref().unwrap_or(utterance), answered, self.nbest)?;
        match encoder.encode(&answer) {
            Ok(bytes) => self.out.write_all(bytes)?,
            Err(error) => return Ok(Err(error)),
        }
        self.flush()?;
        Ok(Ok(()))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        if self.immediate { self.out.flush() } else { Ok(()) }
    }

    pub fn finish(mut self) -> anyhow::Result<()> {
        if let Some(encoder) = self.encoder {
            self.out.write_all(&encoder.finish()?)?;
        }
        self.out.finish()
    }
}

/// The utterance with a text that was voted on behind its hypotheses.
fn with_merged(
    utterance: &Utterance,
    voted_on: usize,
    text: &str,
) -> Result<Utterance, rescorer_nbest::Error> {
    let mut hypotheses = utterance.nbest.hypotheses().to_vec();
    let score = hypotheses[voted_on].score;
    let mut merged = Hypothesis { score, ..Hypothesis::new(text) };
    merged.extra.insert("merged".into(), true.into());
    hypotheses.push(merged);
    Ok(Utterance { nbest: NBest::new(hypotheses)?, ..utterance.clone() })
}

/// The winner, or every listed line in the order of the answer. A text that was voted on is the last hypothesis of `utterance`.
fn answer<'a>(
    utterance: &'a Utterance,
    answered: &Answered,
    nbest: bool,
) -> Result<rescorer_nbest::Answer<'a>, rescorer_nbest::Error> {
    let Answered { position, choice, list, .. } = answered;
    let is_merged = answered.merged().is_some();
    let winner = if is_merged {
        AnswerLine { position: utterance.nbest.len() - 1, ..AnswerLine::default() }
    } else {
        let score = |of: fn(&Choice) -> Option<f64>| choice.as_ref().and_then(of);
        AnswerLine {
            position: *position,
            lm_score: score(|choice| choice.lm_score),
            total: score(|choice| choice.total),
        }
    };
    let Some(list) = list else { return rescorer_nbest::Answer::new(utterance, vec![winner]) };
    let listed = || {
        list.listed().into_iter().map(|(position, scored)| AnswerLine {
            position,
            lm_score: scored.lm_score,
            total: scored.total,
        })
    };
    let lines = match (nbest, is_merged) {
        (true, true) => std::iter::once(winner).chain(listed()).collect(),
        (true, false) => listed().collect(),
        (false, _) => vec![winner],
    };
    Ok(rescorer_nbest::Answer::new(utterance, lines)?.with_confidence(list.confidence()))
}
