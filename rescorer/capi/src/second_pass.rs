use std::ffi::{CString, NulError, c_char};
use std::ops::Deref;

use rescorer::{Fusion, Policy};

use crate::adapter::RescorerAdapter;
use crate::handle::{self, Behind};
use crate::model::RescorerModel;
use crate::output::Output;
use crate::sized::{self, FromCaller};
use crate::status::{Failure, RescorerStatus, guarded};
use crate::text::text;
use crate::threads;

/// Name of an adapter that came as a handle.
const ADAPTER: &str = "adapter";

/// A second pass: a model and how it decides. It is small and never changes: make one for each thread, or share one.
pub struct Rescorer {
    _private: [u8; 0],
}

/// A rescorer, and what C reads of it.
pub struct Made {
    rescorer: rescorer::Rescorer,
    /// One a line.
    warnings: Option<CString>,
}

impl Made {
    /// A rescorer that was made.
    pub fn new(rescorer: rescorer::Rescorer) -> Result<Self, Failure> {
        // A model that came as a handle was loaded before, and says it here.
        let of_model = rescorer.model().device().warning().map(str::to_owned);
        let mut lines = rescorer.warnings().to_vec();
        lines.extend(of_model.filter(|line| !rescorer.warnings().contains(line)));
        let internal = |error: NulError| Failure::new(RescorerStatus::Internal, error.to_string());
        let warnings = (!lines.is_empty()).then(|| CString::new(lines.join("\n").replace('\0', "\u{fffd}")));
        Ok(Self { rescorer, warnings: warnings.transpose().map_err(internal)? })
    }
}

impl Deref for Made {
    type Target = rescorer::Rescorer;

    fn deref(&self) -> &Self::Target {
        &self.rescorer
    }
}

impl Behind for Rescorer {
    type Value = Made;
    const NAME: &'static str = "the rescorer";
}

/// The weights of the fusion: `total = first_pass + lm_weight · lm_score + length_bonus · words`. The first-pass best stays unless
/// another's total is more than `margin` above its own. Begin with `RESCORER_WEIGHTS_INIT(lm_weight)`: no bonus, no margin.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct RescorerWeights {
    /// Size of this struct, as `RESCORER_WEIGHTS_INIT` sets it.
    pub struct_size: usize,
    /// Weight of the language-model score.
    pub lm_weight: f64,
    /// Reward of a word.
    pub length_bonus: f64,
    /// Lead that another hypothesis needs; at least 0.
    pub margin: f64,
}

// SAFETY: a size and floats.
unsafe impl FromCaller for RescorerWeights {
    const NAME: &'static str = "weights (RescorerWeights)";
    const MACRO: &'static str = "RESCORER_WEIGHTS_INIT";
    const EARLIER: &'static [usize] = &[];
    fn defaults() -> Self {
        Self { struct_size: size_of::<Self>(), lm_weight: 0.0, length_bonus: 0.0, margin: 0.0 }
    }
}

impl RescorerWeights {
    /// The weights, if they can be.
    pub(crate) fn fusion(&self) -> Result<Fusion, Failure> {
        let Self { struct_size: _, lm_weight, length_bonus, margin } = *self;
        for (name, weight) in [("lm_weight", lm_weight), ("length_bonus", length_bonus), ("margin", margin)] {
            if !weight.is_finite() {
                let reason = format!("{name} is {weight}; give a finite number");
                return Err(Failure::new(RescorerStatus::InvalidArgument, reason));
            }
        }
        if margin < 0.0 {
            let reason = format!("margin is {margin}; give a number that is at least 0");
            return Err(Failure::new(RescorerStatus::InvalidArgument, reason));
        }
        Ok(Fusion { lm_weight, length_bonus, margin })
    }
}

/// Makes a rescorer from weights.
///
/// # Safety
/// `weights` was begun with `RESCORER_WEIGHTS_INIT`; `rescorer` points to where the handle is to be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rescorer_new(
    model: *const RescorerModel,
    weights: *const RescorerWeights,
    rescorer: *mut *mut Rescorer,
) -> RescorerStatus {
    guarded(|| {
        // SAFETY: the caller promised a place for the handle.
        let rescorer = unsafe { Output::new(rescorer, "rescorer, where the handle is to be written,") }?;
        // SAFETY: the caller promised weights that begin with their size.
        let (weights, _) = unsafe { sized::read(weights) }?;
        let weights = weights.fusion()?;
        let model = handle::find(model)?;
        let made = rescorer::Rescorer::builder(model.as_ref().clone()).weights(weights).build()?;
        rescorer.write(handle::keep(Made::new(made)?)?);
        Ok(())
    })
}

