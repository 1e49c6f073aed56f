//! Handles that are checked at every use.

use std::any::Any;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use crate::status::{Failure, RescorerStatus};
use crate::table::Table;

/// What stands behind a handle, as a pointer that is never followed.
pub trait Behind: Sized {
    /// What is kept.
    type Value: Any + Send + Sync;
    /// Its name in messages.
    const NAME: &'static str;
}

/// A handle is a number as wide as a pointer, on 32 bits too.
static LIVE: LazyLock<RwLock<Table<usize>>> = LazyLock::new(RwLock::default);

/// Keeps a value and gives its handle.
pub fn keep<H: Behind>(value: H::Value) -> Result<*mut H, Failure> {
    let number = LIVE.write().unwrap_or_else(PoisonError::into_inner).keep(Arc::new(value));
    number.map(std::ptr::without_provenance_mut).ok_or_else(|| {
        let reason =
            "every number for a handle has been used once, and none is used twice; restart the process";
        Failure::new(RescorerStatus::Exhausted, reason)
    })
}

/// The value of a handle.
pub fn find<H: Behind>(handle: *const H) -> Result<Arc<H::Value>, Failure> {
    if handle.is_null() {
        return Err(Failure::null(H::NAME));
    }
    LIVE.read().unwrap_or_else(PoisonError::into_inner).find(handle.addr()).ok_or_else(unknown::<H>)
}

/// Forgets a handle; calls that are using its value finish with it. NULL is nothing to do.
pub fn free<H: Behind>(handle: *mut H) -> Result<(), Failure> {
    if handle.is_null() {
        return Ok(());
    }
    // The lock is gone when the value is dropped, which may take time.
    let freed = LIVE.write().unwrap_or_else(PoisonError::into_inner).free::<H::Value>(handle.addr());
    freed.map(drop).ok_or_else(unknown::<H>)
}

fn unknown<H: Behind>() -> Failure {
    let reason = format!("{} is no handle that is in use; was it freed, or is it of another kind?", H::NAME);
    Failure::new(RescorerStatus::InvalidHandle, reason)
}
