use std::ops::Range;

use rescorer_nbest::{Hypothesis, NBest, Utterance};
use serde_json::{Value, json};

use crate::{Error, FirstPass, RATE, Recognition, Speech, cut};

/// One piece of a recording with what was heard in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    /// The list, called `NAME:NUMBER`, the first piece being 1. Its fields `start` and `end` are seconds in the recording,
    /// and so are the times of words.
    pub utterance: Utterance,
    /// Its place in the recording, in seconds.
    pub seconds: Range<f64>,
    /// Whether anything was heard. If not, the list is one empty hypothesis without a score, and the utterance has the
    /// field `nothing_heard`.
    pub heard: bool,
}

/// Peak of a piece that no recogniser is asked about: 80 dB below full scale, three steps of 16 bits. Some hear words in
/// nothing.
const SILENT: f32 = 1e-4;

/// Cuts a recording into pieces of at most `max_seconds`, less where the recogniser takes less, and recognises each when the
/// iterator comes to it. In a piece whose peak is 80 dB below full scale nothing is heard, without asking.
///
/// Every item may be an [`Error::Piece`]; the next piece can be asked for where that is recoverable.
pub fn transcribe<'a>(
    first_pass: &'a mut dyn FirstPass,
    speech: &'a Speech,
    max_seconds: f64,
) -> impl Iterator<Item = Result<Piece, Error>> + use<'a> {
    let pieces = cut(speech.samples(), max_seconds.min(first_pass.max_seconds()));
    pieces.into_iter().zip(1..).map(move |(range, number): (_, usize)| {
        let id = format!("{}:{number}", speech.name());
        let at = |sample| sample as f64 / f64::from(RATE);
        let seconds = at(range.start)..at(range.end);
        let samples = &speech.samples()[range];
        let is_silent = samples.iter().all(|sample| sample.abs() < SILENT);
        let heard = if is_silent { Ok(Recognition::default()) } else { first_pass.recognize(samples) };
        heard.and_then(|heard| piece(&id, seconds.clone(), heard)).map_err(|source| Error::Piece {
            id,
            start: seconds.start,
            end: seconds.end,
            source: Box::new(source),
        })
    })
}

fn piece(id: &str, seconds: Range<f64>, recognition: Recognition) -> Result<Piece, Error> {
    let Recognition { mut hypotheses, mut extra } = recognition;
    let heard = !hypotheses.is_empty();
    if !heard {
        hypotheses.push(Hypothesis::new(""));
        extra.insert("nothing_heard".into(), true.into());
    }
    for hypothesis in &mut hypotheses {
        let words = hypothesis.extra.get_mut("words").and_then(Value::as_array_mut);
        words.into_iter().flatten().for_each(|word| shift(word, seconds.start));
    }
    extra.insert("start".into(), json!(seconds.start));
    extra.insert("end".into(), json!(seconds.end));
    let utterance = Utterance { extra, ..Utterance::new(id, NBest::new(hypotheses)?) };
    Ok(Piece { utterance, seconds, heard })
}

/// Counts the times of a word from the beginning of the recording, to the millisecond.
fn shift(word: &mut Value, by: f64) {
    for key in ["start", "end"] {
        if let Some(time) = word.get_mut(key)
            && let Some(seconds) = time.as_f64()
        {
            *time = json!(((seconds + by) * 1000.0).round() / 1000.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hears a word in the first half second of every piece, nothing in quiet ones, and refuses loud ones.
    struct Fake;

    impl FirstPass for Fake {
        fn name(&self) -> &str {
            "fake"
        }

        fn max_seconds(&self) -> f64 {
            1.0
        }

        fn recognize(&mut self, samples: &[f32]) -> Result<Recognition, Error> {
            if samples[0] > 0.9 {
                return Err(Error::Refused { first_pass: "fake", reason: "it hurts".into() });
            }
            let mut hypothesis = Hypothesis::scored("word", -1.0);
            let words = json!([{"word": "word", "start": 0.1, "end": 0.5}]);
            hypothesis.extra.insert("words".into(), words);
            Ok(Recognition::new(if samples[0] > 0.01 { vec![hypothesis] } else { Vec::new() }))
        }
    }

    fn pieces(samples: Vec<f32>) -> Vec<Result<Piece, Error>> {
        transcribe(&mut Fake, &Speech::new("a", samples), 30.0).collect()
    }

    #[test]
    fn pieces_have_names_and_times() {
        let found = pieces(vec![0.5; RATE as usize * 5 / 2]);
        let mut end = 0.0;
        for (piece, number) in found.iter().zip(1..) {
            let Piece { utterance, seconds, heard } = piece.as_ref().unwrap();
            assert_eq!((utterance.id.clone(), *heard), (format!("a:{number}"), true));
            assert_eq!(seconds.start, end);
            end = seconds.end;
            assert_eq!(
                (&utterance.extra["start"], &utterance.extra["end"]),
                (&json!(seconds.start), &json!(end))
            );
            let word = &utterance.nbest.first().extra["words"][0];
            assert!((word["start"].as_f64().unwrap() - seconds.start - 0.1).abs() < 6e-4);
            assert!((word["end"].as_f64().unwrap() - seconds.start - 0.5).abs() < 6e-4);
        }
        assert_eq!(end, 2.5);
    }

    #[test]
    fn nothing_heard_is_an_empty_hypothesis_that_says_so() {
        // Silence, which it is not asked about, and what it finds nothing in.
        for level in [0.0, 0.005] {
            let found = pieces(vec![level; 100]).remove(0).unwrap();
            assert!(!found.heard);
            assert_eq!(found.utterance.nbest.first(), &Hypothesis::new(""));
            assert_eq!(found.utterance.extra["nothing_heard"], json!(true));
        }
    }

    #[test]
    fn an_error_names_the_piece() {
        let error = pieces(vec![1.0; 8000]).remove(0).unwrap_err();
        assert!(error.is_recoverable());
        assert_eq!(error.to_string(), "a:1 (0.00 to 0.50 s): first pass fake: it hurts; cut it out");
        assert!(pieces(Vec::new()).is_empty());
    }
}