/// Makes a rescorer that decides as a policy says, the TOML file that `rescorer tune` and `rescorer train` write. `adapter` is the
/// one that the policy was tuned with; NULL where there was none.
///
/// # Safety
/// `policy` ends with a NUL; `rescorer` points to where the handle is to be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rescorer_from_policy(
    model: *const RescorerModel,
    adapter: *const RescorerAdapter,
    policy: *const c_char,
    rescorer: *mut *mut Rescorer,
) -> RescorerStatus {
    // SAFETY: the caller promised the same; without a cascade NULL is what the function wants.
    unsafe {
        rescorer_from_cascade_policy(std::ptr::null(), std::ptr::null(), model, adapter, policy, rescorer)
    }
}

/// Makes a cascade: a rescorer that decides as a policy says which asks another rescorer first, as `rescorer tune --cascade` writes it.
/// `cascade_model` is the model of that one, `cascade_adapter` its adapter, NULL where there was none. With another policy both are NULL.
///
/// # Safety
/// As `rescorer_from_policy`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rescorer_from_cascade_policy(
    cascade_model: *const RescorerModel,
    cascade_adapter: *const RescorerAdapter,
    model: *const RescorerModel,
    adapter: *const RescorerAdapter,
    policy: *const c_char,
    rescorer: *mut *mut Rescorer,
) -> RescorerStatus {
    guarded(|| {
        // SAFETY: the caller promised a place for the handle.
        let rescorer = unsafe { Output::new(rescorer, "rescorer, where the handle is to be written,") }?;
        threads::check()?;
        let model = handle::find(model)?;
        // SAFETY: the caller promised a path that ends with a NUL.
        let policy = Policy::read(unsafe { text(&policy, "policy") }?)?;
        if let (Some(wanted), true) = (&policy.cascade, cascade_model.is_null()) {
            return Err(rescorer::Error::CascadeMissing { model: wanted.model.name.clone() }.into());
        }
        let mut builder = rescorer::Rescorer::builder(model.as_ref().clone()).policy_value(policy, "policy");
        if !adapter.is_null() {
            builder = builder.adapter(ADAPTER, handle::find(adapter)?.as_ref().clone());
        }
        if !cascade_model.is_null() {
            builder = builder.first_stage(handle::find(cascade_model)?.as_ref().clone());
        }
        if !cascade_adapter.is_null() {
            builder = builder.first_stage_adapter(ADAPTER, handle::find(cascade_adapter)?.as_ref().clone());
        }
        let made = builder.build()?;
        rescorer.write(handle::keep(Made::new(made)?)?);
        Ok(())
    })
}

/// Gives what is no error, but worth a look, of how a rescorer was loaded: a GPU that was left for the CPU, an adapter that doesn't say
/// which model it is for. One a line; NULL if there is nothing. The text is the rescorer's: it holds until that is freed.
///
/// # Safety
/// `warnings` points to where the text's address is to be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rescorer_warnings(
    rescorer: *const Rescorer,
    warnings: *mut *const c_char,
) -> RescorerStatus {
    guarded(|| {
        // SAFETY: the caller promised a place for the address.
        let warnings = unsafe { Output::new(warnings, "warnings, where the address is to be written,") }?;
        let rescorer = handle::find(rescorer)?;
        warnings.write(rescorer.warnings.as_ref().map_or(std::ptr::null(), |text| text.as_ptr()));
        Ok(())
    })
}

/// Frees a rescorer. NULL is nothing to do.
#[unsafe(no_mangle)]
pub extern "C" fn rescorer_free(rescorer: *mut Rescorer) -> RescorerStatus {
    guarded(|| handle::free(rescorer))
}

/// Computes a context before the first list that comes with it is there, as while the user still speaks. It is kept until a few
/// others were used.
///
/// # Safety
/// `context` ends with a NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rescorer_prepare_context(
    rescorer: *const Rescorer,
    context: *const c_char,
) -> RescorerStatus {
    guarded(|| {
        threads::check()?;
        // SAFETY: the caller promised a text that ends with a NUL.
        let context = unsafe { text(&context, "context") }?;
        Ok(handle::find(rescorer)?.prepare_context(context)?)
    })
}
