use std::ffi::c_char;
use std::mem::offset_of;
use std::time::Duration;

use rescorer::{Hypothesis, NBest, Request, Utterance};

use crate::adapter::RescorerAdapter;
use crate::handle;
use crate::pool::{RescorerPool, supplied};
use crate::sized::{FromCaller, read_array};
use crate::status::{Failure, RescorerStatus};
use crate::text::{check_length, optional, text};

/// A hypothesis of the first pass. Begin with `RESCORER_HYPOTHESIS_INIT(text, score)`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct RescorerHypothesis {
    /// Size of this struct, as `RESCORER_HYPOTHESIS_INIT` sets it; all of an array have the same.
    pub struct_size: usize,
    /// UTF-8; "" is legal.
    pub text: *const c_char,
    /// Log-probability, natural logarithm, higher is better. Not looked at where the list has no scores.
    pub score: f64,
}

/// How much of an answer is wanted.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RescorerWant {
    /// The text with its confidence and its words, and the list in its new order.
    List = 0,
    /// The text with its confidence and its words.
    Answer = 1,
    /// The text alone. Hypotheses that can't win are then not scored to their end, which is faster.
    Text = 2,
}

/// An N-best list, best first. Begin with `RESCORER_LIST_INIT`. Everything in it stays the caller's and is read during the call only.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct RescorerList {
    /// Size of this struct, as `RESCORER_LIST_INIT` sets it; all of an array have the same.
    pub struct_size: usize,
    /// Names the list in messages and in JSON; NULL is "".
    pub id: *const c_char,
    /// The hypotheses.
    pub hypotheses: *const RescorerHypothesis,
    /// Their number, at least 1.
    pub count: usize,
    /// A flag, 0 or any other number: whether the hypotheses have scores. Without them a hypothesis counts by its position.
    pub has_scores: i32,
    /// A value of `RescorerWant`: how much of an answer is wanted.
    pub want: i32,
    /// The adapter for this list, where it was loaded for the rescorer's model by itself; NULL is that of the rescorer.
    pub adapter: *const RescorerAdapter,
    /// Name of the adapter for this list, as `RescorerOptions` has it. Its own policy decides, where it has one. NULL is the rescorer's
    /// first; then lists are answered as the rescorer's policy says.
    pub adapter_name: *const c_char,
    /// What the model reads before every hypothesis: earlier turns of a conversation, names that may be said. Lists of one context
    /// have it computed once. NULL and "" are none.
    pub context: *const c_char,
    /// Milliseconds to answer in, on the CPU; 0 is as long as it takes. The answer is then the best that was found in time, without
    /// confidences, words and list: `complete` in it says whether more time would have changed nothing.
    pub deadline_ms: f64,
    /// Name of the list's conversation; NULL and "" are none. Where lists are routed to adapters, the list before in the conversation
    /// counts too.
    pub conversation: *const c_char,
    /// A pool of the rescorer, in which `adapter_name` is looked for; NULL is none.
    pub pool: *const RescorerPool,
}

/// How a list of JSON is answered. Begin with `RESCORER_JSON_OPTIONS_INIT`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct RescorerJsonOptions {
    /// Size of this struct, as `RESCORER_JSON_OPTIONS_INIT` sets it.
    pub struct_size: usize,
    /// A value of `RescorerWant`: how much of an answer is wanted.
    pub want: i32,
    /// 0.
    pub reserved: i32,
    /// Milliseconds to answer in, as `deadline_ms` of `RescorerList`; 0 is as long as it takes.
    pub deadline_ms: f64,
    /// A pool of the rescorer, in which the field `adapter` of the list is looked for; NULL is none.
    pub pool: *const RescorerPool,
}

// SAFETY: a size, a pointer and a float.
unsafe impl FromCaller for RescorerHypothesis {
    const NAME: &'static str = "hypotheses (RescorerHypothesis)";
    const MACRO: &'static str = "RESCORER_HYPOTHESIS_INIT";
    const EARLIER: &'static [usize] = &[];
    fn defaults() -> Self {
        Self { struct_size: size_of::<Self>(), text: std::ptr::null(), score: 0.0 }
    }
}

// SAFETY: sizes, pointers, integers and a float; what they may be is checked when they are used.
unsafe impl FromCaller for RescorerList {
    const NAME: &'static str = "list (RescorerList)";
    const MACRO: &'static str = "RESCORER_LIST_INIT";
    // Before `conversation` and `pool`.
    const EARLIER: &'static [usize] = &[offset_of!(Self, conversation), offset_of!(Self, pool)];
    fn defaults() -> Self {
        Self {
            struct_size: size_of::<Self>(),
            id: std::ptr::null(),
            hypotheses: std::ptr::null(),
            count: 0,
            has_scores: 0,
            want: RescorerWant::List as i32,
            adapter: std::ptr::null(),
            adapter_name: std::ptr::null(),
            context: std::ptr::null(),
            deadline_ms: 0.0,
            conversation: std::ptr::null(),
            pool: std::ptr::null(),
        }
    }
}

