//! What every call checks first that loads a model.

use crate::output::Output;
use crate::sized::{self, FromCaller};
use crate::status::Failure;
use crate::{abi, threads};

/// The place for a handle, which `argument` names in messages, and a copy of the options, in which `header` finds the version of the
/// interface. Refuses a program of another interface, and a process without the library's threads.
///
/// # Safety
/// As [`Output::new`] and [`sized::read`].
pub unsafe fn begin<O: FromCaller, H>(
    handle: *mut *mut H,
    argument: &str,
    options: *const O,
    header: fn(&O) -> u32,
) -> Result<(Output<*mut H>, O), Failure> {
    // SAFETY: the caller promised a place for the handle.
    let handle = unsafe { Output::new(handle, argument) }?;
    // SAFETY: the caller promised options that begin with their size.
    let (options, _) = unsafe { sized::read(options) }?;
    abi::check(header(&options))?;
    threads::check()?;
    Ok((handle, options))
}
