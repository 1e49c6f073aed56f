//! Handles that are checked at every use.

use std::any::Any;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use crate::status::{Failure, RescorerStatus};

/// What stands behind a handle, as a pointer that is never followed.
pub trait Behind: Sized {
    /// What is kept.
    type Value: Any + Send + Sync;
    /// Its name in messages.
    const NAME: &'static str;
}

static LIVE: LazyLock<RwLock<HashMap<usize, Arc<dyn Any + Send + Sync>>>> = LazyLock::new(RwLock::default);
/// Numbers are not used again, so that a freed handle stays a freed one.
static NEXT: AtomicUsize = AtomicUsize::new(16);

/// Keeps a value and gives its handle.
pub fn keep<H: Behind>(value: H::Value) -> *mut H {
    let number = NEXT.fetch_add(16, Ordering::Relaxed);
    LIVE.write().unwrap_or_else(PoisonError::into_inner).insert(number, Arc::new(value));
    std::ptr::without_provenance_mut(number)
}

/// The value of a handle.
pub fn find<H: Behind>(handle: *const H) -> Result<Arc<H::Value>, Failure> {
    if handle.is_null() {
        return Err(Failure::null(H::NAME));
    }
    let found = LIVE.read().unwrap_or_else(PoisonError::into_inner).get(&handle.addr()).cloned();
    found.and_then(|value| value.downcast().ok()).ok_or_else(unknown::<H>)
}

/// Forgets a handle; calls that are using its value finish with it. NULL is nothing to do.
pub fn free<H: Behind>(handle: *mut H) -> Result<(), Failure> {
    if handle.is_null() {
        return Ok(());
    }
    let mut live = LIVE.write().unwrap_or_else(PoisonError::into_inner);
    if !live.get(&handle.addr()).is_some_and(|value| value.is::<H::Value>()) {
        return Err(unknown::<H>());
    }
    let value = live.remove(&handle.addr());
    drop(live);
    drop(value);
    Ok(())
}

fn unknown<H: Behind>() -> Failure {
    let reason = format!("{} is no handle that is in use; was it freed, or is it of another kind?", H::NAME);
    Failure::new(RescorerStatus::InvalidHandle, reason)
}
