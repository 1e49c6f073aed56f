use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::Error;

/// Burn reports failures of a device (lost, out of memory) by panicking: here they become errors.
///
/// `compute` runs on a thread of the pool: a parallel step that begins outside of it has to wake a sleeping
/// thread, and a forward pass on the CPU has some six hundred of them.
pub fn guarded<T: Send>(device: &str, compute: impl FnOnce() -> T + Send) -> Result<T, Error> {
    let compute = || rayon::scope(|_| compute());
    catch_unwind(AssertUnwindSafe(compute))
        .map_err(|panic| Error::Compute { device: device.into(), reason: reason(&*panic) })
}

/// What a panic said.
pub fn reason(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref().copied());
    text.unwrap_or("unknown reason").into()
}
