use std::cell::RefCell;
use std::ffi::{CString, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};

use rescorer::{ErrorKind, Remedy};

/// What a call came to. Other than `RESCORER_STATUS_OK` means that nothing was done and nothing written; `rescorer_last_error` says why,
/// and what helps. Later versions may add values.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RescorerStatus {
    /// Done.
    Ok = 0,
    /// An argument that must not be NULL was.
    NullPointer = 1,
    /// A text is not UTF-8.
    InvalidUtf8 = 2,
    /// A handle that was freed, is of another kind, or never was one.
    InvalidHandle = 3,
    /// A value outside its range, or settings that exclude each other or don't fit the model or the policy.
    InvalidArgument = 4,
    /// A list that can't be rescored: no hypotheses, a score that is not finite, a text longer than the model's context, JSON that
    /// is none.
    InvalidList = 5,
    /// A model that can't be loaded or run.
    Model = 6,
    /// An adapter that can't be read, or is not for this model.
    Adapter = 7,
    /// A policy that can't be read, or is not for this model or adapter.
    Policy = 8,
    /// The callback asked to stop.
    Cancelled = 9,
    /// A mistake of ours; please report it.
    Internal = 10,
    /// The program was compiled with the header of another interface.
    AbiVersion = 11,
    /// A process that was forked after the first call has none of the library's threads.
    Forked = 12,
    /// Every number for a handle was given out once: on 32 bits after four billion results.
    Exhausted = 13,
    /// A policy that can't be tuned, since no list, or no reference with a word, was given.
    Job = 14,
}

/// A status that is not `Ok`, with its message.
#[derive(Debug)]
pub struct Failure {
    pub status: RescorerStatus,
    pub message: String,
}

impl Failure {
    pub fn new(status: RescorerStatus, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    /// NULL where something has to be.
    pub fn null(argument: &str) -> Self {
        Self::new(RescorerStatus::NullPointer, format!("{argument} is NULL; give a valid pointer"))
    }

    /// A number that is no value of an enum, whose values go from 0 to `last`.
    pub fn outside(what: &str, value: i32, of: &str, last: i32) -> Self {
        let reason = format!("{what} {value} is no value of {of}; give one from 0 to {last}");
        Self::new(RescorerStatus::InvalidArgument, reason)
    }

    /// Puts a place before the message.
    pub fn at(self, place: &str) -> Self {
        Self { message: format!("{place}: {}", self.message), ..self }
    }
}

impl From<rescorer::Error> for Failure {
    fn from(error: rescorer::Error) -> Self {
        Self::new(status(error.kind()), format!("{error}{}", parameter(error.remedy())))
    }
}

/// The status of a kind of error. Each has its own, which no other kind has.
fn status(kind: ErrorKind) -> RescorerStatus {
    match kind {
        ErrorKind::List => RescorerStatus::InvalidList,
        ErrorKind::Model => RescorerStatus::Model,
        ErrorKind::Adapter => RescorerStatus::Adapter,
        ErrorKind::Policy => RescorerStatus::Policy,
        ErrorKind::Settings => RescorerStatus::InvalidArgument,
        ErrorKind::Job => RescorerStatus::Job,
        _ => RescorerStatus::Internal,
    }
}

/// Where a caller of C finds what helps.
fn parameter(remedy: Option<Remedy>) -> &'static str {
    match remedy {
        Some(Remedy::Cpu) => " (RESCORER_DEVICE_CPU)",
        Some(Remedy::Precision) => " (RESCORER_PRECISION_AUTO)",
        Some(Remedy::Adapter) => " (adapters of RescorerOptions)",
        Some(Remedy::Policy) => " (policy of RescorerOptions, rescorer_from_policy)",
        Some(Remedy::Unit) => " (unit of RescorerTuneOptions)",
        Some(Remedy::Maximum) => " (rule of RescorerTuneOptions)",
        Some(Remedy::FirstStage) => " (cascade_model of rescorer_from_cascade_policy or RescorerOptions)",
        Some(Remedy::FirstStageAdapter) => {
            " (cascade_adapter of rescorer_from_cascade_policy or RescorerOptions)"
        }
        _ => "",
    }
}

impl From<rescorer_nbest::Error> for Failure {
    fn from(error: rescorer_nbest::Error) -> Self {
        rescorer::Error::from(error).into()
    }
}

impl From<rescorer_models::Error> for Failure {
    fn from(error: rescorer_models::Error) -> Self {
        rescorer::Error::from(error).into()
    }
}

impl From<rescorer_lora::Error> for Failure {
    fn from(error: rescorer_lora::Error) -> Self {
        rescorer::Error::from(error).into()
    }
}

thread_local! {
    static LAST: RefCell<CString> = RefCell::default();
}

/// Runs what stands behind a function of the interface: a failure is kept for `rescorer_last_error`, a panic is one.
pub fn guarded(call: impl FnOnce() -> Result<(), Failure>) -> RescorerStatus {
    let failure = match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(())) => return RescorerStatus::Ok,
        Ok(Err(failure)) => failure,
        Err(panic) => {
            let reason = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let reason = reason.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
            Failure::new(RescorerStatus::Internal, format!("a mistake inside the library: {reason}"))
        }
    };
    let message = CString::new(failure.message.replace('\0', "\u{fffd}")).unwrap_or_default();
    // A thread that is ending may have no place for it any more; the status is then all that it gets.
    let _ = LAST.try_with(|last| *last.borrow_mut() = message);
    failure.status
}

/// Why the last call of this thread that failed did so, and what helps; "" if none did. The text is the library's, and holds until
/// the next failure on this thread.
#[unsafe(no_mangle)]
pub extern "C" fn rescorer_last_error() -> *const c_char {
    LAST.try_with(|last| last.borrow().as_ptr()).unwrap_or(c"".as_ptr())
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;

    use super::*;

    fn last() -> String {
        // SAFETY: the library's own text, copied before the next failure.
        unsafe { CStr::from_ptr(rescorer_last_error()) }.to_str().unwrap().to_owned()
    }

    #[test]
    fn a_panic_is_a_failure_and_each_thread_has_its_own() {
        assert_eq!(guarded(|| panic!("at {}", 7)), RescorerStatus::Internal);
        assert!(last().ends_with("inside the library: at 7"), "{}", last());
        std::thread::spawn(|| assert_eq!(last(), "")).join().unwrap();
        assert_eq!(guarded(|| Ok(())), RescorerStatus::Ok);
        assert!(last().ends_with("at 7"), "what succeeds leaves it");
        assert_eq!(guarded(|| Err(Failure::null("x\0y"))), RescorerStatus::NullPointer);
        assert_eq!(last(), "x\u{fffd}y is NULL; give a valid pointer");
    }
}
