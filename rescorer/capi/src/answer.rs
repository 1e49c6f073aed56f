//! An answer with all that C sees of it.

use std::ffi::{CString, c_char};
use std::sync::OnceLock;

use rescorer::{Answer, AnswerHypothesis, AnswerWord};

use crate::status::{Failure, RescorerStatus};
use crate::texts::{Start, Texts};

/// A distinct hypothesis.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct RescorerScored {
    /// Size of this struct in the library: a field that a later version added is there if this reaches behind it.
    pub struct_size: usize,
    /// Its text.
    pub text: *const c_char,
    /// Its position in the first-pass list, from 0; of texts that repeat the first.
    pub position: usize,
    /// First-pass score.
    pub first_pass: f64,
    /// Language-model score: the sum of the natural logarithms of the probabilities of its tokens. NaN where the model was not asked:
    /// the list has one text, or lm_weight is 0.
    pub lm_score: f64,
    /// `first_pass + lm_weight · lm_score + length_bonus · words`. NaN where it would need a score that was not computed.
    pub total: f64,
    /// Probability that it has no error, where the policy can tell, else its share of the posterior.
    pub confidence: f64,
}

/// A word of the answer.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct RescorerWord {
    /// Size of this struct in the library.
    pub struct_size: usize,
    /// The word.
    pub word: *const c_char,
    /// Probability that it is right, where the policy can tell, else its share of the posterior.
    pub confidence: f64,
    /// Where it begins in the recording, in seconds, where the JSON had word times; else NaN.
    pub start: f64,
    /// Where it ends; else NaN.
    pub end: f64,
}

/// What was answered. It is the result's, with its texts and arrays, and goes with it.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct RescorerAnswer {
    /// Size of this struct in the library.
    pub struct_size: usize,
    /// The better text.
    pub text: *const c_char,
    /// Position in the first-pass list of the hypothesis that was chosen, or voted on.
    pub position: usize,
    /// Probability that the text has no error, where the policy can tell, else its share of the posterior. NaN where the text alone
    /// was wanted, and where there was a deadline.
    pub confidence: f64,
    /// 1 if the text is another than that of the first-pass best, else 0.
    pub changed: i32,
    /// 1 if words of several hypotheses were merged into the text, which then stands nowhere in the list, else 0.
    pub merged: i32,
    /// Addresses of the distinct hypotheses, best first. There are none where the list was not wanted, or there was a deadline.
    pub hypotheses: *const *const RescorerScored,
    /// Their number.
    pub hypothesis_count: usize,
    /// Addresses of the words of the answer. There are none where `confidence` is NaN.
    pub words: *const *const RescorerWord,
    /// Their number.
    pub word_count: usize,
    /// What is no error, but worth a look: how a field of the JSON was read, or that a number beside every text was not used. NULL if
    /// there is nothing, and for lists that came as structs.
    pub notice: *const c_char,
    /// Language-model score of the chosen hypothesis; NaN where the model was not asked, or there was no time.
    pub lm_score: f64,
    /// Fused score of the chosen hypothesis; NaN where it would need a score that was not computed.
    pub total: f64,
    /// Distinct hypotheses that were scored, or could not win any more: all, unless a deadline came first.
    pub decided: usize,
    /// Distinct hypotheses of the list.
    pub unique: usize,
    /// 1 if more time would not have changed the answer, else 0.
    pub complete: i32,
    /// 0.
    pub reserved: i32,
    /// Name of the adapter that took part; NULL if none did, or if it was given by its handle.
    pub adapter: *const c_char,
    /// The policy that decided: its file, "default, version N", or "policy" of `rescorer_from_policy`. NULL for weights given by hand.
    pub policy: *const c_char,
    /// Probability that the list is for `adapter`, or for none, where it was routed; NaN where it was not.
    pub routed: f64,
}

/// An answer and the memory that C reads.
pub struct Answered {
    given: Answer,
    answer: RescorerAnswer,
    json: OnceLock<CString>,
    /// What `answer` points to: texts, structs, and the addresses of the structs.
    _texts: Texts,
    _scored: Vec<RescorerScored>,
    _words: Vec<RescorerWord>,
    _scored_at: Vec<*const RescorerScored>,
    _words_at: Vec<*const RescorerWord>,
}

// SAFETY: the pointers lead to memory of the same value, which never changes and goes where the value goes.
unsafe impl Send for Answered {}
// SAFETY: nothing behind the pointers is ever written again, so threads may read at once; `json` is made under its own lock.
unsafe impl Sync for Answered {}

