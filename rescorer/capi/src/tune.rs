use std::ffi::c_char;
use std::mem::offset_of;
use std::str::FromStr;

use rescorer::{TuneOptions, Utterance};
use rescorer_nbest::{ReadOptions, Reader};

use crate::handle;
use crate::second_pass::Rescorer;
use crate::sized::{self, FromCaller};
use crate::status::{Failure, RescorerStatus, guarded};
use crate::text::text;
use crate::threads;

/// What a policy is tuned for. Begin with `RESCORER_TUNE_OPTIONS_INIT`: errors in words, texts as they are, the rule maximum, weights of features. The values
/// are those of the command `rescorer tune`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct RescorerTuneOptions {
    /// Size of this struct, as `RESCORER_TUNE_OPTIONS_INIT` sets it.
    pub struct_size: usize,
    /// Normalisation before texts are compared, as "lower"; NULL is "none".
    pub normalize: *const c_char,
    /// What errors, confidences and the length bonus count: "word", "character" or "mixed"; NULL is "word".
    pub unit: *const c_char,
    /// What the policy answers with: "maximum", "mbr" or "merge"; NULL is "maximum".
    pub rule: *const c_char,
    /// What is fitted: "features", weights near those of the default policy, or "classic", the three numbers of `RescorerWeights`; NULL
    /// is "features". Scores that are means, and policies for the first stage of a cascade, need "classic".
    pub fusion: *const c_char,
}

// SAFETY: a size and pointers.
unsafe impl FromCaller for RescorerTuneOptions {
    const NAME: &'static str = "options (RescorerTuneOptions)";
    const MACRO: &'static str = "RESCORER_TUNE_OPTIONS_INIT";
    const EARLIER: &'static [usize] = &[offset_of!(Self, fusion)];
    fn defaults() -> Self {
        let null = std::ptr::null();
        Self { struct_size: size_of::<Self>(), normalize: null, unit: null, rule: null, fusion: null }
    }
}

/// Finds the policy of least word error rate on lists with references, and writes it to the file `policy`. `lists` is a file in any
/// format that the command `rescorer tune` reads. The rescorer scores them as it is: with its adapter, without its policy.
///
/// # Safety
/// `lists` and `policy` end with a NUL; `options` was begun with `RESCORER_TUNE_OPTIONS_INIT`, and its texts end with a NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rescorer_tune(
    rescorer: *const Rescorer,
    lists: *const c_char,
    options: *const RescorerTuneOptions,
    policy: *const c_char,
) -> RescorerStatus {
    guarded(|| {
        threads::check()?;
        let rescorer = handle::find(rescorer)?;
        // SAFETY: the caller promised options that begin with their size.
        let (options, _) = unsafe { sized::read(options) }?;
        // SAFETY: the caller promised texts that end with a NUL.
        let (lists, policy, options) =
            unsafe { (text(&lists, "lists")?, text(&policy, "policy")?, options.chosen()?) };
        let lists = Reader::open(lists, &ReadOptions::default())?.collect::<Result<Vec<Utterance>, _>>()?;
        rescorer.tune(&lists, options)?.write(policy)?;
        Ok(())
    })
}

impl RescorerTuneOptions {
    /// # Safety
    /// Texts end with a NUL.
    unsafe fn chosen(&self) -> Result<TuneOptions, Failure> {
        // SAFETY: the caller promised texts that end with a NUL.
        unsafe {
            Ok(TuneOptions {
                normalize: choice(&self.normalize, "normalize")?,
                unit: choice(&self.unit, "unit")?,
                rule: choice(&self.rule, "rule")?,
                fusion: choice(&self.fusion, "fusion")?,
            })
        }
    }
}

/// A value by its name; NULL is the default.
///
/// # Safety
/// As [`text`].
unsafe fn choice<T: FromStr<Err: ToString> + Default>(
    pointer: &*const c_char,
    field: &str,
) -> Result<T, Failure> {
    if pointer.is_null() {
        return Ok(T::default());
    }
    // SAFETY: the caller promised what `text` wants.
    let name = unsafe { text(pointer, field) }?;
    name.parse().map_err(|error: T::Err| {
        Failure::new(RescorerStatus::InvalidArgument, format!("{field}: {}", error.to_string()))
    })
}
