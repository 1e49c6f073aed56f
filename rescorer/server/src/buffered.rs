//! Bytes of bodies that are being read, all clients together.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::app::App;
use crate::error::ApiError;

/// When to come again if there is no room for a body.
const SOON: Duration = Duration::from_secs(1);

/// What one body takes; it is given back when the value is dropped.
pub struct Buffered {
    app: App,
    bytes: usize,
}

impl Buffered {
    pub fn new(app: &App) -> Self {
        Self { app: app.clone(), bytes: 0 }
    }

    /// Takes room for so many bytes in the place of what was taken before.
    ///
    /// # Errors
    /// There is no room.
    pub fn resize(&mut self, bytes: usize) -> Result<(), ApiError> {
        let counter: &AtomicUsize = &self.app.buffered;
        let before = std::mem::replace(&mut self.bytes, bytes);
        let all = match bytes >= before {
            true => counter.fetch_add(bytes - before, Ordering::Relaxed) + (bytes - before),
            false => counter.fetch_sub(before - bytes, Ordering::Relaxed) - (before - bytes),
        };
        if bytes > before && all > self.app.limits.buffer_bytes {
            return Err(ApiError::busy(SOON));
        }
        Ok(())
    }
}

impl Drop for Buffered {
    fn drop(&mut self) {
        self.app.buffered.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}
