use std::io::Write;

use rescorer::{Answer, Utterance};
use rescorer_nbest::{AnswerEncoder, AnswerLine, Hypothesis, NBest, OutputContent, OutputFormat};

use crate::sink::{Sink, write_json};

/// Writes answers as JSON, or in one of the formats.
pub struct Writer {
    out: Sink,
    /// `None` for the JSON of the command line.
    encoder: Option<AnswerEncoder>,
    /// Whether answers have to come line by line.
    immediate: bool,
}

impl Writer {
    /// Without a format it is the JSON of the command line. With `nbest` the whole list is written.
    pub fn new(format: Option<OutputFormat>, nbest: bool, immediate: bool, out: Sink) -> Self {
        let content = OutputContent { lists: nbest, second_pass: true };
        let encoder = format.map(|format| format.encoder(content));
        Self { out, encoder, immediate }
    }

    /// The outer error ends the run; the inner one is the utterance's, which the format can't hold.
    pub fn write(&mut self, answer: &Answer) -> anyhow::Result<Result<(), rescorer_nbest::Error>> {
        let Some(encoder) = &mut self.encoder else {
            write_json(&mut self.out, answer)?;
            self.flush()?;
            return Ok(Ok(()));
        };
        let with_merged = with_merged(answer)?;
        match encoder.encode(&lines(with_merged.as_ref().unwrap_or(answer.utterance()), answer)?) {
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

/// The utterance with a text that was voted on behind its hypotheses, where the answer is one.
fn with_merged(answer: &Answer) -> Result<Option<Utterance>, rescorer_nbest::Error> {
    if answer.position().is_some() {
        return Ok(None);
    }
    let utterance = answer.utterance();
    let mut hypotheses = utterance.nbest.hypotheses().to_vec();
    let score = hypotheses[answer.base_position()].score;
    let mut merged = Hypothesis { score, ..Hypothesis::new(answer.text()) };
    merged.extra.insert("merged".into(), true.into());
    hypotheses.push(merged);
    Ok(Some(Utterance { nbest: NBest::new(hypotheses)?, ..utterance.clone() }))
}

/// The winner, or every listed line in the order of the answer. A text that was voted on is the last hypothesis of `utterance`.
fn lines<'a>(
    utterance: &'a Utterance,
    answer: &Answer,
) -> Result<rescorer_nbest::Answer<'a>, rescorer_nbest::Error> {
    let winner = match answer.position() {
        Some(position) => AnswerLine { position, lm_score: answer.lm_score(), total: answer.total() },
        None => AnswerLine { position: utterance.nbest.len() - 1, ..AnswerLine::default() },
    };
    let listed = answer.listed().into_iter().map(|(position, scored)| AnswerLine {
        position,
        lm_score: scored.lm_score,
        total: scored.total,
    });
    let mut lines: Vec<AnswerLine> = listed.collect();
    if lines.is_empty() || answer.position().is_none() {
        lines.insert(0, winner);
    }
    let lines = rescorer_nbest::Answer::new(utterance, lines)?;
    let confidence = answer.confidence();
    Ok(if confidence.is_nan() { lines } else { lines.with_confidence(confidence) })
}
