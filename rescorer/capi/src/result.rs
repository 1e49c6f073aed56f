use std::ffi::c_char;

use crate::answer::{Answered, RescorerAnswer};
use crate::handle::{self, Behind};
use crate::output::Output;
use crate::status::{RescorerStatus, guarded};

/// The answer for one list.
pub struct RescorerResult {
    _private: [u8; 0],
}

impl Behind for RescorerResult {
    type Value = Answered;
    const NAME: &'static str = "the result";
}

/// Gives the answer of a result. It is the result's: it holds, with all that it points to, until the result is freed.
///
/// # Safety
/// `answer` points to where the address of the answer is to be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rescorer_result_answer(
    result: *const RescorerResult,
    answer: *mut *const RescorerAnswer,
) -> RescorerStatus {
    guarded(|| {
        // SAFETY: the caller promised a place for the address.
        let answer = unsafe { Output::new(answer, "answer, where the address is to be written,") }?;
        answer.write(std::ptr::from_ref(handle::find(result)?.answer()));
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
        // SAFETY: the caller promised a place for the address.
        let json = unsafe { Output::new(json, "json, where the address is to be written,") }?;
        json.write(handle::find(result)?.json()?.as_ptr());
        Ok(())
    })
}

/// Frees a result, and with it its answer. NULL is nothing to do.
#[unsafe(no_mangle)]
pub extern "C" fn rescorer_result_free(result: *mut RescorerResult) -> RescorerStatus {
    guarded(|| handle::free(result))
}