impl Answered {
    /// The answer for a list, and what has to be said of how the list was read.
    pub fn new(given: Answer, notice: Option<&str>) -> Self {
        let mut texts = Texts::default();
        let text = texts.add(given.text());
        let [notice, adapter, policy] =
            [notice, given.adapter(), given.policy()].map(|text| text.map(|text| texts.add(text)));
        let (decided, unique) = looked_at(&given);
        let starts = |texts: &mut Texts, added: &mut dyn Iterator<Item = &str>| -> Vec<Start> {
            added.map(|text| texts.add(text)).collect()
        };
        let hypotheses = starts(&mut texts, &mut given.hypotheses().iter().map(|one| one.text.as_str()));
        let words = starts(&mut texts, &mut given.words().iter().map(|one| one.word.as_str()));
        // No text is added behind this line, no struct behind the next two: so the addresses hold.
        let address = |start: Start| texts.address(start);
        let scored =
            given.hypotheses().iter().zip(hypotheses).map(|(one, start)| scored(one, address(start)));
        let scored: Vec<RescorerScored> = scored.collect();
        let words = given.words().iter().zip(words).map(|(one, start)| word(one, address(start)));
        let words: Vec<RescorerWord> = words.collect();
        let scored_at: Vec<*const RescorerScored> = scored.iter().map(std::ptr::from_ref).collect();
        let words_at: Vec<*const RescorerWord> = words.iter().map(std::ptr::from_ref).collect();
        let answer = RescorerAnswer {
            struct_size: size_of::<RescorerAnswer>(),
            text: address(text),
            position: given.base_position(),
            confidence: given.confidence(),
            changed: given.changed().into(),
            merged: given.position().is_none().into(),
            hypotheses: scored_at.as_ptr(),
            hypothesis_count: scored_at.len(),
            words: words_at.as_ptr(),
            word_count: words_at.len(),
            notice: notice.map_or(std::ptr::null(), address),
            lm_score: given.lm_score().unwrap_or(f64::NAN),
            total: given.total().unwrap_or(f64::NAN),
            decided,
            unique,
            complete: (decided == unique).into(),
            reserved: 0,
            adapter: adapter.map_or(std::ptr::null(), address),
            policy: policy.map_or(std::ptr::null(), address),
            routed: given.routed().unwrap_or(f64::NAN),
        };
        Self {
            given,
            answer,
            json: OnceLock::new(),
            _texts: texts,
            _scored: scored,
            _words: words,
            _scored_at: scored_at,
            _words_at: words_at,
        }
    }

    /// What C reads; it stays where it is as long as this does.
    pub fn answer(&self) -> &RescorerAnswer {
        &self.answer
    }

    /// One line of JSON, made when it is first asked for.
    pub fn json(&self) -> Result<&CString, Failure> {
        if let Some(json) = self.json.get() {
            return Ok(json);
        }
        let internal =
            |error: &dyn std::error::Error| Failure::new(RescorerStatus::Internal, error.to_string());
        let json = serde_json::to_string(&self.given).map_err(|error| internal(&error))?;
        // JSON writes a NUL as \u0000.
        let json = CString::new(json).map_err(|error| internal(&error))?;
        Ok(self.json.get_or_init(|| json))
    }
}

/// How many distinct hypotheses were decided, of how many.
fn looked_at(answer: &Answer) -> (usize, usize) {
    match answer.hypotheses().len() {
        0 => {
            let completeness = answer.completeness();
            (completeness.decided, completeness.unique)
        }
        // The list has them all.
        all => (all, all),
    }
}

fn scored(hypothesis: &AnswerHypothesis, text: *const c_char) -> RescorerScored {
    RescorerScored {
        struct_size: size_of::<RescorerScored>(),
        text,
        position: hypothesis.position,
        first_pass: hypothesis.first_pass,
        lm_score: hypothesis.lm_score.unwrap_or(f64::NAN),
        total: hypothesis.total.unwrap_or(f64::NAN),
        confidence: hypothesis.confidence,
    }
}

fn word(word: &AnswerWord, text: *const c_char) -> RescorerWord {
    RescorerWord {
        struct_size: size_of::<RescorerWord>(),
        word: text,
        confidence: word.confidence,
        start: word.start.unwrap_or(f64::NAN),
        end: word.end.unwrap_or(f64::NAN),
    }
}
