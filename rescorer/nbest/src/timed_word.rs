//! When the words of a hypothesis were said.

use serde_json::{Map, Value};

use crate::Utterance;

/// A word with its time, as the recogniser gave it.
#[derive(Clone, Debug, PartialEq)]
pub struct TimedWord {
    /// The word, without white space around it.
    pub word: String,
    /// Where it begins, in seconds.
    pub start: f64,
    /// Where it ends.
    pub end: f64,
}

impl TimedWord {
    /// Whether a word is this one; case and punctuation may differ.
    pub fn is(&self, word: &str) -> bool {
        letters(&self.word) == letters(word)
    }
}

impl Utterance {
    /// The words of a hypothesis with the times that came in with it: a list of `{"word": ..., "start": ..., "end": ...}` under `result`
    /// (Vosk) or `words` (Whisper, Deepgram, AssemblyAI), or under the `words` of every segment. None where a word has no time.
    ///
    /// ```
    /// use rescorer_nbest::Utterance;
    /// use serde_json::json;
    ///
    /// let words = json!([{"word": "a", "start": 0.5, "end": 0.75}, {"word": "cat", "start": 0.75, "end": 1}]);
    /// let list = json!({"alternatives": [{"text": "a cat", "confidence": 270.4, "result": words}]});
    /// let utterance = Utterance::from_object(list.as_object().unwrap().clone(), "u1")?;
    /// assert_eq!((utterance.timed_words(0)[1].word.as_str(), utterance.timed_words(0)[1].end), ("cat", 1.0));
    /// # Ok::<(), rescorer_nbest::Error>(())
    /// ```
    pub fn timed_words(&self, position: usize) -> Vec<TimedWord> {
        let Some(hypothesis) = self.nbest.hypotheses().get(position) else { return Vec::new() };
        let mut words = listed(&hypothesis.extra);
        // The only hypothesis may leave them at the utterance.
        if words.is_none() && self.nbest.len() == 1 {
            words = listed(&self.extra);
        }
        let words = words.unwrap_or_default().into_iter();
        let unit = TimeUnit::of(self);
        words.map(|word| timed(word.as_object()?, unit)).collect::<Option<Vec<_>>>().unwrap_or_default()
    }
}

/// The list of words among the fields of a hypothesis.
pub(crate) fn listed(fields: &Map<String, Value>) -> Option<Vec<&Value>> {
    let plain = ["result", "words"].into_iter().find_map(|name| fields.get(name)?.as_array());
    if let Some(plain) = plain {
        return Some(plain.iter().collect());
    }
    let segments = fields.get("segments")?.as_array()?;
    let words = segments.iter().map(|segment| segment.get("words")?.as_array());
    Some(words.collect::<Option<Vec<_>>>()?.into_iter().flatten().collect())
}

/// What times of words are given in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeUnit {
    Seconds,
    /// As AssemblyAI writes them, which names the recording by `audio_url` and the words by `text`.
    Milliseconds,
}

impl TimeUnit {
    pub(crate) fn of(utterance: &Utterance) -> Self {
        if utterance.extra.contains_key("audio_url") { Self::Milliseconds } else { Self::Seconds }
    }

    pub(crate) fn milliseconds(self, time: f64) -> f64 {
        match self {
            Self::Seconds => time * 1000.0,
            Self::Milliseconds => time,
        }
    }

    fn seconds(self, time: f64) -> f64 {
        match self {
            Self::Seconds => time,
            Self::Milliseconds => time / 1000.0,
        }
    }

    /// Field of a word's text.
    fn word(self) -> &'static str {
        match self {
            Self::Seconds => "word",
            Self::Milliseconds => "text",
        }
    }
}

fn timed(word: &Map<String, Value>, unit: TimeUnit) -> Option<TimedWord> {
    let time = |name: &str| word.get(name)?.as_f64().filter(|time| time.is_finite());
    let [start, end] = [time("start")?, time("end")?].map(|time| unit.seconds(time));
    Some(TimedWord { word: word.get(unit.word())?.as_str()?.trim().to_owned(), start, end })
}

/// What two spellings of a text have in common.
pub(crate) fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Hypothesis, NBest};

    fn words(field: &str, value: Value) -> Vec<(String, f64, f64)> {
        let mut hypothesis = Hypothesis::new("a cat");
        hypothesis.extra.insert(field.into(), value);
        let utterance = Utterance::new("u1", NBest::new(vec![hypothesis]).unwrap());
        utterance.timed_words(0).into_iter().map(|word| (word.word, word.start, word.end)).collect()
    }

    #[test]
    fn recognisers_have_them_in_several_places() {
        let expected = [("a".to_owned(), 0.5, 0.75), ("cat".to_owned(), 0.75, 1.0)];
        let both =
            json!([{"word": " a", "start": 0.5, "end": 0.75}, {"word": "cat", "start": 0.75, "end": 1}]);
        assert_eq!(words("words", both.clone()), expected);
        assert_eq!(words("result", both.clone()), expected);
        let [first, second] = [&both[0], &both[1]];
        assert_eq!(words("segments", json!([{"words": [first]}, {"words": [second]}])), expected);
        let mut only = Utterance::new("u1", NBest::from_texts(["a cat"]).unwrap());
        only.extra.insert("words".into(), both);
        assert_eq!(only.timed_words(0).len(), 2);
        assert!(only.timed_words(1).is_empty(), "there is no such position");
        assert!(only.timed_words(0)[1].is("Cat,") && !only.timed_words(0)[1].is("hat"));
    }

    #[test]
    fn what_has_no_times_has_no_timed_words() {
        for (field, value) in [
            ("words", json!(["a", "cat"])),
            ("words", json!(2)),
            ("words", json!([{"word": "a", "start": 0.5, "end": 0.75}, {"word": "cat"}])),
            ("words", json!([{"word": "a", "start": "0.5s", "end": "0.75s"}])),
            ("segments", json!([{"words": [{"word": "a", "start": 0.5, "end": 1}]}, {"text": "cat"}])),
            // AssemblyAI's, which are milliseconds, apart from the rest of its transcript.
            ("words", json!([{"text": "a", "start": 500, "end": 750}])),
        ] {
            assert!(words(field, value.clone()).is_empty(), "{value}");
        }
    }

    #[test]
    fn assemblyai_counts_milliseconds() {
        let mut only = Utterance::new("t1", NBest::from_texts(["A cat."]).unwrap());
        only.extra.insert("audio_url".into(), json!("talk.wav"));
        let words =
            json!([{"text": "A", "start": 500, "end": 750}, {"text": "cat.", "start": 750, "end": 1000}]);
        only.extra.insert("words".into(), words);
        let words: Vec<_> =
            only.timed_words(0).into_iter().map(|word| (word.word, word.start, word.end)).collect();
        assert_eq!(words, [("A".to_owned(), 0.5, 0.75), ("cat.".to_owned(), 0.75, 1.0)]);
    }
}