// SAFETY: a size, integers, a float and a pointer; what they may be is checked when they are used.
unsafe impl FromCaller for RescorerJsonOptions {
    const NAME: &'static str = "options (RescorerJsonOptions)";
    const MACRO: &'static str = "RESCORER_JSON_OPTIONS_INIT";
    const EARLIER: &'static [usize] = &[offset_of!(Self, pool)];
    fn defaults() -> Self {
        let (struct_size, want) = (size_of::<Self>(), RescorerWant::List as i32);
        Self { struct_size, want, reserved: 0, deadline_ms: 0.0, pool: std::ptr::null() }
    }
}

impl RescorerJsonOptions {
    /// What is asked of a rescorer about the list of JSON.
    pub(crate) fn request(
        &self,
        rescorer: &rescorer::Rescorer,
        utterance: Utterance,
    ) -> Result<Request, Failure> {
        if self.reserved != 0 {
            let reason = format!("reserved is {}; leave it at 0", self.reserved);
            return Err(Failure::new(RescorerStatus::InvalidArgument, reason));
        }
        supplied(self.pool, rescorer, asked(utterance, self.want, self.deadline_ms)?)
    }
}

/// What is asked about a list: so much of an answer, in so many milliseconds, where they are not 0.
fn asked(utterance: Utterance, want: i32, deadline_ms: f64) -> Result<Request, Failure> {
    const ANSWER: i32 = RescorerWant::Answer as i32;
    const TEXT: i32 = RescorerWant::Text as i32;
    let request = Request::from(utterance);
    let request = match want {
        0 => request.with_list(),
        ANSWER => request,
        TEXT => request.text_only(),
        other => return Err(Failure::outside("want", other, "RescorerWant", TEXT)),
    };
    if deadline_ms == 0.0 {
        return Ok(request);
    }
    Duration::try_from_secs_f64(deadline_ms / 1e3).map(|limit| request.deadline(limit)).map_err(|_| {
        let reason = format!("deadline_ms is {deadline_ms}; give milliseconds, or 0 for as long as it takes");
        Failure::new(RescorerStatus::InvalidArgument, reason)
    })
}

impl RescorerList {
    /// # Safety
    /// As [`text`].
    unsafe fn name(&self) -> Result<&str, Failure> {
        // SAFETY: the caller promised what `text` wants.
        unsafe { optional(&self.id, "the id of a list") }
    }

    /// # Safety
    /// As [`text`].
    unsafe fn context(&self) -> Result<Option<&str>, Failure> {
        // SAFETY: the caller promised what `text` wants.
        let context = unsafe { optional(&self.context, "the context of a list") }?;
        Ok(Some(context).filter(|context| !context.is_empty()))
    }

    /// # Safety
    /// As [`text`].
    unsafe fn adapter_name(&self) -> Result<Option<&str>, Failure> {
        if self.adapter_name.is_null() {
            return Ok(None);
        }
        if !self.adapter.is_null() {
            let reason = "adapter and adapter_name of a list exclude each other; leave one at NULL";
            return Err(Failure::new(RescorerStatus::InvalidArgument, reason));
        }
        // SAFETY: the caller promised what `text` wants.
        unsafe { text(&self.adapter_name, "adapter_name of a list") }.map(Some)
    }

    /// What the list asks of a rescorer.
    ///
    /// # Safety
    /// As [`nbest`](Self::nbest).
    pub(crate) unsafe fn request(&self, rescorer: &rescorer::Rescorer) -> Result<Request, Failure> {
        // SAFETY: the caller promised arrays and texts that are as the list says.
        let (name, nbest, context) = unsafe { (self.name()?, self.nbest()?, self.context()?) };
        let utterance = Utterance { context: context.map(str::to_owned), ..Utterance::new(name, nbest) };
        let mut request = asked(utterance, self.want, self.deadline_ms)?;
        // SAFETY: the caller promised texts that are as the list says.
        let conversation = unsafe { optional(&self.conversation, "the conversation of a list") }?;
        if !conversation.is_empty() {
            request = request.conversation(conversation);
        }
        // SAFETY: the caller promised texts that are as the list says.
        if let Some(name) = unsafe { self.adapter_name() }? {
            request = supplied(self.pool, rescorer, request.adapter(name))?;
        }
        if !self.adapter.is_null() {
            request = request.attached(handle::find(self.adapter)?.as_ref().clone());
        }
        Ok(request)
    }

    /// # Safety
    /// `hypotheses` points to `count` of them, whose texts are as [`text`] wants them.
    unsafe fn nbest(&self) -> Result<NBest, Failure> {
        if self.count == 0 {
            let reason = "the list has no hypotheses; give at least one";
            return Err(Failure::new(RescorerStatus::InvalidList, reason));
        }
        let read = |position: usize, hypothesis: RescorerHypothesis| {
            // SAFETY: the caller promised texts that end with a NUL.
            let text = unsafe { text(&hypothesis.text, &format!("the text at position {position}")) }?;
            let score = (self.has_scores != 0).then_some(hypothesis.score);
            if let Some(score) = score.filter(|score| !score.is_finite()) {
                let reason = format!("the score at position {position} is {score}; give a finite number");
                return Err(Failure::new(RescorerStatus::InvalidList, reason));
            }
            check_length(position, text)?;
            Ok(Hypothesis { score, ..Hypothesis::new(text) })
        };
        // SAFETY: the caller promised `count` hypotheses.
        let hypotheses = unsafe { read_array(self.hypotheses, self.count, read) }?;
        Ok(NBest::new(hypotheses)?)
    }
}
