//! Where a call writes what it made.

use crate::status::Failure;

/// A place of the caller for one value. Nothing is written to it before the call has succeeded.
pub struct Output<T>(*mut T);

impl<T> Output<T> {
    /// The place at a pointer; `argument` names it in messages.
    ///
    /// # Safety
    /// NULL, or there is room for a value, which stays there during the call.
    pub unsafe fn new(pointer: *mut T, argument: &str) -> Result<Self, Failure> {
        if pointer.is_null() { Err(Failure::null(argument)) } else { Ok(Self(pointer)) }
    }

    /// Writes the value.
    pub fn write(self, value: T) {
        // SAFETY: not NULL, and whoever made this promised room for the length of the call. The place need not be aligned.
        unsafe { self.0.write_unaligned(value) };
    }
}
