//! Arguments of `train` and `adapter`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::args::CommonArgs;
use crate::numbers;
use crate::recipe_flags::RecipeFlags;

#[derive(Args)]
#[command(after_help = "Examples:
  rescorer train recipe.toml --train atis-train.json --exclude atis-test.json --output adapter
  rescorer train --train lists.jsonl --dev-share 0.1 --rank 4 --mwer 1 --output adapter

Broken off at any moment, the same command goes on from the last checkpoint. Writes the adapter in the files of PEFT,
log.jsonl, recipe.toml and, where there are dev lists, policy.toml.")]
pub struct TrainArgs {
    /// What is trained, on what and how; flags overrule it
    pub recipe: Option<PathBuf>,
    /// Folder for adapter, policy, log and checkpoint
    #[arg(long, value_name = "DIR")]
    pub output: PathBuf,
    /// Steps from one checkpoint to the next
    #[arg(long, default_value_t = 50, value_name = "N", value_parser = numbers::at_least_one)]
    pub checkpoint_every: usize,
    /// Begin anew where there is a checkpoint
    #[arg(long)]
    pub restart: bool,
    /// A named model (see `models list`), a .gguf file, or a Hugging Face folder
    #[arg(long, default_value = rescorer_models::named::DEFAULT_MODEL, value_name = "NAME|PATH")]
    pub model: String,
    /// Threads [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
    /// Never use the network; a named model must be there
    #[arg(long)]
    pub offline: bool,
    /// Go on after a list that can't be used; they are reported and counted, and the exit code is 1
    #[arg(long)]
    pub skip_invalid: bool,
    #[command(flatten)]
    pub common: CommonArgs,
    #[command(flatten)]
    pub flags: RecipeFlags,
}

#[derive(Args)]
pub struct AdapterArgs {
    #[command(subcommand)]
    pub action: AdapterAction,
}

#[derive(Subcommand)]
pub enum AdapterAction {
    /// Settings, size, and the ranks of all layers
    Inspect {
        /// Folder of the adapter
        adapter: PathBuf,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// A rank-allocated adapter as a vanilla one that computes the same
    Convert {
        /// Folder of the adapter
        adapter: PathBuf,
        /// The kind to write
        #[arg(long, alias = "to", value_enum, default_value_t = AdapterKind::Lora, value_name = "KIND")]
        output_format: AdapterKind,
        /// Folder to write
        #[arg(long, value_name = "DIR")]
        output: PathBuf,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Model and adapter in one, as a Hugging Face folder in f32
    Merge {
        /// Folder of the adapter
        adapter: PathBuf,
        /// The model that it was trained on
        #[arg(long, default_value = rescorer_models::named::DEFAULT_MODEL, value_name = "NAME|PATH")]
        model: String,
        /// Never use the network; a named model must be there
        #[arg(long)]
        offline: bool,
        /// Folder to write
        #[arg(long, value_name = "DIR")]
        output: PathBuf,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// The same adapter with fewer ranks
    Truncate {
        /// Folder of the adapter
        adapter: PathBuf,
        /// Ranks of a layer
        #[arg(long, value_name = "N", value_parser = numbers::at_least_one)]
        rank: usize,
        /// The nearest adapter of that rank, in place of the first ranks
        #[arg(long)]
        svd: bool,
        /// Numerator of the scale of the projection [default: that of the adapter]
        #[arg(long, value_name = "A", requires = "svd", value_parser = numbers::finite, allow_negative_numbers = true)]
        alpha: Option<f64>,
        /// Folder to write
        #[arg(long, value_name = "DIR")]
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
