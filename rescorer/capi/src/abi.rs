use std::ffi::c_char;

use crate::status::{Failure, RescorerStatus};

/// Version of this interface. It is raised when a program that was compiled with an older header would not work any more; functions and
/// fields that are added do not raise it. `RESCORER_OPTIONS_INIT` and
/// `RESCORER_MODEL_OPTIONS_INIT` hand it to `rescorer_load` and `rescorer_model_load`, which check it.
pub const RESCORER_ABI_VERSION: u32 = 3;

/// Version of the interface that the library was built with: the `RESCORER_ABI_VERSION` of its own header.
#[unsafe(no_mangle)]
pub extern "C" fn rescorer_abi_version() -> u32 {
    RESCORER_ABI_VERSION
}

/// Version of the library, as "0.1.0". The text is the library's and holds for ever.
#[unsafe(no_mangle)]
pub extern "C" fn rescorer_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// Refuses a program that was compiled with the header of another interface.
pub fn check(header: u32) -> Result<(), Failure> {
    if header == RESCORER_ABI_VERSION {
        return Ok(());
    }
    let reason = format!(
        "the program was compiled with a rescorer.h of interface version {header}, this library has {RESCORER_ABI_VERSION}; begin \
         with RESCORER_OPTIONS_INIT or RESCORER_MODEL_OPTIONS_INIT, and compile with the header of this library"
    );
    Err(Failure::new(RescorerStatus::AbiVersion, reason))
}
