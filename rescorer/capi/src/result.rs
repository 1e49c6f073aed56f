use std::ffi::{CString, c_char};
use std::sync::OnceLock;

use rescorer::{AnswerRecord, Rescored, Utterance};

use crate::handle::{self, Behind};
use crate::status::{Failure, RescorerStatus, guarded};

/// The answer for one list.
pub struct RescorerResult {
    _private: [u8; 0],
}

impl Behind for RescorerResult {
    type Value = Answered;
    const NAME: &'static str = "the result";
}

/// A distinct hypothesis.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct RescorerScored {
    /// Its text.
    pub text: *const c_char,
    /// Its position in the first-pass list, from 0; of texts that repeat the first.
    pub position: usize,
    /// First-pass score.
    pub first_pass: f64,
    /// Language-model score: the sum of the natural logarithms of the probabilities of its tokens.
    pub lm_score: f64,
    /// `first_pass + lm_weight · lm_score + length_bonus · words`.
    pub total: f64,
    /// Probability that it has no error, where the policy can tell, else its share of the posterior.
    pub confidence: f64,
}

/// A word of the answer.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct RescorerWord {
    /// The word.
    pub word: *const c_char,
    /// Probability that it is right, where the policy can tell, else its share of the posterior.
    pub confidence: f64,
}

/// What was answered. Its texts and arrays are the result's and go with it.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct RescorerAnswer {
    /// The better text.
    pub text: *const c_char,
    /// Position in the first-pass list of the hypothesis that was chosen, or voted on.
    pub position: usize,
    /// Whether the text is another than that of the first-pass best.
    pub changed: bool,
    /// Probability that the text has no error, where the policy can tell, else its share of the posterior.
    pub confidence: f64,
    /// The distinct hypotheses, best first.
    pub hypotheses: *const RescorerScored,
    /// Their number.
    pub hypothesis_count: usize,
    /// The words of the answer.
    pub words: *const RescorerWord,
    /// Their number.
    pub word_count: usize,
}

/// An answer with all that C sees of it.
pub struct Answered {
    utterance: Utterance,
    list: Rescored,
    text: CString,
    /// What `hypotheses` and `words` point to.
    _texts: Vec<CString>,
    hypotheses: Vec<RescorerScored>,
    words: Vec<RescorerWord>,
    json: OnceLock<CString>,
}

// SAFETY: the pointers lead to memory of the same value, which never changes.
unsafe impl Send for Answered {}
// SAFETY: as above.
unsafe impl Sync for Answered {}

/// A text as C has it. A NUL, which would end it there, becomes U+FFFD; no hypothesis that came from C has one.
fn c_text(text: &str) -> CString {
    CString::new(text.replace('\0', "\u{fffd}")).unwrap_or_default()
}

impl Answered {
    pub fn new(utterance: Utterance, list: Rescored) -> Self {
        let mut texts = Vec::new();
        let mut add = |text: &str| {
            texts.push(c_text(text));
            texts.last().map_or(std::ptr::null(), |text| text.as_ptr())
        };
        let hypotheses = list.hypotheses().iter().map(|hypothesis| RescorerScored {
            text: add(&hypothesis.text),
            position: hypothesis.position,
            first_pass: hypothesis.first_pass,
            lm_score: hypothesis.lm_score,
            total: hypothesis.total,
            confidence: hypothesis.confidence,
        });
        let hypotheses = hypotheses.collect();
        let words = list.words().iter();
        let words =
            words.map(|word| RescorerWord { word: add(&word.word), confidence: word.confidence }).collect();
        let text = c_text(list.text());
        Self { utterance, list, text, _texts: texts, hypotheses, words, json: OnceLock::new() }
    }

    fn answer(&self) -> RescorerAnswer {
        RescorerAnswer {
            text: self.text.as_ptr(),
            position: self.list.best().position,
            changed: self.list.text() != self.utterance.nbest.first().text,
            confidence: self.list.confidence(),
            hypotheses: self.hypotheses.as_ptr(),
            hypothesis_count: self.hypotheses.len(),
            words: self.words.as_ptr(),
            word_count: self.words.len(),
        }
    }

    fn json(&self) -> Result<&CString, Failure> {
        if let Some(json) = self.json.get() {
            return Ok(json);
        }
        let record = AnswerRecord::of_list(&self.utterance, &self.list, true);
        let json = serde_json::to_string(&record)
            .map_err(|error| Failure::new(RescorerStatus::Internal, error.to_string()))?;
        Ok(self.json.get_or_init(|| c_text(&json)))
    }
}

/// Looks at an answer. What it points to holds until the result is freed.
///
/// # Safety
/// `answer` points to where it is to be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rescorer_result_answer(
    result: *const RescorerResult,
    answer: *mut RescorerAnswer,
) -> RescorerStatus {
    guarded(|| {
        if answer.is_null() {
            return Err(Failure::null("where the answer is to be written"));
        }
        let found = handle::find(result)?;
        // SAFETY: not NULL, and what the caller promised.
        unsafe { answer.write(found.answer()) };
        Ok(())
    })
}

/// The answer as one line of JSON, as `rescorer rescore --nbest --json` writes it. The text holds until the result is freed.
///
/// # Safety
/// `json` points to where the text's address is to be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rescorer_result_json(
    result: *const RescorerResult,
    json: *mut *const c_char,
) -> RescorerStatus {
    guarded(|| {
        if json.is_null() {
            return Err(Failure::null("where the JSON is to be written"));
        }
        let found = handle::find(result)?;
        // SAFETY: not NULL, and what the caller promised.
        unsafe { json.write(found.json()?.as_ptr()) };
        Ok(())
    })
}

/// Frees a result. NULL is nothing to do.
#[unsafe(no_mangle)]
pub extern "C" fn rescorer_result_free(result: *mut RescorerResult) -> RescorerStatus {
    guarded(|| handle::free(result))
}
