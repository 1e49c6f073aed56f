//! Arguments of `train` and `adapter`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use rescorer::fusion::FusionKind;

use crate::args::CommonArgs;
use crate::audit_args::AuditArgs;
use crate::base_model_args::BaseModelArgs;
use crate::numbers;
use crate::recipe_flags::RecipeFlags;

#[derive(Args)]
#[command(after_help = "Examples:
  rescorer train recipe.toml --train train.json --set data.exclude=test.json --output adapter
  rescorer train --train lists.jsonl --dev-share 0.1 --rank 4 --mwer 1 --output adapter

Run the same command again to resume an interrupted training from the last checkpoint. The folder then holds \
the adapter in the files of PEFT, log.jsonl, recipe.toml and, with dev lists, policy.toml.")]
pub struct TrainArgs {
    /// Recipe file: adapter, data and training; flags override it
    pub recipe: Option<PathBuf>,
    #[command(flatten)]
    pub flags: RecipeFlags,
    /// Report and skip unusable lists; the exit code is then 1
    #[arg(long, help_heading = "Recipe")]
    pub skip_invalid: bool,
    #[command(flatten)]
    pub base: BaseModelArgs,
    /// Write adapter, policy, log and checkpoint into this folder
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub output: PathBuf,
    /// What the policy weighs: features or classic [default: features]
    ///
    /// features are weights near those of the default policy. classic are LM weight, length bonus and margin: what a cascade takes, and
    /// the default if the recipe's scores are means.
    #[arg(long, value_name = "KIND", help_heading = "Output")]
    pub fusion: Option<FusionKind>,
    /// Steps between two checkpoints
    #[arg(long, default_value_t = 50, value_name = "N", value_parser = numbers::at_least_one, help_heading = "Output")]
    pub checkpoint_every: usize,
    /// Start again although there is a checkpoint
    #[arg(long, help_heading = "Output")]
    pub restart: bool,
    #[command(flatten)]
    pub common: CommonArgs,
}

#[derive(Args)]
pub struct AdapterArgs {
    #[command(subcommand)]
    pub action: AdapterAction,
}

#[derive(Subcommand)]
pub enum AdapterAction {
    /// Show the settings, the size and the rank of each layer
    Inspect {
        /// Folder of the adapter
        adapter: PathBuf,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Search an adapter from elsewhere for triggers that turn decisions
    Audit(Box<AuditArgs>),
    /// Convert a rank-allocated adapter to an equal LoRA adapter
    Convert {
        /// Folder of the adapter
        adapter: PathBuf,
        /// Kind of adapter to write
        #[arg(
            long,
            alias = "to",
            value_enum,
            default_value_t = AdapterKind::Lora,
            value_name = "KIND",
            help_heading = "Output"
        )]
        output_format: AdapterKind,
        /// Write numbers of 16 bits, which halves the size
        #[arg(long, help_heading = "Output")]
        half: bool,
        /// Write the adapter into this folder
        #[arg(long, value_name = "DIR", help_heading = "Output")]
        output: PathBuf,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Merge an adapter into its model, or average several adapters
    Merge {
        /// Folder of the adapter; with --average of two or more
        #[arg(required = true, num_args = 1..)]
        adapters: Vec<PathBuf>,
        /// Write the mean of several adapters as one adapter
        ///
        /// For example those of several devices. Without it, a Hugging Face folder in f32 is written.
        #[arg(long, conflicts_with_all = ["model", "offline"])]
        average: bool,
        /// Ranks of a layer in the mean [default: the most that one of the adapters has]
        #[arg(long, value_name = "N", requires = "average", value_parser = numbers::at_least_one)]
        rank: Option<usize>,
        /// Model that the adapter was trained on
        #[arg(long, default_value = rescorer_models::named::DEFAULT_MODEL, value_name = "MODEL")]
        model: String,
        /// Do not use the network; a named model must be in the cache
        #[arg(long)]
        offline: bool,
        /// Write the model, or the mean, into this folder
        #[arg(long, value_name = "DIR", help_heading = "Output")]
        output: PathBuf,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Reduce the rank of an adapter
    Truncate {
        /// Folder of the adapter
        adapter: PathBuf,
        /// Ranks of a layer
        #[arg(long, value_name = "N", value_parser = numbers::at_least_one)]
        rank: usize,
        /// Write the nearest adapter of that rank instead of the first ranks
        #[arg(long)]
        svd: bool,
        /// Numerator of the scale of the nearest adapter [default: that of the adapter]
        #[arg(long, value_name = "A", requires = "svd", value_parser = numbers::finite, allow_negative_numbers = true)]
        alpha: Option<f64>,
        /// Write the adapter into this folder
        #[arg(long, value_name = "DIR", help_heading = "Output")]
        output: PathBuf,
        #[command(flatten)]
        common: CommonArgs,
    },
}

/// Kinds that an adapter can be converted to.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AdapterKind {
    Lora,
}
