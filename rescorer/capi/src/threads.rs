//! The threads that models compute with, and processes that lost them.

use std::error::Error;
use std::sync::OnceLock;

use crate::status::{Failure, RescorerStatus, guarded};

/// The process that the threads are in.
static HOME: OnceLock<u32> = OnceLock::new();

/// Sets the number of threads that all models together compute with on the CPU. Before the first model is loaded, once; without it
/// there are as many as cores.
#[unsafe(no_mangle)]
pub extern "C" fn rescorer_set_threads(threads: u32) -> RescorerStatus {
    guarded(|| {
        if threads == 0 || threads > u32::from(u16::MAX) {
            let reason = format!("{threads} threads; give a number from 1 to {}", u16::MAX);
            return Err(Failure::new(RescorerStatus::InvalidArgument, reason));
        }
        check()?;
        let built = rayon::ThreadPoolBuilder::new().num_threads(threads as usize).build_global();
        built.map_err(|error| {
            let reason = match error.source() {
                Some(error) => format!("{threads} threads can't be started: {error}; give a smaller number"),
                None => {
                    "the threads are there already; set their number once, before the first model is loaded"
                        .to_owned()
                }
            };
            Failure::new(RescorerStatus::InvalidArgument, reason)
        })
    })
}

/// Refuses to wait for threads that a fork left behind: a child has the memory of its parent, but not its threads.
pub fn check() -> Result<(), Failure> {
    let here = std::process::id();
    if *HOME.get_or_init(|| here) == here {
        return Ok(());
    }
    let reason = "this process was forked from one that had used the library, and has none of its threads; fork before the first call, or \
                  call exec in the child";
    Err(Failure::new(RescorerStatus::Forked, reason))
}
