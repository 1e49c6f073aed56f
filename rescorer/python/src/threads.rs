//! The threads that models compute with, and processes that lost them.

use std::sync::OnceLock;

use pyo3::prelude::*;

use crate::error::{Kind, refused};

/// The process that the threads are in.
static HOME: OnceLock<u32> = OnceLock::new();

/// Sets the number of threads that all models of this process compute with on the CPU.
///
/// Call it once, before the first model is loaded; without it there are as many as cores, or as `RAYON_NUM_THREADS` says.
#[pyfunction]
pub fn set_threads(py: Python<'_>, threads: usize) -> PyResult<()> {
    if threads == 0 || threads > usize::from(u16::MAX) {
        return Err(refused(py, &format!("threads={threads}: give a number from 1 to {}", u16::MAX)));
    }
    check(py)?;
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().map_err(|_| {
        let reason = "the threads are there already; set their number once, before the first model is loaded";
        refused(py, reason)
    })
}

/// Refuses to wait for threads that a fork left behind: a child has the memory of its parent, but not its threads.
pub fn check(py: Python<'_>) -> PyResult<()> {
    let here = std::process::id();
    if *HOME.get_or_init(|| here) == here {
        return Ok(());
    }
    let reason = "this process was forked from one that had loaded a model, and has none of its threads; start processes with \
                  multiprocessing.get_context(\"spawn\"), or fork before the first model is loaded";
    Err(Kind::RescorerError.with(py, reason))
}
