//! The beams that wav2letter and flashlight write with `--isbeamdump`: one hypothesis a line.
//!
//! `ID | SCORE | AM SCORE | LM SCORE | WER | WORDS`. The score is the decoder's, language model, word and silence scores
//! included, higher is better; its acoustic and language-model parts are carried along as `decoder_am_score` and
//! `decoder_lm_score`, `wer` where it is a finite number. The lines of an utterance stand together, best first. A
//! decoder with several threads mixes them: sort the file, `sort -s -t '|' -k 1,1`.
//!
//! One utterance is held in memory; it ends where the next begins, so it is answered one line late.
//!
//! # Reference
//! flashlight, `flashlight/app/asr/Decode.cpp`, the branch of `FLAGS_isbeamdump`.

use serde_json::{Number, Value};

use crate::body::Body;
use crate::source::Source;
use crate::spec::Spec;
use crate::split::{Piece, next_line};
use crate::{Error, Hypothesis, NBest, Place, ScoreScale, SeenIds, Utterance};

pub(super) const SPEC: Spec = Spec::Text {
    marker: |line, _| is_beam(&String::from_utf8_lossy(line)),
    open: |source, _| Ok(Box::new(Beams { source, next: None, begun: false, seen: SeenIds::default() })),
    folder: None,
};

/// The fields of a line.
fn fields(line: &str) -> Vec<&str> {
    line.splitn(6, '|').map(str::trim).collect()
}

fn is_beam(line: &str) -> bool {
    let fields = fields(line);
    fields.len() == 6
        && !fields[0].is_empty()
        && fields[1..5].iter().all(|field| field.parse::<f64>().is_ok())
}

struct Beams {
    source: Source,
    /// The line behind the last utterance, with its id.
    next: Option<(String, Piece)>,
    begun: bool,
    seen: SeenIds,
}

impl Beams {
    /// The next line with its id; what is no UTF-8 has the id of its readable part.
    fn line(&mut self) -> Result<Option<(String, Piece)>, Error> {
        let Some(piece) = next_line(&mut self.source)? else { return Ok(None) };
        let id = piece.bytes.split(|&byte| byte == b'|').next().unwrap_or_default();
        Ok(Some((String::from_utf8_lossy(id).trim().to_owned(), piece)))
    }

    fn utterance(&mut self, id: String, lines: Vec<Piece>) -> Result<(Utterance, Place), Error> {
        let place = |line: u64| Place {
            path: Some(self.source.name().clone()),
            line: Some(line),
            utterance: Some(id.clone()).filter(|id| !id.is_empty()),
        };
        let first = place(lines[0].line);
        let scattered = !self.seen.insert(&id);
        let hypotheses = lines.iter().map(|piece| beam(&piece.bytes, &place(piece.line)));
        let hypotheses = hypotheses.collect::<Result<Vec<_>, _>>()?;
        if scattered {
            let reason =
                "its lines do not stand together, others come between; sort the file (sort -s -t '|' -k 1,1)";
            return Err(Error::Part { place: first, reason: reason.to_owned() });
        }
        Ok((Utterance::new(id, NBest::checked(hypotheses, &first)?.with_score_scale(ScoreScale::Sum)), first))
    }
}

impl Body for Beams {
    fn next(&mut self) -> Result<Option<(Utterance, Place)>, Error> {
        let first = match self.next.take() {
            Some(line) => Some(line),
            None => self.line()?,
        };
        let Some((id, first)) = first else {
            return if self.begun {
                Ok(None)
            } else {
                Err(Error::Empty { path: self.source.name().to_string() })
            };
        };
        self.begun = true;
        let mut lines = vec![first];
        while let Some((other, line)) = self.line()? {
            if other != id {
                self.next = Some((other, line));
                break;
            }
            lines.push(line);
        }
        self.utterance(id, lines).map(Some)
    }
}

/// One line.
fn beam(line: &[u8], place: &Place) -> Result<Hypothesis, Error> {
    let line = std::str::from_utf8(line).map_err(|_| Error::Encoding { place: place.clone() })?;
    let part = |reason: String| Error::Part { place: place.clone(), reason };
    let fields = fields(line);
    let [id, score, am_score, lm_score, wer, words] = fields[..] else {
        return Err(part(format!(
            "its line has {} fields between `|`, expected ID | SCORE | AM SCORE | LM SCORE | WER | WORDS; the line may be cut \
             short: decode again, or remove it",
            fields.len()
        )));
    };
    if id.is_empty() {
        return Err(part("its line begins with no id; add it before the first `|`".to_owned()));
    }
    let number = |name: &str, text: &str| -> Result<f64, Error> {
        let value: f64 =
            text.parse().map_err(|_| part(format!("its {name} is {text:?}, expected a number; mend it")))?;
        if !value.is_finite() {
            return Err(Error::NotFinite { place: place.clone(), value: text.to_owned() });
        }
        Ok(value)
    };
    let mut hypothesis = Hypothesis::scored(words, number("score", score)?);
    // Nothing is decided by the others: without a reference the error rate is no number.
    for (name, text) in [("decoder_am_score", am_score), ("decoder_lm_score", lm_score), ("wer", wer)] {
        let value = text.parse().ok().and_then(Number::from_f64).map(Value::Number);
        hypothesis.extra.insert(name.to_owned(), value.unwrap_or_else(|| text.into()));
    }
    Ok(hypothesis)
}
