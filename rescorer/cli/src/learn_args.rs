//! Arguments of `learn`.

use std::path::PathBuf;

use clap::Args;
use rescorer_perturb::Normalization;

use crate::args::CommonArgs;
use crate::base_model_args::BaseModelArgs;
use crate::numbers;

#[derive(Args)]
#[command(after_help = "Example:
  rescorer learn corrections.jsonl --adapter adapter --replay train.jsonl --held-out dev.jsonl
  rescorer learn --adapter adapter --undo

A correction is a list whose `reference` is what the user made of the answer. The adapter changes only if the held-out lists are answered \
with no more errors than before; else the exit code is 1. What it was before is kept in its folder, under learned/.")]
pub struct LearnArgs {
    /// Files of corrections: lists with what was said as their reference
    #[arg(required_unless_present = "undo", conflicts_with = "undo")]
    pub corrections: Vec<PathBuf>,
    /// Folder of the adapter; made where there is none
    #[arg(long, value_name = "DIR")]
    pub adapter: PathBuf,
    /// Undo the last step that was kept
    #[arg(long)]
    pub undo: bool,
    /// Older lists with references, to repeat some of them; may repeat
    ///
    /// Corrections of earlier steps are always among them.
    #[arg(long, value_name = "FILE", help_heading = "Lists")]
    pub replay: Vec<PathBuf>,
    /// Lists to check the adapter on; may repeat [default: a fifth of all lists]
    #[arg(long, value_name = "FILE", help_heading = "Lists")]
    pub held_out: Vec<PathBuf>,
    /// Normalisation before errors are counted, as in `tune`
    ///
    /// A policy beside the adapter has its own.
    #[arg(long, value_name = "NAME", default_value_t = Normalization::None, hide_default_value = true, help_heading = "Lists")]
    pub normalize: Normalization,
    /// Report and skip unusable lists; the exit code is then 1
    #[arg(long, help_heading = "Lists")]
    pub skip_invalid: bool,
    /// Older lists that are repeated for each correction
    #[arg(long, value_name = "N", default_value_t = 2.0, value_parser = numbers::finite, help_heading = "Training")]
    pub replay_ratio: f64,
    /// Passes over the lists
    #[arg(long, value_name = "N", default_value_t = 3.0, value_parser = numbers::finite, help_heading = "Training")]
    pub epochs: f64,
    /// Highest learning rate
    #[arg(long, value_name = "RATE", default_value_t = 3e-4, value_parser = numbers::finite, help_heading = "Training")]
    pub learning_rate: f64,
    /// Seed of all random numbers
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Training")]
    pub seed: u64,
    #[command(flatten)]
    pub base: BaseModelArgs,
    #[command(flatten)]
    pub common: CommonArgs,
}
