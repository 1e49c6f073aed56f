//! The words of the winners with their times, `ID CHANNEL START DURATION WORD [CONFIDENCE]` a line, for NIST's
//! tools.
//!
//! The times are those that came in with the hypothesis: Vosk's `result`, or `words` of Whisper, WhisperX,
//! faster-whisper and others, at the hypothesis or in its `segments`. Seconds have three places behind the
//! point; the channel is always 1. A hypothesis without words has no lines. Words that are not those of the
//! text, as after a perturbation, are refused; case and punctuation may differ.
//!
//! # Reference
//! NIST SCTK, `doc/infmts.htm`.

use serde_json::Value;

use crate::encode::{Encode, check_id, unwritable};
use crate::line::is_break;
use crate::timed_word::{self, TimeUnit, letters};
use crate::{Answer, Error, OutputFormat};

/// What to do about times that are not there or don't fit.
const REMEDY: &str = "let the recogniser write word times, or write another format";

pub(super) struct Ctm;

struct Word {
    text: String,
    /// Milliseconds.
    start: f64,
    end: f64,
    confidence: Option<f64>,
}

impl Encode for Ctm {
    fn encode(&mut self, answer: &Answer, to: &mut Vec<u8>) -> Result<(), Error> {
        check_id(answer, OutputFormat::Ctm)?;
        let id = &answer.utterance().id;
        if id.starts_with(";;") {
            let reason = "its id begins with `;;`, which makes the line a comment; rename it".to_owned();
            return Err(unwritable(answer, OutputFormat::Ctm, reason));
        }
        let words = words(answer).map_err(|reason| unwritable(answer, OutputFormat::Ctm, reason))?;
        for Word { text, start, end, confidence } in words {
            let (start, duration) = (start / 1000.0, (end - start) / 1000.0);
            let confidence = confidence.map_or_else(String::new, |confidence| format!(" {confidence:.4}"));
            to.extend(format!("{id} 1 {start:.3} {duration:.3} {text}{confidence}\n").bytes());
        }
        Ok(())
    }
}

/// The words of the winner, or why there are none.
fn words(answer: &Answer) -> Result<Vec<Word>, String> {
    let winner = answer.winner();
    let mut listed = timed_word::listed(&winner.extra);
    // The only hypothesis may leave them at the utterance.
    if listed.is_none() && answer.utterance().nbest.len() == 1 {
        listed = timed_word::listed(&answer.utterance().extra);
    }
    let Some(listed) = listed.filter(|listed| !listed.is_empty()) else {
        return match winner.text.trim() {
            "" => Ok(Vec::new()),
            _ => Err(format!("its winner came without word times (`result`, `words`, `segments`); {REMEDY}")),
        };
    };
    let unit = TimeUnit::of(answer.utterance());
    let words: Vec<Word> = listed.into_iter().map(|one| word(one, unit)).collect::<Result<_, _>>()?;
    let spoken = words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
    if letters(&spoken) != letters(&winner.text) {
        return Err(format!(
            "its word times are for {spoken:?}, but its text is {:?}; {REMEDY}",
            winner.text
        ));
    }
    Ok(words)
}

fn word(value: &Value, unit: TimeUnit) -> Result<Word, String> {
    let text = ["word", "text"].into_iter().find_map(|name| value.get(name)?.as_str()).map(str::trim);
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Err(format!("its word {value} has no text in `word`; {REMEDY}"));
    };
    if text.contains(|c: char| c.is_whitespace() || is_break(c)) || text.starts_with("<ALT") {
        return Err(format!("{text:?} is no word that a line can hold; split it, or write another format"));
    }
    let time = |name: &str| -> Result<f64, String> {
        let time = value.get(name).and_then(Value::as_f64);
        let time = time.ok_or_else(|| format!("its word {text:?} has no `{name}`; {REMEDY}"))?;
        Ok(unit.milliseconds(time).round())
    };
    let (start, end) = (time("start")?, time("end")?);
    if start < 0.0 || end < start {
        let (start, end) = (start / 1000.0, end / 1000.0);
        return Err(format!("its word {text:?} lasts from {start} to {end} s; mend the times"));
    }
    let confidence = ["conf", "confidence", "score", "probability"].into_iter();
    let confidence = confidence.filter_map(|name| value.get(name)?.as_f64()).next();
    Ok(Word { text: text.to_owned(), start, end, confidence })
}
