//! The model of commands that train or audit.

use clap::Args;
use rescorer_models::PrecisionRequest;

/// The model that an adapter is trained for, on the CPU.
#[derive(Args)]
pub struct BaseModelArgs {
    /// Model name, .gguf file or folder
    ///
    /// The names are those of `rescorer models list`. A folder is one of Hugging Face, with config.json and safetensors.
    #[arg(long, default_value = rescorer_models::named::DEFAULT_MODEL, value_name = "MODEL", help_heading = "Model")]
    pub model: String,
    /// Arithmetic: auto, int8 or f32
    ///
    /// auto is int8: the adapter is trained on the scores that it is used with, in three quarters of the time of f32.
    #[arg(long, default_value_t, value_name = "NAME", help_heading = "Model")]
    pub precision: PrecisionRequest,
    /// Number of CPU threads [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), help_heading = "Model")]
    pub threads: Option<u16>,
    /// Do not use the network; a named model must be in the cache
    #[arg(long, help_heading = "Model")]
    pub offline: bool,
}
