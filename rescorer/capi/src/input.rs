use std::ffi::{CStr, c_char};

use rescorer::{Hypothesis, NBest};

use crate::adapter::RescorerAdapter;
use crate::status::{Failure, RescorerStatus};

/// A hypothesis of the first pass.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct RescorerHypothesis {
    /// UTF-8; "" is legal.
    pub text: *const c_char,
    /// Log-probability, natural logarithm, higher is better. Not looked at where the list has no scores.
    pub score: f64,
}

/// An N-best list, best first. Everything in it stays the caller's and is read during the call only.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct RescorerList {
    /// Names the list in messages and in JSON; NULL is "".
    pub id: *const c_char,
    /// The hypotheses.
    pub hypotheses: *const RescorerHypothesis,
    /// Their number, at least 1.
    pub count: usize,
    /// Whether they have scores; without them a hypothesis counts by its position.
    pub has_scores: bool,
    /// The adapter for this list; NULL is that of the rescorer.
    pub adapter: *const RescorerAdapter,
    /// What the model reads before every hypothesis: earlier turns of a conversation, names that may be said. Lists of one context
    /// have it computed once. NULL and "" are none.
    pub context: *const c_char,
}

/// The text at a pointer.
///
/// # Safety
/// NULL, or a string that ends with a NUL and stays as it is during the call.
pub unsafe fn text<'a>(pointer: *const c_char, argument: &str) -> Result<&'a str, Failure> {
    if pointer.is_null() {
        return Err(Failure::null(argument));
    }
    // SAFETY: not NULL, and what the caller promised.
    let bytes = unsafe { CStr::from_ptr(pointer) };
    bytes.to_str().map_err(|error| {
        let reason = format!("{argument} is not UTF-8 from byte {}; convert it", error.valid_up_to());
        Failure::new(RescorerStatus::InvalidUtf8, reason)
    })
}

impl RescorerList {
    /// # Safety
    /// As [`text`].
    pub(crate) unsafe fn name(&self) -> Result<&str, Failure> {
        // SAFETY: what the caller promised.
        if self.id.is_null() { Ok("") } else { unsafe { text(self.id, "the id of a list") } }
    }

    /// # Safety
    /// As [`text`].
    pub(crate) unsafe fn context(&self) -> Result<&str, Failure> {
        // SAFETY: what the caller promised.
        if self.context.is_null() { Ok("") } else { unsafe { text(self.context, "the context of a list") } }
    }

    /// # Safety
    /// `hypotheses` points to `count` of them, whose texts are as [`text`] wants them.
    pub(crate) unsafe fn nbest(&self) -> Result<NBest, Failure> {
        if self.count == 0 {
            let reason = "the list has no hypotheses; give at least one";
            return Err(Failure::new(RescorerStatus::InvalidList, reason));
        }
        if self.hypotheses.is_null() {
            return Err(Failure::null("hypotheses"));
        }
        if self.count > isize::MAX as usize / size_of::<RescorerHypothesis>() {
            let reason = format!("{} hypotheses can't be in memory; is the count set?", self.count);
            return Err(Failure::new(RescorerStatus::InvalidArgument, reason));
        }
        // SAFETY: not NULL, not larger than memory, and what the caller promised.
        let hypotheses = unsafe { std::slice::from_raw_parts(self.hypotheses, self.count) };
        let read = |(position, hypothesis): (usize, &RescorerHypothesis)| {
            // SAFETY: what the caller promised.
            let text = unsafe { text(hypothesis.text, &format!("the text at position {position}")) }?;
            let score = self.has_scores.then_some(hypothesis.score);
            Ok(Hypothesis { score, ..Hypothesis::new(text) })
        };
        let hypotheses = hypotheses.iter().enumerate().map(read).collect::<Result<Vec<_>, Failure>>()?;
        Ok(NBest::new(hypotheses)?)
    }
}
