//! Tuning that Ctrl-C ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use pyo3::prelude::*;
use rescorer::{Policy, Rescorer, TuneOptions, Utterance};

use crate::error::{Kind, Way, raised};

/// Between two looks for a signal.
const LOOK: Duration = Duration::from_millis(100);

/// Tunes in a thread of its own, while this one looks for signals: only the main thread of Python sees them.
///
/// After one the thread scores no further list. Weights that it is just fitting it fits to the end, and nobody waits for them.
pub fn tune(
    py: Python<'_>,
    rescorer: &Rescorer,
    lists: Vec<Utterance>,
    options: TuneOptions,
) -> PyResult<Policy> {
    let stopped = Arc::new(AtomicBool::new(false));
    let (sender, mut receiver) = channel();
    let (worker, stop) = (rescorer.clone(), stopped.clone());
    let tuning = std::thread::Builder::new().name("rescorer-tune".into()).spawn(move || {
        let goes_on = || !stop.load(Ordering::Relaxed);
        // Nobody listens any more after a signal.
        let _ = sender.send(worker.tune_while(&lists, options, &goes_on));
    });
    let ended = |reason: &str| Kind::RescorerError.with(py, reason);
    tuning.map_err(|error| ended(&format!("no thread to tune in: {error}")))?;
    loop {
        let receiver = &mut receiver;
        match py.detach(move || receiver.recv_timeout(LOOK)) {
            Ok(found) => {
                let found = found.map_err(|error| raised(py, &error, Way::Mend))?;
                return found.ok_or_else(|| ended("tuning was stopped"));
            }
            Err(RecvTimeoutError::Timeout) => {
                py.check_signals().inspect_err(|_| stopped.store(true, Ordering::Relaxed))?;
            }
            Err(RecvTimeoutError::Disconnected) => return Err(ended("tuning broke off; report this")),
        }
    }
}
