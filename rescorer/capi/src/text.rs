//! Texts that a caller hands over.

use std::ffi::{CStr, c_char};

use crate::status::{Failure, RescorerStatus};

/// Bytes of the longest text of a hypothesis. It is far above every model's context, and keeps what is tokenised in bounds.
const LONGEST: usize = 16 << 20;

/// The text at a pointer. It is borrowed as long as the place where the pointer stands.
///
/// # Safety
/// NULL, or a string that ends with a NUL and stays as it is during the call.
pub unsafe fn text<'a>(pointer: &'a *const c_char, argument: &str) -> Result<&'a str, Failure> {
    if pointer.is_null() {
        return Err(Failure::null(argument));
    }
    // SAFETY: not NULL, the caller promised a string that ends, and the borrowed pointer is an argument or a field that goes with the call.
    let bytes = unsafe { CStr::from_ptr(*pointer) };
    bytes.to_str().map_err(|error| {
        let reason = format!("{argument} is not UTF-8 from byte {}; convert it", error.valid_up_to());
        Failure::new(RescorerStatus::InvalidUtf8, reason)
    })
}

/// A text that may be left out: NULL is "".
///
/// # Safety
/// As [`text`].
pub unsafe fn optional<'a>(pointer: &'a *const c_char, argument: &str) -> Result<&'a str, Failure> {
    // SAFETY: the caller promised what `text` wants.
    if pointer.is_null() { Ok("") } else { unsafe { text(pointer, argument) } }
}

/// Refuses a text that is too long to be tokenised.
pub fn check_length(position: usize, text: &str) -> Result<(), Failure> {
    if text.len() <= LONGEST {
        return Ok(());
    }
    let reason = format!("the text at position {position} has {} bytes; give at most {LONGEST}", text.len());
    Err(Failure::new(RescorerStatus::InvalidList, reason))
}
