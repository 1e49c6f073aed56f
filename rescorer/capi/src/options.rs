use std::ffi::c_char;
use std::mem::offset_of;

use crate::handle;
use crate::model::{RescorerDevice, RescorerPrecision, device, precision};
use crate::second_pass::{Made, Rescorer, RescorerWeights};
use crate::sized::{self, FromCaller, read_array};
use crate::status::{Failure, RescorerStatus, guarded};
use crate::text::text;
use crate::{abi, loading};

/// Name that the adapter of a cascade's first stage has in messages.
const CASCADE_ADAPTER: &str = "cascade_adapter";

/// An adapter that lists ask for by its name. Begin with `RESCORER_NAMED_ADAPTER_INIT(name, folder)`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct RescorerNamedAdapter {
    /// Size of this struct, as `RESCORER_NAMED_ADAPTER_INIT` sets it; all of an array have the same.
    pub struct_size: usize,
    /// The name.
    pub name: *const c_char,
    /// Folder in the files of Hugging Face PEFT. A `policy.toml` in it decides for the adapter's lists.
    pub folder: *const c_char,
}

/// What a rescorer is made of. Begin with `RESCORER_OPTIONS_INIT`: the device and the precision that fit best, and the default policy.
/// Everything in it stays the caller's and is read during the call only.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct RescorerOptions {
    /// Size of this struct, as `RESCORER_OPTIONS_INIT` sets it.
    pub struct_size: usize,
    /// `RESCORER_ABI_VERSION` of the header that the program was compiled with, as `RESCORER_OPTIONS_INIT` sets it.
    pub abi_version: u32,
    /// A value of `RescorerPrecision`.
    pub precision: i32,
    /// A value of `RescorerDevice`.
    pub device: i32,
    /// Threads of its own to compute with on the CPU; 0 is those that all rescorers share.
    pub threads: u32,
    /// The TOML file that `rescorer_tune` or the command `rescorer tune` wrote. NULL where `weights` or policies of adapters decide, else the default policy.
    pub policy: *const c_char,
    /// Weights by hand in place of a policy, or NULL.
    pub weights: *const RescorerWeights,
    /// The adapters. Lists that ask for none are answered with the one that the policy was tuned with; without a policy with the first.
    /// With no adapters, weights or policy that was tuned without it, `smollm2-135m` has the built-in adapter `speech`; an adapter whose
    /// folder is "none" leaves it out.
    pub adapters: *const RescorerNamedAdapter,
    /// Their number.
    pub adapter_count: usize,
    /// Model of a cascade's first stage, where the policy is for one; NULL is the one that the policy names.
    pub cascade_model: *const c_char,
    /// Folder of the first stage's adapter; NULL where the policy names none.
    pub cascade_adapter: *const c_char,
    /// A flag: whether lists that name no adapter are routed to the one whose domain they seem to be of, or to none. Then there is no
    /// `policy`, and lists that go to none are answered by the default policy.
    pub route_adapters: i32,
    /// 0.
    pub reserved: i32,
    /// File of names and terms, one a line, or NULL. Where words of a list sound like one, a hypothesis with the term joins the list.
    pub vocabulary: *const c_char,
    /// Share of the answers that may differ from those of an exact search, 0 to 0.1, so that less is computed: of lists with the want
    /// `RESCORER_WANT_TEXT` or a deadline. 0 keeps all answers. The policy says what it costs.
    pub search_risk: f64,
}

// SAFETY: a size and pointers.
unsafe impl FromCaller for RescorerNamedAdapter {
    const NAME: &'static str = "adapters (RescorerNamedAdapter)";
    const MACRO: &'static str = "RESCORER_NAMED_ADAPTER_INIT";
    const EARLIER: &'static [usize] = &[];
    fn defaults() -> Self {
        Self { struct_size: size_of::<Self>(), name: std::ptr::null(), folder: std::ptr::null() }
    }
}

// SAFETY: sizes, pointers and integers; what they may be is checked when they are used.
unsafe impl FromCaller for RescorerOptions {
    const NAME: &'static str = "options (RescorerOptions)";
    const MACRO: &'static str = "RESCORER_OPTIONS_INIT";
    // Before `route_adapters`, `vocabulary` and `search_risk`.
    const EARLIER: &'static [usize] =
        &[offset_of!(Self, route_adapters), offset_of!(Self, vocabulary), offset_of!(Self, search_risk)];
    fn defaults() -> Self {
        Self {
            struct_size: size_of::<Self>(),
            abi_version: abi::RESCORER_ABI_VERSION,
            precision: RescorerPrecision::Auto as i32,
            device: RescorerDevice::Auto as i32,
            threads: 0,
            policy: std::ptr::null(),
            weights: std::ptr::null(),
            adapters: std::ptr::null(),
            adapter_count: 0,
            cascade_model: std::ptr::null(),
            cascade_adapter: std::ptr::null(),
            route_adapters: 0,
            reserved: 0,
            vocabulary: std::ptr::null(),
            search_risk: 0.0,
        }
    }
}

/// Loads a rescorer in one call: a model, its policy and its adapters. `model` is a `.gguf` file, a Hugging Face folder, or the name of
/// a model that `rescorer models pull` has fetched; the network is not used. A program that was compiled with the header of another
/// interface is refused with `RESCORER_STATUS_ABI_VERSION`.
///
/// # Safety
/// `model` ends with a NUL; `options` was begun with `RESCORER_OPTIONS_INIT`, and what it points to is as its fields say; `rescorer`
/// points to where the handle is to be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rescorer_load(
    model: *const c_char,
    options: *const RescorerOptions,
    rescorer: *mut *mut Rescorer,
) -> RescorerStatus {
    guarded(|| {
        let place = "rescorer, where the handle is to be written,";
        // SAFETY: the caller promised a place for the handle, and options that begin with their size.
        let (rescorer, options) =
            unsafe { loading::begin(rescorer, place, options, |options| options.abi_version) }?;
        // SAFETY: the caller promised a text that ends with a NUL.
        let model = unsafe { text(&model, "model") }?;
        // SAFETY: the caller promised options whose pointers lead to what their fields say.
        let builder = unsafe { options.parts(rescorer::Rescorer::builder(model).offline()) }?;
        rescorer.write(handle::keep(Made::new(builder.build()?)?)?);
        Ok(())
    })
}

impl RescorerOptions {
    /// Gives a builder its parts.
    ///
    /// # Safety
    /// Pointers are NULL or lead to what their fields say.
    unsafe fn parts(&self, builder: rescorer::RescorerBuilder) -> Result<rescorer::RescorerBuilder, Failure> {
        let mut builder = builder
            .device(device(self.device)?)
            .precision(precision(self.precision)?)
            .search_risk(self.search_risk);
        if self.threads > u32::from(u16::MAX) {
            let reason = format!("{} threads; give a number from 1 to {}, or 0", self.threads, u16::MAX);
            return Err(Failure::new(RescorerStatus::InvalidArgument, reason));
        }
        if self.threads > 0 {
            builder = builder.threads(self.threads as usize);
        }
        if !self.policy.is_null() {
            // SAFETY: the caller promised a path that ends with a NUL.
            builder = builder.policy(unsafe { text(&self.policy, "policy") }?);
        }
        if !self.weights.is_null() {
            // SAFETY: the caller promised weights that begin with their size.
            let (weights, _) = unsafe { sized::read(self.weights) }?;
            builder = builder.weights(weights.fusion()?);
        }
        let read = |number: usize, adapter: RescorerNamedAdapter| {
            // SAFETY: the caller promised texts that end with a NUL.
            let name = unsafe { text(&adapter.name, &format!("the name of adapter {number}")) }?;
            // SAFETY: as above.
            let folder = unsafe { text(&adapter.folder, &format!("the folder of adapter {number}")) }?;
            Ok((name.to_owned(), folder.to_owned()))
        };
        // SAFETY: the caller promised `adapter_count` adapters.
        for (name, folder) in unsafe { read_array(self.adapters, self.adapter_count, read) }? {
            builder = builder.adapter(name, folder.as_str());
        }
        if self.reserved != 0 {
            let reason = format!("reserved is {}; leave it at 0", self.reserved);
            return Err(Failure::new(RescorerStatus::InvalidArgument, reason));
        }
        if self.route_adapters != 0 {
            builder = builder.route_adapters();
        }
        if !self.vocabulary.is_null() {
            // SAFETY: the caller promised a path that ends with a NUL.
            builder = builder.vocabulary_file(unsafe { text(&self.vocabulary, "vocabulary") }?);
        }
        if !self.cascade_model.is_null() {
            // SAFETY: the caller promised a path that ends with a NUL.
            builder = builder.first_stage(unsafe { text(&self.cascade_model, "cascade_model") }?);
        }
        if !self.cascade_adapter.is_null() {
            // SAFETY: the caller promised a path that ends with a NUL.
            let folder = unsafe { text(&self.cascade_adapter, CASCADE_ADAPTER) }?;
            builder = builder.first_stage_adapter(CASCADE_ADAPTER, folder);
        }
        Ok(builder)
    }
}
